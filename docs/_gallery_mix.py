"""The page of mixers: what each does, on images, on points, or between the layers of a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _gallery import bibtex, page, picture, sign, told
from matplotlib.figure import Figure
from torch import Tensor, nn

from unbraid import registry
from unbraid.plots._style import GREY, PALETTE, Page
from unbraid.view import to_float
from unbraid.worlds.rooms import Rooms

__all__ = ["mixers"]

COUNT, CELL, GAP, LABELS, ROW = 8, 76, 6, 110, 96
USES = ("mixer.py", "masks/*.py", "plots/_style.py")

INTRO = """\
What every mixer makes of the same images, each of which is mixed with its partner in the row below it. Under a mixed
image stands how much of its label stays its own. :doc:`/mix` has the formula that all of them share, and how they are
used: on a batch, in a trial, or in a ``DataLoader``.
"""


def mixers(folder: Path) -> str:
    """The page, in reStructuredText; its pictures are drawn into ``folder``, where they are not there already."""
    return page("mix", "Mixers", INTRO, lambda name: _mixer(name, folder))


def _mixer(name: str, folder: Path) -> Iterator[str]:
    cls = registry.load("mix", name)
    yield from told(cls)
    yield from (f":class:`Reference <{cls.__module__}.{cls.__name__}>`.", "")
    yield from picture("mix", name, folder, sign(cls, USES), lambda: DRAWN.get(name, _images)(name))
    yield from bibtex(getattr(cls, "citation", ""))


def _made(name: str) -> Any:
    """A mixer as it is by default; one of several mixers has two."""
    cls = registry.load("mix", name)
    return cls([registry.load("mix", "fmix")(), registry.load("mix", "mixup")()]) if name in SEVERAL else cls()


SEVERAL = ("alternate", "randomchoice")


def _shown() -> Tensor:
    world = Rooms()
    return to_float(world.images(np.random.default_rng(3).choice(len(world), COUNT, replace=False)))


def _images(name: str) -> Figure:
    """Images, their partners, and one batch of mixtures; four batches where mixers change from one to the next."""
    x, generator, mixer = _shown(), torch.Generator().manual_seed(2), _made(name)
    drawn = [mixer.draw(x, generator=generator) for _ in range(4 if name in SEVERAL else 1)]
    rows = [("images", x, None)]
    rows += [("partners", x[drawn[0].order], None)] if len(drawn) == 1 else []
    for number, mixture in enumerate(drawn):
        label = "mixed" if len(drawn) == 1 else f"batch {number + 1}"
        rows.append((label, mixture.apply(x), mixture.weight.expand(COUNT)))
    return _rows(rows)


def _maps(name: str) -> Figure:
    """What a layer of edge detectors gives of images and their partners, and the mixture of that."""
    x, generator = _shown(), torch.Generator().manual_seed(6)
    sobel = torch.tensor([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])
    weight = torch.stack([sobel, sobel.T])[:, None].expand(-1, 3, -1, -1) / 8
    maps = nn.functional.conv2d(x, weight, padding=1).abs().sum(1, keepdim=True).clamp(max=1)
    order, kept = torch.randperm(COUNT, generator=generator), torch.rand((), generator=generator)
    mixed = kept * maps + (1 - kept) * maps[order]
    rows = [("images", x, None), ("a layer", maps, None), ("partners", maps[order], None)]
    return _rows([*rows, ("mixed", mixed, kept.expand(COUNT))])


def _points(name: str) -> Figure:
    """Rings and discs of points, in two dimensions, and what becomes of them."""
    generator = torch.Generator().manual_seed(6)
    angle, far = 6.283 * torch.rand(2, COUNT, 300, generator=generator)
    far = torch.where(torch.arange(COUNT)[:, None] % 2 == 0, (far / 6.283).sqrt(), 0.9 + far / 63)
    x = torch.stack([far * angle.cos(), far * angle.sin()], dim=2)
    mixture = registry.load("mix", name)(axes=2).draw(x, generator=generator)
    rows = [("points", x, None), ("partners", x[mixture.order], None)]
    return _rows([*rows, ("mixed", mixture.apply(x), mixture.weight)])


def _rows(rows: list[tuple[str, Tensor, Tensor | None]]) -> Figure:
    """Rows of images ``(B, C, H, W)`` or of points ``(B, N, 2)``: labels before them, weights below where given."""
    drawn = Page(LABELS + COUNT * (CELL + GAP) + GAP, len(rows) * ROW + GAP, "")
    for number, (label, some, weights) in enumerate(rows):
        y = GAP + number * ROW
        drawn.text(14, y + CELL / 2, label, size=10, weight="bold")
        for column, one in enumerate(some):
            x = LABELS + column * (CELL + GAP)
            axes = drawn.axes(x, y, CELL, CELL)
            axes.set_axis_off()
            if one.ndim == 3:
                axes.imshow(one.permute(1, 2, 0).clamp(0, 1).numpy(), cmap="gray", vmin=0, vmax=1)
            else:
                axes.scatter(*one.T.numpy(), s=1.5, color=PALETTE[0], linewidth=0)
                axes.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1))
            if weights is not None:
                drawn.text(
                    x + CELL / 2, y + CELL + 9, f"{float(weights[column]):.2f}", size=8.5, color=GREY, ha="center"
                )
    return drawn.figure


DRAWN = {"manifoldmixup": _maps, "pointfmix": _points}
