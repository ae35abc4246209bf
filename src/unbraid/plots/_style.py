"""How every plot looks: one page laid out in pixels, one ink, one palette that colour-blind people can tell apart.

Everything is set on the artists themselves: matplotlib's own settings are global, and plots are drawn from threads.
"""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from unbraid.types import Factor

__all__ = ["DPI", "FAINT", "GREY", "HEAT", "INK", "MARGIN", "PALETTE", "WIDTH", "Page", "colours", "latent", "plain"]

DPI = 100
"""Pixels per inch of the screen; save at a multiple of it, and images stay crisp."""
WIDTH = 1000
"""Pixels that a page is wide unless its data asks for more."""
MARGIN = 32
INK, GREY, FAINT = "#1f2430", "#7b818c", "#dfe2e6"
PALETTE = ("#3b6fb6", "#d9772b", "#2c9a7a", "#b4508f", "#c9a227", "#56b4d8", "#8a4b2d", "#5b4a9e", "#9aa53a", "#5f6670")
HEAT = LinearSegmentedColormap.from_list("unbraid", ["#f7f9fb", "#c6d9ec", "#7eaad2", "#3b6fb6", "#173a6b"])


class Page:
    """A white figure laid out in pixels from its top left corner, with a heading.

    Args:
        width: In pixels.
        height: In pixels.
        title: What is seen, in a few words.
        note: How it was made, in grey below the title.
    """

    heading = 88

    def __init__(self, width: float, height: float, title: str, note: str = "") -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        self.text(MARGIN, 38, title, size=14, weight="bold")
        self.text(MARGIN, 64, note, size=10, color=GREY)

    def text(self, x: float, y: float, text: str, **options: Any) -> None:
        """Write ``text`` with its left end (or what ``ha`` says) at x and its middle at height y, in pixels."""
        style: dict[str, Any] = {"color": INK, "size": 10.5, "ha": "left", "va": "center"} | options
        self.figure.text(x / self.width, 1 - y / self.height, text, **style)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Axes whose top left corner is at (x, y), in pixels, with only the two spines that carry numbers."""
        box = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(box, facecolor="white")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.tick_params(colors=GREY, labelcolor=INK, labelsize=9.5, length=3, width=0.8)
        axes.xaxis.label.set(color=INK, size=10.5)
        axes.yaxis.label.set(color=INK, size=10.5)
        return axes

    def picture(self, x: float, y: float, pixels: npt.NDArray[np.uint8]) -> Axes:
        """Put pixels ``(height, width, 3)`` on the page, one for one."""
        height, width = pixels.shape[:2]
        axes = self.axes(x, y, width, height)
        axes.set_axis_off()
        axes.imshow(pixels, interpolation="nearest", aspect="auto")
        return axes


def colours(factor: Factor) -> npt.NDArray[np.float64]:
    """A colour for every value, ``(size, 4)``: hues for classes, a ramp for an order, a wheel for a cycle."""
    if factor.kind == "categorical" and factor.size <= len(PALETTE):
        return np.array([matplotlib.colors.to_rgba(colour) for colour in PALETTE[: factor.size]])
    if factor.kind == "cyclic":
        # Darkened, since the palest part of the wheel would vanish on white.
        return _map("twilight_shifted")(np.linspace(0.0, 1.0, factor.size, endpoint=False)) * (0.82, 0.82, 0.82, 1.0)
    return _map("viridis")(np.linspace(0.0, 0.92, factor.size))


def _map(name: str) -> Colormap:
    return matplotlib.colormaps[name]


def latent(index: int) -> str:
    """The name of a latent, counted from 0.

    >>> latent(10)
    'z₁₀'
    """
    return "z" + str(index).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def plain(name: str, length: int = 22) -> str:
    """A factor's or term's name as a person writes it, cut short where it would not fit.

    >>> plain("total_correlation")
    'total correlation'
    """
    name = name.replace("_", " ")
    return name if len(name) <= length else name[: length - 1].rstrip() + "…"
