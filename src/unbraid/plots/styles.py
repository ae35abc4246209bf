"""One class, many styles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import require_at_least
from unbraid.plots._codes import apart
from unbraid.plots._draw import GAP, decoded, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page
from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Floats

__all__ = ["styles"]

APART, ROWS = 14, 8


def styles(
    *, images: Bytes, codes: Floats, decode: Callable[[Floats], Bytes], contents: int, count: int = 12, seed: int = 0
) -> Figure:
    """Images of one class with styles that are drawn from the prior, a standard normal, row by row.

    Args:
        images: ``(n, C, H, W)``, unsigned bytes; the first eight give class codes.
        codes: Theirs, in the same order, ``(N, D)`` with N at least n.
        decode: From codes ``(B, D)`` to images ``(B, C, H, W)``, unsigned bytes.
        contents: How many numbers of a code, the first ones, are the class code.
        count: Styles in a row, at least 1; the same for all classes.
        seed: Which, at least 0.

    Raises:
        InvalidData: When the model sets no class code apart, or the arrays do not fit together.
    """
    require_at_least(1, count=count)
    images, content, style = apart(images[:ROWS], codes, contents, least=1)
    drawn = numpy_generator(seed, "styles").standard_normal((count, style.shape[1]))
    rows = len(images)
    grid = np.concatenate([content[:rows].repeat(count, axis=0), np.tile(drawn, (rows, 1))], axis=1)
    made, given = enlarge(decoded(decode, grid)), enlarge(images)
    height, width = made.shape[1] + GAP, made.shape[2] + GAP
    top = Page.heading + 30
    page = Page(
        max(WIDTH, MARGIN * 2 + (count + 1) * width + APART),
        top + rows * height + 30,
        "One class, many styles",
        "Every row has the class code of the image at its left; every column has one style, drawn from the prior.",
    )
    page.text(MARGIN, top - 14, "class of", size=9.5, color=GREY)
    page.text(MARGIN + width + APART, top - 14, "with a style that is drawn", size=9.5, color=GREY)
    page.picture(MARGIN, top, tile(given, 1)).set_label("classes")
    page.picture(MARGIN + width + APART, top, tile(made, count)).set_label("drawn")
    return page.figure
