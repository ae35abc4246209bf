"""Characters, small people in various poses.

References:
    Reed et al., "Deep visual analogy-making", NIPS 2015, whose characters are other people's drawings; these are ours.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from unbraid.draw.capsule import capsules, paint
from unbraid.draw.hashing import uniforms
from unbraid.draw.person import HAIR, Person
from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers, within
from unbraid.world import World

__all__ = ["Characters"]

BLOCK = 64
HEIGHT = 0.84
"""Of a person, in parts of the image."""

HIPS = 0.645
"""How far down the middle of the hips is, in parts of the image."""

TESTED = 0.2
"""The part of the identities that is held out."""

Colours = dict[str, tuple[int, int, int]]
SKIN: Colours = {
    "pale": (250, 212, 184), "fair": (230, 178, 140), "tan": (200, 146, 106), "brown": (150, 98, 66),
    "dark": (98, 62, 44),
}  # fmt: skip
HAIR_COLOUR: Colours = {
    "black": (36, 30, 34), "brown": (104, 62, 34), "ginger": (204, 94, 34), "blond": (236, 196, 92),
    "grey": (164, 164, 172), "violet": (134, 74, 186),
}  # fmt: skip
SHIRT: Colours = {
    "red": (222, 52, 58), "orange": (246, 146, 40), "yellow": (250, 214, 60), "green": (54, 164, 86),
    "blue": (46, 110, 214), "pink": (246, 130, 178),
}  # fmt: skip
TROUSERS: Colours = {
    "navy": (44, 56, 110), "grey": (112, 118, 128), "olive": (112, 116, 50), "maroon": (122, 36, 52),
    "teal": (34, 136, 142),
}  # fmt: skip
FIXED: Colours = {"shoe": (0, 0, 0), "eye": (20, 18, 26), "mouth": (150, 50, 56)}


def _even(name: str, start: float, stop: float, size: int, kind: Literal["ordinal", "cyclic"] = "ordinal") -> Factor:
    return Factor(name, size, kind, tuple(np.linspace(start, stop, size).round(9).tolist()))


def _choice(name: str, of: dict[str, tuple[int, int, int]] | dict[str, tuple[tuple[float, ...], ...]]) -> Factor:
    return Factor(name, len(of), "categorical", tuple(of))


IDENTITY = FactorSpace(
    [
        _choice("skin", SKIN),
        _choice("hair", HAIR),
        _choice("hair_colour", HAIR_COLOUR),
        _choice("shirt", SHIRT),
        _choice("trousers", TROUSERS),
    ]
)
POSE = FactorSpace(
    [
        _even("facing", -1.05, 1.05, 5),
        _even("stride", 0.0, 2 * np.pi * 7 / 8, 8, "cyclic"),
        _even("left_arm", 0.2, 2.4, 5),
        _even("right_arm", 0.2, 2.4, 5),
        _even("x", 0.4, 0.6, 5),
    ]
)


class Characters(World):
    """Small people in colour on white: who they are, and what they do; some can be held out.

    Who: skin 5, hair 5 (its style), hair_colour 6, shirt 6 and trousers 5, together 4,500 identities. What they do:
    facing 5 (the turn from the viewer, positive to the right, in radians), stride 8 (the phase of a step, in radians),
    left_arm 5 and right_arm 5 (raised from hanging, in radians; of the side that is on the viewer's left when faced),
    and x 5 (the middle, in parts of the image), together 5,000 poses.

    ``identities`` keeps a fifth of the identities from the rest, chosen at random by ``seed``; the factors stay the
    same, and only combinations whose identity is in the part have an image. No identity is in both parts.

    Attributes:
        identity: The names of the factors that say who.
        pose: The names of the factors that say what they do.

    Args:
        size: Height and width in pixels, at least 24.
        identities: ``"all"``, or those to ``"train"`` on (3,600) or to ``"test"`` on (900).
        seed: Which identities are held out, at least 0.

    Raises:
        InvalidOption: When an option is out of range.

    >>> train, test = Characters(identities="train"), Characters(identities="test")
    >>> len(train), len(test)
    (18000000, 4500000)
    >>> train.space == test.space
    True
    """

    citation = """@inproceedings{reed2015deep, author = {Reed, Scott and Zhang, Yi and Zhang, Yuting and Lee, Honglak},
  title = {Deep Visual Analogy-Making}, booktitle = {Advances in Neural Information Processing Systems},
  volume = {28}, year = {2015}}"""
    identity: ClassVar[tuple[str, ...]] = IDENTITY.names
    pose: ClassVar[tuple[str, ...]] = POSE.names

    def __init__(self, *, size: int = 32, identities: Literal["all", "train", "test"] = "all", seed: int = 0) -> None:
        require_at_least(24, size=size)
        require_at_least(0, seed=seed)
        if identities not in ("all", "train", "test"):
            raise InvalidOption(f"identities must be all, train or test, but is {identities!r}")
        self.size, self.identities, self.seed = size, identities, seed
        self.space, self.shape = FactorSpace([*IDENTITY, *POSE]), (3, size, size)
        shuffled = np.argsort(uniforms(np.arange(len(IDENTITY)), 1, seed=seed, purpose="identities")[:, 0])
        tested = round(TESTED * len(IDENTITY))
        part = {"all": slice(None), "train": slice(tested, None), "test": slice(tested)}[identities]
        self._who = np.sort(shuffled[part])
        self._rank = np.full(len(IDENTITY), -1, dtype=np.int64)
        self._rank[self._who] = np.arange(len(self._who))

    def __len__(self) -> int:
        """The number of images: one for each identity in the part and each pose."""
        return len(self._who) * len(POSE)

    def factors(self, indices: npt.ArrayLike) -> Integers:
        """The factor values of the given images: ``(B,)`` to ``(B, F)``.

        Raises:
            InvalidData: When an index is out of range.
        """
        index = within(indices, len(self))
        return self.space.factors(self._who[index // len(POSE)] * len(POSE) + index % len(POSE))

    def index(self, factors: npt.ArrayLike) -> Integers:
        """The numbers of images with the given factor values: ``(B, F)`` to ``(B,)``.

        Raises:
            InvalidData: When an identity is not in this part.
        """
        whole = self.space.index(factors)
        rank = self._rank[whole // len(POSE)]
        if np.any(rank < 0):
            who = np.asarray(factors)[rank < 0][0].tolist()[: len(IDENTITY.names)]
            raise InvalidData(f"the identity {who} is not among those to {self.identities} on: identities='all' has it")
        return np.asarray(rank * len(POSE) + whole % len(POSE), dtype=np.int64)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, size, size)``, unsigned bytes 0 .. 255."""
        factors = self.factors(indices)
        drawn = np.full((len(factors), *self.shape), 255, dtype=np.float32)
        for start in range(0, len(factors), BLOCK):
            self._draw_block(drawn[start : start + BLOCK], factors[start : start + BLOCK])
        return np.asarray(np.rint(drawn), dtype=np.uint8)

    def _draw_block(self, images: npt.NDArray[np.float32], factors: Integers) -> None:
        skin, hair, hair_colour, shirt, trousers = factors[:, : len(IDENTITY.names)].T
        colours = {"skin": _rgb(SKIN)[skin], "hair": _rgb(HAIR_COLOUR)[hair_colour], "shirt": _rgb(SHIRT)[shirt]}
        colours |= {"trousers": _rgb(TROUSERS)[trousers]}
        colours |= {name: np.tile(_rgb(FIXED)[i], (len(factors), 1)) for i, name in enumerate(FIXED)}
        pose = zip(POSE, factors[:, len(IDENTITY.names) :].T, strict=True)
        facing, stride, left, right, x = (np.asarray(f.values, dtype=np.float64)[values] for f, values in pose)
        unit = self.size * HEIGHT
        origin = self.size * np.stack([x, np.full_like(x, HIPS)] * 2, axis=1)
        which = np.arange(len(factors))
        for flesh, ends, radius, light in Person(facing, stride, left, right, hair).capsules():
            there = np.flatnonzero(radius > 0)
            if len(there):
                patch = capsules((origin + unit * ends)[there], (unit * radius)[there], self.size)
                paint(images, which[there], patch, (colours[flesh] * light[:, None])[there])


def _rgb(colours: Colours) -> Floats:
    return np.array(list(colours.values()), dtype=np.float64)
