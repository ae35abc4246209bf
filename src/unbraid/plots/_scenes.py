"""Images taken apart into entities, and drawn in environments, as plots are given them; what such plots share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from PIL import Image, ImageColor, ImageDraw

from unbraid.plots._draw import GAP, as_images, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, PALETTE, WIDTH, Page
from unbraid.types import Bytes, Floats

__all__ = ["Line", "Lived", "TakenApart", "framed", "lines", "nth"]

LABELS, BETWEEN = 150, 14


@dataclass(frozen=True)
class TakenApart:
    """Some images and the N entities that a model finds in each.

    Args:
        images: ``(n, C, H, W)``, unsigned bytes, as everything that is drawn here.
        whole: What the model makes of each, of the same shape.
        alone: Each entity by itself, where its mask covers it, ``(n, N, C, H, W)``.
        masks: How much of each pixel is an entity's, ``(n, N, 1, H, W)``.
        without: What the model makes of each image without one of its entities, ``(n, N, C, H, W)``.
        grown: What it makes with the first 1, 2, ... N, likewise.
        present: Which entities stand for an object, bool ``(n, N)``.
        windows: Left, top, width and height in parts of the image, ``(n, N, 4)``; None where there are none.
    """

    images: Bytes
    whole: Bytes
    alone: Bytes
    masks: Bytes
    without: Bytes
    grown: Bytes
    present: npt.NDArray[np.bool_]
    windows: Floats | None = None


@dataclass(frozen=True)
class Lived:
    """Some images of each of E environments, drawn in each of the K that a model knows.

    Args:
        images: As many of each environment, one environment after the other, ``(n, C, H, W)``, unsigned bytes.
        names: Of the environments.
        drawn: What is made of every image in each environment that is known, ``(K, n, C, H, W)``.
        used: 1 where a latent carries something in an environment, 0.2 where it is free, 0 where masked, ``(K, D)``.
    """

    images: Bytes
    names: tuple[str, ...]
    drawn: Bytes
    used: Floats


@dataclass(frozen=True)
class Line:
    """A row of a page: images as they are shown, ``(n, h, w, 3)``, what they are, and whether a gap goes before it."""

    name: str
    pixels: Bytes
    apart: bool = False


def nth(k: int) -> str:
    """The name of an entity, counted from 0.

    >>> nth(0)
    'entity 1'
    """
    return f"entity {k + 1}"


def framed(images: Bytes, windows: Floats, entities: Sequence[int], present: npt.NDArray[np.bool_]) -> Bytes:
    """Images as they are shown, with the windows of some entities that are present, each in its entity's colour.

    Args:
        images: ``(n, C, H, W)``.
        windows: ``(n, N, 4)``.
        entities: Whose to draw.
        present: ``(n, N)``.
    """
    shown = []
    for pixels, frames, there in zip(enlarge(as_images(images)), windows, present, strict=True):
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        draw, (height, width) = ImageDraw.Draw(picture), pixels.shape[:2]
        for k in entities:
            if there[k]:
                left, top, wide, high = frames[k] * (width, height, width, height)
                box = (left, top, max(left, left + wide - 1), max(top, top + high - 1))
                draw.rectangle(box, outline=ImageColor.getrgb(PALETTE[(k + 1) % len(PALETTE)]), width=2)
        shown.append(np.asarray(picture))
    return np.stack(shown)


def lines(title: str, note: str, rows: Sequence[Line]) -> Figure:
    """A page of rows of images with their names before them, as many images as fit."""
    height, width = rows[0].pixels.shape[1] + GAP, rows[0].pixels.shape[2] + GAP
    left = MARGIN + LABELS
    columns = min(len(rows[0].pixels), max(1, (WIDTH - left - MARGIN + GAP) // width))
    total = len(rows) * height + BETWEEN * sum(row.apart for row in rows)
    page, y = Page(WIDTH, Page.heading + total + 24, title, note), float(Page.heading)
    for row in rows:
        y += BETWEEN * row.apart
        page.picture(left, y, tile(row.pixels[:columns], columns)).set_label(row.name)
        page.text(left - 14, y + (height - GAP) / 2, row.name, ha="right", color=GREY)
        y += height
    return page.figure
