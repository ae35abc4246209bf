"""The LSBD-VAE: codes on circles, whose turns are told.

References:
    Tonnaer, Perez Rey, Menkovski, Holenderski and Portegies, "Quantifying and learning linear symmetry-based
    disentanglement", ICML 2022, arXiv:2011.06070.
    Perez Rey, Menkovski and Portegies, "Diffusion variational autoencoders", IJCAI 2020, arXiv:1901.08991 (the KL).
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.model import AutoencodingModel, Terms
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import OrbitBatch

__all__ = ["LSBDVAE"]

NARROWEST, WIDEST = -10.0, -5.0
"""The log variance of a point's angle; beyond, the wrapped normal is no longer like a normal, or has no width."""


class LSBDVAE(AutoencodingModel):
    r"""A VAE with a circle for each factor, on which it is told how far each action turns.

    Frames :math:`x_m = g_m x_1` of a sequence have points on the circles. Turned back by :math:`\rho(g_m)^{-1}` they
    should be one: they are averaged on the circles, turned forward again, and the images decoded from there;

    .. math:: \mathcal L = -\mathbb E \log p(x_m \mid \rho(g_m) \bar z) + \mathrm{KL}
              + \gamma \sum_k 2 \big(1 - \cos \angle(z_m, \rho(g_m) \bar z)_k\big)

    The posterior's angle is normal with a variance t of its own, wrapped around; its KL to the uniform angle is
    :math:`\log 2\pi - \tfrac12 \log 2 \pi e t`. Latents that are left over are ordinary ones of a VAE, which actions
    leave alone. The authors alternate batches with and without told actions; here all are told. They are told of frames
    that are far apart, and should be (``--view.length 15 --view.no-intermediate``): a code that hardly moves is
    nearly right about single steps, and training ends there.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least two for each period.
        periods: How many values each factor has that moves, in the order of the view's actions 2f and 2f + 1: their
            steps turn circle f by one part in so many. (8, 8) is FlatLand.
        gamma: The weight of the distances on the circles, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range, or there are too few latents.

    >>> codes = LSBDVAE((1, 32, 32), periods=(7, 7)).represent(torch.rand(2, 1, 32, 32))
    >>> codes[:, :2].norm(dim=1).detach().round(decimals=3)
    tensor([1., 1.])
    """

    view = "orbits"
    told: ClassVar[bool] = True
    citation = """@inproceedings{tonnaer2022quantifying, author = {Tonnaer, Loek and Perez Rey, Luis A. and
  Menkovski, Vlado and Holenderski, Mike and Portegies, Jim},
  title = {Quantifying and Learning Linear Symmetry-Based Disentanglement},
  booktitle = {International Conference on Machine Learning}, year = {2022}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 4,
        periods: tuple[int, ...] = (8, 8),
        gamma: float = 100.0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=2)
        require_at_least(0, gamma=gamma)
        for period in periods:
            require_at_least(2, periods=period)
        if not periods or 2 * len(periods) > latent_dim:
            raise InvalidOption(
                f"every factor that moves needs a circle of two latents, but there are {len(periods)} periods and "
                f"{latent_dim} latents"
            )
        self.periods, self.gamma = tuple(periods), gamma
        self.circles = len(self.periods)

    def represent(self, x: Tensor) -> Tensor:
        """Points on the circles, and the means of what latents are left over, ``(B, latent_dim)``."""
        point, _, rest = self._posterior(x)
        return torch.cat((point.flatten(1), rest.mean), dim=1)

    def matrices(self) -> Tensor:
        """The turns it is told, ``(2 * circles, latent_dim, latent_dim)``."""
        made = torch.eye(self.latent_dim).repeat(2 * self.circles, 1, 1)
        for action in range(2 * self.circles):
            angle = (1 - action % 2 * 2) * 2 * math.pi / self.periods[action // 2]
            place = slice(action // 2 * 2, action // 2 * 2 + 2)
            made[action, place, place] = torch.tensor(
                [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
            )
        return made

    def loss(self, batch: OrbitBatch, step: int) -> Terms:
        """Reconstruction from where the sequence agrees to be, KL, and how far each frame is from there; in nats.

        Raises:
            InvalidData: When the batch tells no actions, or some of a factor without a period.
        """
        frames = batch.x.flatten(0, 1)
        point, log_variance, rest = self._posterior(frames)
        turned = self._turns(batch)
        drawn = _turned(point, (0.5 * log_variance).exp() * torch.randn_like(log_variance))
        back = _turned(drawn.unflatten(0, batch.x.shape[:2]), -turned)
        agreed = _turned(F.normalize(back.mean(dim=1, keepdim=True), dim=-1).expand_as(back), turned).flatten(0, 1)
        z = torch.cat((agreed.flatten(1), rest.rsample()), dim=1)
        circle = math.log(2 * math.pi) - 0.5 * (math.log(2 * math.pi * math.e) + log_variance)
        return Terms(
            reconstruction=self.nll(frames, z),
            kl=circle.sum(dim=1).mean() + rest.divergences().sum(dim=1).mean(),
            agreement=self.gamma * 2 * (1 - (drawn * agreed).sum(dim=2)).sum(dim=1).mean(),
        )

    def _posterior(self, x: Tensor) -> tuple[Tensor, Tensor, Gaussian]:
        """Points ``(B, circles, 2)``, log variances of their angles ``(B, circles)``, and what is left over."""
        mean, spread = (part.float() for part in self.encoder(x).chunk(2, dim=1))
        count = 2 * self.circles
        middle, half = (NARROWEST + WIDEST) / 2, (WIDEST - NARROWEST) / 2
        log_variance = middle + half * spread[:, :count].unflatten(1, (-1, 2)).mean(dim=2).tanh()
        rest = Gaussian(mean[:, count:], spread[:, count:])
        return F.normalize(mean[:, :count].unflatten(1, (-1, 2)), dim=2), log_variance, rest

    def _turns(self, batch: OrbitBatch) -> Tensor:
        """By what angle each frame is turned from the first, on each circle, ``(B, T, circles)``."""
        if batch.actions is None:
            raise InvalidData(
                "LSBDVAE must be told the actions, but the view hides them: give view actions='shown', or take a "
                "model that infers them (rgrvae)"
            )
        if int(batch.actions.max()) >= 2 * self.circles:
            raise InvalidData(
                f"the view has an action {int(batch.actions.max())}, but {self.circles} periods have "
                f"{2 * self.circles} (0 .. {2 * self.circles - 1}): give a period for each factor that moves"
            )
        angle = 2 * math.pi / torch.tensor(self.periods, device=batch.x.device)
        signed = torch.stack((angle, -angle), dim=1).flatten().diag().unflatten(1, (-1, 2)).sum(dim=2)
        turns = F.pad(signed[batch.actions].cumsum(dim=1), (0, 0, 1, 0))
        shown = batch.x.shape[1]
        return turns if turns.shape[1] == shown else turns[:, :: turns.shape[1] - 1]


def _turned(point: Tensor, angle: Tensor) -> Tensor:
    """Points ``(..., circles, 2)`` turned by angles ``(..., circles)``."""
    x, y = point.unbind(dim=-1)
    return torch.stack((x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()), dim=-1)
