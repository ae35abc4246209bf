"""Where pictures of latents start from: a typical code or a chosen image's, and the values that a latent is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from unbraid.errors import InvalidData, InvalidOption
from unbraid.plots._draw import GAP, decoded, enlarge
from unbraid.plots._latents import base
from unbraid.plots._style import GREY, MARGIN, Page
from unbraid.types import Bytes, Floats, Integers

__all__ = ["Look", "Over", "Seat", "levels", "seat", "values"]

Look: TypeAlias = Callable[[Integers], tuple[Bytes, Floats]]
"""From numbers of images in a world to the images and their codes."""
Over: TypeAlias = Literal["prior", "quantiles"]
OUTER = 0.02
"""The quantiles go from this to 1 minus this, so that no stray code stretches them."""
SMALL = 56


class Seat(NamedTuple):
    """The code from which latents are moved.

    Args:
        code: ``(D,)``.
        phrase: What it is, as in "the others stay at ...".
        pair: Where it is a chosen image's: the image, and what the model makes of it, ``(2, C, H, W)``.
    """

    code: Floats
    phrase: str
    pair: Bytes | None = None

    def show(self, page: Page) -> None:
        """Put the chosen image and its reconstruction in the top right corner of a page."""
        if self.pair is None:
            return
        small = enlarge(self.pair, SMALL)
        step = max(small.shape[2] + GAP, 74)
        for i, (pixels, text) in enumerate(zip(small, ("image", "made of it"), strict=True)):
            x = page.width - MARGIN - (2 - i) * step
            page.picture(x + (step - pixels.shape[1]) / 2, 14, pixels)
            page.text(x + step / 2, 14 + pixels.shape[0] + 11, text, size=8.5, color=GREY, ha="center")


def seat(codes: Floats, decode: Callable[[Floats], Bytes], look: Look | None, image: int | None) -> Seat:
    """A typical sample's code, or that of the image with a number.

    Raises:
        InvalidOption: When an image is asked for, and nothing tells what it is.
    """
    if image is None:
        return Seat(base(codes), "a typical sample's code")
    if look is None:
        raise InvalidOption("image needs look, a function from numbers of images to them and their codes")
    original, code = look(np.array([image], dtype=np.int64))
    if code.shape != (1, codes.shape[1]):
        raise InvalidData(f"look must give a code of {codes.shape[1]} latents for an image, but gave {code.shape}")
    pair = np.concatenate([original, decoded(decode, code)])
    return Seat(code[0], f"the code of image {image:,}", pair)


def values(codes: Floats, over: Over, count: int) -> Floats:
    """The values that each latent is given, ``(D, count)``, rising.

    Raises:
        InvalidOption: When ``over`` is neither.
    """
    if over == "quantiles":
        return np.quantile(codes, levels(count), axis=0).T
    if over != "prior":
        raise InvalidOption(f"over must be prior or quantiles, but is {over!r}")
    return np.tile(np.linspace(-2.0, 2.0, count), (codes.shape[1], 1))


def levels(count: int) -> Floats:
    """The quantiles that :func:`values` takes."""
    return np.linspace(OUTER, 1 - OUTER, count)
