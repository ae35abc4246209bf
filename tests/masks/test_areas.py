"""Masks of a wanted area, and boxes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unbraid.masks.areas import HALVED, _sample, counts, cut, level, softened, uniform
from unbraid.masks.boxes import around, boxes, crossed, placed
from unbraid.masks.fields import fields


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(seed=st.integers(0, 1000), pixels=st.integers(1, 60))
def test_the_highest_values_are_chosen_as_many_as_asked(seed: int, pixels: int) -> None:
    field = torch.randn(pixels + 1, pixels, generator=seeded(seed))
    wanted = torch.arange(pixels + 1)
    mask = field >= level(field, wanted)
    assert torch.equal(mask.sum(1), wanted)
    kept, left = field.masked_fill(~mask, 99).amin(1), field.masked_fill(mask, -99).amax(1)
    assert bool((kept > left).all())


@pytest.mark.parametrize("pixels", [100, HALVED - 1, HALVED, HALVED + 1, 3000, 20_000])
def test_heights_are_those_of_a_sort_for_numbers_of_any_size_and_sign(pixels: int) -> None:
    for kind in (torch.float16, torch.float32, torch.float64):
        field = (torch.randn(40, pixels, generator=seeded()) * torch.logspace(-6, 4, pixels)).to(kind)
        wanted = torch.randint(1, pixels + 1, (40,), generator=seeded(1))
        wanted[:2] = torch.tensor([1, pixels])
        expected = field.sort(dim=1, descending=True).values.gather(1, wanted[:, None] - 1)
        assert torch.equal(level(field, wanted), expected)


@pytest.mark.parametrize("field", ["sorted", "alike", "infinite"])
def test_heights_are_those_of_a_sort_where_a_sample_misleads(field: str) -> None:
    rows, pixels = 30, 5000
    made = torch.arange(float(pixels)).expand(rows, -1)
    # The sample of the first rows sees nothing but what is highest; values alike lie on both sides of every bound.
    made = torch.where(torch.isin(torch.arange(pixels), torch.from_numpy(_sample(pixels))), made + 1e6, made)
    if field == "alike":
        made = (made / 700).floor()
    if field == "infinite":
        made = made.clone().masked_fill_(made < 900, -torch.inf).masked_fill_(made > 1_004_000, torch.inf)
    wanted = torch.linspace(1, pixels, rows).long()
    expected = made.sort(dim=1, descending=True).values.gather(1, wanted[:, None] - 1)
    assert torch.equal(level(made, wanted), expected)


@pytest.mark.parametrize("pixels", [1, 2, 65, 700, HALVED])
@pytest.mark.parametrize("low", [0, 1])
@pytest.mark.parametrize("width", [1, 9, 20])
def test_heights_are_those_of_a_sort_where_half_of_the_pixels_misleads(pixels: int, low: int, width: int) -> None:
    rows = min(pixels, 60)
    # What is lowest lies in one half of all pixels: wholly, or but for some that are as low as the other half.
    made = torch.arange(float(pixels)).expand(rows, -1) + 30 * width * (torch.arange(pixels) % 2 != low)
    wanted = torch.linspace(1, pixels, rows).long()
    expected = made.sort(dim=1, descending=True).values.gather(1, wanted[:, None] - 1)
    assert torch.equal(level(made, wanted), expected)


@pytest.mark.parametrize("pixels", [100, 1001, 3000])
def test_heights_of_no_field_and_of_one_with_gaps_are_those_of_a_sort(pixels: int) -> None:
    assert level(torch.empty(0, pixels), torch.empty(0, dtype=torch.long)).shape == (0, 1)
    field = torch.rand(12, pixels, generator=seeded())
    for row, gaps in zip(field[1:], torch.linspace(1, pixels, 11).long(), strict=True):
        row[torch.randperm(pixels, generator=seeded(1))[:gaps]] = torch.nan
    for wanted in (1, pixels // 3, pixels):
        expected = field.sort(dim=1).values[:, pixels - wanted, None]
        assert torch.equal(level(field, torch.full((12,), wanted)).nan_to_num(9), expected.nan_to_num(9))


def test_fields_cut_a_few_at_a_time_are_cut_as_all_at_once() -> None:
    field = torch.rand(7, 50_000, generator=seeded())
    mask, share = cut(
        lambda rows: field[rows], lambda some, rows: torch.full((len(some), 1), 0.3), 7, 50_000, field.device
    )
    assert torch.equal(mask, field >= 0.3)
    assert torch.allclose(share, mask.float().mean(1))


def test_counts_are_right_to_one_pixel_and_in_the_mean() -> None:
    share = torch.rand(20_000, generator=seeded())
    found = counts(share, 7, generator=seeded(1))
    assert float((found - share * 7).abs().max()) <= 1
    assert abs(float((found - share * 7).mean())) < 0.01


def test_areas_of_a_random_pixel_are_uniform() -> None:
    field = fields(40_000, (4, 4), generator=seeded())
    areas = uniform(field.flatten(1), generator=seeded(1)).sum(1)
    frequency = torch.bincount(areas, minlength=17) / len(areas)
    assert float(frequency[0]) == 0
    assert float((frequency[1:] - 1 / 16).abs().max()) < 0.006


def test_soft_masks_keep_their_mean_and_their_order() -> None:
    field = fields(200, (16, 16), generator=seeded()).flatten(1)
    share = torch.linspace(0, 1, 200)
    mask = softened(field, share, 0.2)
    assert float((mask.mean(1) - share).abs().max()) < 1 / 256
    order = field.argsort(1)
    assert bool((mask.gather(1, order).diff(dim=1) >= 0).all())
    between = ((mask > 0) & (mask < 1)).float().mean(1)
    assert abs(float(between[100]) - 0.4) < 0.01


def test_boxes_reach_from_their_start_to_before_their_stop() -> None:
    mask = boxes(torch.tensor([[1, 0, 2]]), torch.tensor([[3, 1, 9]]), (4, 2, 5))
    assert sorted(map(tuple, mask[0].nonzero().tolist())) == [(a, 0, c) for a in (1, 2) for c in (2, 3, 4)]


def test_a_box_has_the_images_proportions_and_its_area_where_no_border_cuts() -> None:
    share = torch.full((3000,), 0.25)
    sides, left = around(share, (16, 32), generator=seeded())
    mask = crossed(sides).bool()
    areas = mask.flatten(1).sum(1)
    torch.testing.assert_close(left, 1 - areas / (16 * 32))
    assert int(areas.max()) == 8 * 16
    assert int(mask.any(2).sum(1).max()) == 8
    assert int(mask.any(1).sum(1).max()) == 16
    # A side of half the image is cut in half of the places, by a quarter of it in the mean.
    assert abs(float(areas.float().mean()) / (8 * 16) - (7 / 8) ** 2) < 0.03


def test_a_box_over_everything_leaves_exactly_nothing() -> None:
    for shape in [(n,) * axes for n in range(1, 49) for axes in (1, 2)] + [(6, 5, 7), (12, 7), (3, 3, 3)]:
        share = torch.full((256,), 4.0 ** len(shape))  # so large that they reach over all borders from anywhere
        assert around(share, shape, generator=seeded())[1].eq(0).all()


@pytest.mark.parametrize("shape", [(9,), (8, 8), (12, 7), (6, 5, 6)])
def test_sides_reach_half_their_length_around_a_pixel(shape: tuple[int, ...]) -> None:
    share = torch.rand(400, generator=seeded())
    sides, left = around(share, shape, generator=seeded(1))
    assert crossed(sides).shape == (400, *shape)
    torch.testing.assert_close(left, 1 - crossed(sides).flatten(1).mean(1))
    for side, n in zip(sides, shape, strict=True):
        length = (share ** (1 / len(shape)) * n).round()
        starts = torch.arange(n) - (length // 2)[:, None]  # around each of the pixels
        boxed = torch.stack([boxes(starts[:, m, None], (starts[:, m] + length)[:, None], (n,)) for m in range(n)], 1)
        found = (boxed.float() == side[:, None]).all(2)
        assert bool(found.any(1).all())
        # Long sides around different pixels may be cut to the same one: of those around one pixel only, all are drawn.
        assert len(found[found.sum(1) == 1].float().argmax(1).unique()) == n


def test_placed_boxes_lie_inside_anywhere() -> None:
    start, stop = placed(torch.full((2000,), 0.5), (6, 1, 9), generator=seeded())
    sides = stop - start
    assert sides[0].tolist() == [3, 1, 4]
    assert int(start.min()) == 0
    assert (start.amax(0) + sides[0]).tolist() == [6, 1, 9]
