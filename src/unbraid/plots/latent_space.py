"""A latent space of two dimensions: where the codes lie, and what lies where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from unbraid.errors import InvalidData
from unbraid.plots._draw import TILE, decoded, enlarge, tile
from unbraid.plots._latents import as_pair
from unbraid.plots._style import GREY, INK, MARGIN, WIDTH, Page, colours, latent, plain
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers

__all__ = ["Panel", "latent_space", "side_by_side"]

CELLS, CELL = 11, 32
"""Decoded images in a row, and the pixels of each on the page."""
SIDE, GAP = CELLS * (CELL + 1) - 1, 70
PRIOR = 2.0
"""The radius of the circle, in standard deviations of the prior; a standard normal has 86 % of its mass within."""
CENTRAL = (1.0, 99.0)
"""The percentiles of the codes between which they are decoded, so that one stray code does not stretch the grid."""


@dataclass(frozen=True)
class Panel:
    """What :func:`side_by_side` needs of one model; the fields are the arguments of :func:`latent_space`."""

    codes: Floats
    factors: Integers
    space: FactorSpace
    decode: Callable[[Floats], Bytes]


def latent_space(*, codes: Floats, factors: Integers, space: FactorSpace, decode: Callable[[Floats], Bytes]) -> Figure:
    """Two latents: the codes coloured by the first factor, beside the images decoded over their range.

    The dashed circle is two standard deviations of a standard normal, the usual prior; the grey frame holds the middle
    98 % of each latent, and is what is decoded beside.

    Args:
        codes: ``(N, 2)``.
        factors: The factor values of the same samples, ``(N, F)``; the first that varies gives the colour.
        space: The factors.
        decode: From codes ``(B, 2)`` to images ``(B, C, H, W)``, unsigned bytes.

    Raises:
        InvalidData: When there are not two latents, or the arrays do not fit together.
    """
    panel = _checked(Panel(codes, factors, space, decode))
    return _page({"": panel}, "The latent space: where images lie, and what lies where")


def side_by_side(panels: Mapping[str, Panel]) -> Figure:
    """Several models of two latents below each other, laid out alike, each with the range of its own codes.

    Args:
        panels: What each model makes of its samples, by the model's name.

    Raises:
        InvalidData: When there is no model, or one does not have two latents.

    >>> side_by_side({})
    Traceback (most recent call last):
    unbraid.errors.InvalidData: side_by_side needs at least one model, but has none
    """
    if not panels:
        raise InvalidData("side_by_side needs at least one model, but has none")
    title = f"{', '.join(panels)}: where images lie, and what lies where"
    return _page({name: _checked(panel) for name, panel in panels.items()}, title)


def _checked(panel: Panel) -> Panel:
    codes, factors = as_pair(panel.codes, panel.factors, panel.space)
    if codes.shape[1] != 2:
        raise InvalidData(f"latent_space draws 2 latents, but the codes have {codes.shape[1]}: see traversals")
    return Panel(codes, factors, panel.space, panel.decode)


def _page(panels: Mapping[str, Panel], title: str) -> Figure:
    left, header = MARGIN + 44, 58 if any(panels) else 22
    step = header + SIDE + 62
    note = (
        "Dashed: two standard deviations of a standard normal. Framed: the middle 98% of each latent, decoded beside."
    )
    page = Page(WIDTH, Page.heading + len(panels) * step + 4, title, note)
    for row, (name, panel) in enumerate(panels.items()):
        top = Page.heading + row * step + header
        if name:
            page.text(left, top - 38, name, size=12, weight="bold")
        page.text(left, top - 16, _ranges(panel.codes), size=10, color=GREY)
        low, high = np.percentile(panel.codes, CENTRAL, axis=0)
        high = np.where(high > low, high, low + 1e-3)
        scatter, grid = page.axes(left, top, SIDE, SIDE), page.axes(left + SIDE + GAP, top, SIDE, SIDE)
        factor, column = next(((f, k) for k, f in enumerate(panel.space) if f.size > 1), (panel.space.all[0], 0))
        _scatter(scatter, panel.codes, colours(factor)[panel.factors[:, column]], low, high)
        _grid(grid, panel.decode, low, high)
        _legend(page, left + 2 * SIDE + GAP + 20, top, factor)
    return page.figure


def _ranges(codes: Floats) -> str:
    ends = zip(codes.min(axis=0), codes.max(axis=0), strict=True)
    ranges = [f"{latent(j)} from {low:.1f} to {high:.1f}" for j, (low, high) in enumerate(ends)]
    inside = (np.square(codes).sum(axis=1) <= PRIOR**2).mean()
    return f"{' and '.join(ranges)}; {inside:.0%} within the circle, where a standard normal has 86%".replace("-", "−")


def _scatter(axes: Axes, codes: Floats, colour: Floats, low: Floats, high: Floats) -> None:
    axes.set_label("codes")
    size = float(np.clip(12_000 / len(codes), 3, 24))
    # One class drawn after the other would bury the first; the order of samples is no better, so it is shuffled.
    shuffled = np.random.default_rng(0).permutation(len(codes))
    x, y = codes[shuffled].T
    axes.scatter(x, y, s=size, c=colour[shuffled], alpha=0.75, linewidths=0, rasterized=True)
    axes.add_patch(Rectangle((low[0], low[1]), *(high - low), fill=False, edgecolor=GREY, linewidth=0.8))
    axes.add_patch(Circle((0, 0), PRIOR, fill=False, edgecolor=INK, linewidth=1.1, linestyle=(0, (4, 3))))
    corners = np.concatenate([codes, [[-PRIOR, -PRIOR], [PRIOR, PRIOR]]])
    middle, reach = (corners.min(0) + corners.max(0)) / 2, 0.53 * float(np.ptp(corners, axis=0).max())
    axes.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach), aspect="equal")
    _label(axes)


def _grid(axes: Axes, decode: Callable[[Floats], Bytes], low: Floats, high: Floats) -> None:
    axes.set_label("decoded")
    across, up = (low + (high - low) * (np.arange(CELLS)[:, None] + 0.5) / CELLS).T
    places = np.stack(np.meshgrid(across, up[::-1]), axis=-1).reshape(-1, 2)
    images = decoded(decode, places)
    pixels = enlarge(images, min(TILE, max(images.shape[2:])))
    picture = tile(pixels, CELLS, gap=max(1, pixels.shape[1] // CELL))
    sharp = "nearest" if len(picture) <= SIDE else "antialiased"
    axes.imshow(picture, extent=(low[0], high[0], low[1], high[1]), aspect="auto", interpolation=sharp)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(GREY)
    _label(axes)


def _label(axes: Axes) -> None:
    axes.set_xlabel(latent(0))
    axes.set_ylabel(latent(1), rotation=0, labelpad=8)


def _legend(page: Page, x: float, top: float, factor: Factor) -> None:
    """Names beside dots for classes and short orders, a scale of colour for long ones."""
    palette, names = colours(factor), [plain(_value(value), 11) for value in factor.values]
    page.text(x, top + 8, plain(factor.name, 11), size=10.5, weight="bold")
    if factor.size <= 12:
        axes = page.axes(x, top + 22, 90, 21 * factor.size)
        axes.set_axis_off()
        dots = [Line2D([], [], marker="o", linestyle="", markersize=7, color=colour) for colour in palette]
        axes.legend(
            dots, names, loc="upper left", bbox_to_anchor=(0, 1), frameon=False, fontsize=10, labelcolor=INK,
            borderpad=0, handletextpad=0.4, handlelength=1.0, borderaxespad=0, labelspacing=0.45,
        )  # fmt: skip
        return
    axes = page.axes(x, top + 28, 12, 200)
    scale = ScalarMappable(BoundaryNorm(np.arange(factor.size + 1), factor.size), ListedColormap(palette))
    page.figure.colorbar(scale, cax=axes).outline.set_visible(False)
    shown = np.unique([0, factor.size // 2, factor.size - 1])
    axes.tick_params(length=0, labelsize=9.5)
    axes.set_yticks(shown + 0.5, [names[i] for i in shown])
    axes.minorticks_off()


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
