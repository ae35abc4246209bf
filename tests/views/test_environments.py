"""Environments follow one another, each alone."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.views.environments import Environments
from unbraid.worlds.digits import Digits
from unbraid.worlds.moving import Moving


@pytest.mark.parametrize("world", [Moving(), Digits()])
def test_every_batch_is_of_one_environment_and_they_come_in_order(world) -> None:
    view = Environments(world, batch_size=20, each=5, order=(2, 0))
    for step, environment in ((0, 2), (4, 2), (5, 0), (9, 0), (1000, 0)):
        batch = view.batch(step)
        assert int(batch.environment) == environment
        assert (world.factors(batch.index.numpy())[:, 0] == environment).all()
        assert np.array_equal((255 * batch.x).round().byte().numpy(), world.images(batch.index.numpy()))


def test_by_default_the_first_environment_comes_back_after_the_last() -> None:
    view = Environments(Moving(), batch_size=1, each=1)
    assert [int(view.batch(step).environment) for step in range(5)] == [0, 1, 2, 0, 0]


def test_environments_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidOption, match=r"order must be of environments 0 \.\. 2"):
        Environments(Moving(), order=(3,))
    with pytest.raises(InvalidOption):
        Environments(Moving(), factor="x")
