"""FMix: blobs of one sample are put into another.

References:
    Harris et al., "FMix: enhancing mixed sample data augmentation", 2020, arXiv:2002.12047.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.masks.areas import counts, cut, level, softened
from unbraid.masks.fields import Spectrum, noise, waves
from unbraid.mixer import Mixture, PairMixer, beta, spatial

__all__ = ["FMix"]


@dataclass(kw_only=True, eq=False)
class FMix(PairMixer):
    r"""FMix: every sample keeps the blobs where a random field of low frequencies is high, and has another's elsewhere.

    .. math:: m(p) = [\, g(p) \text{ is among the } \lambda N \text{ highest} \,], \qquad
        \lambda \sim \mathrm{Beta}(\alpha, \alpha)

    with the field g of :func:`unbraid.masks.fields.fields`, in any number of dimensions. The published program draws
    its fields from a wrong spectrum, so that its masks are stripes which are never horizontal (and in one dimension
    always one segment); ``spectrum="reference"`` repeats it.

    Args:
        alpha: At least 0; 1 (the paper) makes every area as likely, and costs half the time of any other.
        decay: The power by which amplitudes fall with frequency, at least 0; higher is smoother. 3 is the paper's. In
            one dimension 1.5 gives two segments or so, 3 nearly always one.
        spectrum: ``"isotropic"``, or ``"reference"`` to repeat published numbers.
        max_soft: Half the width of a ramp across edges, as a share of all pixels, 0 .. 0.5; 0 makes masks binary.
        dims: The dimensions that the mask covers; by default all after the second.
        shared: Whether all samples of a batch have the same mask, as in the published program.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Whether targets have a value for each pixel.

    >>> mixer, generator = FMix(alpha=1.0), torch.Generator().manual_seed(0)
    >>> images, targets = mixer(torch.rand(8, 3, 32, 32), torch.arange(8), generator=generator)
    >>> images.shape, targets.weight.shape
    (torch.Size([8, 3, 32, 32]), torch.Size([8]))
    """

    alpha: float = 1.0
    decay: float = 3.0
    spectrum: Spectrum = "isotropic"
    max_soft: float = 0.0
    dims: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_at_least(0, alpha=self.alpha, decay=self.decay)
        if not 0 <= self.max_soft <= 0.5:
            raise InvalidOption(f"max_soft must lie in 0 .. 0.5, but is {self.max_soft}")

    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """A field, cut at the height that gives the area."""
        _, shape, spread = spatial(x, self.dims)
        pixels, device = math.prod(shape), x.device
        drawn = noise(count, shape, decay=self.decay, spectrum=self.spectrum, generator=generator, device=device)

        def make(rows: slice) -> Tensor:
            return waves(drawn[rows], shape, decay=self.decay, spectrum=self.spectrum).flatten(1)

        if self.alpha == 1 and not self.max_soft:
            pixel = torch.randint(pixels, (count, 1), generator=generator, device=device)
            mask, weight = cut(make, lambda field, rows: field.gather(1, pixel[rows]), count, pixels, device)
            return Mixture(order, weight, mask.view(spread), whole=True)
        weight = beta(self.alpha, count, generator=generator, device=device)
        if self.max_soft:
            mask = softened(make(slice(count)), weight, self.max_soft)
            return Mixture(order, mask.mean(1), mask.reshape(spread))
        wanted = counts(weight, pixels, generator=generator)
        mask, weight = cut(make, lambda field, rows: level(field, wanted[rows]), count, pixels, device)
        return Mixture(order, weight, mask.view(spread), whole=True)
