"""The laws of every score on the shelf: a new file is held to them without being named here."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unbraid import registry
from unbraid.errors import InvalidData
from unbraid.score import Sampler, Score, Scorer
from unbraid.types import Factor, FactorSpace, Floats, Integers

SCORES = registry.names("scores")
SPACE = FactorSpace([Factor("shape", 3), Factor("scale", 4), Factor("x", 5)])
OF_CODES = [name for name in SCORES if registry.load("scores", name).declaration.needs == "codes"]

LAYOUT = {"edi", "infoc", "infom"}
"""Scores of how what is known is laid out, not of how much: what noise shares by chance may be laid out well."""
BLIND = {"fairness"}
"""Scores to which what knows nothing is flawless: they compare representations that know as much."""

every_score = pytest.mark.parametrize("name", SCORES)
every_score_of_codes = pytest.mark.parametrize("name", OF_CODES)


def load(name: str) -> Scorer[...]:
    scorer: Scorer[...] = registry.load("scores", name)
    return scorer


def drawn(count: int = 450, seed: int = 0) -> Integers:
    return SPACE.sample(count, np.random.default_rng(seed))


def identity(factors: Integers) -> Floats:
    return factors.astype(np.float64)


def constant(factors: Integers) -> Floats:
    return np.full(factors.shape, 0.5)


def noise(factors: Integers) -> Floats:
    return np.random.default_rng(1).normal(size=factors.shape)


def blurred(factors: Integers) -> Floats:
    return factors + np.random.default_rng(2).normal(size=factors.shape)


def measure(name: str, represent: Callable[[Integers], Floats]) -> float:
    if load(name).declaration.needs == "sampler":
        return float(load(name)(Sampler(SPACE, represent)))
    return float(load(name)(represent(drawn()), drawn()))


def goodness(name: str, represent: Callable[[Integers], Floats]) -> float:
    return measure(name, represent) * (1 if load(name).declaration.direction == "higher" else -1)


@every_score
def test_the_factors_themselves_score_well_above_noise_and_constants(name: str) -> None:
    if name in BLIND:
        assert goodness(name, identity) >= goodness(name, constant) - 1e-9
        return
    assert goodness(name, identity) > goodness(name, constant) + 0.2
    assert name in LAYOUT or goodness(name, identity) > goodness(name, noise) + 0.2


@every_score
def test_a_blur_of_the_factors_scores_between_them_and_noise(name: str) -> None:
    if name in BLIND:
        assert goodness(name, blurred) <= goodness(name, identity)
        return
    slack = 0.05 if name in LAYOUT else 0.0
    assert goodness(name, noise) <= goodness(name, blurred) <= goodness(name, identity) + slack


@every_score
def test_the_order_of_latents_does_not_matter(name: str) -> None:
    order = [2, 0, 1]
    assert measure(name, lambda f: blurred(f)[:, order]) == pytest.approx(measure(name, blurred), abs=0.02)


@every_score
def test_a_dead_latent_changes_nothing(name: str) -> None:
    def with_dead(factors: Integers) -> Floats:
        return np.column_stack([np.zeros(len(factors)), identity(factors)])

    assert measure(name, with_dead) == pytest.approx(measure(name, identity), abs=0.02)


@every_score
def test_the_declaration_is_complete(name: str) -> None:
    declaration = load(name).declaration
    assert declaration.lowest < declaration.highest
    assert declaration.reference
    assert declaration.citation.startswith("@")


@every_score
def test_settings_are_keyword_only_and_can_be_read_from_the_signature(name: str) -> None:
    parameters = list(inspect.signature(load(name)).parameters.values())
    needed = 2 if load(name).declaration.needs == "codes" else 1
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters[:needed])
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters[needed:])


@every_score_of_codes
def test_the_result_records_its_settings_and_fits_json(name: str) -> None:
    factors = drawn(120)
    result = load(name)(blurred(factors), factors)
    keywords = {p.name for p in inspect.signature(load(name)).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert result.name == name
    assert keywords - {"test"} <= set(result.settings)
    assert result.settings["samples"] == 120
    assert result.matrix is None or result.matrix.shape == (3, 3)
    assert json.loads(json.dumps(result.to_dict()))["value"] == result.value


@every_score_of_codes
@given(seed=st.integers(0, 1000), latents=st.integers(1, 4), columns=st.integers(1, 3))
def test_every_value_lies_in_the_declared_range(name: str, seed: int, latents: int, columns: int) -> None:
    generator = np.random.default_rng(seed)
    factors = generator.integers(0, 3, size=(24, columns))
    codes = generator.normal(size=(24, latents)).round(generator.integers(0, 3))
    result = load(name)(codes, factors)
    assert load(name).declaration.lowest <= result.value <= load(name).declaration.highest


@every_score_of_codes
def test_numpy_torch_and_lists_score_alike_and_again(name: str) -> None:
    factors = drawn(90)
    codes = blurred(factors).astype(np.float32)
    value = load(name)(codes, factors).value
    assert load(name)(torch.tensor(codes, requires_grad=True), torch.tensor(factors)).value == value
    assert load(name)(codes.tolist(), factors.tolist()).value == value


@every_score_of_codes
def test_what_it_is_given_is_left_as_it_was(name: str) -> None:
    factors = drawn(60)
    codes = blurred(factors)
    before = codes.copy(), factors.copy()
    load(name)(codes, factors)
    assert np.array_equal(codes, before[0])
    assert np.array_equal(factors, before[1])


@every_score_of_codes
def test_a_factor_that_never_varies_is_left_out_and_named(name: str) -> None:
    factors = drawn()
    result = load(name)(identity(factors), np.column_stack([factors[:, :1], np.full(len(factors), 7), factors[:, 1:]]))
    assert result.value == pytest.approx(load(name)(identity(factors), factors).value)
    assert result.settings["constant_factors"] == [1]


@every_score_of_codes
@pytest.mark.parametrize("latents", [1, 3])
@pytest.mark.parametrize("columns", [1, 3])
def test_one_latent_or_one_factor_is_enough(name: str, latents: int, columns: int) -> None:
    factors = drawn()
    good = load(name)(identity(factors)[:, :latents], factors[:, :columns])
    bad = load(name)(constant(factors)[:, :latents], factors[:, :columns])
    assert np.isfinite([*good.parts.values(), good.value]).all()
    assert good.value >= bad.value


def with_value(value: float) -> Floats:
    codes = identity(drawn(30))
    codes[3, 1] = value
    return codes


WRONG: dict[str, tuple[Any, Any, str]] = {
    "NaN": (with_value(np.nan), drawn(30), "1 of 30 rows hold NaN or infinity"),
    "infinity": (with_value(-np.inf), drawn(30), "1 of 30 rows hold NaN or infinity"),
    "too large": (with_value(1e200), drawn(30), "1e100"),
    "other length": (identity(drawn(29)), drawn(30), "29 rows but the factors 30"),
    "one-dimensional codes": (np.zeros(30), drawn(30), r"\(samples, latents\)"),
    "one-dimensional factors": (identity(drawn(30)), drawn(30)[:, 0], r"\(samples, factors\)"),
    "no latents": (np.zeros((30, 0)), drawn(30), "at least 1"),
    "fractions": (identity(drawn(30)), drawn(30) + 0.5, "whole numbers"),
    "nothing varies": (identity(drawn(30)), np.ones((30, 2), np.int64), "every factor has one value"),
    "one sample": (identity(drawn(1)), drawn(1), "at least 3|every factor has one value"),
}


@every_score_of_codes
@pytest.mark.parametrize("wrong", WRONG)
def test_unusable_arrays_are_refused_with_a_sentence(name: str, wrong: str) -> None:
    codes, factors, message = WRONG[wrong]
    with pytest.raises(InvalidData, match=message):
        load(name)(codes, factors)


@every_score_of_codes
def test_few_samples_give_a_value_or_a_sentence(name: str) -> None:
    for count in range(1, 10):
        factors = drawn(count, seed=count)
        with contextlib.suppress(InvalidData):
            assert np.isfinite(load(name)(blurred(factors), factors).value)


TESTED = [name for name in OF_CODES if "test" in inspect.signature(load(name)).parameters]


@pytest.mark.parametrize("name", TESTED)
def test_test_samples_must_be_a_pair_of_the_same_widths(name: str) -> None:
    factors = drawn(30)
    pairs: list[tuple[Any, str]] = [
        (identity(factors), "a pair"),
        ((identity(factors)[:, :2], factors), "test has 2 latents, but what is learned from has 3"),
        ((identity(factors), factors[:, :1]), "test has 1 factors, but what is learned from has 3"),
        ((identity(factors)[:9], factors), "the test codes have 9 rows"),
    ]
    for test, message in pairs:
        with pytest.raises(InvalidData, match=message):
            load(name)(identity(factors), factors, test=test)


@pytest.mark.parametrize("name", TESTED)
def test_the_seed_draws_the_third_that_is_held_out(name: str) -> None:
    factors = drawn(90)

    def of(seed: int) -> Score:
        return load(name)(blurred(factors), factors, seed=seed)

    assert of(0).settings["train_samples"] == 60
    assert of(0).settings["test_samples"] == 30
    assert of(0).to_dict() == of(0).to_dict()
    assert of(0).value != of(1).value


def test_parts_of_factors_take_their_names() -> None:
    parts: npt.NDArray[np.float64] = np.arange(2.0)
    score = Score(0.5, {"0": parts[0], "1": parts[1], "completeness": 0.3})
    assert score.named(["shape", "scale"]).parts == {"shape": 0.0, "scale": 1.0, "completeness": 0.3}
