"""Characters: each factor moves its own part of a person; held-out identities stay out."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Bytes, Floats, Integers
from unbraid.worlds.characters import IDENTITY, POSE, SHIRT, Characters

ALL, TRAIN, TEST = (Characters(identities=part, size=64) for part in ("all", "train", "test"))


def some(world: Characters, count: int = 60) -> Integers:
    return world.factors(world.sample(count, np.random.default_rng(0)))


def drawn(factors: Integers, world: Characters = ALL, **changed: int) -> Bytes:
    factors = factors.copy()
    for name, value in changed.items():
        factors[:, world.space.position(name)] = value
    return world.images(world.index(factors))


def rows_changed(first: Bytes, second: Bytes) -> Floats:
    """Where a change lies, from top 0 to bottom 1: the first and the last row of each pair, ``(B, 2)``."""
    rows = (first != second).any(axis=(1, 3))
    size = rows.shape[1]
    return np.stack([rows.argmax(axis=1) / size, 1 - rows[:, ::-1].argmax(axis=1) / size], axis=1)


@pytest.mark.parametrize(
    ("name", "top", "bottom"),
    [("hair", 0, 0.55), ("hair_colour", 0, 0.55), ("shirt", 0.05, 0.7), ("trousers", 0.5, 1), ("stride", 0.5, 1)],
)
def test_a_factor_changes_only_its_own_height_of_the_image(name: str, top: float, bottom: float) -> None:
    factors = some(ALL)
    changed = rows_changed(drawn(factors, **{name: 0}), drawn(factors, **{name: 1}))
    assert changed[:, 0].min() >= top
    assert changed[:, 1].max() <= bottom


def test_the_middle_of_the_trunk_has_the_colour_of_the_shirt() -> None:
    factors = some(ALL)
    trunk = drawn(factors, facing=2, left_arm=0, right_arm=0, x=2)[:, :, 34, 32]
    colours = np.array(list(SHIRT.values()))
    assert np.array_equal(trunk, colours[factors[:, 3]])


def test_x_moves_the_whole_person() -> None:
    factors = some(ALL)
    ink = [255.0 - drawn(factors, x=x).astype(float).mean(axis=1) for x in (0, 4)]
    middle = np.arange(64) + 0.5
    left, right = (i.sum(axis=1) @ middle / i.sum(axis=(1, 2)) for i in ink)
    assert right - left == pytest.approx(np.full(60, 0.2 * 64), abs=0.05)
    assert ink[0].sum(axis=(1, 2)) == pytest.approx(ink[1].sum(axis=(1, 2)), rel=0.01)


def test_a_raised_arm_lifts_ink_on_its_own_side() -> None:
    factors = some(ALL)
    low = drawn(factors, facing=2, x=2, left_arm=0, right_arm=0)
    for name, here, there in (("left_arm", slice(0, 25), slice(39, 64)), ("right_arm", slice(39, 64), slice(0, 25))):
        high = drawn(factors, facing=2, x=2, **({"left_arm": 0, "right_arm": 0} | {name: 2}))
        assert np.array_equal(high[..., there], low[..., there])
        assert (high[..., here] != low[..., here]).any(axis=(1, 2, 3)).all()


def test_facing_the_other_way_is_a_mirror_image() -> None:
    # Arms and the phases of the legs change sides.
    factors = some(ALL)
    mirrored = factors.copy()
    f, s, left, right, x = (ALL.space.position(name) for name in POSE.names)
    mirrored[:, f], mirrored[:, x] = 4 - factors[:, f], 4 - factors[:, x]
    mirrored[:, s] = (factors[:, s] + 4) % 8
    mirrored[:, [left, right]] = factors[:, [right, left]]
    turned = factors[:, f] != 2
    off = np.abs(drawn(factors)[..., ::-1].astype(int) - drawn(mirrored))[turned]
    assert off.max() <= 1


def test_nobody_touches_an_edge() -> None:
    images = drawn(some(ALL, 2000)).min(axis=1)
    edge = np.concatenate([images[:, [0, -1]].reshape(2000, -1), images[:, :, [0, -1]].reshape(2000, -1)], axis=1)
    assert edge.min() == 255


def test_held_out_identities_are_in_no_other_part() -> None:
    parts = [np.unique(IDENTITY.index(some(world, 50_000)[:, :5])) for world in (TRAIN, TEST)]
    assert [len(part) for part in parts] == [3600, 900]
    assert not np.intersect1d(*parts).size
    assert len(TRAIN) + len(TEST) == len(ALL) == len(ALL.space)


def test_both_parts_have_every_value_of_every_factor_and_every_pose() -> None:
    for world in (TRAIN, TEST):
        factors = some(world, 50_000)
        assert [len(np.unique(column)) for column in factors.T] == list(world.space.sizes)
        poses = world.factors(np.arange(len(POSE)))[:, 5:]
        assert np.array_equal(np.unique(POSE.index(poses)), np.arange(len(POSE)))


def test_a_part_draws_its_people_as_the_whole_does_and_refuses_others() -> None:
    factors = some(TEST)
    assert np.array_equal(TEST.images(TEST.index(factors)), drawn(factors))
    with pytest.raises(InvalidData, match="not among those to train on"):
        TRAIN.index(factors)
    with pytest.raises(InvalidData, match="must lie in 0"):
        TEST.images([len(TEST)])


def test_another_seed_holds_out_others() -> None:
    first, second = (
        np.unique(IDENTITY.index(some(w, 20_000)[:, :5])) for w in (TEST, Characters(identities="test", seed=1))
    )
    assert 100 < len(np.intersect1d(first, second)) < 280


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(InvalidOption, match="all, train or test, but is 'valid'"):
        Characters(identities="valid")  # type: ignore[arg-type]
