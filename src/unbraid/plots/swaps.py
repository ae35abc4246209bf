"""Every style with every class code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import require_at_least
from unbraid.plots._codes import apart
from unbraid.plots._draw import GAP, decoded, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page
from unbraid.types import Bytes, Floats

__all__ = ["swaps"]

APART, LABELS = 14, 76


def swaps(*, images: Bytes, codes: Floats, decode: Callable[[Floats], Bytes], contents: int, count: int = 8) -> Figure:
    """Images decoded from the style of one image and the class code of another, for some images and some others.

    Where both are set apart a row keeps its style and a column its class. Where all columns look alike the class code
    says nothing, and where all rows do, the style.

    Args:
        images: ``(n, C, H, W)``, unsigned bytes; the first half gives class codes, the second half styles.
        codes: Theirs, in the same order, ``(N, D)`` with N at least n.
        decode: From codes ``(B, D)`` to images ``(B, C, H, W)``, unsigned bytes.
        contents: How many numbers of a code, the first ones, are the class code.
        count: How many of each, at most, at least 1.

    Raises:
        InvalidData: When the model sets no class code apart, or the arrays do not fit together.
    """
    require_at_least(1, count=count)
    images, content, style = apart(images, codes, contents, least=2)
    half = min(len(images) // 2, count)
    classes, styles = slice(0, half), slice(len(images) // 2, len(images) // 2 + half)
    grid = np.concatenate([np.tile(content[classes], (half, 1)), style[styles].repeat(half, axis=0)], axis=1)
    made, given = enlarge(decoded(decode, grid)), enlarge(images)
    height, width = made.shape[1] + GAP, made.shape[2] + GAP
    left, top = MARGIN + LABELS, Page.heading + 30
    page = Page(
        max(WIDTH, left + (half + 1) * width + APART + MARGIN),
        top + (half + 1) * height + APART + 24,
        "Every style with every class code",
        "A row has the style of the image at its left, a column the class of the image above it.",
    )
    page.text(left + width + APART, top - 14, "class of", size=9.5, color=GREY)
    page.text(left - 12, top + height * 1.5 + APART, "style of", size=9.5, color=GREY, ha="right")
    page.picture(left + width + APART, top, tile(given[classes], half)).set_label("classes")
    page.picture(left, top + height + APART, tile(given[styles], 1)).set_label("styles")
    page.picture(left + width + APART, top + height + APART, tile(made, half)).set_label("swapped")
    return page.figure
