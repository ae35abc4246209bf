"""From one image to another by way of the codes between theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.plots._draw import GAP, as_images, decoded, enlarge, tile
from unbraid.plots._seat import Look
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page
from unbraid.types import Bytes, Floats

__all__ = ["between", "interpolations"]

MOST = 6
"""Pairs on a page."""
APART = 14
"""Pixels between an image and the first one decoded."""


def interpolations(
    *,
    images: Bytes,
    codes: Floats,
    decode: Callable[[Floats], Bytes],
    look: Look | None = None,
    ends: tuple[int, int] | None = None,
    way: Literal["linear", "spherical"] = "linear",
    steps: int = 9,
) -> Figure:
    """Pairs of images, with what the codes from one to the other are decoded into between them.

    Args:
        images: ``(n, C, H, W)``, unsigned bytes, two at least; the first and second are a pair, and so on.
        codes: Theirs, in the same order, ``(N, D)`` with N at least n.
        decode: From codes ``(B, D)`` to images ``(B, C, H, W)``, unsigned bytes.
        look: From numbers of images to the images and their codes; needed with ``ends``.
        ends: The numbers of the two images of a single pair; by default several pairs of the images given.
        way: ``"linear"``, or ``"spherical"``: along an arc, so that codes keep the distance from 0 that samples of a
            prior of many dimensions have.
        steps: Codes from one to the other, both included, at least 2.

    Raises:
        InvalidData: When there are fewer than two images, or the arrays do not fit together.
        InvalidOption: When an option cannot be used.
    """
    require_at_least(2, steps=steps)
    if ends is not None:
        if look is None:
            raise InvalidOption("ends needs look, a function from numbers of images to them and their codes")
        images, codes = look(np.array(ends, dtype=np.int64))
    images = as_images(images)
    if len(images) < 2 or len(codes) < len(images):
        raise InvalidData(f"interpolations need 2 images and their codes, but have {len(images)} and {len(codes)}")
    pairs = min(len(images) // 2, MOST)
    codes = np.asarray(codes, dtype=np.float64)[: 2 * pairs].reshape(pairs, 2, -1)
    path = between(codes[:, 0], codes[:, 1], steps, way)
    made = enlarge(decoded(decode, path.reshape(-1, codes.shape[-1])))
    given = enlarge(images[: 2 * pairs])

    height, width = made.shape[1] + GAP, made.shape[2] + GAP
    across = (steps + 2) * width + 2 * APART
    left, top = MARGIN, Page.heading + 36
    middle, last = left + width + APART, left + across - width
    straight = "straight line" if way == "linear" else "great arc"
    page = Page(
        max(WIDTH, left + across + MARGIN),
        top + pairs * height + 30,
        "From one image to another",
        f"Codes along a {straight} from the one's to the other's, decoded; the images themselves stand at both sides.",
    )
    for x, pictures, columns, label in (
        (left, given[::2], 1, "first"),
        (middle, made, steps, "between"),
        (last, given[1::2], 1, "second"),
    ):
        page.picture(x, top, tile(pictures, columns)).set_label(label)
    names = ("image", "image") if ends is None else tuple(f"image {end:,}" for end in ends)
    for x, name in zip((left, last), names, strict=True):
        page.text(x + width / 2, top - 14, name, size=9.5, color=GREY, ha="center")
    for i in range(steps):
        page.text(middle + (i + 0.5) * width, top - 14, f"{i / (steps - 1):.0%}", size=9.5, color=GREY, ha="center")
    return page.figure


def between(first: Floats, second: Floats, steps: int, way: Literal["linear", "spherical"]) -> Floats:
    r"""Codes from one to another: ``(n, D)`` twice to ``(n, steps, D)``.

    .. math:: (1 - t)\,a + t\,b \qquad\text{or}\qquad
              \frac{\sin((1 - t)\,\omega)\,a + \sin(t\,\omega)\,b}{\sin \omega}, \quad \omega = \angle(a, b)

    Raises:
        InvalidOption: When ``way`` is neither.

    >>> between(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), 3, "spherical").round(3).tolist()
    [[[1.0, 0.0], [0.707, 0.707], [0.0, 1.0]]]
    """
    if way not in ("linear", "spherical"):
        raise InvalidOption(f"way must be linear or spherical, but is {way!r}")
    t = np.linspace(0, 1, steps)[:, None]
    a, b = first[:, None], second[:, None]
    line = np.asarray((1 - t) * a + t * b)
    if way == "linear":
        return line
    size = np.linalg.norm(a, axis=-1, keepdims=True) * np.linalg.norm(b, axis=-1, keepdims=True)
    cosine = np.divide((a * b).sum(axis=-1, keepdims=True), size, out=np.ones_like(size), where=size > 0)
    angle = np.arccos(cosine.clip(-1, 1))
    # Codes in the same direction, or in opposite ones, span no arc: these go straight.
    arc = np.sin(angle) > 1e-6
    sine = np.where(arc, np.sin(angle), 1.0)
    return np.where(arc, (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / sine, line)
