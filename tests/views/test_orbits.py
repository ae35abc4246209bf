"""Every frame of an orbit is the one before it, moved by the action that the batch tells."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.types import Factor, FactorSpace
from unbraid.views.orbits import Orbits
from unbraid.world import LabelledWorld


@pytest.mark.parametrize("ends", ["reflect", "stay", "wrap"])
@pytest.mark.parametrize("step", [1, 3])
def test_an_action_applied_to_factors_gives_the_next_frames_factors(drawn, ends, step) -> None:
    view = Orbits(drawn, batch_size=300, length=5, ends=ends, step=step, still=True)
    batch = view.batch(0)
    assert batch.x.shape == (300, 6, 1, 1, 5)
    assert batch.actions.shape == (300, 5)
    frames = drawn.factors(batch.index.numpy())
    for t in range(5):
        shift = view.actions_table[batch.actions[:, t]]
        plain = frames[:, t] + shift
        expected = plain.copy()
        expected[:, 1] %= 7
        for column in (2, 3):
            value = plain[:, column]
            over, under = value > 8, value < 0
            expected[over, column] = {"reflect": 16 - value, "stay": 8 + 0 * value, "wrap": value - 9}[ends][over]
            expected[under, column] = {"reflect": -value, "stay": 0 * value, "wrap": value + 9}[ends][under]
        assert np.array_equal(frames[:, t + 1], expected)
        assert np.array_equal(view.act(frames[:, t], batch.actions[:, t].numpy()), expected)


def test_the_table_numbers_actions_by_factor_and_direction(drawn) -> None:
    view = Orbits(drawn, factors=("y", "hue"), step=2, still=True)
    assert view.actions_table.tolist() == [
        [0, 2, 0, 0, 0], [0, -2, 0, 0, 0], [0, 0, 0, 2, 0], [0, 0, 0, -2, 0], [0, 0, 0, 0, 0],
    ]  # fmt: skip


def test_every_action_is_as_likely_as_any_other(drawn) -> None:
    actions = Orbits(drawn, batch_size=4000, length=3).batch(0).actions
    assert np.allclose(np.bincount(actions.ravel(), minlength=6) / 12000, 1 / 6, atol=0.02)


def test_a_cyclic_factor_comes_back_after_as_many_steps_as_it_has_values(drawn) -> None:
    view = Orbits(drawn, factors=("hue",))
    start = drawn.factors(np.arange(0, len(drawn), 13))
    now, seen = start, []
    for _ in range(7):
        now = view.act(now, np.zeros(len(now), dtype=np.int64))
        seen.append(np.array_equal(now, start))
    assert seen == [False] * 6 + [True]


def test_mirrorings_come_after_the_steps_and_do_not_commute_with_them(drawn) -> None:
    view = Orbits(drawn, factors=("hue", "y"), mirrored=("y", "hue"), still=True, batch_size=200)
    assert view.actions_table[4:].tolist() == [[0] * 5] * 3
    assert view.mirrors_table.nonzero()[0].tolist() == [4, 5]
    assert view.mirrors_table.nonzero()[1].tolist() == [3, 1], "in the order in which they are named"
    start = drawn.factors(np.arange(0, len(drawn), 13))

    def after(*actions: int):
        now = start
        for action in actions:
            now = view.act(now, np.full(len(now), action))
        return now

    assert np.array_equal(after(4)[:, 3], -start[:, 3] % 9), "the end of an ordinal factor is no hindrance"
    assert np.array_equal(np.delete(after(4), 3, axis=1), np.delete(start, 3, axis=1))
    assert np.array_equal(after(5, 5), start)
    assert np.array_equal(after(0, 5), after(5, 1)), "a step, seen in a mirror, goes the other way"
    assert not np.array_equal(after(0, 5), after(5, 0))
    batch = view.batch(0)
    frames = drawn.factors(batch.index.numpy())
    assert set(batch.actions.ravel().tolist()) == set(range(7))
    assert np.array_equal(view.act(frames[:, 0], batch.actions[:, 0].numpy()), frames[:, 1])


def test_actions_can_be_hidden_and_so_can_the_frames_between(drawn) -> None:
    told = Orbits(drawn, length=4, intermediate=False).batch(0)
    assert told.x.shape[:2] == (64, 2)
    assert told.actions.shape == (64, 4)
    assert Orbits(drawn, length=4, actions="hidden").batch(0).actions is None
    whole = Orbits(drawn, length=4).batch(0)
    assert np.array_equal(told.index[:, 1], whole.index[:, 4]), "the same sequences, whatever is shown of them"
    assert np.array_equal(told.actions, whole.actions)


def test_orbits_of_collected_images_pass_only_through_images_that_exist(collected) -> None:
    view = Orbits(collected, factors=("hue", "x"), length=2)
    batch = view.batch(0)
    frames = collected.factors(batch.index.numpy())
    for t in range(2):
        assert np.array_equal(view.act(frames[:, t], batch.actions[:, t].numpy()), frames[:, t + 1])


@pytest.mark.parametrize(("options", "sentence"), [
    ({"length": 0}, "length must be"),
    ({"step": 0}, "step must be"),
    ({"step": 7}, "step must be less than the 7 values of hue, but is 7"),
    ({"actions": "told"}, "actions must be one of shown, hidden, but is 'told'"),
    ({"ends": "bounce"}, "ends must be one of reflect, stay, wrap, but is 'bounce'"),
    ({"factors": ("x",), "mirrored": ("y",)}, "mirrored must be among the factors that move, x, but y is not"),
    ({"factors": ("class",)}, "'class' is not: choose among hue, x, y"),
])  # fmt: skip
def test_an_option_out_of_range_is_refused(drawn, options, sentence) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Orbits(drawn, **options)


def test_a_world_in_which_nothing_moves_is_refused() -> None:
    space = FactorSpace([Factor("class", 3, "categorical")])
    world = LabelledWorld(np.zeros((3, 1, 1, 1), np.uint8), np.arange(3)[:, None], space)
    with pytest.raises(InvalidOption, match=r"an action needs ordinal or cyclic factors .* the world has .*class 3"):
        Orbits(world)
