"""A small person: a skeleton in space, posed, seen by a camera, and fleshed out with capsules.

Lengths are in parts of the person's height, about the middle of the hips: X to the viewer's right, Y up and Z towards
the viewer. The camera looks slightly down, so that what is nearer to it lies lower in the image.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unbraid.types import Floats, Integers

__all__ = ["FLESH", "HAIR", "Person"]

PITCH = np.radians(16)
"""How far the camera looks down."""

FAR, NEAR = 0.74, 0.9
"""How bright the limbs of either side are; the trunk is at 1, so that an arm before it can be seen."""

# Half widths.
ARM, HAND, LEG, SHOE, HEAD, EYE = 0.044, 0.047, 0.056, 0.058, 0.158, 0.025
HEAD_AT = 0.46

HAIR: dict[str, tuple[tuple[float, ...], ...]] = {
    # Each piece: both ends about the centre of the head, half width, and whether it lies before (1) or behind the face.
    "short": ((-0.05, 0.05, -0.04, 0.05, 0.05, -0.04, 0.135, 0), (-0.075, 0.115, 0.08, 0.075, 0.115, 0.08, 0.05, 1)),
    "long": (
        (-0.04, 0.04, -0.04, 0.04, 0.04, -0.04, 0.15, 0), (-0.075, 0.11, 0.08, 0.075, 0.11, 0.08, 0.045, 1),
        (-0.125, 0.0, -0.04, -0.135, -0.2, -0.04, 0.06, 0), (0.125, 0.0, -0.04, 0.135, -0.2, -0.04, 0.06, 0),
    ),
    "bun": (
        (-0.04, 0.04, -0.04, 0.04, 0.04, -0.04, 0.14, 0), (-0.08, 0.1, 0.07, 0.0, 0.14, 0.08, 0.04, 1),
        (0.08, 0.1, 0.07, 0.0, 0.14, 0.08, 0.04, 1), (0.0, 0.215, -0.03, 0.0, 0.215, -0.03, 0.075, 1),
    ),
    "bunches": (
        (-0.04, 0.04, -0.04, 0.04, 0.04, -0.04, 0.14, 0), (-0.075, 0.115, 0.08, 0.075, 0.115, 0.08, 0.045, 1),
        (-0.19, 0.04, -0.03, -0.23, -0.07, -0.03, 0.055, 0), (0.19, 0.04, -0.03, 0.23, -0.07, -0.03, 0.055, 0),
    ),
    "crest": ((0.0, 0.19, -0.05, 0.0, 0.11, 0.1, 0.05, 1), (0.0, 0.19, -0.04, 0.0, 0.05, -0.12, 0.05, 0)),
}  # fmt: skip
"""The pieces of every hair style."""

FLESH = ("skin", "hair", "shirt", "trousers", "shoe", "eye", "mouth")
"""What a capsule is coloured as."""


def _table() -> Floats:
    most = max(len(pieces) for pieces in HAIR.values())
    # A piece that is not there has a half width far below nothing.
    absent = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -9.0, 0.0)
    return np.array([[*pieces, *[absent] * (most - len(pieces))] for pieces in HAIR.values()])


PIECES = _table()


class Person:
    """A batch of posed people, as the capsules that draw them from back to front.

    Args:
        facing: Where they look: 0 at the viewer, positive to the viewer's right, in radians, ``(B,)``.
        stride: The phase of their step, in radians, ``(B,)``.
        left_arm: How far the arm on the viewer's left (when it is faced) is raised from hanging, in radians, ``(B,)``.
        right_arm: The other, ``(B,)``.
        hair: Which of ``HAIR``, ``(B,)``.
    """

    def __init__(self, facing: Floats, stride: Floats, left_arm: Floats, right_arm: Floats, hair: Integers) -> None:
        self._cos, self._sin = np.cos(facing), np.sin(facing)
        self._stride, self._arms, self._hair = stride, (left_arm, right_arm), hair
        # Turned to the right, the side on the left comes nearer.
        self._near = np.where(facing >= 0, -1.0, 1.0)

    def capsules(self) -> Iterator[tuple[str, Floats, Floats, Floats]]:
        """From back to front: what it is of ``FLESH``, its ends ``(B, 4)``, half width and brightness ``(B,)``.

        Ends are in heights from the middle of the hips, to the right and down.
        """
        yield from self._tresses(before=0)
        yield from self._arm(-self._near, FAR)
        yield from self._leg(-self._near, FAR)
        yield from self._leg(self._near, NEAR)
        yield self._piece("trousers", (-0.05, 0.0, 0.0), (0.05, 0.0, 0.0), 0.07)
        yield self._piece("skin", (0.0, 0.26, 0.0), (0.0, 0.36, 0.0), 0.04)
        for x in (-0.045, 0.045):
            yield self._piece("shirt", (x, 0.065, 0.0), (x * 1.4, 0.245, 0.0), 0.07)
        yield from self._arm(self._near, NEAR)
        yield self._piece("skin", (0.0, HEAD_AT, 0.0), (0.0, HEAD_AT, 0.0), HEAD)
        for x in (-0.058, 0.058):
            yield self._piece("eye", (x, HEAD_AT, 0.122), (x, HEAD_AT - 0.03, 0.122), EYE)
        yield self._piece("mouth", (-0.02, HEAD_AT - 0.09, 0.13), (0.02, HEAD_AT - 0.09, 0.13), 0.012)
        yield from self._tresses(before=1)

    def _seen(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Points in space, each ``(B,)``, to the image: ``(B, 2)``."""
        right, near = x * self._cos + z * self._sin, z * self._cos - x * self._sin
        return np.stack([right, near * np.sin(PITCH) - y * np.cos(PITCH)], axis=1)

    def _between(self, start: tuple[Floats, ...], stop: tuple[Floats, ...]) -> Floats:
        return np.concatenate([self._seen(*start), self._seen(*stop)], axis=1)

    def _piece(
        self, flesh: str, start: tuple[float, float, float], stop: tuple[float, float, float], radius: float
    ) -> tuple[str, Floats, Floats, Floats]:
        """A part that does not move by itself."""
        full = np.ones_like(self._cos)
        a, b = (tuple(p * full for p in point) for point in (start, stop))
        return flesh, self._between(a, b), radius * full, full

    def _arm(self, side: Floats, light: float) -> Iterator[tuple[str, Floats, Floats, Floats]]:
        full = np.ones_like(side)
        raised = np.where(side < 0, *self._arms)
        shoulder = (side * 0.115, 0.255 * full, 0.0 * full)
        # Raised outwards and a little to the front.
        along = (0.83 * side * np.sin(raised), -np.cos(raised), 0.56 * np.sin(raised))
        wrist = tuple(s + 0.2 * a for s, a in zip(shoulder, along, strict=True))
        hand = tuple(s + 0.245 * a for s, a in zip(shoulder, along, strict=True))
        yield "skin", self._between(wrist, hand), HAND * full, light * full
        yield "shirt", self._between(shoulder, wrist), ARM * full, light * full

    def _leg(self, side: Floats, light: float) -> Iterator[tuple[str, Floats, Floats, Floats]]:
        full = np.ones_like(side)
        phase = self._stride + np.where(side < 0, 0.0, np.pi)
        swing, lift = 0.62 * np.sin(phase), 0.07 * np.maximum(np.cos(phase), 0)
        hip = (side * 0.055, -0.02 * full, 0.0 * full)
        reach = 0.27 - lift
        ankle = (side * 0.065, -0.02 - reach * np.cos(swing), reach * np.sin(swing))
        toe = (ankle[0], ankle[1] - 0.02, ankle[2] + 0.07)
        yield "trousers", self._between(hip, ankle), LEG * full, light * full
        yield "shoe", self._between((ankle[0], ankle[1] - 0.02, ankle[2]), toe), SHOE * full, full

    def _tresses(self, *, before: int) -> Iterator[tuple[str, Floats, Floats, Floats]]:
        full = np.ones_like(self._cos)
        for pieces in np.moveaxis(PIECES[self._hair], 1, 0):
            x0, y0, z0, x1, y1, z1, radius, layer = pieces.T
            ends = self._between((x0, y0 + HEAD_AT, z0), (x1, y1 + HEAD_AT, z1))
            yield "hair", ends, np.where(layer == before, radius, -9.0), full
