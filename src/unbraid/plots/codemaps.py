"""Maps of the class codes and of the styles."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.plots._codes import parts
from unbraid.plots._style import GREY, INK, MARGIN, WIDTH, Page, colours, plain
from unbraid.types import Factor, FactorSpace, Floats, Integers

__all__ = ["codemaps"]

SIDE = 440
WAYS = ("tsne", "pca")


def codemaps(
    *,
    codes: Floats,
    factors: Integers,
    space: FactorSpace,
    contents: int,
    way: Literal["tsne", "pca"] = "tsne",
    samples: int = 600,
    style: str = "",
) -> Figure:
    """Class codes and styles as points of a plane, each coloured by the class and by a property of the style.

    Class codes of one class should lie together and look alike in the other colour; styles should show nothing of the
    class. In a map by t-SNE nearness means something and distance does not.

    Args:
        codes: ``(N, D)``, one a sample.
        factors: The factor values of the same samples, ``(N, F)``.
        space: The factors; the first categorical one that varies is the class.
        contents: How many numbers of a code, the first ones, are the class code.
        way: ``"tsne"``, or ``"pca"`` for the two directions of most variance.
        samples: How many points, at least 8; the first so many are taken.
        style: The factor that gives the other colour; by default the first ordered one that varies.

    Raises:
        InvalidData: When the model sets no class code apart, no factor suits, or the arrays do not fit together.
        InvalidOption: When an option cannot be used.
        UnknownName: When there is no such factor.
    """
    require_at_least(8, samples=samples)
    if way not in WAYS:
        raise InvalidOption(f"way must be tsne or pca, but is {way!r}")
    both = parts(codes[:samples], contents)
    factors = np.asarray(factors)[: len(both[0])]
    if len(factors) < len(both[0]) or len(factors) < 8:
        raise InvalidData(f"a map needs 8 samples, each with its factors, but has {len(both[0])} and {len(factors)}")
    varies = [one for one, column in zip(space, factors.T, strict=True) if len(np.unique(column)) > 1]
    label = next((one for one in varies if one.kind == "categorical"), None)
    other = space[style] if style else next((one for one in varies if one.kind != "categorical"), None)
    if label is None or other is None:
        raise InvalidData(f"a map needs a categorical and an ordered factor that vary, but has {space}")
    left, top = MARGIN + 24, Page.heading + 40
    page = Page(
        max(WIDTH, left + 2 * (SIDE + 32)),
        top + 2 * (SIDE + 40),
        "Where class codes and styles lie",
        f"Codes of {len(factors):,} images in a plane, by {'t-SNE' if way == 'tsne' else 'their main directions'}.",
    )
    for row, (name, some) in enumerate(zip(("class code", "style"), both, strict=True)):
        points = _plane(some, way)
        for column, factor in enumerate((label, other)):
            x, y = left + column * (SIDE + 32), top + row * (SIDE + 40)
            axes = page.axes(x, y, SIDE, SIDE)
            axes.set_label(f"{name} by {factor.name}")
            axes.set_xticks([])
            axes.set_yticks([])
            values = factors[:, space.position(factor.name)]
            axes.scatter(points[:, 0], points[:, 1], s=13, color=colours(factor)[values], linewidths=0)
            page.text(x, y - 14, f"{name}, coloured by {plain(factor.name)}", color=INK)
            if row == 0:
                page.text(x + SIDE, y - 14, _range(factor), size=9.5, color=GREY, ha="right")
    return page.figure


def _range(factor: Factor) -> str:
    return f"{factor.size} classes" if factor.kind == "categorical" else "dark: low, bright: high"


def _plane(codes: Floats, way: str) -> Floats:
    """``(N, D)`` to ``(N, 2)``; where the codes have one number alone it is the first coordinate."""
    centred = codes - codes.mean(axis=0)
    widest = np.ptp(codes, axis=0).max()
    if not widest:  # a code that says nothing: scikit-learn's t-SNE would end the process, not raise
        return np.zeros((len(codes), 2))
    if way == "tsne" and codes.shape[1] > 2:
        from sklearn.manifold import TSNE

        # Of a size that single precision tells apart; t-SNE does not look at it.
        sized, near = (centred / widest).astype(np.float32), min(30.0, (len(codes) - 1) / 3)
        return np.asarray(TSNE(init="pca", perplexity=near, random_state=0).fit_transform(sized))
    if codes.shape[1] == 1:
        return np.column_stack([centred, np.zeros(len(codes))])
    directions = np.linalg.svd(centred, full_matrices=False)[2][:2]
    return np.asarray(centred @ directions.T)
