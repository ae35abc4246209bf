"""StyleGAN: a generator whose layers are told a style each, the coarse ones of forms and the fine ones of colours.

References:
    Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks", CVPR 2019,
    arXiv:1812.04948.
    Karras et al., "Analyzing and improving the image quality of StyleGAN", CVPR 2020, arXiv:1912.04958 (path lengths,
    and penalties in few of the steps).
    Mescheder, Geiger and Nowozin, "Which training methods for GANs do actually converge?", ICML 2018,
    arXiv:1801.04406 (the penalty on the critic's gradient).
    Zhu, Shen, Zhao and Zhou, "In-domain GAN inversion for real image editing", ECCV 2020, arXiv:2004.00049 (an encoder
    that finds styles of images).
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.model import Model, Terms
from unbraid.nn.averaged import Averaged
from unbraid.nn.image import checked_codes
from unbraid.nn.mapping import Mapping
from unbraid.nn.networks import NETWORKS, NetworkName
from unbraid.nn.spread import SpreadCritic
from unbraid.nn.synthesis import Synthesis
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["StyleGAN"]

BETAS = (0.0, 0.99)
"""How Adam forgets."""
CRITIC_EVERY, PATH_EVERY = 16, 8
"""Penalties are taken in one of so many steps, and count as many times as much there: they cost the most."""
FEATURES = 64
"""What a critic makes of an image before it looks at the batch."""
CENTRE, LENGTH = 0.995, 0.99
"""What the running means of styles and of path lengths keep in a step."""


class StyleGAN(Model):
    r"""Normal numbers become a style, and the style draws; what each layer is told can come from another style.

    With a mapping :math:`w = f(z), z \sim N(0, I)`, a generator :math:`G(w_1, \ldots, w_L)` of L layers, all of which
    are told one w, or (``mixing``) the first some one and the others another, a critic D, and :math:`\zeta(t) =
    \log(1 + e^t)`,

    .. math:: \mathcal L_D &= \zeta(D(G(w))) + \zeta(-D(x)) + \tfrac\gamma2 |\nabla_x D(x)|^2 \\
              \mathcal L_G &= \zeta(-D(G(w))) + \lambda_l \big(|J_w^\top y| - a\big)^2, \qquad y \sim N(0, I / HW)

    where :math:`J_w = \partial G / \partial w` and a is the running mean of :math:`|J_w^\top y|`: a step in w is to
    change an image as much everywhere. An encoder E finds the style of an image, which the papers do not have:

    .. math:: \mathcal L_E = \lambda_x \tfrac12 |G(E(x)) - x|^2 + \lambda_w |E(G(w)) - w|^2,

    of which the first is felt by G too; with ``reconstruction_weight=0`` G is trained as in the papers, and E on what
    G draws alone. Codes, as scores and plots see them, are :math:`E(x)`. In evaluation the weights of mapping and
    generator are averages, and there is no noise.

    Styles are added and normed as in the first paper (adaptive instance normalisation) unless they are ``scaled``, and
    path lengths are those of the second. The network is a small one for images of 32 pixels; the mapping learns as fast
    as all else, where the papers' learns at a hundredth of the rate.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers z and w have, at least 1; 512 in the paper.
        depth: Layers of the mapping, at least 1; 8 in the paper.
        width: Channels at full size, at least 1.
        mixing: How often an image has two styles, 0 to 1.
        gamma: :math:`\gamma`, at least 0.
        path_weight: :math:`\lambda_l`, at least 0.
        reconstruction_weight: :math:`\lambda_x`, at least 0; 0 in the papers.
        code_weight: :math:`\lambda_w`, at least 0.
        critic_rate: The critic's learning rate, at least 0; 0 for the run's.
        spread: Whether the critic sees how much the images of a batch differ, as in the papers.
        scaled: Whether styles only scale, as in the second paper.
        average: What averaged weights keep in a step, from 0 to below 1.
        network: Of the encoder and the critic: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"``
            or ``"modulated"``.

    >>> model = StyleGAN((3, 32, 32), latent_dim=8, width=4).eval()
    >>> coarse, fine = model.styles(2), model.styles(2)
    >>> model.layers, model.drawn(model.mixed(coarse, fine, 4)).shape
    (8, torch.Size([2, 3, 32, 32]))
    """

    citation = """@inproceedings{karras2019style, author = {Karras, Tero and Laine, Samuli and Aila, Timo},
  title = {A Style-Based Generator Architecture for Generative Adversarial Networks}, booktitle = {CVPR},
  year = {2019}}"""
    view: ClassVar[str] = "images"
    centre: Tensor
    length: Tensor

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 32,
        depth: int = 4,
        width: int = 8,
        mixing: float = 0.9,
        gamma: float = 1.0,
        path_weight: float = 2.0,
        reconstruction_weight: float = 0.1,
        code_weight: float = 1.0,
        critic_rate: float = 0.0,
        spread: bool = False,
        scaled: bool = False,
        average: float = 0.99,
        network: NetworkName = "conv",
    ) -> None:
        super().__init__()
        require_at_least(1, latent_dim=latent_dim, depth=depth, width=width)
        require_at_least(0, mixing=mixing, gamma=gamma, path_weight=path_weight, average=average)
        require_at_least(0, reconstruction_weight=reconstruction_weight, code_weight=code_weight)
        require_at_least(0, critic_rate=critic_rate)
        if mixing > 1 or average >= 1:
            raise InvalidOption(f"mixing must be at most 1 and average below 1, but are {mixing} and {average}")
        if network not in NETWORKS:
            raise InvalidOption(f"network must be one of {', '.join(NETWORKS)}, but is {network!r}")
        self.shape, self.latent_dim, self.depth, self.width = shape, latent_dim, depth, width
        self.mixing, self.gamma, self.path_weight = mixing, gamma, path_weight
        self.reconstruction_weight, self.code_weight = reconstruction_weight, code_weight
        self.critic_rate, self.spread, self.scaled = critic_rate, spread, scaled
        self.average, self.network = average, network
        self.mapping, self.synthesis = Mapping(latent_dim, depth), Synthesis(shape, latent_dim, width, scaled=scaled)
        self.averages = nn.ModuleList(Averaged(part, average) for part in (self.mapping, self.synthesis))
        self.encoder = NETWORKS[network].encoder(shape, latent_dim)
        seen = NETWORKS[network].encoder(shape, FEATURES if spread else 1)
        self.critic: nn.Module = SpreadCritic(seen, FEATURES) if spread else seen
        self.register_buffer("centre", torch.zeros(latent_dim))
        self.register_buffer("length", torch.zeros(()))

    @property
    def layers(self) -> int:
        """How many layers are told a style: two at each size from 4x4, the coarse ones first."""
        return len(self.synthesis.layers)

    def styles(self, count: int, *, truncation: float = 1.0) -> Tensor:
        r"""Some styles, ``(count, latent_dim)``, drawn, and moved towards the mean of all.

        .. math:: \bar w + \psi (f(z) - \bar w)

        Args:
            count: How many.
            truncation: :math:`\psi`; at 0 all are the mean, at 1 they are as drawn, and between, they are less varied.
        """
        drawn = self.mapped(torch.randn(count, self.latent_dim, device=self.centre.device))
        return self.centre + truncation * (drawn - self.centre)

    def mapped(self, z: Tensor) -> Tensor:
        """The styles that normal numbers become, ``(B, latent_dim)`` to the same."""
        w: Tensor = self.mapping(z) if self.training else self._average(0)(self.mapping, z)
        return w

    def mixed(self, coarse: Tensor, fine: Tensor, layer: int) -> Tensor:
        """The styles of all layers, ``(B, layers, latent_dim)``: those before ``layer`` are told one, the rest another.

        Args:
            coarse: Styles ``(B, latent_dim)``.
            fine: Styles ``(B, latent_dim)``.
            layer: From 0 (all are told ``fine``) to ``layers``.

        Raises:
            InvalidOption: When there is no such layer.
        """
        if not 0 <= layer <= self.layers:
            raise InvalidOption(f"layer must be 0 to {self.layers}, but is {layer}")
        return _mixed(coarse, fine, torch.full((len(coarse),), layer, device=coarse.device), self.layers)

    def drawn(self, styles: Tensor) -> Tensor:
        """Images of styles, ``(B, latent_dim)`` or ``(B, layers, latent_dim)`` to ``(B, C, H, W)``, without noise.

        Raises:
            InvalidData: When the styles have another shape.
        """
        if styles.ndim == 3 and styles.shape[1] != self.layers:
            raise InvalidData(f"styles must be for {self.layers} layers, but are for {styles.shape[1]}")
        checked_codes(styles.flatten(0, -2), self.latent_dim)
        each = styles if styles.ndim == 3 else styles[:, None].expand(-1, self.layers, -1)
        made: Tensor = self.synthesis(each, False) if self.training else self._average(1)(self.synthesis, each, False)
        return made

    def represent(self, x: Tensor) -> Tensor:
        """The style of each image, ``(B, latent_dim)``."""
        w: Tensor = self.encoder(x)
        return w.float()

    def decode(self, z: Tensor) -> Tensor:
        """The image of each style, ``(B, C, H, W)`` in 0 .. 1.

        Raises:
            InvalidData: When the codes have another shape.
        """
        return self.drawn(checked_codes(z, self.latent_dim))

    def loss(self, batch: Batch, step: int, player: str = "model") -> Terms:
        """Of the critic: how badly it tells; of the others: its disbelief, and what styles and images lose."""
        if player == "critic":
            with torch.no_grad():
                fake = self.synthesis(self._told(len(batch.x), batch.x))
            # What is seen of a batch must be of real images alone, or of drawn ones.
            heaps = [batch.x, fake] if self.spread else [torch.cat([batch.x, fake])]
            told, believed = torch.cat([self.critic(x) for x in heaps]).float().chunk(2)
            terms = Terms(critic=F.softplus(-told).mean() + F.softplus(believed).mean())
            if self.gamma and step % CRITIC_EVERY == 0:
                terms["gradient"] = CRITIC_EVERY * self.gamma / 2 * self._steepness(batch.x)
            return terms
        if self.training:
            for i, part in enumerate((self.mapping, self.synthesis)):
                self._average(i).follow(part, step)
        frozen = {name: parameter.detach() for name, parameter in self.critic.named_parameters()}
        believed = functional_call(self.critic, frozen, self.synthesis(self._told(len(batch.x), batch.x, step)))
        terms = Terms(adversary=F.softplus(-believed.float()).mean())
        if self.reconstruction_weight:
            again = self.synthesis(self.represent(batch.x)[:, None].expand(-1, self.layers, -1))
            missed = (again - batch.x).square().flatten(1).sum(dim=1).mean() / 2
            terms["reconstruction"] = self.reconstruction_weight * missed
        if self.code_weight:
            with torch.no_grad():
                w = self.mapping(torch.randn(len(batch.x), self.latent_dim, device=batch.x.device))
                shown = self.synthesis(w[:, None].expand(-1, self.layers, -1))
            terms["code"] = self.code_weight * (self.represent(shown) - w).square().sum(dim=1).mean()
        if self.path_weight and step % PATH_EVERY == 0:
            terms["path"] = PATH_EVERY * self.path_weight * self._bumps(batch.x, step)
        return terms

    def players(self) -> dict[str, dict[str, Any]]:
        """Mapping, generator and encoder, then the critic."""
        parts = (self.mapping, self.synthesis, self.encoder)
        critic: dict[str, Any] = {"params": list(self.critic.parameters()), "betas": BETAS}
        if self.critic_rate:
            critic["lr"] = self.critic_rate
        return {"model": {"params": [p for part in parts for p in part.parameters()], "betas": BETAS}, "critic": critic}

    def _average(self, part: int) -> Averaged:
        average = self.averages[part]
        assert isinstance(average, Averaged)  # a list of modules does not say so
        return average

    def _told(self, count: int, x: Tensor, step: int | None = None) -> Tensor:
        """What layers are told of images that are drawn, ``(B, layers, latent_dim)``; some are told of two styles."""
        z = torch.randn(2 * count, self.latent_dim, device=x.device)
        w = self.mapping(z)
        if self.training and step is not None:
            self.centre.lerp_(w.detach().mean(dim=0), max(1 - CENTRE, 1 / (1 + step)))
        crossing = torch.randint(1, self.layers, (count,), device=x.device)
        whole = torch.rand(count, device=x.device) >= self.mixing
        return _mixed(w[:count], w[count:], crossing.masked_fill(whole, self.layers), self.layers)

    def _steepness(self, x: Tensor) -> Tensor:
        """The mean of the squared length of the critic's gradient at images."""
        x = x.detach().requires_grad_()
        with torch.autocast(x.device.type, enabled=False):
            (gradient,) = torch.autograd.grad(self.critic(x).sum(), x, create_graph=True)
        return gradient.square().flatten(1).sum(dim=1).mean()

    def _bumps(self, x: Tensor, step: int) -> Tensor:
        """How far path lengths are from their running mean: the mean square."""
        # Half a batch, as in the paper: this goes through the generator three times.
        count = -(-len(x) // 2)
        with torch.autocast(x.device.type, enabled=False):
            told = self._told(count, x)
            made = self.synthesis(told)
            y = torch.randn_like(made) / math.sqrt(made.shape[2] * made.shape[3])
            (change,) = torch.autograd.grad((made * y).sum(), told, create_graph=True)
        lengths = (change.square().sum(dim=2).mean(dim=1) + 1e-12).sqrt()
        if self.training:
            self.length.lerp_(lengths.detach().mean(), max(1 - LENGTH, 1 / (1 + step // PATH_EVERY)))
        return (lengths - self.length).square().mean()


def _mixed(coarse: Tensor, fine: Tensor, crossing: Tensor, layers: int) -> Tensor:
    """Layers before ``crossing`` are told ``coarse``, the rest ``fine``; for each image its own, int64 ``(B,)``."""
    early = torch.arange(layers, device=coarse.device) < crossing[:, None]
    return torch.where(early[..., None], coarse[:, None], fine[:, None])
