"""What models share that are told which images have something in common: pairs, groups, and classes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import AutoencodingModel, Model, Terms, VariationalModel
from unbraid.nn.aggregate import alike, blended, told
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import GroupBatch, PairBatch

__all__ = ["ClassModel", "ContentModel", "GroupedModel", "PairedModel", "dependence"]

IGNORED = 0.2
"""Below this part of the change of images that one code makes, the decoder is said to ignore it."""


class PairedModel(VariationalModel):
    r"""What VAEs of pairs share: latents that the two images have in common are given one posterior (Locatello et al.).

    .. math:: \mathcal L = \tfrac12 \sum_{n=1,2} -\mathbb E_{\tilde q(z \mid x_n)} \log p(x_n \mid z)
              + \beta\,\mathrm{KL}(\tilde q(z \mid x_n) \,\|\, p(z))

    where :math:`\tilde q_i` is the aggregate of both posteriors for the latents that the pair shares, and the image's
    own posterior for the others. A pair that tells which factors differ names them: latent i is factor i, and latents
    beyond the factors are shared. Otherwise they are found (:func:`unbraid.nn.aggregate.alike`).

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        beta: The weight of the KL, at least 0.
        k: How many latents differ in a pair, where that is known; 0 lets every pair decide.
        symmetric: Whether posteriors are compared by the mean of both KLs, not by that of the first to the second.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    view = "pairs"

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int,
        beta: float,
        k: int,
        symmetric: bool,
        likelihood: LikelihoodName,
        network: NetworkName,
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, k=k)
        if k > latent_dim:
            raise InvalidOption(f"k must be at most the {latent_dim} latents, but is {k}")
        self.beta, self.k, self.symmetric = beta, k, symmetric

    @abstractmethod
    def aggregate(self, q: Gaussian) -> Gaussian:
        """One posterior of several, ``(B, G, D)`` to ``(B, D)``."""

    def shared(self, q: Gaussian, differ: Tensor | None = None) -> Tensor:
        """Which latents a pair shares, bool ``(B, D)``, given its posteriors ``(B, 2, D)`` and what is told of it."""
        if differ is not None:
            return ~told(differ, self.latent_dim)
        return alike(q, k=self.k, symmetric=self.symmetric)

    def loss(self, batch: PairBatch, step: int) -> Terms:
        """Reconstruction and weighted KL of both images, in nats per image."""
        x = torch.stack([batch.x, batch.other], dim=1)
        q = self.encode(x.flatten(0, 1)).unflatten(2)
        posterior = blended(q, self.aggregate(q), self.shared(q, batch.differ))
        return Terms(reconstruction=self.nll(x.flatten(0, 1), posterior.rsample()), kl=self.beta * posterior.kl())


class ClassModel(AutoencodingModel):
    """What models share whose first ``contents`` numbers of a code are a class code; the others are the style.

    Attributes:
        content_dim: How many numbers are asked for; 0 for half of the code.
    """

    view = "classes"
    content_dim: int

    @property
    def contents(self) -> int:
        """How many numbers of a code, the first ones, are the class code."""
        return self.content_dim or self.latent_dim // 2

    def symptoms(self, batch: GroupBatch) -> Mapping[str, float]:
        """How much images change with another's class code, as a part of their change with either code."""
        on_class, on_style = dependence(self, batch.x[:, 0])
        # Of a single image there is no other: nothing changes, and nothing is said.
        return {"dependence": on_class / (on_class + on_style) if on_class + on_style else 0.5}

    def diagnosis(self, symptoms: Mapping[str, float]) -> list[str]:
        """Which of the codes the decoder all but ignores."""
        share = symptoms["dependence"]
        if share < IGNORED:
            return [
                f"the class code is ignored: {share:.0%} of the change of images is its own when codes are swapped. "
                "Let styles say less: a larger beta, or fewer numbers"
            ]
        if share > 1 - IGNORED:
            return [
                f"the style is ignored: {1 - share:.0%} of the change of images is its own when codes are swapped. "
                "Let styles say more: a smaller beta, or more numbers"
            ]
        return []


def dependence(model: Model, x: Tensor) -> tuple[float, float]:
    """How much decoded images change with the class code of another image, and with its style: mean distance a pixel.

    Args:
        model: A model that sets a class code apart.
        x: Images, ``(B, C, H, W)``; each takes the code of the one before it.
    """
    with torch.no_grad():
        codes = model.represent(x)
        content, style = codes[:, : model.contents], codes[:, model.contents :]
        own = model.decode(codes)
        by_class = model.decode(torch.cat([content.roll(1, dims=0), style], dim=1))
        by_style = model.decode(torch.cat([content, style.roll(1, dims=0)], dim=1))
    return float((by_class - own).abs().mean()), float((by_style - own).abs().mean())


class GroupedModel(ClassModel, VariationalModel):
    r"""What VAEs of groups share: one class code for all G images of a group, a style for each (Bouchacourt et al.).

    .. math:: \mathcal L = \frac1G \Big(\sum_n -\mathbb E \log p(x_n \mid c, s_n)
              + \beta \sum_n \mathrm{KL}(q(s_n \mid x_n) \,\|\, p(s))
              + \beta\,\mathrm{KL}(q(c \mid x_1 \dots x_G) \,\|\, p(c))\Big)

    The class code is paid for once a group: this is the bound on the evidence of a group, per image. The first
    ``contents`` numbers of a code are the class code; that of a single image is what its own posterior says.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        beta: The weight of both KLs, at least 0.
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
        content_dim: int,
        beta: float,
        likelihood: LikelihoodName,
        network: NetworkName,
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta)
        _parted(latent_dim, content_dim)
        self.content_dim, self.beta = content_dim, beta

    def style(self, x: Tensor) -> Gaussian:
        """The posterior of the style, ``(B, latent_dim - contents)``."""
        return self.encode(x).split(self.contents)[1]

    @abstractmethod
    def aggregate(self, q: Gaussian) -> Gaussian:
        """One posterior of several, ``(B, G, D)`` to ``(B, D)``."""

    def loss(self, batch: GroupBatch, step: int) -> Terms:
        """Reconstruction and the weighted KLs of class and style, in nats per image."""
        size, x = batch.x.shape[1], batch.x.flatten(0, 1)
        each, style = self.encode(x).split(self.contents)
        content = self.aggregate(each.unflatten(size))
        code = torch.cat([content.rsample().repeat_interleave(size, dim=0), style.rsample()], dim=1)
        return Terms(
            reconstruction=self.nll(x, code),
            content_kl=self.beta * content.kl() / size,
            style_kl=self.beta * style.kl(),
        )


class ContentModel(ClassModel):
    """What models share that swap class codes between images of one class: a class code, and a Gaussian style.

    The first ``contents`` numbers of a code are the class code, which has no variance and costs nothing.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers a code has, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    def __init__(
        self, shape: Shape, *, latent_dim: int, content_dim: int, likelihood: LikelihoodName, network: NetworkName
    ) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=2)
        _parted(latent_dim, content_dim)
        self.content_dim = content_dim

    def encode(self, x: Tensor) -> tuple[Tensor, Gaussian]:
        """The class code ``(B, contents)``, and the posterior of the style."""
        # The class code has no use for its variances; what stands there is never read.
        content, style = Gaussian(*self.encoder(x).chunk(2, dim=1)).split(self.contents)
        return content.mean, style

    def represent(self, x: Tensor) -> Tensor:
        """The class code and the posterior mean of the style, ``(B, latent_dim)``."""
        content, style = self.encode(x)
        return torch.cat([content, style.mean], dim=1)

    def style(self, x: Tensor) -> Gaussian:
        """The posterior of the style, ``(B, latent_dim - contents)``."""
        return self.encode(x)[1]


def _parted(latent_dim: int, content_dim: int) -> None:
    """Make sure that a code has numbers for the class, and for the style."""
    require_at_least(0, content_dim=content_dim)
    if not 0 < (content_dim or latent_dim // 2) < latent_dim:
        raise InvalidOption(
            f"content_dim must leave some of the {latent_dim} latents for the style and some for the class, "
            f"but is {content_dim}: expected 1 .. latent_dim - 1, or 0 for half of at least 2"
        )
