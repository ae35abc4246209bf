"""Scenes, several objects on a canvas.

References:
    Eslami et al., "Attend, infer, repeat: fast scene understanding with generative models", NIPS 2016.
    Nash et al., "The multi-entity variational autoencoder", NIPS workshop on learning disentangled features, 2017.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from unbraid.draw.handwritten import Handwritten
from unbraid.draw.hashing import integers
from unbraid.draw.place import Tiles
from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers, numbers
from unbraid.world import World

__all__ = ["Scenes"]

SHAPES = ("square", "disc", "triangle")
COLOURS = {
    "red": (255, 60, 60), "green": (50, 220, 80), "blue": (70, 110, 255), "yellow": (255, 225, 60),
    "magenta": (245, 80, 225), "cyan": (60, 225, 235),
}  # fmt: skip
SCALES = {"sprites": (0.22, 0.25, 0.28, 0.31), "digits": (0.36, 0.4, 0.44)}
POSITIONS = 16
SIDE = 64
"""Height and width of a sprite's picture."""

TRIES = 60
MOST_TRIED = 1 << 14
"""Scenes that are tried at once, at most."""
ROUNDING = 1e-9
Masks = npt.NDArray[np.bool_]


class Scenes(World):
    """Up to a few sprites or handwritten digits on black, later ones before earlier ones; each with its own factors.

    The factors are ``count``, and for each slot k from 1 to ``most`` those of its object: ``shape_k`` 3 (sprites) or
    ``class_k`` 10 (digits), ``colour_k`` 6 (where there is colour), ``scale_k`` (the side of its square, in parts of
    the image: 4 for sprites, 3 for digits), ``x_k`` 16 and ``y_k`` 16 (the middle of its square). The first ``count``
    slots are filled; the factors of the others change nothing. Which of the handwritten digits of its class an object
    is, is a nuisance: a function of the image's number and ``seed``.

    Every combination has an image, also those in which objects hide each other. :meth:`sample`, by which all training
    draws, keeps to scenes in which no object is covered by more than ``overlap``, all counts alike often.

    Args:
        objects: ``"sprites"`` or ``"digits"``.
        most: The largest number of objects, 1 to 4 (3 digits with colour).
        fewest: The smallest number of objects.
        size: Height and width in pixels, at least 16.
        colour: Whether objects have colours; they are white otherwise.
        overlap: The largest part of an object's square that the squares before it may cover in a sampled scene, 0
            (none) to 1.
        split: Of the handwritten digits, ``"all"``, ``"train"`` (four in five) or ``"test"``.
        seed: What the choice of handwritten digits depends on besides the image's number, at least 0.

    Raises:
        InvalidOption: When an option is out of range.

    Attributes:
        slot: The factors of one object.

    >>> world = Scenes(objects="digits", most=2, size=50, colour=False, overlap=0)
    >>> index = world.index([[2, 7, 1, 3, 3, 4, 1, 12, 12]])
    >>> world.images(index).shape, world.masks(index).shape, world.count(index)
    ((1, 1, 50, 50), (1, 2, 50, 50), array([2]))
    """

    citation = """@inproceedings{eslami2016attend, author = {Eslami, S. M. Ali and Heess, Nicolas and Weber, Theophane
  and Tassa, Yuval and Szepesvari, David and Kavukcuoglu, Koray and Hinton, Geoffrey E.}, title = {Attend, Infer,
  Repeat: Fast Scene Understanding with Generative Models}, booktitle = {Advances in Neural Information Processing
  Systems}, volume = {29}, year = {2016}}"""

    def __init__(
        self,
        *,
        objects: Literal["sprites", "digits"] = "sprites",
        most: int = 3,
        fewest: int = 0,
        size: int = 32,
        colour: bool = True,
        overlap: float = 0.5,
        split: Literal["all", "train", "test"] = "all",
        seed: int = 0,
    ) -> None:
        require_at_least(16, size=size)
        require_at_least(0, fewest=fewest, seed=seed)
        require_at_least(max(fewest, 1), most=most)
        if objects not in SCALES:
            raise InvalidOption(f"objects must be sprites or digits, but is {objects!r}")
        if objects == "sprites" and split != "all":
            raise InvalidOption(f"split must be all for sprites, but is {split!r}: only handwritten digits are split")
        if not 0 <= overlap <= 1:
            raise InvalidOption(f"overlap must lie in 0 .. 1, but is {overlap}")
        self.objects, self.most, self.fewest, self.size = objects, most, fewest, size
        self.colour, self.overlap, self.split, self.seed = colour, overlap, split, seed
        self.shape = (3 if colour else 1, size, size)
        self._digits = Handwritten(split) if objects == "digits" else None
        self._tiles = Tiles(self._digits.pictures if self._digits is not None else _sprites())
        self._slot = _slot(objects, colour)
        combinations = (most - fewest + 1) * math.prod(factor.size for factor in self._slot) ** most
        if combinations >= 2**63:
            raise InvalidOption(f"{most} {objects} have too many combinations to be numbered: choose a smaller most")
        count = Factor("count", most - fewest + 1, "ordinal", tuple(range(fewest, most + 1)))
        slots = [Factor(f"{f.name}_{k}", f.size, f.kind, f.values) for k in range(1, most + 1) for f in self._slot]
        self.space = FactorSpace([count, *slots])
        self.slot = FactorSpace(self._slot)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, size, size)``, unsigned bytes 0 .. 255."""
        slots = self.slots(indices)
        return self._drawn(slots, self._covers(numbers(indices), slots))

    def masks(self, indices: npt.ArrayLike) -> Masks:
        """The pixels in which each object is seen: ``(B,)`` to ``(B, most, size, size)``; none is shared."""
        return self._seen(self._covers(numbers(indices), self.slots(indices)))

    def images_and_masks(self, indices: npt.ArrayLike) -> tuple[Bytes, Masks]:
        """Both, for what one of them costs."""
        slots = self.slots(indices)
        covers = self._covers(numbers(indices), slots)
        return self._drawn(slots, covers), self._seen(covers)

    def count(self, indices: npt.ArrayLike) -> Integers:
        """The number of objects: ``(B,)`` to ``(B,)``."""
        return self.factors(indices)[:, 0] + self.fewest

    def slots(self, indices: npt.ArrayLike) -> Integers:
        """Each object's factor values: ``(B,)`` to ``(B, most, factors of a slot)``; -1 where there is no object."""
        factors = self.factors(indices)
        values = factors[:, 1:].reshape(-1, self.most, len(self._slot))
        return np.where(self._filled(factors)[..., None], values, -1)

    def relevant(self, factors: npt.ArrayLike) -> Masks:
        """Which factors can be seen in an image, ``(B, F)`` to ``(B, F)``: those of empty slots cannot."""
        filled = self._filled(np.asarray(factors, dtype=np.int64))
        return np.pad(np.repeat(filled, len(self._slot), axis=1), ((0, 0), (1, 0)), constant_values=True)

    def sample(self, count: int, generator: np.random.Generator) -> Integers:
        """The numbers of ``count`` scenes in which no object is covered too much, all numbers of objects alike often.

        Raises:
            InvalidOption: When hardly a scene leaves enough of every object to be seen.
        """
        drawn = self.space.sample(count, generator)
        left, tries = np.flatnonzero(self._covered(drawn) > self.overlap + ROUNDING), 1
        for _ in range(TRIES):
            if len(left) == 0:
                return self.index(drawn)
            rows = np.repeat(left, tries)
            again = self.space.sample(len(rows), generator)
            again[:, 0] = drawn[rows, 0]
            good = np.flatnonzero(self._covered(again) <= self.overlap + ROUNDING)
            mended, first = np.unique(rows[good], return_index=True)
            drawn[mended] = again[good[first]]
            left = np.setdiff1d(left, mended, assume_unique=True)
            tries = min(2 * tries, max(1, MOST_TRIED // max(1, len(left))))
        objects = drawn[left[0], 0] + self.fewest
        raise InvalidOption(
            f"{objects} objects hardly fit without overlap: choose fewer with most, or a larger overlap"
        )

    def _covered(self, factors: Integers) -> Floats:
        """The largest part of any object's square that the squares before it cover: ``(B, F)`` to ``(B,)``."""
        slots = factors[:, 1:].reshape(-1, self.most, len(self._slot))
        scale, *middles = (self._value(slots, name) for name in ("scale", "x", "y"))
        shared = np.ones((len(factors), self.most, self.most))
        for at in middles:
            low, high = at - scale / 2, at + scale / 2
            both = np.minimum(high[:, :, None], high[:, None]) - np.maximum(low[:, :, None], low[:, None])
            shared *= np.maximum(both, 0)
        filled = self._filled(factors)
        later = np.triu(np.ones((self.most, self.most), dtype=bool), 1)
        shared *= later & filled[:, :, None] & filled[:, None]
        return np.asarray((shared.sum(axis=2) / scale**2).max(axis=1))

    def _covers(self, index: Integers, slots: Integers) -> Bytes:
        """How much of each pixel each object would cover by itself: ``(B, most, size, size)``."""
        covers = np.zeros((len(index), self.most, self.size, self.size), dtype=np.uint8)
        image, k = np.nonzero(slots[..., 0] >= 0)
        there = slots[image, k]
        which = there[:, 0]
        if self._digits is not None:
            below = self._digits.counts[slots[..., 0].clip(0)]
            exemplars = integers(index, self.most, below, seed=self.seed, purpose="exemplars")
            which = self._digits.picture(which, exemplars[image, k])
        scale, x, y = (self.size * self._value(there, name) for name in ("scale", "x", "y"))
        covers[image, k] = self._tiles.place(which, scale / self._tiles.width, x, y, self.size)
        return covers

    def _drawn(self, slots: Integers, covers: Bytes) -> Bytes:
        """The images, objects painted one before the other."""
        drawn = self._colours(slots[:, 0])[:, :, None, None] * (covers[:, :1] / np.float32(255))
        for k in range(1, self.most):
            # Only where there is a k-th object: in the others nothing would change.
            image = np.flatnonzero(slots[:, k, 0] >= 0)
            behind = drawn[image]
            change = self._colours(slots[image, k])[:, :, None, None] - behind
            change *= covers[image, k, None] / np.float32(255)
            behind += change
            drawn[image] = behind
        levels = np.empty(drawn.shape, dtype=np.uint8)
        return np.rint(drawn, out=levels, casting="unsafe")

    def _seen(self, covers: Bytes) -> Masks:
        """Where each object covers more than half of a pixel, and no later one does."""
        there = covers > 127
        seen = there.copy()
        for k in range(self.most - 1):
            seen[:, k] &= ~there[:, k + 1 :].any(axis=1)
        return np.asarray(seen)

    def _filled(self, factors: Integers) -> Masks:
        return np.asarray(np.arange(self.most) < factors[:, :1] + self.fewest)

    def _value(self, slots: Integers, name: str) -> Floats:
        column = [factor.name for factor in self._slot].index(name)
        return np.asarray(self._slot[column].values, dtype=np.float64)[slots[..., column]]

    def _colours(self, objects: Integers) -> npt.NDArray[np.float32]:
        if not self.colour:
            return np.full((len(objects), 1), 255, dtype=np.float32)
        return np.array(list(COLOURS.values()), dtype=np.float32)[objects[:, 1]]


def _slot(objects: str, colour: bool) -> list[Factor]:
    """The factors of one object."""
    scales = SCALES[objects]
    middles = tuple(np.linspace(max(scales) / 2, 1 - max(scales) / 2, POSITIONS).round(9).tolist())
    digit = Factor("class", 10, "categorical", tuple("0123456789"))
    what = Factor("shape", len(SHAPES), "categorical", SHAPES) if objects == "sprites" else digit
    paint = [Factor("colour", len(COLOURS), "categorical", tuple(COLOURS))] if colour else []
    places = [Factor(name, POSITIONS, "ordinal", middles) for name in ("x", "y")]
    return [what, *paint, Factor("scale", len(scales), "ordinal", scales), *places]


def _sprites() -> Bytes:
    """One picture of each of ``SHAPES``."""
    p = (np.arange(SIDE) + 0.5) / SIDE
    x, y = np.meshgrid(2 * p - 1, p)
    inside = np.stack([np.ones_like(x, dtype=bool), x**2 + (2 * y - 1) ** 2 <= 1, np.abs(x) <= y])
    return np.where(inside, np.uint8(255), np.uint8(0))
