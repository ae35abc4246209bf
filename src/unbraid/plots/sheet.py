"""What a world looks like: some of its images, and what each factor changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData
from unbraid.plots._draw import GAP, as_images, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page, plain
from unbraid.types import Bytes, FactorSpace, Integers

__all__ = ["sheet", "spread"]

MOST = 3
"""Rows of random images on a page."""
LABELS = 150
TICKS = 22
"""Pixels below a row for the values of its images."""


def spread(size: int, count: int) -> Integers:
    """At most ``count`` of ``size`` values, evenly from the first to the last.

    >>> spread(40, 5)
    array([ 0, 10, 20, 29, 39])
    """
    return np.unique(np.linspace(0, size - 1, min(size, count)).round().astype(np.int64))


def sheet(*, images: Bytes, rows: Mapping[str, Bytes], space: FactorSpace) -> Figure:
    """A world at a glance: random images above, and a row for each factor that moves it alone.

    Args:
        images: Any images of the world, ``(n, C, H, W)``, unsigned bytes; the first three rows of them are shown.
        rows: For each factor by name, the images of its values in order, the other factors fixed; where they do not
            fit, some are shown, spread evenly from the first to the last.
        space: The factors. A row of fewer images than its factor has values is of those that :func:`spread` chooses.

    Raises:
        InvalidData: When something is not images, or a row has more of them than its factor has values.
    """
    images = as_images(images)
    for name, values in rows.items():
        if len(values) > space[name].size:
            raise InvalidData(f"{name!r} has {space[name].size} values, but {len(values)} images: give one for each")
    lines = {name: as_images(values, f"the images of {name!r}") for name, values in rows.items()}
    pixels = enlarge(images)
    width, height = pixels.shape[2] + GAP, pixels.shape[1] + GAP
    left = MARGIN + LABELS
    across, along = (max(1, (WIDTH - MARGIN - start + GAP) // width) for start in (MARGIN, left))

    across = min(across, len(pixels))
    # Whole rows.
    random = tile(pixels[: min(MOST, len(pixels) // across) * across], across)
    top = Page.heading + 4
    below = top + random.shape[0] + (96 if lines else 0)
    step = height + TICKS
    total = below + len(lines) * step + 24
    note = f"Random images of {images.shape[2]} × {images.shape[3]} pixels in {_channels(images)}."
    page = Page(WIDTH, total, "What the world looks like", note)
    page.picture(MARGIN, top, random).set_label("random images")
    if lines:
        page.text(MARGIN, below - 52, "What each factor changes", size=14, weight="bold")
        page.text(MARGIN, below - 28, "One factor moves, the others stay.", size=10, color=GREY)
    for row, (name, values) in enumerate(lines.items()):
        y = below + row * step
        chosen = spread(len(values), along)
        picture = tile(enlarge(values[chosen]), len(chosen))
        page.picture(left, y, picture).set_label(name)
        page.text(MARGIN, y + height / 2 - 10, plain(name, 18), size=11)
        size, ticks = space[name].size, space[name].values
        for place, value in enumerate(spread(size, len(values))[chosen]):
            x = left + place * width + (width - GAP) / 2
            page.text(x, y + height + 5, _tick(ticks[value]), size=7.5, color=GREY, ha="center")
        number = f"{size} values" if len(chosen) == size else f"{len(chosen)} of {size} values"
        page.text(MARGIN, y + height / 2 + 10, number, size=9.5, color=GREY)
    return page.figure


def _channels(images: Bytes) -> str:
    return "grey" if images.shape[1] == 1 else "colour"


def _tick(value: float | str) -> str:
    """A factor's value in the width of an image."""
    return plain(value, 12) if isinstance(value, str) else f"{value:.3g}"
