"""What a model keeps of an image: pairs of originals and reconstructions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData
from unbraid.plots._draw import GAP, as_images, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page
from unbraid.types import Bytes

__all__ = ["reconstructions"]

MOST = 4
"""Rows of pairs on a page."""
LABELS = 124


# The argument is named as in every plot; inside its own body the function is never called.
def reconstructions(*, images: Bytes, reconstructions: Bytes) -> Figure:
    """Pairs of images: originals above, what the model makes of them below.

    Args:
        images: The originals, ``(n, C, H, W)``, unsigned bytes; the first four rows of them are shown.
        reconstructions: What the model makes of the same images, of the same shape.

    Raises:
        InvalidData: When the shapes differ, or the arrays are not images.
    """
    images, made = as_images(images), as_images(reconstructions, "reconstructions")
    if images.shape != made.shape:
        raise InvalidData(f"images and reconstructions must have one shape, but have {images.shape} and {made.shape}")
    error = np.square((images.astype(np.float64) - made) / 255).mean()

    left = MARGIN + LABELS
    above, below = enlarge(images), enlarge(made)
    width, height = above.shape[2] + GAP, above.shape[1] + GAP
    columns = max(1, (WIDTH - left - MARGIN + GAP) // width)
    rows = min(-(-len(images) // columns), MOST)
    columns = min(columns, -(-len(images) // rows))
    shown = min(len(images), rows * columns)
    step, top = 2 * height + 18, Page.heading + 8
    pairs = (
        f"{shown} of {len(images):,} pairs" if shown < len(images) else f"{shown} pairs" if shown > 1 else "One pair"
    )
    note = f"{pairs}; mean squared error {error:.4f} a pixel, where black is 0 and white is 1."
    page = Page(WIDTH, top + rows * step - 18 + 32, "What the model keeps of an image", note)
    for row in range(rows):
        some, y = slice(row * columns, min((row + 1) * columns, shown)), top + row * step
        pair = np.concatenate([tile(above[some], columns), tile(below[some], columns)])
        page.picture(left, y, np.insert(pair, [height - GAP] * GAP, 255, axis=0)).set_label("pairs")
        page.text(left - 14, y + height / 2, "original", ha="right")
        page.text(left - 14, y + height * 1.5, "reconstruction", ha="right", color=GREY)
    return page.figure
