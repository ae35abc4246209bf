"""Scores of actions, where the answer is known: tori, bent tori, and what a model's own matrices leave."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.groups import FactorAction
from unbraid.score import Sampler, Score
from unbraid.scores import actionaccuracy, actionerror, cyclicconsistency, dlsbd, independence, rollout
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("x", 5, "cyclic"), Factor("kind", 3, "categorical"), Factor("y", 7)])
GENERATOR = np.random.default_rng(0)
BASIS = np.linalg.qr(GENERATOR.normal(size=(4, 4)))[0]
IDEAL = FactorAction(SPACE)
STEPS = np.array([[1.0, 0.0], [4.0, 0.0], [0.0, 1.0], [0.0, 6.0]])
MATRICES = BASIS.T @ IDEAL.ideal(STEPS) @ BASIS


def torus(values: Integers) -> Floats:
    """Two circles in four dimensions, in a basis of no meaning."""
    angle = 2 * np.pi * values[:, [0, 2]] / np.array([5, 7])
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(len(values), 4) @ BASIS


def sampler(represent=torus, **able) -> Sampler:
    return Sampler(SPACE, represent, **able)


@pytest.mark.parametrize("scorer", [actionerror, cyclicconsistency, dlsbd, rollout])
def test_a_torus_in_any_basis_is_perfect(scorer) -> None:
    result: Score = scorer(sampler())
    assert result.value < 0.02
    assert scorer(sampler(lambda v: 3 * torus(v) + 5)).value < 0.02


def test_steps_of_a_torus_are_at_right_angles_above_chance_and_without_residual() -> None:
    result = independence(sampler())
    assert result.value > 0.99
    assert result.parts["residual"] < 1e-3
    assert result.parts["above_chance"] > 0.98
    # Of four directions in four dimensions, the greater of |cosines| of two pairs: about 0.285 is left.
    assert result.parts["chance"] == pytest.approx(0.285, abs=0.03)


def test_chance_grows_with_the_dimensions_in_which_codes_vary() -> None:
    def wide(values: Integers) -> Floats:
        return np.random.default_rng(1).normal(size=(len(SPACE), 50))[SPACE.index(values)]

    def thin(values: Integers) -> Floats:
        return wide(values) * np.where(np.arange(50) < 3, 1.0, 0.01)

    chances = [independence(sampler(codes)).parts["chance"] for codes in (thin, torus, wide)]
    assert chances == sorted(chances)
    assert chances[2] > 0.7


def test_two_factors_in_one_plane_are_as_dependent_as_can_be() -> None:
    def shared(values: Integers) -> Floats:
        angle = 2 * np.pi * (values[:, 0] / 5 + values[:, 2] / 7)
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    result = independence(sampler(shared))
    assert result.parts["residual"] < 1e-3, "each step is a rotation, and yet"
    assert result.value < 0.25


def test_codes_that_ignore_a_factor_are_not_independent_of_it() -> None:
    assert independence(sampler(lambda v: torus(v * [1, 1, 0]))).value == 0.0
    assert cyclicconsistency(sampler(lambda v: torus(v * [1, 1, 0]))).value == pytest.approx(0.5, abs=0.01)
    assert dlsbd(sampler(lambda v: torus(v * [1, 1, 0]))).value == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("scorer", [actionerror, cyclicconsistency, dlsbd, rollout])
def test_numbers_in_place_of_circles_are_not_linear(scorer) -> None:
    assert scorer(sampler(lambda v: v[:, [0, 2]].astype(float))).value > 0.2


def test_own_matrices_are_matched_and_measured_whatever_their_order() -> None:
    mixed = MATRICES[[2, 0, 3, 1]]
    result = sampler(matrices=mixed)
    assert actionerror(result).parts["own"] < 1e-9
    assert actionerror(result).parts["own_angle"] < 0.02
    assert cyclicconsistency(result).parts["own"] < 1e-9
    assert rollout(result).parts["own_after_5"] < 1e-9
    lazy = sampler(matrices=np.eye(4)[None].repeat(4, axis=0))
    assert actionerror(lazy).parts["own"] == pytest.approx(1)
    assert actionerror(lazy).parts["own_angle"] == pytest.approx(np.pi * (1 / 5 + 1 / 7), abs=0.02)
    assert actionerror(sampler(matrices=mixed[:3])).parts["own"] == pytest.approx(0.25)


def test_matrices_act_on_codes_as_they_are_not_on_centred_ones() -> None:
    shifted = sampler(lambda v: torus(v) + 3, matrices=MATRICES)
    assert actionerror(shifted).parts["own"] > 1


def test_predicted_images_are_measured_where_there_are_images() -> None:
    able = {"matrices": MATRICES, "images": lambda v: torus(v)[:, None, None], "decode": lambda z: z[:, None, None]}
    assert rollout(sampler(**able)).parts["pixels_after_5"] < 1e-9
    blind = {**able, "decode": lambda z: 0 * z[:, None, None]}
    assert rollout(sampler(**blind)).parts["pixels_after_1"] == pytest.approx(1, abs=0.02)


def test_an_angle_that_is_wrong_is_measured_in_radians() -> None:
    turned = FactorAction(FactorSpace([Factor("x", 5), Factor("y", 6)])).ideal(np.array([[0.0, 1.0]]))
    wrong = MATRICES.copy()
    wrong[2] = BASIS.T @ turned[0] @ BASIS
    off = actionerror(sampler(matrices=wrong)).parts["own_angle"]
    assert off == pytest.approx(2 * np.pi * (1 / 6 - 1 / 7) / 4, abs=0.01)


def test_dlsbd_undoes_turns_of_any_frequency_and_either_sense() -> None:
    def twice(values: Integers) -> Floats:
        return torus(np.stack([2 * values[:, 0], values[:, 1], -3 * values[:, 2]], axis=1))

    assert dlsbd(sampler(twice)).value < 1e-9


def test_dlsbd_of_a_factor_of_two_values_asks_for_a_sign() -> None:
    space = FactorSpace([Factor("side", 2), Factor("y", 7)])
    made = dlsbd(Sampler(space, lambda v: np.column_stack([v[:, 0] - 0.5, torus(v[:, [0, 0, 1]])[:, :]])))
    assert made.parts["0"] == pytest.approx(0, abs=1e-9)


def held_out(values: Integers) -> np.ndarray:
    return (values[:, 0] < 2) & (values[:, 2] > 3)


def half_known(values: Integers) -> Floats:
    """A torus where something was seen, and elsewhere one turned round."""
    return torus(np.where(held_out(values)[:, None], -values, values)) * np.where(held_out(values), 0.3, 1.0)[:, None]


def test_what_was_not_seen_is_judged_by_matrices_fitted_to_what_was() -> None:
    def seen(values: Integers) -> np.ndarray:
        return ~held_out(values)

    for scorer in (actionerror, cyclicconsistency, rollout):
        assert scorer(sampler(lambda v: torus(v) + 3, seen=seen)).value < 1e-9, "the mean of states lies elsewhere"
    assert actionaccuracy(sampler(seen=seen)).value == 1.0
    whole, parted = (independence(sampler(half_known, **more)) for more in ({}, {"seen": seen}))
    assert 0.0 < whole.parts["residual"] < 0.7 < parted.parts["residual"]
    assert independence(sampler(seen=seen)).parts["chance"] == pytest.approx(0.285, abs=0.03)
    known = sampler(lambda v: half_known(np.where(seen(v)[:, None], v, 0)), seen=seen, matrices=MATRICES)
    assert actionerror(known).parts["own"] > 0.5


def test_actions_inferred_in_states_not_seen_are_called_as_they_are_in_the_others() -> None:
    def infer(before: Integers, after: Integers) -> Integers:
        step = (after - before)[:, [0, 2]]
        true = np.select([np.isin(step[:, 0], (1, -4)), step[:, 0] != 0, np.isin(step[:, 1], (1, -6))], [0, 1, 2], 3)
        return np.where(held_out(before), true ^ 1, true)

    assert actionaccuracy(sampler(infer=infer)).parts["own"] > 0.8
    assert actionaccuracy(sampler(infer=infer, seen=lambda v: ~held_out(v))).parts["own"] == 0.0


def test_nothing_is_judged_where_all_or_nothing_was_seen() -> None:
    for all_or_nothing in (True, False):
        with pytest.raises(InvalidData, match="hold out less, or something"):
            rollout(sampler(seen=lambda v, answer=all_or_nothing: np.full(len(v), answer)))


def test_mirrorings_are_actions_too() -> None:
    for scorer in (actionerror, rollout):
        assert scorer(sampler(), mirrored=("y", "x")).value < 0.02
    assert independence(sampler(), mirrored=("x",)).value > 0.99
    action = FactorAction(SPACE, kind="dihedral")
    own = BASIS.T @ action.ideal(action.mirrorings()) @ BASIS
    found = actionerror(
        sampler(matrices=np.concatenate([MATRICES, own])[[5, 0, 3, 1, 4, 2]]), mirrored=("x", "y")
    ).parts
    assert found["own"] < 1e-9
    assert found["own_angle"] < 0.02
    assert actionerror(sampler(matrices=MATRICES), mirrored=("y",)).parts["own"] == pytest.approx(1 / 5)
    # Of five places one is mirrored to where a step leads, one to where a step back does, and one stays.
    assert 0.7 < actionaccuracy(sampler(), mirrored=("x", "y")).value < 0.95
    told = sampler(moving=("x", "y"), mirrored=("x", "y"))
    assert actionaccuracy(told).value == actionaccuracy(sampler(), mirrored=("x", "y")).value
    assert cyclicconsistency(told).value == cyclicconsistency(sampler()).value
    assert actionerror(sampler(moving=("y",))).value == actionerror(sampler(), moving=("y",)).value
    with pytest.raises(InvalidOption, match="mirrored must be among x, y, which move, but holds 'kind'"):
        rollout(sampler(), mirrored=("kind",))


def test_one_circle_alone_has_nothing_to_be_independent_of() -> None:
    with pytest.raises(InvalidData, match="at least 2 cyclic or ordinal factors"):
        independence(Sampler(FactorSpace([Factor("x", 5)]), lambda v: v.astype(float)))
    assert independence(sampler(), moving=("x", "y")).value > 0.99
