"""A landscape: sky and sun, ridges, trees and a house, as they are in summer or in winter, painted from back to front.

Lengths are in parts of the picture: x from the left, y from the top.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.canvas import Canvas
from unbraid.draw.capsule import Patch
from unbraid.draw.soft import ellipses, polygons
from unbraid.draw.tree import broadleaf, fir
from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["Landscape", "ridges", "sprinkled"]

Singles = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

SNOW, TRUNK, WALL, ROOF = (244.0, 248.0, 255.0), (96.0, 66.0, 44.0), (236.0, 222.0, 190.0), (176.0, 62.0, 48.0)
DOOR, GLASS, LAMP, SMOKE = (92.0, 46.0, 0.0), (96.0, 128.0, 158.0), (255.0, 214.0, 110.0), (214.0, 216.0, 222.0)
CONIFER, LEAVES = (34.0, 88.0, 58.0), (66.0, 134.0, 48.0)

HEIGHTS = (0.5, 0.64, 0.76)
"""Where the foot of the mountains, the hills and the meadow are."""

BANDS = ((0.2, 0.73), (0.56, 0.84), (0.68, 1.0))
"""Between which rows each of them may be seen."""


def ridges(count: int, places: npt.ArrayLike, *, seed: int) -> Floats:
    """How high mountains, hills and a meadow reach at some places: ``(count, 3, P)``, from the top of the picture.

    Args:
        count: How many landscapes.
        places: Where, from left 0 to right 1, ``(P,)``.
        seed: Which landscapes, at least 0.

    >>> here = ridges(4, [0.2, 0.5], seed=0)
    >>> here.shape, bool((np.diff(here, axis=1) > 0).all())
    ((4, 3, 2), True)
    """
    generator, x = numpy_generator(seed, "ridges"), np.asarray(places, dtype=np.float64)
    # Mountains are tents, of which the highest is seen; the others are waves.
    peaks, high = generator.uniform(0, 1, (count, 4, 1)), generator.uniform(0.1, 0.26, (count, 4, 1))
    mountains = HEIGHTS[0] - np.maximum((high - 0.75 * np.abs(x - peaks)).max(axis=1), 0.02)
    phases, deep = generator.random((count, 2, 2, 1)), generator.uniform(0.012, 0.03, (count, 2, 2, 1))
    waves = (deep * np.sin(2 * np.pi * (np.array([[0.9], [1.7]]) * x + phases))).sum(axis=2)
    return np.concatenate([mountains[:, None], np.array(HEIGHTS[1:])[:, None] + waves], axis=1)


def sprinkled(size: int, count: int, *, seed: int) -> Singles:
    """Small round dots all over a picture whose opposite edges meet: how much of each pixel they cover.

    Args:
        size: Height and width in pixels.
        count: How many dots.
        seed: Where they are, at least 0.
    """
    places = numpy_generator(seed, "dots").random((count, 2)) * size
    away = np.abs(np.arange(size) + 0.5 - places[..., None])
    near = np.minimum(away, size - away)
    distance = np.sqrt(near[:, 0, None, :] ** 2 + near[:, 1, :, None] ** 2)
    cover = np.clip(max(0.011 * size, 0.45) + 0.5 - distance, 0, 1).max(axis=0, initial=0)
    return np.asarray(cover, dtype=np.float32)


class Landscape:
    """A batch of landscapes of one season.

    Args:
        canvas: What they are painted on.
        light: What the light leaves of red, green and blue, ``(B, 3)``.
        snow: How much snow there is, from 0 to 1, ``(B,)``; None in summer.
    """

    def __init__(self, canvas: Canvas, light: Floats, snow: Floats | None = None) -> None:
        self.canvas, self.light, self.snow = canvas, light, snow
        self._full = np.ones(len(light))
        self._rows = (np.arange(canvas.size, dtype=np.float32) + np.float32(0.5))[:, None]
        self.bands = [slice(int(low * canvas.size), -int(-high * canvas.size)) for low, high in BANDS]

    def sky(self, top: Floats, bottom: Floats) -> None:
        """From one colour at the top to another at the foot of the mountains, ``(B, 3)`` each."""
        down = np.minimum(self._rows / (HEIGHTS[0] * self.canvas.size), 1)
        self.canvas.start("", top[:, :, None, None] + (bottom - top)[:, :, None, None] * down)

    def sun(self, x: Floats, y: Floats, colour: Floats) -> None:
        """The sun and its glow, ``(B,)``, ``(B,)`` and ``(B, 3)``."""
        glow = self._disc(x, y, 0.1 * self._full)
        self.canvas.put("", Patch(glow.coverage * np.float32(0.3), glow.top, glow.left), colour)
        self.canvas.put("", self._disc(x, y, 0.06 * self._full), colour)

    def ridge(self, layer: int, height: Floats, colour: Floats) -> Singles:
        """Land from a height downwards, as far as it may be seen; gives what it covers of its band of rows.

        Args:
            layer: 0 the mountains, 1 the hills, 2 the meadow.
            height: In each column, ``(B, size)``.
            colour: In full light, ``(B, 3)``.
        """
        band = self.bands[layer]
        edge = (height * self.canvas.size).astype(np.float32)[:, None, :]
        cover = np.clip(self._rows[band] - edge + np.float32(0.5), 0, 1)
        self.canvas.fill("land", cover, (colour * self.light)[:, :, None, None], top=band.start)
        return np.asarray(cover)

    def trees(self, x: Floats, y: Floats, high: Floats, firs: Integers) -> None:
        """Some trees in each picture.

        Args:
            x: Where each one's foot is, ``(B, T)``.
            y: Likewise.
            high: How high it is, ``(B, T)``.
            firs: 1 for a fir, 0 for a round tree, which is bare in winter, ``(B, T)``.
        """
        count = x.shape[1]
        snow = None if self.snow is None else np.repeat(self.snow, count)
        for kind, grow, green in ((0, broadleaf, LEAVES), (1, fir, CONIFER)):
            there = np.flatnonzero(firs.ravel() == kind)
            if not len(there):
                continue
            laden = None if snow is None else snow[there]
            tree = grow(x.ravel()[there], y.ravel()[there], high.ravel()[there], laden, self.canvas.size)
            picture, number = np.divmod(there, count)
            colours = np.array([TRUNK, green, SNOW]) * self.light[picture, None]
            painted = np.einsum("bkc,bkhw->bchw", colours.astype(np.float32), tree.shares)
            for k in range(count):
                some = number == k
                patch = Patch(tree.patch.coverage[some], tree.patch.top[some], tree.patch.left[some])
                self.canvas.lay("trees", patch, painted[some], picture[some])

    def house(self, x: Floats, y: Floats, lit: Floats) -> None:
        """A house whose foot has its middle at ``(x, y)``; ``lit`` is how much of its window's light comes from within.

        All are ``(B,)``.
        """
        which = np.arange(len(x))
        self._polygon("house", (150, 80, 66), _box(x + 0.055, y - 0.235, 0.016, 0.05), which)
        self._polygon("house", WALL, _box(x, y - 0.06, 0.095, 0.06), which)
        ridge, eaves, half, wide = y - 0.22, y - 0.105, 0.06, 0.125
        roof = [(x - half, ridge), (x + half, ridge), (x + wide, eaves), (x - wide, eaves)]
        self._polygon("house", ROOF, roof, which)
        if self.snow is not None and not self.canvas.things:  # where things are told apart, it is the roof's
            share = 0.3 + 0.7 * self.snow
            down, out = ridge + share * (eaves - ridge), half + share * (wide - half)
            self._polygon(
                "house", SNOW, [(x - half, ridge), (x + half, ridge), (x + out, down), (x - out, down)], which
            )
        self._polygon("house", DOOR, _box(x - 0.045, y - 0.038, 0.02, 0.038), which)
        pane = np.array(GLASS) * self.light + (np.array(LAMP) - np.array(GLASS) * self.light) * lit[:, None]
        self.canvas.put("house", self._corners(_box(x + 0.04, y - 0.06, 0.026, 0.022)), pane)

    def smoke(self, x: Floats, y: Floats) -> None:
        """What rises from the house at ``(x, y)``, ``(B,)`` each."""
        for right, up, wide in ((0.06, 0.31, 0.02), (0.085, 0.37, 0.028), (0.125, 0.43, 0.036)):
            puff = self._disc(x + right, y - up, wide * self._full)
            self.canvas.put(
                "", Patch(puff.coverage * np.float32(0.8), puff.top, puff.left), np.array(SMOKE) * self.light
            )

    def _disc(self, x: Floats, y: Floats, radius: Floats) -> Patch:
        size = self.canvas.size
        semi = size * np.stack([radius, radius], axis=1)
        return ellipses(size * np.stack([x, y], axis=1), semi, np.zeros_like(x), size)

    def _corners(self, corners: list[tuple[Floats, Floats]]) -> Patch:
        placed = np.stack([np.stack(corner, axis=1) for corner in corners], axis=1)
        return polygons(self.canvas.size * placed, self.canvas.size)

    def _polygon(self, thing: str, colour: Colour, corners: list[tuple[Floats, Floats]], which: Integers) -> None:
        self.canvas.put(thing, self._corners(corners), np.array(colour) * self.light[which], which)


def _box(x: Floats, y: Floats, across: float, down: float) -> list[tuple[Floats, Floats]]:
    """The corners of a rectangle about a point."""
    return [(x - across, y - down), (x + across, y - down), (x + across, y + down), (x - across, y + down)]
