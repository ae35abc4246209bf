"""A world of fewer values shows the other world's images, under new numbers."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption, UnknownName
from unbraid.view import view
from unbraid.worlds.characters import Characters
from unbraid.worlds.fewer import Fewer
from unbraid.worlds.heldout import HeldOut
from unbraid.worlds.smaller import Smaller
from unbraid.worlds.sprites import Sprites
from unbraid.worlds.summerwinter import SummerWinter


def test_values_are_kept_by_number_and_mean_what_they_meant() -> None:
    world, whole = Fewer(of="sprites", keep="y=3:30:9;shape=2 ; orientation=-8:"), Sprites()
    assert world.space.sizes == (1, 6, 8, 32, 3)
    assert [factor.kind for factor in world.space] == [factor.kind for factor in whole.space]
    assert world.space["shape"].values == whole.space["shape"].values[2:]
    assert world.space["y"].values == whole.space["y"].values[3:30:9]
    some = np.random.default_rng(0).integers(0, len(world), 50)
    values = world.factors(some)
    values[:, 0] += 2
    values[:, 2] += 32
    values[:, 4] = 3 + 9 * values[:, 4]
    assert np.array_equal(world.images(some), whole.images(whole.index(values)))
    assert Fewer(of="sprites", keep="").space == whole.space


def test_a_few_images_are_the_same_whether_or_not_they_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Fewer(
        of="smaller", of_options="of=sprites,side=32", keep="shape=0:2; scale=5; orientation=::10; x=::8; y=::8"
    )
    held = world.images(np.arange(len(world)))
    assert len(world) == 128
    monkeypatch.setattr("unbraid.worlds.fewer.HELD", 0)
    assert np.array_equal(world.images(np.arange(len(world))), held)
    assert len(np.unique(held.reshape(128, -1), axis=0)) > 90, "squares alone look the same after a quarter turn"


def test_places_go_round_in_the_view_of_actions() -> None:
    world = Fewer(of=Smaller(side=32), keep="scale=5; orientation=0; x=::4; y=::4")
    batch = view("orbits")(world, factors=("x", "y"), ends="wrap", batch_size=200).batch(0)
    before, after = world.factors(batch.index.numpy()).transpose(1, 0, 2)
    step = (after - before)[:, 3:]
    assert set(map(tuple, step)) == {(1, 0), (-1, 0), (0, 1), (0, -1), (7, 0), (-7, 0), (0, 7), (0, -7)}
    assert np.array_equal(after[:, :3], before[:, :3])


def test_what_the_world_tells_of_its_factors_is_asked_in_its_own_values() -> None:
    world, whole = Fewer(of="summerwinter", keep="domain=1; sun=::3"), SummerWinter()
    values = world.factors(np.random.default_rng(0).integers(0, len(world), 100))
    moved = values.copy()
    moved[:, 0], moved[:, 4] = 1, 3 * values[:, 4]
    assert np.array_equal(world.relevant(values), whole.relevant(moved))
    assert not np.array_equal(world.relevant(values), whole.relevant(values))
    assert Fewer(of="characters", keep="").identity == Characters.identity


@pytest.mark.parametrize("keep", ["x", "x=", "x=;", "x=32", "x=a", "x=1:2:3:4", "x=5:5", "x=1;x=2", "x=0.5", "x=::0"])
def test_what_keeps_nothing_or_cannot_be_read_is_refused(keep: str) -> None:
    with pytest.raises(InvalidOption, match=r"keep must name values .* but holds 'x"):
        Fewer(keep=keep)


def test_a_factor_that_is_not_there_and_a_world_with_gaps_are_refused() -> None:
    with pytest.raises(UnknownName, match="shade"):
        Fewer(keep="shade=0")
    with pytest.raises(InvalidOption, match="every combination of its factors once, which heldout has not"):
        Fewer(of=HeldOut(of="sprites", leave="shape=heart"))
