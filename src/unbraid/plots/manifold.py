"""Two latents at once: an image for every pair of their values while the others stay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.plots._draw import decoded, enlarge, tile
from unbraid.plots._latents import as_divergence, as_pair, favourites, order
from unbraid.plots._seat import Look, Over, seat, values
from unbraid.plots._style import GREY, INK, MARGIN, WIDTH, Page, latent, plain
from unbraid.types import Bytes, FactorSpace, Floats, Integers

__all__ = ["manifold"]

SIDE = 720
"""Pixels of the grid, at most."""


def manifold(
    *,
    codes: Floats,
    decode: Callable[[Floats], Bytes],
    factors: Integers,
    space: FactorSpace,
    divergence: Floats | None = None,
    look: Look | None = None,
    latents: tuple[int, int] | None = None,
    over: Over = "prior",
    cells: int = 15,
    image: int | None = None,
) -> Figure:
    """A grid of images over two latents, the first to the right and the second upwards, while the others stay.

    Args:
        codes: ``(N, D)``; some thousands, since the information of few samples is overstated.
        decode: From codes ``(B, D)`` to images ``(B, C, H, W)``, unsigned bytes.
        factors: The factor values of the same samples, ``(N, F)``.
        space: The factors.
        divergence: The mean KL of every latent, ``(D,)``, in nats.
        look: From numbers of images to the images and their codes; needed with ``image``.
        latents: Which two, counted from 0; by default those with the most nats (with the greatest variance, where nats
            are not known).
        over: What they are moved over: ``"prior"``, from -2 to 2, or ``"quantiles"`` of their codes, from 2 % to 98 %.
        cells: Images in a row, at least 2.
        image: The number of the image at whose code the others stay; by default a typical code.

    Raises:
        InvalidData: When there is only one latent, or the arrays do not fit together.
        InvalidOption: When an option cannot be used.
    """
    require_at_least(2, cells=cells)
    codes, factors = as_pair(codes, factors, space)
    divergence = as_divergence(divergence, codes.shape[1])
    right, up = _two(codes, divergence, latents)
    start, places = seat(codes, decode, look, image), values(codes, over, cells)
    moved = np.tile(start.code, (cells, cells, 1))
    moved[..., right] = places[right]
    moved[..., up] = places[up][::-1, None]
    images = decoded(decode, moved.reshape(-1, codes.shape[1]))
    picture = tile(enlarge(images, max(8, SIDE // cells - 1)), cells, gap=1)

    height, width = picture.shape[:2]
    left, top = max(MARGIN + 120, (WIDTH - width) // 2), Page.heading + 10
    note = f"The others stay at {start.phrase}." if codes.shape[1] > 2 else "There are no others."
    page = Page(max(WIDTH, left + width + MARGIN), top + height + 78, _title(right, up, over), note)
    page.picture(left, top, picture).set_label("manifold")
    start.show(page)
    told = favourites(codes, factors)
    names = [plain(space.names[one[0]], 14) if one else "no factor" for one in told]
    nats = [f"{one:.2f} nats" for one in divergence] if divergence is not None else [""] * len(told)
    low, high = ([f"{places[j][end]:+.1f}".replace("-", "−") for j in (right, up)] for end in (0, -1))
    page.text(left, top + height + 16, low[0], size=9.5, color=GREY)
    page.text(left + width, top + height + 16, high[0], size=9.5, color=GREY, ha="right")
    page.text(left + width / 2, top + height + 18, f"{latent(right)} →", size=12, color=INK, ha="center")
    beside = "   ".join(text for text in (names[right], nats[right]) if text)
    page.text(left + width / 2, top + height + 42, beside, size=10, color=GREY, ha="center")
    page.text(left - 12, top + 8, high[1], size=9.5, color=GREY, ha="right")
    page.text(left - 12, top + height - 8, low[1], size=9.5, color=GREY, ha="right")
    page.text(left - 12, top + height / 2 - 20, f"{latent(up)} ↑", size=12, color=INK, ha="right")
    page.text(left - 12, top + height / 2 + 2, names[up], size=10, color=GREY, ha="right")
    page.text(left - 12, top + height / 2 + 20, nats[up], size=10, color=GREY, ha="right")
    return page.figure


def _two(codes: Floats, divergence: Floats | None, latents: tuple[int, int] | None) -> tuple[int, int]:
    count = codes.shape[1]
    if count < 2:
        raise InvalidData("manifold moves 2 latents, but the codes have 1: see traversals")
    if latents is None:
        first, second = order(codes, divergence)[:2]
        return int(first), int(second)
    right, up = latents
    if right == up or not all(0 <= j < count for j in latents):
        raise InvalidOption(f"latents must be two different numbers in 0 .. {count - 1}, but are {right} and {up}")
    return right, up


def _title(right: int, up: int, over: Over) -> str:
    across = "from −2 to 2" if over == "prior" else "over the middle 96% of their codes"
    return f"What {latent(right)} and {latent(up)} do together, {across}"
