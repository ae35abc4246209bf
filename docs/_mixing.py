"""The pictures of the page of mixers: every mixer on the same images, masks by their decay, and two spectra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from unbraid.masks.fields import fields
from unbraid.mix import CutMix, FMix, GMix, HMix, MixUp, ResizeMix
from unbraid.mixer import Mixture, PairMixer
from unbraid.plots._style import FAINT, GREY, HEAT, MARGIN, Page
from unbraid.view import to_float
from unbraid.worlds.rooms import Rooms

__all__ = ["draw"]

COUNT, CELL, GAP, LABELS = 8, 104, 8, 196
MIXERS: dict[str, tuple[PairMixer, str]] = {
    "MixUp": (MixUp(), "averaged"),
    "CutMix": (CutMix(), "a box"),
    "FMix": (FMix(), "blobs of a random field"),
    "ResizeMix": (ResizeMix(), "the whole, made smaller"),
    "HMix": (HMix(), "a box, and the rest averaged"),
    "GMix": (GMix(), "a bump"),
    "FMix, soft": (FMix(max_soft=0.2), "max_soft=0.2"),
    "FMix, published": (FMix(spectrum="reference"), 'spectrum="reference"'),
}
DECAYS = (1.0, 1.5, 2.0, 3.0, 4.0)


def draw(folder: Path) -> None:
    """Write ``mixers.png``, ``decays.png`` and ``spectra.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    mixers().figure.savefig(folder / "mixers.png", dpi=150)
    decays().figure.savefig(folder / "decays.png", dpi=150)
    spectra().figure.savefig(folder / "spectra.png", dpi=150)


def generator() -> torch.Generator:
    """The same for every mixer, so that all of them draw the same partners."""
    return torch.Generator().manual_seed(6)


def image(page: Page, x: float, y: float, shown: Tensor, **options: float) -> Axes:
    """One picture in a frame."""
    axes = page.axes(x, y, CELL, CELL)
    axes.imshow(shown.numpy(), interpolation="nearest", cmap="gray", **options)
    axes.set_axis_off()
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, edgecolor=FAINT, linewidth=0.8))
    return axes


def row(page: Page, y: float, name: str, note: str) -> None:
    """What stands before a row."""
    page.text(MARGIN, y + CELL / 2 - 9, name, size=10.5, weight="bold")
    page.text(MARGIN, y + CELL / 2 + 10, note, size=9, color=GREY)


def place(column: int) -> float:
    """Where a column begins."""
    return MARGIN + LABELS + column * (CELL + GAP)


def mixers() -> Page:
    """All mixers on the same images with the same partners, and the masks of FMix."""
    world = Rooms()
    x = to_float(world.images(np.random.default_rng(3).choice(len(world), COUNT, replace=False)))
    page = Page(
        place(COUNT) + MARGIN - GAP,
        Page.heading + (len(MIXERS) + 2) * (CELL + 22) + 4,
        "Every mixer on the same images with the same partners",
        "Below each: how much of the label stays its own. All weights are drawn with alpha = 1, but ResizeMix's.",
    )
    y: float = Page.heading
    order = MixUp().draw(x, generator=generator()).order
    for name, shown in (("images", x), ("their partners", x[order])):
        row(page, y, name, "")
        for column in range(COUNT):
            image(page, place(column), y, shown[column].permute(1, 2, 0))
        y += CELL + 22
    for name, (mixer, note) in MIXERS.items():
        mixture: Mixture = mixer.draw(x, generator=generator())
        row(page, y, name, note)
        for column, one in enumerate(mixture.apply(x)):
            image(page, place(column), y, one.permute(1, 2, 0).clamp(0, 1))
            weight = f"{float(mixture.weight[column]):.2f}"
            page.text(place(column) + CELL / 2, y + CELL + 9, weight, size=8.5, color=GREY, ha="center")
        y += CELL + 22
    return page


def decays() -> Page:
    """Masks of half the area, and fields, for a range of powers."""
    page = Page(
        place(COUNT) + MARGIN - GAP,
        Page.heading + len(DECAYS) * (CELL + GAP) + 16,
        "Masks of FMix by the power with which amplitudes fall with frequency",
        "64 x 64 pixels, half of them kept; the paper's decay is 3.",
    )
    for number, decay in enumerate(DECAYS):
        y = Page.heading + number * (CELL + GAP)
        row(page, y, f"decay {decay:g}", "")
        mask = FMix(alpha=1e9, decay=decay).draw(torch.zeros(COUNT, 1, 64, 64), generator=generator()).mask
        assert mask is not None
        for column in range(COUNT):
            image(page, place(column), y, mask[column, 0].float())
    return page


def spectra() -> Page:
    """What the published program draws, beside what it means to draw."""
    side, wide = 64, 300
    page = Page(
        place(5) + wide + MARGIN + 60,
        Page.heading + 2 * (wide + 56),
        "The published program draws from three columns of frequencies",
        "Left: masks of half the area. Right: the energy of 2,000 fields of 64 x 64 by frequency, logarithmic; white "
        "is nothing.",
    )
    for number, (spectrum, note) in enumerate((("isotropic", "the default"), ("reference", "as published"))):
        top = Page.heading + number * (wide + 52)
        mixer = FMix(alpha=1e9, spectrum=spectrum)
        mask = mixer.draw(torch.zeros(10, 1, side, side), generator=generator()).mask
        assert mask is not None
        row(page, top + CELL / 2, f'"{spectrum}"', note)
        for cell in range(10):
            image(page, place(cell % 5), top + (cell // 5) * (CELL + GAP), mask[cell, 0].float())
        many = mixer.draw(torch.zeros(2000, 1, side, side), generator=generator()).mask
        assert many is not None
        down, across = (float((many != many.roll(1, d)).float().sum((1, 2, 3)).mean()) for d in (2, 3))
        text = f"edges a mask, of 2,000: {down:.0f} from row to row, {across:.0f} from column to column"
        page.text(place(0), top + 2 * (CELL + GAP) + 12, text, size=9.5)
        drawn = fields(2000, (side, side), spectrum=spectrum, generator=generator())
        energy = torch.fft.fftshift(torch.fft.fft2(drawn).abs().square().mean(0))
        energy = torch.where(energy > 1e-9 * energy.max(), energy.log10(), torch.nan)
        axes = page.axes(place(5) + 56, top, wide, wide)
        low, high = -side / 2 - 0.5, side / 2 - 0.5
        axes.imshow(
            energy.numpy(),
            cmap=HEAT,
            extent=(low, high, high, low),
            interpolation="nearest",
        )
        axes.set(xlim=(-16, 16), ylim=(-16, 16), xticks=(-12, 0, 12), yticks=(-12, 0, 12))
        axes.set_xlabel("waves across", size=9.5)
        axes.set_ylabel("waves down", size=9.5)
    return page
