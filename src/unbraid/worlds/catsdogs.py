"""CatsDogs, drawn faces of cats and of dogs.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018, whose animals these
    resemble.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unbraid.draw.canvas import Canvas
from unbraid.draw.face import Face
from unbraid.draw.hue import rgb
from unbraid.draw.soft import ellipses
from unbraid.errors import require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers
from unbraid.world import World

__all__ = ["CatsDogs"]

Colours = dict[str, tuple[int, int, int]]

CAT_COATS: Colours = {
    "ginger": (236, 150, 62), "grey": (138, 142, 152), "black": (58, 56, 64), "cream": (240, 220, 186),
    "brown": (142, 98, 66), "blue": (106, 122, 146),
}  # fmt: skip
CAT_EYES: Colours = {
    "green": (126, 196, 84), "yellow": (246, 208, 60), "blue": (94, 172, 236), "copper": (214, 122, 34),
}  # fmt: skip
DOG_COATS: Colours = {
    "golden": (222, 176, 104), "chocolate": (110, 70, 46), "black": (52, 48, 50), "white": (242, 238, 228),
    "rust": (188, 96, 46), "ash": (150, 144, 136),
}  # fmt: skip
CAT_MARKINGS, DOG_MARKINGS = ("plain", "tabby", "bib"), ("plain", "patch", "blaze")
EARS = (0.75, 1.0, 1.3)

INK, WHITE, PINK = (np.array(c, dtype=np.float64) for c in ((0, 0, 0), (255, 255, 255), (238, 150, 156)))
TONGUE, SCLERA, BROWN, TAN = (
    np.array(c, dtype=np.float64) for c in ((232, 104, 116), (250, 248, 240), (96, 58, 30), (190, 130, 80))
)

BLOCK = 128


def _choice(name: str, values: Colours | tuple[str, ...]) -> Factor:
    return Factor(name, len(values), "categorical", tuple(values))


def _even(name: str, start: float, stop: float, size: int) -> Factor:
    return Factor(name, size, "ordinal", tuple(np.linspace(start, stop, size).round(9).tolist()))


SHARED = (
    _even("x", 0.42, 0.58, 5),
    _even("y", 0.5, 0.6, 5),
    _even("size", 0.25, 0.34, 4),
    _even("turn", -0.5, 0.5, 5),
    _even("tilt", -0.3, 0.3, 5),
    _even("gaze", -1.0, 1.0, 5),
    Factor("backdrop", 6, "cyclic", tuple((np.arange(6) / 6).round(9).tolist())),
)
CAT = (_choice("cat coat", CAT_COATS), _choice("cat markings", CAT_MARKINGS), _choice("cat eyes", CAT_EYES))
DOG = (_choice("dog coat", DOG_COATS), _choice("dog markings", DOG_MARKINGS), Factor("dog ears", 3, "ordinal", EARS))


class CatsDogs(World):
    """Two domains, faces of cats and of dogs; what they do is shared, what they look like is their own.

    The factors are domain 2 (``cat`` and ``dog``); x 5, y 5 and size 4 (the middle of the head, and half its width, in
    parts of the image), turn 5 (of the head, to the right as seen, in radians), tilt 5 (clockwise, in radians), gaze 5
    (from left -1 to right 1) and backdrop 6 (its hue), which both share; cat coat 6, cat markings 3 and cat eyes 4,
    which only a cat shows; and dog coat 6, dog markings 3 and dog ears 3 (their length), which only a dog shows. So an
    image and its counterpart in the other domain differ in the domain alone; ``content`` numbers what both share.

    Attributes:
        shared: The names of the factors that both domains show.
        styles: For each domain, the names of those that only it shows.

    Args:
        size: Height and width in pixels, at least 32.

    Raises:
        InvalidOption: When the size is out of range.

    >>> world = CatsDogs(size=32)
    >>> world.images([0, 1]).shape, world.masks([0, 1]).shape
    ((2, 3, 32, 32), (2, 2, 32, 32))
    """

    citation = """@inproceedings{huang2018multimodal, author = {Huang, Xun and Liu, Ming-Yu and Belongie, Serge and
  Kautz, Jan}, title = {Multimodal Unsupervised Image-to-Image Translation},
  booktitle = {European Conference on Computer Vision}, year = {2018}}"""
    shared: ClassVar[tuple[str, ...]] = tuple(factor.name for factor in SHARED)
    styles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (
        tuple(factor.name for factor in CAT),
        tuple(factor.name for factor in DOG),
    )

    def __init__(self, *, size: int = 64) -> None:
        require_at_least(32, size=size)
        self.size, self.shape = size, (3, size, size)
        self.space = FactorSpace([Factor("domain", 2, "categorical", ("cat", "dog")), *SHARED, *CAT, *DOG])
        self._contents = FactorSpace(SHARED)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, size, size)``, unsigned bytes 0 .. 255."""
        return self._painted(indices, ()).astype(np.uint8)

    def masks(self, indices: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Where one sees the animal without its eyes, and its eyes: ``(B,)`` to ``(B, 2, size, size)``."""
        return np.asarray(self._painted(indices, ("animal", "eyes")) > 0)

    def content(self, indices: npt.ArrayLike) -> Integers:
        """The number of what an image shares with its counterparts: ``(B,)`` to ``(B,)``."""
        return self._contents.index(self.factors(indices)[..., 1 : 1 + len(SHARED)])

    def counterpart(self, indices: npt.ArrayLike) -> Integers:
        """The image that differs in the domain alone: ``(B,)`` to ``(B,)``."""
        factors = self.factors(indices)
        factors[..., 0] = 1 - factors[..., 0]
        return self.index(factors)

    def relevant(self, factors: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which factors can be seen in an image, ``(B, F)`` to ``(B, F)``: not those of the other domain's style."""
        values = np.asarray(factors, dtype=np.int64)
        seen = np.ones(values.shape, dtype=bool)
        cat = 1 + len(SHARED)
        seen[..., cat : cat + len(CAT)] = values[..., :1] == 0
        seen[..., cat + len(CAT) :] = values[..., :1] == 1
        return seen

    def _painted(self, indices: npt.ArrayLike, things: tuple[str, ...]) -> Bytes:
        factors = self.factors(indices)
        drawn = np.empty((len(factors), len(things) or 3, self.size, self.size), dtype=np.uint8)
        # Cats and dogs apart, so that no stroke of either is painted for the other.
        for domain, animal in enumerate((_cat, _dog)):
            numbers = np.flatnonzero(factors[:, 0] == domain)
            # Heads of like size go together, so that a block pays for no larger patches than it needs.
            numbers = numbers[np.argsort(factors[numbers, self.space.position("size")], kind="stable")]
            for start in range(0, len(numbers), BLOCK):
                block = numbers[start : start + BLOCK]
                canvas = Canvas(len(block), self.size, things)
                shared, own = factors[block, 1 : 1 + len(SHARED)], factors[block, 1 + len(SHARED) :]
                values = [np.asarray(f.values, dtype=np.float64)[v] for f, v in zip(SHARED, shared.T, strict=True)]
                face, gaze = _placed(canvas, values)
                animal(face, gaze, own[:, : len(CAT)] if domain == 0 else own[:, len(CAT) :])
                drawn[block] = canvas.seen() if things else canvas.bytes()
        return drawn


def _placed(canvas: Canvas, shared: list[Floats]) -> tuple[Face, Floats]:
    """The backdrop and the head, and where the eyes look, ``(B, 2)``."""
    x, y, radius, turn, tilt, gaze, backdrop = shared
    canvas.start("", 255 * rgb(backdrop, saturation=0.32)[:, :, None, None])
    middle = canvas.size * np.stack([x, y], axis=1)
    return Face(canvas, middle, canvas.size * radius, turn, tilt), np.stack([gaze, np.zeros_like(gaze)], axis=1)


def _body(face: Face, colour: Floats) -> None:
    """Neck and shoulders, which the head does not take with it."""
    full = np.ones_like(face.radius)
    for down, across, high in ((1.15, 0.62, 0.7), (2.3, 1.05, 1.1)):
        centre = face.middle + face.radius[:, None] * np.array([0.0, down])
        semi = face.radius[:, None] * np.array([across, high])
        face.canvas.put("animal", ellipses(centre, semi, 0 * full, face.canvas.size), colour)


def _mixed(colour: Floats, other: Floats, share: float) -> Floats:
    return colour + (other - colour) * share


def _standing_out(coat: Floats, share: float) -> Floats:
    """A darker shade, or where the coat is dark a lighter one."""
    return np.where(coat.mean(axis=1, keepdims=True) < 80, _mixed(coat, TAN, share), _mixed(coat, INK, share))


def _cat(face: Face, gaze: Floats, style: Integers) -> None:
    coat, markings = np.array(list(CAT_COATS.values()), dtype=np.float64)[style[:, 0]], style[:, 1]
    iris = np.array(list(CAT_EYES.values()), dtype=np.float64)[style[:, 2]]
    light = np.where((markings == 2)[:, None], WHITE, _mixed(coat, WHITE, 0.55))
    stripe = _standing_out(coat, 0.45)
    tabby, bib = (np.flatnonzero(markings == m) for m in (1, 2))
    _body(face, _mixed(coat, INK, 0.14))
    ear, inside = [(0.98, -0.2), (0.86, -1.38), (0.12, -0.72)], [(0.82, -0.5), (0.8, -1.12), (0.38, -0.7)]
    face.polygon("animal", _mixed(coat, INK, 0.12), ear, depth=-0.1, both=True)
    face.polygon("animal", _mixed(PINK, coat, 0.25), inside, depth=-0.05, both=True)
    face.ellipse("animal", coat, (0, -0.08), (1.0, 0.84), depth=0.0)
    face.ellipse("animal", coat, (0, 0.3), (1.04, 0.56), depth=0.0)
    if len(bib):
        face.ellipse("animal", WHITE, (0, 0.46), (0.48, 0.34), which=bib)
        face.polygon("animal", WHITE, [(0, -0.7), (0.36, 0.4), (-0.36, 0.4)], which=bib)
    if len(tabby):
        for x in (-0.26, 0.0, 0.26):
            face.line("animal", stripe, (1.15 * x, -0.82), (0.8 * x, -0.44), 0.11, which=tabby)
        for y in (0.12, 0.38):
            face.line("animal", stripe, (0.82, y), (0.62, y + 0.04), 0.1, which=tabby, both=True)
    face.ellipse("animal", light, (0.19, 0.42), (0.25, 0.2), both=True)
    face.ellipse("animal", light, (0, 0.6), (0.16, 0.12))
    face.ellipse("eyes", INK, (0.44, -0.08), (0.29, 0.24), angle=-0.25, both=True)
    face.ellipse("eyes", iris, (0.44, -0.08), (0.25, 0.2), angle=-0.25, both=True)
    face.ellipse("eyes", INK, (0.44, -0.08), (0.085, 0.19), moved=0.12 * gaze, both=True)
    face.ellipse("eyes", WHITE, (0.44, -0.16), (0.05, 0.05), moved=np.array([-0.08, 0.0]), both=True)
    for rise in (0.3, 0.5):
        face.line("animal", WHITE, (0.34, 0.41), (1.22, rise), 0.02, depth=0.5, both=True)
    face.polygon("animal", PINK, [(-0.13, 0.22), (0.13, 0.22), (0, 0.36)])
    face.line("animal", INK, (0, 0.44), (0.1, 0.52), 0.045, both=True)
    face.line("animal", INK, (0.1, 0.52), (0.21, 0.46), 0.045, both=True)


def _dog(face: Face, gaze: Floats, style: Integers) -> None:
    coat, markings = np.array(list(DOG_COATS.values()), dtype=np.float64)[style[:, 0]], style[:, 1]
    dark, light = _mixed(coat, INK, 0.34), _mixed(coat, WHITE, 0.4)
    grown = np.asarray(EARS)[style[:, 2]]
    patch, blaze = (np.flatnonzero(markings == m) for m in (1, 2))
    _body(face, _mixed(coat, INK, 0.14))
    face.ellipse("animal", coat, (0, -0.12), (0.84, 0.86), depth=0.0)
    face.ellipse("animal", coat, (0, 0.32), (0.7, 0.56), depth=0.1)
    if len(patch):
        face.ellipse("animal", _standing_out(coat, 0.5), (0.31, -0.18), (0.29, 0.34), which=patch)
    if len(blaze):
        stripe = np.where(coat.mean(axis=1, keepdims=True) > 220, _mixed(coat, TAN, 0.6), WHITE)
        face.line("animal", stripe, (0, -0.66), (0, 0.3), 0.28, which=blaze)
    face.ellipse("animal", dark, (0.88, -0.02), (0.27, 0.62), angle=-0.2, depth=-0.05, grown=grown, both=True)
    face.ellipse("animal", TONGUE, (0, 0.86), (0.17, 0.24), depth=0.75)
    muzzle = np.where((markings == 2)[:, None], WHITE, light)
    face.ellipse("animal", muzzle, (0, 0.44), (0.46, 0.36), depth=0.75)
    face.ellipse("eyes", INK, (0.36, -0.18), (0.22, 0.22), both=True)
    face.ellipse("eyes", SCLERA, (0.36, -0.18), (0.18, 0.18), both=True)
    face.ellipse("eyes", BROWN, (0.36, -0.17), (0.13, 0.14), moved=0.1 * gaze, both=True)
    face.ellipse("eyes", INK, (0.36, -0.17), (0.08, 0.08), moved=0.1 * gaze, both=True)
    face.ellipse("eyes", WHITE, (0.36, -0.24), (0.045, 0.045), moved=np.array([-0.05, 0.0]), both=True)
    face.line("animal", INK, (0, 0.3), (0, 0.58), 0.05, depth=0.95)
    face.line("animal", INK, (0, 0.56), (0.15, 0.65), 0.05, depth=0.92, both=True)
    face.line("animal", INK, (0.15, 0.65), (0.31, 0.55), 0.05, depth=0.85, both=True)
    face.ellipse("animal", INK, (0, 0.2), (0.23, 0.16), depth=0.95)
    face.ellipse("animal", WHITE, (-0.07, 0.14), (0.06, 0.03), depth=0.97)
