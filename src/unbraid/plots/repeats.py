"""An action taken again and again, as images."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unbraid.errors import InvalidData
from unbraid.plots._draw import GAP, as_images, enlarge, tile
from unbraid.plots._style import GREY, MARGIN, WIDTH, Page, plain
from unbraid.score import Sampler
from unbraid.scores._acting import fitted, matched, stepped
from unbraid.types import Bytes

__all__ = ["repeats"]

SAMPLES, MOST, LABELS, TILE = 400, 11, 160, 64
"""The last but two: images in a row at most, and pixels for its name."""


def repeats(*, acting: Sampler) -> Figure:
    """What is decoded after an action was taken 0, 1, 2 ... times, from one code on, beside what is true.

    The upper row of each pair is the world's; the lower one is decoded from a power of one matrix times the first code,
    without another look at the world. The matrices are the model's own, matched to the true steps, where it has some,
    and else those of least squared error. Only steps up are shown.

    Args:
        acting: Codes and images of any factor values, and a decoder.

    Raises:
        InvalidData: When there is no decoder, there are no images, or no factor can step.
    """
    if acting.decode is None or acting.images is None:
        raise InvalidData("repeats shows images: the sampler needs images and decode")
    generator = np.random.default_rng(0)
    steps = stepped(acting, SAMPLES, generator)
    own = acting.matrices is not None
    maps = fitted(steps.before, steps.after) if acting.matrices is None else matched(acting.matrices, steps)
    mean = 0.0 * steps.mean if own else steps.mean
    start = acting.space.sample(1, generator)
    code = acting.represent(start) - mean

    left, top = MARGIN + LABELS, Page.heading + 16
    pairs: list[tuple[str, Bytes]] = []
    for f, column in enumerate(steps.action.columns):
        columns = min(MOST, int(steps.action.sizes[f]) + 2)
        values, codes = [start], [code]
        for _ in range(columns - 1):
            values.append(steps.acted(values[-1], np.array([2 * f])))
            codes.append(codes[-1] @ maps[2 * f].T)
        true = _bytes(acting.images(np.concatenate(values)))
        made = _bytes(acting.decode(np.concatenate(codes) + mean))
        shown = [tile(enlarge(as_images(images), TILE), columns) for images in (true, made)]
        pairs.append(
            (
                plain(acting.space.names[column], 14),
                np.insert(np.concatenate(shown), [len(shown[0])] * GAP, 255, axis=0),
            )
        )
    height = max(pair.shape[0] for _, pair in pairs) + 22
    by = "the model's own matrix" if own else "the matrix of least squared error"
    note = f"Above the world; below what is decoded after 0, 1, 2 ... times {by}, from the first code alone."
    page = Page(WIDTH, top + len(pairs) * height + 12, "An action taken again and again", note)
    for row, (name, pixels) in enumerate(pairs):
        y = top + row * height
        page.text(left - 14, y + pixels.shape[0] / 4, f"{name} +1, true", ha="right")
        page.text(left - 14, y + pixels.shape[0] * 3 / 4, "decoded", ha="right", color=GREY)
        page.picture(left, y, pixels).set_label("repeats")
    return page.figure


def _bytes(images: object) -> Bytes:
    return np.asarray(np.rint(255 * np.clip(np.asarray(images, dtype=np.float64), 0, 1)), dtype=np.uint8)
