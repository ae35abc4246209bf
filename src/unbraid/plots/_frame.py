"""One frame of a film: what a model makes of some images, and what its latents do, at one moment of its training."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from unbraid.plots._draw import GAP, enlarge, faded, tile
from unbraid.plots._latents import QUIET
from unbraid.plots._style import FAINT, GREY, INK, PALETTE
from unbraid.types import Bytes, Floats

__all__ = ["frame"]

TILE = 40
"""Pixels of an image: a film of a hundred frames should be of a megabyte or two."""
LEVEL = 17
"""From one level of brightness to the next; 255 is the fifteenth."""
EDGE, LABELS, HEADING, BETWEEN = 14, 76, 40, 22


def frame(
    progress: tuple[int, int], images: Bytes, reconstructions: Bytes, moved: Bytes, nats: Floats | None = None
) -> Bytes:
    """A picture of a moment: images over their reconstructions, and a row for each latent, in grey while it is dead.

    Args:
        progress: The step, and how many there will be.
        images: ``(V, C, H, W)``.
        reconstructions: Of the same images.
        moved: A row of images for each latent, ``(D, V, C, H, W)``.
        nats: The mean KL of every latent, ``(D,)``, where it is known.

    Returns:
        ``(height, width, 3)``, of the same size for every moment.
    """
    latents, columns = moved.shape[:2]
    pairs = tile(np.concatenate([_small(images), _small(reconstructions)]), columns)
    pixels = _small(moved.reshape(-1, *moved.shape[2:]))
    pixels = pixels.reshape(latents, columns, *pixels.shape[1:])
    height = pixels.shape[2]
    if nats is not None:
        pixels[nats < QUIET] = faded(pixels[nats < QUIET])
    rows = tile(pixels.reshape(-1, *pixels.shape[2:]), columns)

    top = HEADING + pairs.shape[0] + BETWEEN
    width = EDGE + LABELS + pairs.shape[1] + EDGE
    page: npt.NDArray[np.uint8] = np.full((top + rows.shape[0] + EDGE, width, 3), 255, dtype=np.uint8)
    page[HEADING : HEADING + pairs.shape[0], EDGE + LABELS : -EDGE] = pairs
    page[top : top + rows.shape[0], EDGE + LABELS : -EDGE] = rows
    picture = Image.fromarray(page)
    draw = ImageDraw.Draw(picture)
    _heading(draw, progress, EDGE + LABELS, width - EDGE)
    for row, name in enumerate(("image", "made of it")):
        _text(draw, EDGE, HEADING + row * (height + GAP) + height // 2, name, GREY)
    if nats is not None:
        _text(draw, EDGE + LABELS - 10, top - BETWEEN // 2, "nats", GREY, "rm")
    for j in range(latents):
        y, dead = top + j * (height + GAP) + height // 2, nats is not None and bool(nats[j] < QUIET)
        _text(draw, EDGE, y, f"z{j}", GREY if dead else INK)
        if nats is not None:
            _text(draw, EDGE + LABELS - 10, y, f"{nats[j]:.2f}", GREY if dead else PALETTE[0], "rm")
    return np.asarray(picture)


def _small(images: Bytes) -> Bytes:
    """Images at their size in a film, in sixteen levels: the noise that nobody sees takes most of a film's bytes."""
    return (np.round(enlarge(images, TILE) / LEVEL) * LEVEL).astype(np.uint8)


def _heading(draw: ImageDraw.ImageDraw, progress: tuple[int, int], left: int, right: int) -> None:
    step, steps = progress
    _text(draw, left, 15, f"step {step:,}")
    draw.rectangle((left, 27, right - 1, 30), fill=FAINT)
    if step:
        draw.rectangle((left, 27, left + round((right - 1 - left) * step / steps), 30), fill=PALETTE[0])


def _text(draw: ImageDraw.ImageDraw, x: int, y: int, text: str, fill: str = INK, anchor: str = "lm") -> None:
    draw.text((x, y), text, fill=fill, anchor=anchor, font=ImageFont.load_default(12))
