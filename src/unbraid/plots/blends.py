"""Between two images, in class and in style."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import require_at_least
from unbraid.plots._codes import apart
from unbraid.plots._draw import GAP, decoded, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page
from unbraid.types import Bytes, Floats

__all__ = ["blends"]

APART = 40


def blends(*, images: Bytes, codes: Floats, decode: Callable[[Floats], Bytes], contents: int, steps: int = 6) -> Figure:
    """Grids between two images: to the right the class code goes from one's to the other's, downwards the style.

    Top left is the first image as the model sees it, bottom right the second; the other corners are their swaps.

    Args:
        images: ``(n, C, H, W)``, unsigned bytes, two at least; the first and second are a pair, and so on.
        codes: Theirs, in the same order, ``(N, D)`` with N at least n.
        decode: From codes ``(B, D)`` to images ``(B, C, H, W)``, unsigned bytes.
        contents: How many numbers of a code, the first ones, are the class code.
        steps: Codes from one to the other, both included, at least 2.

    Raises:
        InvalidData: When the model sets no class code apart, or the arrays do not fit together.
    """
    require_at_least(2, steps=steps)
    images, content, style = apart(images, codes, contents, least=2)
    pairs = min(len(images) // 2, 2)
    t = np.linspace(0, 1, steps)[:, None]
    sheets = []
    for first, second in ((2 * n, 2 * n + 1) for n in range(pairs)):
        across = (1 - t) * content[first] + t * content[second]
        down = (1 - t) * style[first] + t * style[second]
        grid = np.concatenate([np.tile(across, (steps, 1)), down.repeat(steps, axis=0)], axis=1)
        sheets.append(tile(enlarge(decoded(decode, grid)), steps))
    given = enlarge(images)
    height, width = given.shape[1] + GAP, given.shape[2] + GAP
    side, left, top = sheets[0].shape[1], MARGIN, Page.heading + 30
    step = 2 * width + 2 * GAP + side + APART
    page = Page(
        max(WIDTH, left + pairs * step + MARGIN),
        top + max(sheets[0].shape[0], 2 * height) + 32,
        "Between two images, in class and in style",
        "To the right the class code goes from the first image's to the second's; downwards the style does.",
    )
    for n, sheet in enumerate(sheets):
        x = left + n * step
        page.text(x, top - 14, "first", size=9.5, color=GREY)
        page.text(x + side + width + 4 * GAP, top + sheet.shape[0] - height - 14, "second", size=9.5, color=GREY)
        page.text(x + width + 2 * GAP, top - 14, "class →     style ↓", size=9.5, color=GREY)
        page.picture(x, top, given[2 * n]).set_label("first")
        page.picture(x + width + 2 * GAP, top, sheet).set_label("between")
        page.picture(x + side + width + 4 * GAP, top + sheet.shape[0] - height + GAP, given[2 * n + 1]).set_label(
            "second"
        )
    return page.figure
