"""What a world looks like: some of its images, and what each factor changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._draw import GAP, as_images, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page, plain
from unbraid.types import Bytes

__all__ = ["sheet"]

MOST = 4
"""Rows of random images on a page."""
LABELS = 150


def sheet(*, images: Bytes, rows: Mapping[str, Bytes]) -> Figure:
    """A world at a glance: random images above, and a row for each factor that moves it alone.

    Args:
        images: Any images of the world, ``(n, C, H, W)``, unsigned bytes; the first four rows of them are shown.
        rows: For each factor by name, the images of its values in order, the other factors fixed. A factor with more
            values than fit is shown by values spread evenly from the first to the last.

    Raises:
        InvalidData: When something is not images.
    """
    images = as_images(images)
    lines = {name: as_images(values, f"the images of {name!r}") for name, values in rows.items()}
    pixels = enlarge(images)
    width, height = pixels.shape[2] + GAP, pixels.shape[1] + GAP
    left = MARGIN + LABELS
    across, along = (max(1, (WIDTH - MARGIN - start + GAP) // width) for start in (MARGIN, left))

    across = min(across, len(pixels))
    random = tile(pixels[: MOST * across], across)
    top = Page.heading + 4
    below = top + random.shape[0] + (96 if lines else 0)
    total = below + len(lines) * (height + 8) + 24
    note = f"Random images of {images.shape[2]} × {images.shape[3]} pixels in {_channels(images)}."
    page = Page(WIDTH, total, "What the world looks like", note)
    page.picture(MARGIN, top, random).set_label("random images")
    if lines:
        page.text(MARGIN, below - 52, "What each factor changes", size=14, weight="bold")
        page.text(MARGIN, below - 28, "One factor moves, the others stay.", size=10, color=GREY)
    for row, (name, values) in enumerate(lines.items()):
        y = below + row * (height + 8)
        chosen = np.unique(np.linspace(0, len(values) - 1, min(along, len(values))).round().astype(int))
        picture = tile(enlarge(values[chosen]), len(chosen))
        page.picture(left, y, picture).set_label(name)
        page.text(MARGIN, y + height / 2 - 10, plain(name, 18), size=11)
        count = f"{len(values)} values" if len(chosen) == len(values) else f"{len(chosen)} of {len(values)} values"
        page.text(MARGIN, y + height / 2 + 10, count, size=9.5, color=GREY)
    return page.figure


def _channels(images: Bytes) -> str:
    return "grey" if images.shape[1] == 1 else "colour"
