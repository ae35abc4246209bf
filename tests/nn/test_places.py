"""Peaks of maps, against a slow search."""

from __future__ import annotations

import torch

from unbraid.nn.coordinates import coordinates, with_coordinates
from unbraid.nn.places import at, peaks

MAPS = torch.rand(5, 6, 8, generator=torch.Generator().manual_seed(0))


def test_peaks_are_the_highest_places_that_do_not_touch_those_before() -> None:
    for heights, found in zip(MAPS.tolist(), peaks(MAPS, 4).tolist(), strict=True):
        taken: list[tuple[int, int]] = []
        places = sorted(((h, r, c) for r, row in enumerate(heights) for c, h in enumerate(row)), reverse=True)
        for _, row, column in places:
            if all(max(abs(row - r), abs(column - c)) > 1 for r, c in taken):
                taken.append((row, column))
        assert found == [8 * row + column for row, column in taken[:4]]


def test_what_maps_hold_at_places_is_looked_up() -> None:
    maps = torch.rand(5, 3, 6, 8)
    places = peaks(MAPS, 2)
    assert torch.equal(at(maps, places)[4, 1], maps[4, :, places[4, 1] // 8, places[4, 1] % 8])


def test_coordinates_go_across_and_down_and_stand_behind_the_image() -> None:
    x = torch.rand(2, 3, 4, 6)
    added = with_coordinates(x)
    assert torch.equal(added[:, :3], x)
    assert torch.equal(added[1, 3:], coordinates(4, 6))
    assert added[0, 3, :, -1].eq(1).all()
    assert added[0, 4, -1].eq(1).all()
