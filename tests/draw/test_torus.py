"""Offsets and discs on an image without edges."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.torus import centres, disc, offsets


@pytest.mark.parametrize(("count", "size"), [(8, 64), (6, 64), (7, 21), (1, 16)])
def test_offsets_are_the_short_way_round(count: int, size: int) -> None:
    found = offsets(np.arange(count), count, size)
    straight = np.arange(size) + 0.5 - np.array(centres(count, size))[:, None]
    assert np.abs(found).max() <= size / 2
    turns = (straight - found) / size
    assert np.allclose(turns, turns.round())


def test_a_move_by_whole_pixels_moves_offsets_exactly() -> None:
    found = offsets(np.arange(6), 6, 64)
    assert np.array_equal(found[3], np.roll(found[0], 32))
    # 64 pixels over 6 places: a step is no whole number of pixels.
    assert not np.array_equal(found[1], np.roll(found[0], 11))


@pytest.mark.parametrize("radius", [2.0, 5.5, 12.0])
def test_the_disc_covers_its_area_wherever_it_is(radius: float) -> None:
    places = np.arange(7)
    edge = offsets(places, 7, 64)
    areas = disc(edge, edge[::-1], radius).sum(axis=(1, 2))
    # The soft edge adds a twelfth of a pixel to the square of the radius.
    assert np.allclose(areas, np.pi * (radius**2 + 1 / 12), rtol=0.02)
