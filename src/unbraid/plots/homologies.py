"""What the environments of a life have in common."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData
from unbraid.plots._draw import GAP, as_images, enlarge, tile
from unbraid.plots._scenes import Lived
from unbraid.plots._style import GREY, HEAT, MARGIN, WIDTH, Page, latent, plain

__all__ = ["homologies"]

LABELS, BETWEEN, CELL = 190, 26, 26


def homologies(*, lived: Lived) -> Figure:
    """Images of every environment drawn as each of them would be, and which latents each uses.

    What environments have in common, such as where a thing is, should stay when an image is drawn in another one.
    Below, dark latents carry something in an environment, pale ones are free, and white ones are masked.

    Args:
        lived: Images of the environments, and what a model makes of them in each that it knows.

    Raises:
        InvalidData: When the model does not live through environments.
    """
    count, environments = len(lived.images), len(lived.names)
    if len(lived.drawn) != len(lived.used) or count % environments:
        raise InvalidData("as many images of each environment are needed, and what is drawn in each that is known")
    pixels = enlarge(as_images(lived.images))
    height, width = pixels.shape[1] + GAP, pixels.shape[2] + GAP
    left, top, known = MARGIN + LABELS, Page.heading + 24, len(lived.drawn)
    each = min(count // environments, max(1, (WIDTH - left - MARGIN) // (environments * width)))
    chosen = np.concatenate([np.arange(each) + k * (count // environments) for k in range(environments)])
    below = top + (1 + known) * height + BETWEEN + 40
    note = "A column is one image; a row draws all of them in one of the environments that the model knows."
    page = Page(WIDTH, below + known * CELL + 30, "What environments have in common", note)
    for k, name in enumerate(lived.names):
        page.text(left + k * each * width, top - 12, plain(name, 20), size=9.5, color=GREY)
    page.picture(left, top, tile(pixels[chosen], len(chosen))).set_label("images")
    page.text(left - 14, top + height / 2, "image", ha="right", color=GREY)
    for k, drawn in enumerate(lived.drawn):
        y = top + (1 + k) * height + 12
        page.picture(left, y, tile(enlarge(as_images(drawn))[chosen], len(chosen))).set_label(f"drawn in {k}")
        page.text(left - 14, y + height / 2, f"drawn in environment {k}", ha="right", color=GREY)
    axes = page.axes(left, below, lived.used.shape[1] * CELL, known * CELL)
    axes.set_label("latents")
    axes.pcolormesh(lived.used, cmap=HEAT, vmin=0, vmax=1, edgecolors="white", linewidth=2)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.set_yticks(np.arange(known) + 0.5, [f"environment {k}" for k in range(known)])
    axes.set_xticks(np.arange(lived.used.shape[1]) + 0.5, [latent(j) for j in range(lived.used.shape[1])])
    axes.tick_params(length=0, labelsize=9)
    axes.xaxis.tick_top()
    return page.figure
