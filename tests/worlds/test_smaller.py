"""A smaller world is the world, averaged."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.worlds.correlated import Correlated
from unbraid.worlds.digits import Digits
from unbraid.worlds.rooms import Rooms
from unbraid.worlds.smaller import Smaller
from unbraid.worlds.sprites import Sprites


@pytest.mark.parametrize(("world", "side"), [(Sprites(), 32), (Rooms(), 16), (Digits(), 8), (Sprites(), 64)])
def test_every_pixel_is_the_mean_of_a_square(world: object, side: int) -> None:
    small, some = Smaller(of=world, side=side), np.array([0, 5, 1000])  # type: ignore[arg-type]
    whole = small.world.images(some).astype(float)
    step = whole.shape[-1] // side
    expected = [[[[c[step * i : step * (i + 1), step * j : step * (j + 1)].mean() for j in range(side)]
                  for i in range(side)] for c in image] for image in whole]  # fmt: skip
    assert np.abs(small.images(some) - np.array(expected)).max() <= 0.5


def test_factors_numbers_and_the_way_it_is_drawn_are_the_worlds_own() -> None:
    inner = Correlated(of="sprites", pair=("x", "y"), sigma=0.1)
    small = Smaller(of=inner)
    assert (len(small), small.space) == (len(inner), inner.space)
    drawn = [world.sample(100, np.random.default_rng(0)) for world in (small, inner)]
    assert np.array_equal(*drawn)
    assert np.array_equal(small.factors(drawn[0]), inner.factors(drawn[0]))


@pytest.mark.parametrize("side", [0, 24, 65, -32])
def test_a_side_that_does_not_divide_is_refused(side: int) -> None:
    with pytest.raises(InvalidOption, match="side must divide the 64 x 64 pixels of Sprites"):
        Smaller(side=side)
