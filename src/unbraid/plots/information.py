"""Which latent tells of which factor: the matrix that most scores are read from."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unbraid.plots._latents import as_divergence, as_pair, dead, order, shares, telling
from unbraid.plots._style import DPI, GREY, HEAT, INK, MARGIN, WIDTH, Page, latent, plain
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["information"]

ROW = 46


def information(*, codes: Floats, factors: Integers, space: FactorSpace, divergence: Floats | None = None) -> Figure:
    r"""A heat map of how much each latent tells about each factor, as a share of the factor's entropy.

    The cells hold :math:`I(z_j; v_k) / H(v_k)`, from 0 (nothing) to 1 (everything). Where ``divergence`` is given,
    latents are ordered by it; otherwise they stand as they come. The names of dead latents are grey, and so are numbers
    no greater than chance gives.

    Args:
        codes: ``(N, D)``; some thousands, since the information of few samples is overstated.
        factors: The factor values of the same samples, ``(N, F)``.
        space: The factors.
        divergence: The mean KL of every latent, ``(D,)``, in nats.

    Raises:
        InvalidData: When the arrays do not fit together.
    """
    codes, factors = as_pair(codes, factors, space)
    divergence = as_divergence(divergence, codes.shape[1])
    columns = np.arange(codes.shape[1]) if divergence is None else order(codes, divergence)
    share, told = shares(codes, factors)[columns].T, telling(codes, factors)[columns].T
    still = dead(codes, divergence)

    left, top = MARGIN + 150, Page.heading + (46 if divergence is not None else 32)
    cell = max(42.0, min(84.0, (WIDTH - left - 110) / len(columns)))
    width, height = cell * len(columns), ROW * len(space.all)
    note = (
        f"Mutual information as a share of the factor's entropy, from {len(codes):,} samples; grey numbers are chance."
    )
    page = Page(max(WIDTH, left + width + 110), top + height + 36, "Which latent tells about which factor", note)
    axes = page.axes(left, top, width, height)
    axes.set_label("information")
    mesh = axes.pcolormesh(np.nan_to_num(share), cmap=HEAT, vmin=0.0, vmax=1.0, edgecolors="white", linewidth=2)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=6, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.set_yticks(np.arange(len(space.all)) + 0.5, [plain(name) for name in space.names], size=10.5)
    labels = [latent(int(j)) for j in columns]
    if divergence is not None:
        labels = [f"{name}\n{divergence[j]:.2f}" for name, j in zip(labels, columns, strict=True)]
        page.text(left - 8, top - 15, "nats", size=10, color=GREY, ha="right")
    axes.set_xticks(np.arange(len(columns)) + 0.5, labels, size=10.5 if cell > 56 else 9)
    for tick, j in zip(axes.get_xticklabels(), columns, strict=True):
        tick.set_color(GREY if still[j] else INK)
    for (k, j), value in np.ndenumerate(share):
        text = "–" if np.isnan(value) else f"{value:.2f}"
        colour = GREY if not told[k, j] else "white" if value > 0.55 else INK
        axes.text(j + 0.5, k + 0.5, text, ha="center", va="center", size=9.5, color=colour)

    scale = page.axes(left + width + 30, top, 12, height)
    bar = page.figure.colorbar(mesh, cax=scale)
    bar.outline.set_visible(False)
    scale.tick_params(length=0, labelsize=9.5, labelcolor=INK)
    scale.set_yticks([0.0, 0.5, 1.0], ["0", "½", "1"])
    scale.set_ylabel("share of the factor's entropy" if height > 1.9 * DPI else "share", color=INK, size=10)
    return page.figure
