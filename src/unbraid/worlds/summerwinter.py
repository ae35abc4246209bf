"""SummerWinter, drawn landscapes in summer and in winter.

References:
    Zhu, Park, Isola and Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks",
    ICCV 2017, whose photographs of Yosemite in both seasons these resemble.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from unbraid.draw.canvas import Canvas
from unbraid.draw.hashing import integers
from unbraid.draw.landscape import Landscape, ridges, sprinkled
from unbraid.errors import require_at_least
from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers
from unbraid.world import World

__all__ = ["SummerWinter"]

SEASONS = ("summer", "winter")
HOURS = ("dawn", "morning", "noon", "evening", "dusk")
BLOCK = 128

# The colour of the sky at the top and at the foot of the mountains, by season and hour.
SKIES = np.array(
    [
        [
            [(116, 140, 196), (250, 200, 164)], [(104, 172, 236), (206, 232, 250)], [(60, 142, 228), (172, 218, 250)],
            [(112, 122, 190), (252, 188, 112)], [(52, 48, 108), (222, 116, 110)],
        ],
        [
            [(152, 162, 198), (246, 210, 200)], [(168, 194, 222), (226, 236, 246)], [(150, 184, 220), (232, 240, 248)],
            [(138, 140, 184), (246, 204, 176)], [(40, 48, 90), (152, 142, 174)],
        ],
    ],
    dtype=np.float64,
)  # fmt: skip
SUNS = np.array([(255, 214, 170), (255, 244, 204), (255, 255, 232), (255, 206, 116), (255, 156, 112)], dtype=np.float64)
LIGHTS = np.array([(0.94, 0.86, 0.84), (1.0, 0.98, 0.96), (1.0, 1.0, 1.0), (1.0, 0.86, 0.7), (0.56, 0.54, 0.72)])
LAMPS = np.array([0.6, 0.0, 0.0, 0.5, 1.0])

MEADOWS = np.array(
    [(150, 206, 84), (112, 188, 74), (84, 162, 66), (142, 168, 64), (186, 174, 78), (206, 176, 106)], dtype=np.float64
)
"""From the fresh grass of spring to straw."""
HAZE, FROST, STUBBLE, SNOW = (
    np.array(c, dtype=np.float64) for c in ((132, 152, 190), (180, 196, 222), (150, 134, 104), (244, 248, 255))
)
BLOSSOMS = np.array([(255, 236, 90), (240, 84, 96), (255, 255, 255)], dtype=np.float32)
DOTS = (0, 30, 90)
"""How many flowers or flakes there are."""

TREES = 6
"""Half of them stand on the hills, half on the meadow."""

SHARED = (
    Factor("hills", 12, "categorical"),
    Factor("trees", 12, "categorical"),
    Factor("house", 7, "ordinal", tuple(np.linspace(0.17, 0.83, 7).round(9).tolist())),
    Factor("sun", 7, "ordinal", tuple(np.linspace(0.12, 0.88, 7).round(9).tolist())),
)
HOUR = Factor("hour", len(HOURS), "ordinal", HOURS)
SUMMER = (Factor("meadow", len(MEADOWS), "ordinal"), Factor("flowers", len(DOTS), "ordinal", DOTS))
WINTER = (
    Factor("snow", 6, "ordinal", tuple(np.linspace(0.4, 1.0, 6).round(9).tolist())),
    Factor("flakes", len(DOTS), "ordinal", DOTS),
)


class SummerWinter(World):
    """Two domains, the same landscapes in summer and in winter: hills, trees, a house and the sun are shared.

    The factors are domain 2 (``summer`` and ``winter``); hills 12 and trees 12 (which ridges and which six trees, the
    choice of ``seed``), house 7 and sun 7 (where they are, from left 0 to right 1), which both share; hour 5 (the
    colours of sky and light), which is part of the style of either; meadow 6 (from fresh to dry) and flowers 3, which
    only summer shows; and snow 6 (how much of the ground and roof it covers) and flakes 3, which only winter shows. So
    an image and its counterpart in the other domain differ in the domain alone; ``content`` numbers what both share.

    Attributes:
        shared: The names of the factors of what both domains show.
        styles: For each domain, the names of the factors of its style.

    Args:
        size: Height and width in pixels, at least 32.
        seed: What hills and trees look like, at least 0.

    Raises:
        InvalidOption: When an option is out of range.

    >>> world = SummerWinter(size=32)
    >>> world.images([0, 1]).shape, world.masks([0, 1]).shape
    ((2, 3, 32, 32), (2, 3, 32, 32))
    """

    citation = """@inproceedings{zhu2017unpaired, author = {Zhu, Jun-Yan and Park, Taesung and Isola, Phillip and
  Efros, Alexei A.}, title = {Unpaired Image-to-Image Translation Using Cycle-Consistent Adversarial Networks},
  booktitle = {International Conference on Computer Vision}, year = {2017}}"""
    shared: ClassVar[tuple[str, ...]] = tuple(factor.name for factor in SHARED)
    styles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (
        ("hour", *(factor.name for factor in SUMMER)),
        ("hour", *(factor.name for factor in WINTER)),
    )

    def __init__(self, *, size: int = 64, seed: int = 0) -> None:
        require_at_least(32, size=size)
        require_at_least(0, seed=seed)
        self.size, self.seed, self.shape = size, seed, (3, size, size)
        self.space = FactorSpace([Factor("domain", 2, "categorical", SEASONS), *SHARED, HOUR, *SUMMER, *WINTER])
        self._contents = FactorSpace(SHARED)
        hills, trees = (factor.size for factor in SHARED[:2])
        self._ridges = ridges(hills, (np.arange(size) + 0.5) / size, seed=seed)
        self._foot = ridges(hills, SHARED[2].values, seed=seed)[:, 2] + 0.07
        self._forest(hills, trees)
        dots = np.stack([sprinkled(size, count, seed=seed) for count in DOTS])
        # Opposite edges meet, so that the pattern may begin anywhere.
        self._dots = self._windows(dots)
        tufts = numpy_generator(seed, "blossoms").integers(0, len(BLOSSOMS), (-(-size // 4), -(-size // 4)))
        self._blossoms = self._windows(BLOSSOMS[tufts].transpose(2, 0, 1).repeat(4, 1).repeat(4, 2)[:, :size, :size])
        self._patches = _patches(size, seed)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, size, size)``, unsigned bytes 0 .. 255."""
        return self._painted(indices, ())

    def masks(self, indices: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Where one sees the land, the trees and the house: ``(B,)`` to ``(B, 3, size, size)``.

        Neither smoke nor what falls from the sky hides any of them.
        """
        return np.asarray(self._painted(indices, ("land", "trees", "house")) > 0)

    def content(self, indices: npt.ArrayLike) -> Integers:
        """The number of what an image shares with its counterparts: ``(B,)`` to ``(B,)``."""
        return self._contents.index(self.factors(indices)[..., 1 : 1 + len(SHARED)])

    def counterpart(self, indices: npt.ArrayLike) -> Integers:
        """The image that differs in the domain alone: ``(B,)`` to ``(B,)``."""
        factors = self.factors(indices)
        factors[..., 0] = 1 - factors[..., 0]
        return self.index(factors)

    def relevant(self, factors: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which factors can be seen in an image, ``(B, F)`` to ``(B, F)``: not those of the other season's style."""
        values = np.asarray(factors, dtype=np.int64)
        seen = np.ones(values.shape, dtype=bool)
        for domain, style in ((0, SUMMER), (1, WINTER)):
            for factor in style:
                seen[..., self.space.position(factor.name)] = values[..., 0] == domain
        return seen

    def _painted(self, indices: npt.ArrayLike, things: tuple[str, ...]) -> Bytes:
        factors = self.factors(indices)
        content = self._contents.index(factors[:, 1 : 1 + len(SHARED)])
        drawn = np.empty((len(factors), len(things) or 3, self.size, self.size), dtype=np.uint8)
        for winter in (False, True):
            numbers = np.flatnonzero(factors[:, 0] == winter)
            for start in range(0, len(numbers), BLOCK):
                block = numbers[start : start + BLOCK]
                canvas = Canvas(len(block), self.size, things)
                self._paint(canvas, factors[block], content[block], winter)
                drawn[block] = canvas.seen() if things else canvas.bytes()
        return drawn

    def _paint(self, canvas: Canvas, factors: Integers, content: Integers, winter: bool) -> None:
        _, hills, trees, house, sun, hour, meadow, flowers, snow, flakes = factors.T
        cover = np.asarray(WINTER[0].values, dtype=np.float64)[snow] if winter else None
        scene, ridge = Landscape(canvas, LIGHTS[hour], cover), self._ridges[hills]
        sky = SKIES[int(winter), hour]
        scene.sky(sky[:, 0], sky[:, 1])
        at = np.asarray(SHARED[3].values, dtype=np.float64)[sun]
        scene.sun(at, 0.12 + 0.5 * (at - 0.5) ** 2, SUNS[hour] + (255 - SUNS[hour]) * (0.4 * winter))
        ground = np.tile(STUBBLE, (len(hour), 1)) if winter else MEADOWS[meadow]
        far = FROST if winter else HAZE
        scene.ridge(0, ridge[:, 0], np.tile(far, (len(hour), 1)))
        for layer, share in ((1, 0.35), (2, 0.0)):
            band = scene.bands[layer]
            land = scene.ridge(layer, ridge[:, layer], ground + (far - ground) * share)
            if cover is not None:
                white = (SNOW - 16 * (layer == 1)) * scene.light
                canvas.fill("land", land * self._snowed(cover, band), white[:, :, None, None], top=band.start)
            elif layer == 2:
                light = scene.light[:, :, None, None].astype(np.float32)
                dots = self._pieces(self._dots, flowers, content)[:, band]
                canvas.fill("land", land * dots, self._petals(content)[:, :, band] * light, top=band.start)
            scene.trees(*(table[hills, trees, layer - 1] for table in self._trees))
        at, foot = np.asarray(SHARED[2].values, dtype=np.float64)[house], self._foot[hills, house]
        if winter and not canvas.things:
            scene.smoke(at, foot)
        scene.house(at, foot, LAMPS[hour])
        if winter and not canvas.things:
            canvas.fill("", self._pieces(self._dots, flakes, content), np.full((1, 1, 1), 255.0))

    def _forest(self, hills: int, trees: int) -> None:
        """Where every tree stands, how high it is, and whether it is a fir."""
        generator, half = numpy_generator(self.seed, "trees"), TREES // 2
        # One in each part of the width, so that none hides another.
        x = (np.arange(half) + generator.uniform(0.1, 0.9, (trees, 2, half))) / half
        high = generator.uniform([[0.13], [0.24]], [[0.19], [0.36]], (trees, 2, half))
        firs = generator.integers(0, 2, (trees, 2, half))
        lower = generator.uniform([[0.0], [0.01]], [[0.03], [0.06]], (trees, 2, half))
        reach = ridges(hills, x.ravel(), seed=self.seed).reshape(hills, 3, trees, 2, half)
        y = np.stack([reach[:, layer + 1, :, layer] for layer in range(2)], axis=2) + 0.01 + lower
        self._trees = tuple(np.broadcast_to(table, y.shape) for table in (x, y, high, firs))

    def _windows(self, pattern: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        wrapped = np.pad(pattern, ((0, 0), (0, self.size - 1), (0, self.size - 1)), mode="wrap")
        return sliding_window_view(wrapped, (self.size, self.size), axis=(1, 2))

    def _pieces(self, windows: npt.NDArray[np.float32], which: Integers, content: Integers) -> npt.NDArray[np.float32]:
        down, across = integers(content, 2, self.size, seed=self.seed, purpose="dots").T
        return np.asarray(windows[which, down, across])

    def _petals(self, content: Integers) -> npt.NDArray[np.float32]:
        down, across = integers(content, 2, self.size, seed=self.seed, purpose="dots").T
        return np.asarray(self._blossoms[:, down, across]).transpose(1, 0, 2, 3)

    def _snowed(self, cover: Floats, band: slice) -> npt.NDArray[np.float32]:
        """How white each pixel of the ground is, ``(B, rows, size)``."""
        rest = cover.astype(np.float32)[:, None, None] - self._patches[band]
        return np.asarray(np.clip(rest * np.float32(8) + np.float32(0.5), 0, 1))


def _patches(size: int, seed: int) -> npt.NDArray[np.float32]:
    """How much snow it takes until each pixel is white, from 0 to 1, in drifts that lie flat."""
    generator = numpy_generator(seed, "patches")
    y, x = np.meshgrid(*[(np.arange(size) + 0.5) / size] * 2, indexing="ij")
    field = np.zeros((size, size))
    for _ in range(8):
        across, down, phase = *generator.uniform([1.0, 4.0], [4.0, 12.0]), generator.random()
        field += np.sin(2 * np.pi * (generator.choice([-1, 1]) * across * x + down * y + phase)) / np.sqrt(down)
    # All shares alike often: so much snow covers so much ground.
    rank = field.ravel().argsort().argsort().reshape(size, size)
    return np.asarray((rank + 0.5) / size**2, dtype=np.float32)
