r"""What a mixer is: it draws for each sample of a batch a partner, and how much of it is put in the sample's place.

All mixed-sample augmentation is one formula, :math:`m \odot x + (1 - m) \odot x'`, with a random mask m: constant
where samples are averaged, 0 or 1 where parts of one are put in the other, and something between in between. The label
of the partner weighs what is really there of it: 1 less the mean of m.

A mixer is four things at once: a function of a batch, a callback of a :class:`unbraid.fit.Trial`, a ``collate_fn`` for
a ``DataLoader`` (:meth:`Mixer.collate`), and a transform called as those of torchvision are (with ``classes``).
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.fit.callbacks.mixing import Mixed, Mixing, certain, spread
from unbraid.fit.state import State
from unbraid.masks.host import bits, joined, plain
from unbraid.once import once

__all__ = ["Covered", "Mixer", "Mixture", "PairMixer", "beta", "spatial"]


@dataclass(frozen=True)
class Mixture:
    """What was drawn for one batch; it can be applied to anything that belongs to the same samples.

    Args:
        order: The partner of every sample, ``(B,)``.
        weight: How much of each sample is kept, 0 .. 1, ``(B,)`` or a scalar: the mean of the mask.
        drawn: What is kept where, of a shape that spreads over the batch; bool, or numbers of 0 .. 1; None where every
            value is averaged by ``weight``.
        whole: Whether all numbers of ``drawn`` are 0 or 1, and nothing is averaged.
    """

    order: Tensor
    weight: Tensor
    drawn: Tensor | None = None
    whole: bool = field(default=False, kw_only=True)

    @property
    def mask(self) -> Tensor | None:
        """What is kept where, bool if ``whole``; a kind of mixture may make it only when it is asked for."""
        return self.drawn.bool() if self.drawn is not None and self.whole else self.drawn

    def partner(self, x: Tensor) -> Tensor:
        """What each sample is mixed with."""
        # Rows are selected in an eighth of the time that an index takes.
        return x.index_select(0, self.order)

    def apply(self, x: Tensor) -> Tensor:
        """The mixture of the samples ``(B, ...)`` with their partners.

        Raises:
            InvalidData: When whole numbers should be averaged.
        """
        other, mask = self.partner(x), self.drawn if self.whole else self.mask
        if mask is not None and (self.whole or mask.dtype == torch.bool):
            if x.is_floating_point() and plain(x):
                mixed = joined(other, x, mask, out=other)
                if mixed is not None:
                    return mixed
                other = self.partner(x)
            mask = mask.bool()
            # The partner is a copy already, so that what is kept can be written over it.
            kept, into = bits(x), bits(other)
            if kept is None or into is None:
                return torch.where(mask, x, other)
            np.copyto(into, kept, where=mask.numpy())
            return other
        if not x.is_floating_point():
            raise InvalidData(f"samples of type {x.dtype} cannot be averaged: make them floating-point numbers first")
        weight = self.weight if mask is None else mask
        return other.lerp_(x, spread(weight, x).to(x.dtype))

    def targets(self, y: Tensor, *, dense: bool = False) -> Mixed:
        """The targets of the samples, those of their partners, and the weight of the first.

        Args:
            y: ``(B, ...)``.
            dense: Whether ``y`` has a target for each pixel, ``(B, *pixels)``; the weights are then the mask itself.

        Raises:
            InvalidData: When the targets do not fit the samples.
        """
        self._require(y)
        mask = self.mask if dense else None
        if mask is None:
            return Mixed(y, y.index_select(0, self.order), self.weight)
        if mask[0].numel() != y[0].numel():
            raise InvalidData(
                f"a dense target has a value for each pixel of the mask, {tuple(mask.shape)}, but the targets are "
                f"{tuple(y.shape)}"
            )
        mask = mask.reshape(len(mask), *y.shape[1:]).expand(y.shape)
        return Mixed(y, self.partner(y), mask.to(self.weight.dtype))

    def probabilities(self, y: Tensor, classes: int, *, dense: bool = False) -> Tensor:
        """The labels of the samples and their partners as one distribution over classes, ``(B, classes, ...)``.

        Raises:
            InvalidData: When the labels do not fit the samples.
        """
        if dense:
            return self.targets(y, dense=True).probabilities(classes)
        self._require(y)
        shares = certain(y, classes, self.weight)
        weight = spread(self.weight, shares) if shares.ndim > 2 else self.weight.unsqueeze(-1)
        return shares.index_select(0, self.order).lerp_(shares, weight)

    def _require(self, y: Tensor) -> None:
        if y.shape[:1] != self.order.shape:
            raise InvalidData(f"there are {len(self.order)} samples, but {len(y)} targets")


@dataclass(kw_only=True, eq=False)
class Mixer(Mixing, abc.ABC):
    """Mixes the samples of a batch with one another.

    Args:
        classes: How many there are: targets come as probabilities ``(B, classes)``, for any loss that takes them. By
            default they come as :class:`unbraid.fit.Mixed`, for a loss made with :func:`unbraid.fit.mixed_loss`.
        dense: Whether targets have a value for each pixel; then every pixel keeps its own.
    """

    classes: int | None = None
    dense: bool = False

    def __post_init__(self) -> None:
        if self.classes is not None:
            require_at_least(2, classes=self.classes)

    @abc.abstractmethod
    def draw(self, x: Tensor, *, generator: torch.Generator | None = None) -> Mixture:
        """Draw how a batch of this shape and on this device is mixed.

        Args:
            x: ``(B, ...)``; only its shape, type and device are looked at.
            generator: Where everything random comes from, on the device of ``x``; the global one by default.
        """

    def __call__(self, *batch: Any, generator: torch.Generator | None = None) -> Any:
        """Mix a batch: ``mixer(x)`` gives x mixed, ``mixer(x, y)`` and ``mixer((x, y))`` give x and its targets.

        Raises:
            InvalidData: When it is neither.
        """
        given = batch[0] if len(batch) == 1 and isinstance(batch[0], tuple | list) else batch
        if not 1 <= len(given) <= 2 or not (isinstance(given[0], Tensor) and isinstance(given[-1], Tensor)):
            raise InvalidData(
                f"{type(self).__name__} mixes a tensor x, or tensors x and y, but was given "
                f"{[type(part).__name__ for part in given]}"
            )
        mixture = self.draw(given[0], generator=generator)
        x = mixture.apply(given[0])
        if len(given) == 1:
            return x
        if self.classes is None:
            return x, mixture.targets(given[1], dense=self.dense)
        return x, mixture.probabilities(given[1], self.classes, dense=self.dense)

    def collate(self, samples: Sequence[tuple[Any, Any]]) -> Any:
        """What a ``DataLoader`` takes as ``collate_fn``: put samples together, then mix them."""
        return self(*default_collate(list(samples)))

    def on_sample(self, state: State) -> None:
        """Mix the batch of a trial."""
        self.mix(self, state)


@dataclass(kw_only=True, eq=False)
class PairMixer(Mixer):
    """A mixer that draws a random order of the batch for partners.

    Args:
        shared: Whether all samples of a batch have the same weight and mask, as published programs do it.
        probability: That a sample is mixed at all, 0 .. 1.
        classes: As for every :class:`Mixer`.
        dense: Likewise.
    """

    shared: bool = False
    probability: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.probability <= 1:
            raise InvalidOption(f"probability must lie in 0 .. 1, but is {self.probability}")

    @abc.abstractmethod
    def blend(self, x: Tensor, order: Tensor, count: int, generator: torch.Generator | None) -> Mixture:
        """Draw ``count`` weights and masks (one, or one a sample) for partners that are known."""

    def draw(self, x: Tensor, *, generator: torch.Generator | None = None) -> Mixture:
        """Draw partners, weights and masks; who is not to be mixed is its own partner."""
        count = x.shape[0]  # in a sixth of the time of len, which counts where so little is done
        order = torch.randperm(count, generator=generator, device=x.device)
        if self.probability < 1:
            chosen = torch.rand(count, generator=generator, device=x.device) < self.probability
            order = torch.where(chosen, order, torch.arange(count, device=x.device))
        mixture = self.blend(x, order, 1 if self.shared else count, generator)
        return (
            replace(mixture, weight=mixture.weight.reshape(())) if self.shared and len(mixture.weight) == 1 else mixture
        )


def beta(
    alpha: float, count: int, *, generator: torch.Generator | None = None, device: torch.device | None = None
) -> Tensor:
    r"""Weights from Beta(:math:`\alpha, \alpha`), ``(count,)``; with an alpha of 0 they are 1, and nothing is mixed.

    >>> beta(0.2, 3, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([3])
    """
    if alpha == 1:
        return torch.rand(count, generator=generator, device=device)
    require_at_least(0, alpha=alpha)
    if alpha == 0:
        return torch.ones(count, device=device)
    if alpha > 1:
        return torch._sample_dirichlet(torch.full((count, 2), alpha, device=device), generator)[:, 0]
    # A gamma of a small power is nought in float32; its logarithm, by way of the next power, is not.
    power = torch.full((2, count), alpha + 1, device=device)
    gamma = torch._standard_gamma(power, generator=generator).log()
    coin = torch.rand((2, count), generator=generator, device=device).clamp_min(1e-30).log()
    first, second = gamma + coin / alpha
    return torch.sigmoid(first - second)


class Covered(NamedTuple):
    """The dimensions that a mask covers.

    Args:
        dims: Which, counted from the last.
        shape: Their lengths.
        spread: The shape ``(-1, ...)`` that spreads a mask over the batch.
    """

    dims: tuple[int, ...]
    shape: tuple[int, ...]
    spread: tuple[int, ...]


def spatial(x: Tensor, dims: Sequence[int] | None) -> Covered:
    """The dimensions that a mask of samples ``(B, C, ...)`` covers.

    Args:
        x: The samples.
        dims: Which; by default all after the second.

    Raises:
        InvalidData: When there are none.

    >>> spatial(torch.zeros(8, 3, 5, 7), None)
    Covered(dims=(-2, -1), shape=(5, 7), spread=(-1, 1, 5, 7))
    """
    return _covered(x.shape, None if dims is None else tuple(dims))


@once(32)
def _covered(whole: tuple[int, ...], dims: tuple[int, ...] | None) -> Covered:
    """Likewise, of samples of a shape."""
    rank = len(whole)
    named = range(2, rank) if dims is None else dims
    covered = tuple(sorted(d - rank if d >= 0 else d for d in named))
    if not covered or not -rank < covered[0] <= covered[-1] < 0 or len(set(covered)) < len(covered):
        raise InvalidData(
            f"a mask covers dimensions after the first, by default all after the second, but samples have shape "
            f"{tuple(whole)} and dims is {dims}: name some with dims"
        )
    shape = tuple(whole[d] for d in covered)
    return Covered(covered, shape, (-1, *(whole[d] if d in covered else 1 for d in range(1 - rank, 0))))
