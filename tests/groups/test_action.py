"""The factors of a world, moved by a group."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption, UnknownName
from unbraid.groups import FactorAction
from unbraid.types import Factor, FactorSpace

SPACE = FactorSpace([Factor("shape", 3, "categorical"), Factor("hue", 5, "cyclic"), Factor("one", 1), Factor("x", 4)])


@pytest.mark.parametrize("kind", ["cyclic", "dihedral"])
def test_acting_by_a_product_is_acting_twice_and_the_identity_moves_nothing(kind) -> None:
    action = FactorAction(SPACE, kind=kind)
    generator = np.random.default_rng(0)
    values = SPACE.sample(200, generator)
    a, b = (action.group.sample(200, generator) for _ in range(2))
    assert np.array_equal(action.act(values, action.group.compose(a, b)), action.act(action.act(values, b), a))
    assert np.array_equal(action.act(values, np.broadcast_to(action.group.identity, a.shape)), values)
    assert not np.array_equal(action.act(values, a), values)
    assert np.array_equal(action.act(values, a)[:, [0, 2]], values[:, [0, 2]])


def test_every_cyclic_and_ordinal_factor_steps_around_its_circle() -> None:
    action = FactorAction(SPACE)
    values = np.array([[2, 4, 0, 3]])
    assert [action.act(values, step[None]).tolist() for step in action.steps()] == [[[2, 0, 0, 3]], [[2, 4, 0, 0]]]
    assert np.allclose(action.ideal(action.steps())[1, :2, :2], np.eye(2))
    assert np.allclose(np.linalg.matrix_power(action.ideal(action.steps())[0], 5), np.eye(4))


def test_a_mirroring_turns_a_circle_round_and_steps_with_it() -> None:
    action = FactorAction(SPACE, ("hue",), kind="dihedral")
    mirror, step = action.mirrorings(), action.steps()
    values = np.array([[0, v, 0, 1] for v in range(5)])
    assert action.act(values, np.repeat(mirror, 5, axis=0))[:, 1].tolist() == [0, 4, 3, 2, 1]
    back = action.group.compose(mirror, action.group.compose(step, mirror))
    assert action.group.same(back, action.group.inverse(step))


def test_what_cannot_move_is_refused() -> None:
    with pytest.raises(InvalidOption, match="but shape cannot: choose among hue, x"):
        FactorAction(SPACE, ("shape",))
    with pytest.raises(InvalidOption, match="none is given that could: choose among those of another world"):
        FactorAction(FactorSpace([Factor("shape", 3, "categorical")]))
    with pytest.raises(InvalidOption, match="kind must be one of cyclic, dihedral"):
        FactorAction(SPACE, kind="free")  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="mirrors nothing"):
        FactorAction(SPACE).mirrorings()
    with pytest.raises(UnknownName):
        FactorAction(SPACE, ("hew",))
