"""What each latent does: an image for every value of it while the others stay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._draw import GAP, decoded, enlarge, faded, tile
from unbraid.plots._latents import as_divergence, as_pair, dead, favourites, order
from unbraid.plots._seat import Look, Over, levels, seat, values
from unbraid.plots._style import FAINT, GREY, MARGIN, PALETTE, WIDTH, Page, latent, plain
from unbraid.types import Bytes, FactorSpace, Floats, Integers

__all__ = ["traversals"]

COLUMNS = 9
MOST = 40
LABELS, ANSWERS = 124, 216


def traversals(
    *,
    codes: Floats,
    decode: Callable[[Floats], Bytes],
    factors: Integers,
    space: FactorSpace,
    divergence: Floats | None = None,
    look: Look | None = None,
    over: Over = "prior",
    image: int | None = None,
) -> Figure:
    r"""One row per latent, moved while the others stay, with the factor it tells most about.

    The others stay at the code of the sample nearest to the median of all, or at that of a chosen image. Rows are
    ordered by the nats a latent carries (by its variance where they are not known), and dead latents, below 0.1 nats,
    are grey. At the right of each row: the factor of which the latent carries the greatest share,
    :math:`I(z_j; v_k) / H(v_k)`, in 0 .. 1, or none where chance explains as much.

    Args:
        codes: ``(N, D)``; some thousands, since the information of few samples is overstated.
        decode: From codes ``(B, D)`` to images ``(B, C, H, W)``, unsigned bytes.
        factors: The factor values of the same samples, ``(N, F)``.
        space: The factors.
        divergence: The mean KL of every latent, ``(D,)``, in nats.
        look: From numbers of images to the images and their codes; needed with ``image``.
        over: What each latent is moved over: ``"prior"``, from -2 to 2, or ``"quantiles"`` of its codes, from 2 % to
            98 %.
        image: The number of the image around whose code latents are moved; by default around a typical code.

    Raises:
        InvalidData: When the arrays do not fit together.
        InvalidOption: When an option cannot be used.
    """
    codes, factors = as_pair(codes, factors, space)
    divergence = as_divergence(divergence, codes.shape[1])
    rows, still, told = order(codes, divergence)[:MOST], dead(codes, divergence), favourites(codes, factors)

    places, start = values(codes, over, COLUMNS), seat(codes, decode, look, image)
    moved = np.tile(start.code, (len(rows), COLUMNS, 1))
    moved[np.arange(len(rows)), :, rows] = places[rows]
    pixels = enlarge(decoded(decode, moved.reshape(-1, codes.shape[1])))
    pixels = pixels.reshape(len(rows), COLUMNS, *pixels.shape[1:])
    pixels[still[rows]] = faded(pixels[still[rows]])
    picture = tile(pixels.reshape(-1, *pixels.shape[2:]), COLUMNS)

    height, width = pixels.shape[2] + GAP, pixels.shape[3] + GAP
    top, left = Page.heading + 36, MARGIN + LABELS
    right = left + picture.shape[1] + 18
    note = f"The others stay at {start.phrase}. Bars: the share of the factor's entropy that the latent carries"
    note += f", from {len(codes):,} samples." if image is None else "."
    if len(rows) < codes.shape[1]:
        note = f"The first {len(rows)} of {codes.shape[1]} latents. " + note
    title = "What each latent does, over the middle 96% of its codes"
    if over == "prior":
        title = "What each latent does, from −2 to 2" + (
            " standard deviations of the prior" if divergence is not None else ""
        )
    page = Page(
        max(WIDTH, right + ANSWERS),
        top + picture.shape[0] + 28,
        title,
        note,
    )
    page.picture(left, top, picture).set_label("traversals")
    start.show(page)
    for column, name in enumerate(_headings(over, places)):
        page.text(left + column * width + width / 2, top - 14, name, size=9.5, color=GREY, ha="center")
    page.text(right, top - 14, "tells most about", size=9.5, color=GREY)
    page.text(MARGIN, top - 14, "latent", size=9.5, color=GREY)
    page.text(left - 16, top - 14, "spread" if divergence is None else "KL", size=9.5, color=GREY, ha="right")
    for row, j in enumerate(rows):
        y, colour = top + row * height + height / 2, GREY if still[j] else None
        ink = {"color": colour} if colour else {}
        amount = f"sd {codes[:, j].std():.2f}" if divergence is None else f"{divergence[j]:.2f} nats"
        page.text(MARGIN, y, latent(int(j)), size=12, **ink)
        page.text(left - 16, y, amount, ha="right", color=GREY, size=10)
        if still[j]:
            page.text(right, y, "dead", color=GREY, style="italic")
        elif (best := told[j]) is None:
            page.text(right, y, "no factor", color=GREY, style="italic")
        else:
            _answer(page, right, y, plain(space.names[best[0]]), best[1])
    return page.figure


def _headings(over: Over, places: Floats) -> list[str]:
    if over == "quantiles":
        return [f"{level:.0%}" for level in levels(COLUMNS)]
    return [f"{value:+.1f}".replace("-", "−") if value else "0" for value in places[0]]


def _answer(page: Page, x: float, y: float, factor: str, share: float) -> None:
    page.text(x, y - 9, factor)
    bar = page.axes(x, y + 6, 110, 6)
    bar.set(xlim=(0, 1), ylim=(0, 1))
    bar.set_axis_off()
    bar.barh([0.5, 0.5], [1.0, min(share, 1.0)], height=1.0, color=[FAINT, PALETTE[0]])
    page.text(x + 120, y + 9, f"{share:.2f}", size=9.5)
