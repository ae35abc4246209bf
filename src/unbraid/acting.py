"""What a model of sequences is: the codes of images that follow each other predict one another, perhaps by matrices.

As in :mod:`unbraid.model`, a class is either abstract (here) or final (on the shelf).
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.groups.learnable import REPRESENTATIONS, RepresentationName
from unbraid.model import Terms, VariationalModel
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import OrbitBatch

__all__ = ["ActingModel", "SequenceModel"]


class SequenceModel(VariationalModel):
    """What models of sequences share whose codes predict each other: a scale that is held, and weights that suit it.

    The mean of the posterior is a linear output, so that a circle can be round. Its log variance goes through a SELU
    and so stays above -1.76: without a floor, codes shrink to make the error of predictions small, which is no
    progress. The weights count for an image of 4096 numbers and are scaled to the number that an image has, since the
    likelihood is a sum over them: weights that suit one size else drown the other terms at another.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight of the KL, at least 0.
        gamma: The weight of the squared error of predicted codes, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Attributes:
        told: Whether it is told the actions, which then are numbered as the view has them.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    view = "orbits"
    told: ClassVar[bool] = False

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int,
        beta: float,
        gamma: float,
        likelihood: LikelihoodName,
        network: NetworkName,
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, gamma=gamma)
        self.beta, self.gamma = beta, gamma
        self.scale = shape[0] * shape[1] * shape[2] / 4096

    def encode(self, x: Tensor) -> Gaussian:
        """The posterior q(z|x)."""
        mean, spread = self.encoder(x).chunk(2, dim=1)
        return Gaussian(mean, F.selu(spread.float()))

    def bound(self, batch: OrbitBatch) -> tuple[Terms, Tensor, Tensor]:
        """Reconstruction and weighted KL of all frames, and the mean and a sample of each, ``(B, T, D)``."""
        frames = batch.x.flatten(0, 1)
        q = self.encode(frames)
        z = q.rsample()
        terms = Terms(reconstruction=self.nll(frames, z), kl=self.beta * self.scale * q.kl())
        return terms, q.mean.unflatten(0, batch.x.shape[:2]), z.unflatten(0, batch.x.shape[:2])


class ActingModel(SequenceModel):
    r"""What models share on whose codes actions act by matrices.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        actions: How many actions there are, at least 1.
        beta: The weight of the KL, at least 0.
        gamma: The weight of the squared error of predicted codes, at least 0.
        representation: What matrices there can be: ``"rotations"``, ``"blocks"``, ``"free"`` or ``"exponentials"``
            (:mod:`unbraid.groups.learnable`).
        rate: The learning rate of the matrices, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int,
        actions: int,
        beta: float,
        gamma: float,
        representation: RepresentationName,
        rate: float,
        likelihood: LikelihoodName,
        network: NetworkName,
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, beta=beta, gamma=gamma, likelihood=likelihood, network=network)
        require_at_least(0, rate=rate)
        if representation not in REPRESENTATIONS:
            raise InvalidOption(
                f"representation must be one of {', '.join(REPRESENTATIONS)}, but is {representation!r}"
            )
        self.actions, self.rate, self.representation = actions, rate, representation
        self.acting = REPRESENTATIONS[representation](actions, latent_dim)

    def matrices(self) -> Tensor:
        """What each action does to a code, ``(A, latent_dim, latent_dim)``."""
        made: Tensor = self.acting()
        return made.float()

    def infer(self, before: Tensor, after: Tensor) -> Tensor:
        """Which action leads from one image to the other, ``(B, C, H, W)`` twice to ``(B,)`` in ``0 .. A - 1``."""
        return self.errors(self.represent(before), self.represent(after)).argmin(dim=1)

    def errors(self, z: Tensor, target: Tensor) -> Tensor:
        """Squared errors of what every action makes of codes: ``(B, D)`` twice to ``(B, A)``."""
        made = torch.einsum("aij,bj->bai", self.matrices(), z)
        return (made - target[:, None]).square().sum(dim=2)

    def players(self) -> dict[str, list[dict[str, Any]]]:
        """One player; the matrices have a learning rate of their own."""
        acting = list(self.acting.parameters())
        rest = [p for p in self.parameters() if all(p is not own for own in acting)]
        return {"model": [{"params": rest}, {"params": acting, "lr": self.rate}]}
