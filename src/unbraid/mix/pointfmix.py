"""FMix for sets of points: what lies in the blobs of a random field is kept.

References:
    Harris et al., "FMix: enhancing mixed sample data augmentation", 2020, arXiv:2002.12047 (its point clouds are mixed
    by way of voxels; here the field is evaluated at the points).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from unbraid.errors import InvalidData, require_at_least
from unbraid.masks.areas import counts, level, uniform
from unbraid.masks.fields import evaluate
from unbraid.mixer import Mixture, PairMixer, beta

__all__ = ["PointFMix", "Points"]


@dataclass(frozen=True)
class Points(Mixture):
    """A mixture of sets: which points it has.

    Args:
        order: As for every :class:`unbraid.mixer.Mixture`.
        weight: Likewise.
        mask: None: what is kept is another number of points in every sample.
        points: Which of the sample's own N points and its partner's N after them, ``(B, N)``.
    """

    points: Tensor | None = None

    def apply(self, x: Tensor) -> Tensor:
        """The mixed sets of ``(B, N, ...)``: of the points themselves, or of anything that is known of each."""
        assert self.points is not None
        both = torch.cat([x, x[self.order]], dim=1)
        return torch.take_along_dim(both, self.points.reshape(*self.points.shape, *[1] * (x.ndim - 2)), dim=1)


@dataclass(kw_only=True, eq=False)
class PointFMix(PairMixer):
    r"""FMix for point sets: a sample keeps its points where a random field is high, and has another's elsewhere.

    The field is cut where a share :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)` of the sample's own points is
    kept. Of all points that are then left as many are drawn as there were (or repeated, where there are fewer), and
    the label weighs whose they are.

    Args:
        alpha: At least 0.
        decay: The power by which amplitudes fall with frequency, at least 0; higher is smoother.
        axes: How many of a point's numbers are its position, from the first; the others go with it.
        shared: Whether all samples of a batch are cut to the same share; each has its own field, and so its own weight.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: How many, for targets as probabilities; by default they come as :class:`unbraid.fit.Mixed`.
        dense: Not for points: apply the mixture that :meth:`draw` gives to the labels of points instead.

    >>> PointFMix()(torch.rand(8, 64, 3)).shape
    torch.Size([8, 64, 3])
    """

    alpha: float = 1.0
    decay: float = 3.0
    axes: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        require_at_least(0, alpha=self.alpha, decay=self.decay)
        require_at_least(1, axes=self.axes)

    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """Cut a field, and draw as many of the points that are left as there were.

        Raises:
            InvalidData: When the samples are not sets of points of so many numbers.
        """
        if x.ndim != 3 or x.shape[2] < self.axes:
            raise InvalidData(
                f"PointFMix mixes points (B, N, D) of which the first {self.axes} numbers are the position, but "
                f"samples have shape {tuple(x.shape)}"
            )
        samples, points = x.shape[:2]
        place = x[..., : self.axes].detach()  # which points are kept has no gradient
        place = place.to(torch.promote_types(x.dtype, torch.float32))
        place = torch.cat([place, place[order]], dim=1)
        low, high = place.amin(1, keepdim=True), place.amax(1, keepdim=True)
        field = evaluate((place - low) / (high - low).clamp_min(1e-12), decay=self.decay, generator=generator)
        own = field[:, :points]
        if self.alpha == 1 and not self.shared:
            kept = uniform(own, generator=generator)
        else:
            weight = beta(self.alpha, count, generator=generator, device=x.device).expand(samples)
            kept = own >= level(own, counts(weight, points, generator=generator))
        # A partner's point is in where the field is lower than at any point that is kept.
        lowest = own.masked_fill(~kept, torch.inf).amin(1, keepdim=True)
        left = torch.cat([kept, field[:, points:] < lowest], dim=1)
        # In random order, those that are left first; where they are too few they come again.
        drawn = (torch.rand(left.shape, generator=generator, device=x.device) + ~left).argsort(dim=1)
        again = torch.arange(points, device=x.device) % left.sum(1, keepdim=True).clamp_min(1)
        chosen = drawn.gather(1, again)
        return Points(order, (chosen < points).float().mean(1), None, chosen)
