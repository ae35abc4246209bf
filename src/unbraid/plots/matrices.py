"""What actions do to codes, as matrices, beside what they should do."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from unbraid.plots._style import GREY, INK, MARGIN, WIDTH, Page, latent, plain
from unbraid.score import Sampler
from unbraid.scores._acting import fitted, ideal, matched, regressed, stepped
from unbraid.types import Floats

__all__ = ["matrices"]

SAMPLES, LABELS, GAP = 400, 150, 26
SIGNED = LinearSegmentedColormap.from_list("signed", ["#a5471a", "#e8a06c", "#f7f9fb", "#7eaad2", "#173a6b"])


def matrices(*, acting: Sampler) -> Figure:
    """Heat maps of what each step of a factor does to codes: the model's matrices, the best ones, the ideal ones.

    The model's own matrices are matched to the steps that they explain best; those of least squared error are what the
    codes really do; the ideal ones turn a plane for each factor, in the basis in which they suit the codes best. Where
    all three are alike the representation is linear and disentangled, and where they have blocks along the diagonal the
    planes lie along the latents.

    Args:
        acting: Codes of any factor values, and the model's own matrices where it has some.

    Raises:
        InvalidData: When no factor can step.
    """
    steps = stepped(acting, SAMPLES, np.random.default_rng(0))
    rows: dict[str, Floats] = {} if acting.matrices is None else {"the model's own": matched(acting.matrices, steps)}
    rows["least squared error"] = fitted(steps.before, steps.after)
    rows["ideal, best basis"] = ideal(steps, *regressed(steps, SAMPLES))

    size, count = steps.before.shape[1], len(steps.after)
    left, top = MARGIN + LABELS, Page.heading + 40
    cell = max(4.0, min(30.0, (WIDTH - left - MARGIN - GAP * (count - 1)) / (count * size)))
    side = cell * size
    note = "Columns go in, rows come out; blue is positive, brown negative. A mean is taken from the codes first."
    page = Page(
        max(WIDTH, left + count * (side + GAP) + MARGIN), top + len(rows) * (side + GAP) + 10, "What actions do", note
    )
    for row, (name, maps) in enumerate(rows.items()):
        y = top + row * (side + GAP)
        page.text(left - 30, y + side / 2, name, ha="right", color=INK if row == 0 else GREY)
        for action, one in enumerate(maps):
            axes = page.axes(left + action * (side + GAP), y, side, side)
            axes.set_label("matrix")
            axes.pcolormesh(one, cmap=SIGNED, vmin=-1.0, vmax=1.0, edgecolors="white", linewidth=1)
            axes.invert_yaxis()
            axes.spines[:].set_visible(False)
            named = action == 0 and cell > 12
            axes.set_yticks(np.arange(size) + 0.5 if named else [], [latent(j) for j in range(size)] if named else [])
            axes.set_xticks([])
            axes.tick_params(length=0, labelsize=9)
            if cell > 22:
                for (i, j), value in np.ndenumerate(one):
                    text = f"{value:.2f}".replace("-0.00", "0.00").replace("0.", ".", 1) if abs(value) >= 0.005 else ""
                    colour = "white" if abs(value) > 0.6 else INK
                    axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", size=7.5, color=colour)
    for action, (name, what) in enumerate(steps.called):
        page.text(left + action * (side + GAP) + side / 2, top - 16, f"{plain(name, 10)} {what}", ha="center")
    return page.figure
