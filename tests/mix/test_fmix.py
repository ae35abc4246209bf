"""FMix: the distribution of its masks against a slow reference of its own, and what is kept of the samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage, stats
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.mix import FMix, PointFMix


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def masks(count: int, shape: tuple[int, ...], seed: int = 0, **options: object) -> Tensor:
    x = torch.zeros(count, 1, *shape)
    mask = FMix(**options).draw(x, generator=seeded(seed)).mask  # type: ignore[arg-type]
    assert mask is not None
    return mask[:, 0]


def slow(rng: np.random.Generator, side: int, decay: float, share: float) -> np.ndarray:
    """One mask as the paper writes it: the real part of a transformed complex noise, its pixels sorted."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    noise = rng.normal(size=(side, side)) + 1j * rng.normal(size=(side, side))
    field = np.real(np.fft.ifft2(noise / np.maximum(frequency, 1 / side) ** decay))
    mask = np.zeros(side * side, dtype=bool)
    mask[np.argsort(-field.ravel())[: round(share * side * side)]] = True
    return mask.reshape(side, side)


def edges(mask: np.ndarray) -> tuple[int, int]:
    return int((mask[1:] != mask[:-1]).sum()), int((mask[:, 1:] != mask[:, :-1]).sum())


def shapes(found: list[np.ndarray]) -> dict[str, list[float]]:
    """Of each mask its perimeter, how many blobs it and its rest have, and the area of the largest."""
    sizes = [np.bincount(ndimage.label(mask)[0].ravel())[1:] for mask in found]
    return {
        "perimeter": [float(sum(edges(mask))) for mask in found],
        "components": [float(ndimage.label(mask)[1] + ndimage.label(~mask)[1]) for mask in found],
        "largest": [float(max(size, default=0)) for size in sizes],
    }


@pytest.mark.parametrize("decay", [1.5, 3.0])
def test_masks_have_the_distribution_of_the_slow_reference(decay: float) -> None:
    count, side = 400, 32
    # So large an alpha makes every weight one half.
    ours = masks(count, (side, side), alpha=1e9, decay=decay).numpy()
    rng = np.random.default_rng(1)
    theirs = [slow(rng, side, decay, 0.5) for _ in range(count)]
    mine, other = shapes(list(ours)), shapes(theirs)
    for name in mine:
        assert stats.ks_2samp(mine[name], other[name]).pvalue > 0.02, name
    # The same test must see a difference where there is one.
    published = shapes(list(masks(count, (side, side), alpha=1e9, decay=decay, spectrum="reference").numpy()))
    assert stats.ks_2samp(published["perimeter"], other["perimeter"]).pvalue < 1e-4


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_areas_are_those_of_a_beta(alpha: float) -> None:
    areas = masks(3000, (16, 16), alpha=alpha).flatten(1).float().mean(1)
    for bound in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert abs(float((areas < bound).float().mean()) - stats.beta(alpha, alpha).cdf(bound)) < 0.03


def test_no_direction_is_preferred_but_by_the_published_spectrum() -> None:
    def ratio(**options: object) -> float:
        found = masks(3000, (32, 32), alpha=1e9, **options).numpy()
        down, across = (found[:, 1:] != found[:, :-1]).sum(), (found[:, :, 1:] != found[:, :, :-1]).sum()
        return float(down / across)

    assert ratio() == pytest.approx(1, abs=0.03)
    assert ratio(spectrum="reference") < 0.8


def test_published_masks_of_sequences_are_one_segment_and_ours_several() -> None:
    def segments(**options: object) -> Tensor:
        found = masks(300, (64,), alpha=1e9, **options)
        return (found != found.roll(1, dims=1)).sum(1) / 2

    assert segments(spectrum="reference").unique().tolist() == [1]
    assert float(segments(decay=1.5).mean()) > 2


def test_points_of_equal_sets_are_each_taken_from_one_of_both() -> None:
    line = torch.arange(4.0)
    grid = torch.stack(torch.meshgrid(line, line, line, indexing="ij"), dim=-1).reshape(1, 64, 3).expand(16, -1, -1)
    x = torch.cat([grid, torch.arange(16.0)[:, None, None].expand(-1, 64, 1)], dim=2)
    mixture = PointFMix(decay=2.0).draw(x, generator=seeded())
    mixed = mixture.apply(x)
    for row in range(16):
        # Nothing twice and nothing missing, so the two parts of space are each other's complement.
        assert len(mixed[row, :, :3].unique(dim=0)) == 64
        own, other = float(row), float(mixture.order[row])
        assert set(mixed[row, :, 3].tolist()) <= {own, other}
        if own != other:
            assert float((mixed[row, :, 3] == own).float().mean()) == pytest.approx(float(mixture.weight[row]))
    assert 0.2 < float(mixture.weight.std()) < 0.4, "uniform weights spread by 0.29"


def test_points_are_kept_by_where_they_are() -> None:
    x = torch.rand(64, 200, 2, generator=seeded())
    mixture = PointFMix(axes=2, alpha=1e9).draw(x, generator=seeded(1))
    own = mixture.points < 200  # type: ignore[operator]
    place = mixture.apply(x)
    nearest = torch.cdist(place, place).diagonal_scatter(torch.full((64, 200), 9.0), dim1=1, dim2=2).argmin(2)
    alike = (own.gather(1, nearest) == own).float().mean()
    assert float(alike) > 0.85, "by chance a neighbour comes from the same sample half the time"


def test_what_fmix_cannot_do_is_refused_in_a_sentence() -> None:
    with pytest.raises(InvalidOption, match=r"max_soft must lie in 0 .. 0.5"):
        FMix(max_soft=0.7)
    with pytest.raises(InvalidOption, match="decay must be"):
        FMix(decay=-1)
