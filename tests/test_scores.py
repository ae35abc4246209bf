"""The laws of every score on the shelf: a new file is held to them without being named here."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable
from functools import cache
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
NEEDS = {name: registry.load("scores", name).declaration.needs for name in SCORES}
OF_CODES = [name for name in SCORES if NEEDS[name] == "codes"]
OF_SAMPLERS = [name for name in SCORES if NEEDS[name] == "sampler"]
OF_RUNS = [name for name in SCORES if NEEDS[name] == "runs"]
UNSUPERVISED = [
    name for name in OF_CODES if inspect.signature(registry.load("scores", name)).parameters["factors"].default is None
]
SUPERVISED = [name for name in OF_CODES if name not in UNSUPERVISED]
OF_ONE = [name for name in SCORES if name not in UNSUPERVISED + OF_RUNS]
FEWER = {"train": 1000, "evaluation": 500, "variance": 1000}
"""What scores that draw their own samples need no more of here."""

LAYOUT = {"edi", "infoc", "infom"}
"""Scores of how what is known is laid out, not of how much: what noise shares by chance may be laid out well."""
BLIND = {"fairness"}
"""Scores to which what knows nothing is flawless: they compare representations that know as much."""

OF_A_UNIT = {
    "actionaccuracy", "actionerror", "betavae_score", "cyclicconsistency", "dlsbd", "flatness", "independence", "infoc",
    "infom", "irs", "linearity", "restrictiveness", "rollout", "sap",
}  # fmt: skip
"""Scores that weigh latents by their spread, or fit what penalises it, as they were published."""

every_score = pytest.mark.parametrize("name", SCORES)
every_score_of_factors = pytest.mark.parametrize("name", OF_ONE)
every_score_of_codes = pytest.mark.parametrize("name", OF_CODES)
every_supervised_score = pytest.mark.parametrize("name", SUPERVISED)
every_unsupervised_score = pytest.mark.parametrize("name", UNSUPERVISED)
every_score_of_samplers = pytest.mark.parametrize("name", OF_SAMPLERS)
every_score_of_runs = pytest.mark.parametrize("name", OF_RUNS)


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


def repeated(factors: Integers) -> Floats:
    """The first factor in every latent, each a little different."""
    return factors[:, [0] * factors.shape[1]] + 0.1 * np.random.default_rng(3).normal(size=factors.shape)


def sampled(name: str, represent: Callable[[Integers], Floats], space: FactorSpace = SPACE, **options: Any) -> Score:
    fewer = {key: value for key, value in FEWER.items() if key in inspect.signature(load(name)).parameters}
    return load(name)(Sampler(space, represent), **(fewer | options))


def measure(name: str, represent: Callable[[Integers], Floats]) -> float:
    if NEEDS[name] == "sampler":
        return float(sampled(name, represent))
    if NEEDS[name] == "runs":
        return float(load(name)([represent(drawn()), represent(drawn()) + 1.0]))
    return float(load(name)(represent(drawn()), drawn()))


@cache
def known(name: str, represent: Callable[[Integers], Floats]) -> float:
    """What a score makes of a representation above, measured once for all tests that compare with it."""
    return measure(name, represent)


def goodness(name: str, represent: Callable[[Integers], Floats]) -> float:
    return known(name, represent) * (1 if load(name).declaration.direction == "higher" else -1)


@every_score_of_factors
def test_the_factors_themselves_score_well_above_noise_and_constants(name: str) -> None:
    if name in BLIND:
        assert goodness(name, identity) >= goodness(name, constant) - 1e-9
        return
    assert goodness(name, identity) > goodness(name, constant) + 0.2
    assert name in LAYOUT or goodness(name, identity) > goodness(name, noise) + 0.2


@every_score_of_factors
def test_a_blur_of_the_factors_scores_between_them_and_noise(name: str) -> None:
    if name in BLIND:
        assert goodness(name, blurred) <= goodness(name, identity)
        return
    slack = 0.05 if name in LAYOUT else 0.0
    assert goodness(name, noise) <= goodness(name, blurred) <= goodness(name, identity) + slack


@every_unsupervised_score
def test_independent_latents_score_well_above_repeated_ones(name: str) -> None:
    for independent in (identity, noise, constant):
        assert goodness(name, independent) > goodness(name, repeated) + 0.2


@every_score
def test_the_order_of_latents_does_not_matter(name: str) -> None:
    order = [2, 0, 1]
    assert measure(name, lambda f: blurred(f)[:, order]) == pytest.approx(known(name, blurred), abs=0.02)


@every_score
def test_the_sign_of_a_latent_does_not_matter(name: str) -> None:
    assert measure(name, lambda f: blurred(f) * [-1.0, 1.0, -1.0]) == pytest.approx(known(name, blurred), abs=0.05)


@every_score
def test_the_unit_of_a_latent_does_not_matter(name: str) -> None:
    if name in OF_A_UNIT:
        return
    assert measure(name, lambda f: blurred(f) * [1.0, 8.0, 64.0]) == pytest.approx(known(name, blurred), abs=1e-6)


@every_score
def test_a_dead_latent_changes_nothing(name: str) -> None:
    def with_dead(factors: Integers) -> Floats:
        return np.column_stack([np.zeros(len(factors)), identity(factors)])

    assert measure(name, with_dead) == pytest.approx(known(name, identity), abs=0.02)


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


@every_supervised_score
def test_a_factor_that_never_varies_is_left_out_and_named(name: str) -> None:
    factors = drawn()
    result = load(name)(identity(factors), np.column_stack([factors[:, :1], np.full(len(factors), 7), factors[:, 1:]]))
    assert result.value == pytest.approx(known(name, identity))
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
    if name in UNSUPERVISED and wrong in ("nothing varies", "one sample"):
        assert np.isfinite(load(name)(codes, factors).value)
        return
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

    one = of(0)
    assert one.settings["train_samples"] == 60
    assert one.settings["test_samples"] == 30
    assert of(0).to_dict() == one.to_dict()
    assert of(1).value != one.value


def test_parts_of_factors_take_their_names() -> None:
    parts: npt.NDArray[np.float64] = np.arange(2.0)
    score = Score(0.5, {"0": parts[0], "1": parts[1], "completeness": 0.3})
    assert score.named(["shape", "scale"]).parts == {"shape": 0.0, "scale": 1.0, "completeness": 0.3}


@every_score_of_codes
def test_dead_latents_are_named_whatever_they_are_dead_at(name: str) -> None:
    factors = drawn(90)
    rounding = 0.7 + 3e-8 * np.random.default_rng(4).normal(size=len(factors))
    codes = np.column_stack([identity(factors), np.zeros(len(factors)), rounding])
    result = load(name)(codes, factors)
    assert result.settings["dead_latents"] == [3, 4]
    codes[:, 4] = 0.0
    assert load(name)(codes, factors).value == result.value
    assert np.isfinite([*load(name)(np.full((90, 3), 0.3), factors).parts.values()]).all()


@every_unsupervised_score
def test_scores_of_codes_alone_do_not_look_at_factors(name: str) -> None:
    codes = blurred(drawn())
    assert load(name)(codes).value == load(name)(codes, drawn()).value
    with pytest.raises(InvalidData, match="NaN"):
        load(name)(np.array([[0.0, np.nan]]))


@every_score
def test_the_global_generator_is_neither_used_nor_moved(name: str) -> None:
    # In the reference, boosted trees, support vector machines and covariate shifts depend on it.
    np.random.seed(1)  # noqa: NPY002
    first = measure(name, blurred)
    np.random.seed(2)  # noqa: NPY002
    state = np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]  # noqa: NPY002
    assert measure(name, blurred) == first
    assert np.random.get_state()[1].tolist() == state  # type: ignore[index,union-attr]  # noqa: NPY002


@every_score_of_samplers
def test_a_sampled_score_records_its_settings_and_fits_json(name: str) -> None:
    result = sampled(name, blurred)
    keywords = {p.name for p in inspect.signature(load(name)).parameters.values() if p.kind is p.KEYWORD_ONLY}
    assert result.name == name
    assert keywords <= set(result.settings)
    assert json.loads(json.dumps(result.to_dict()))["value"] == result.value
    assert load(name).declaration.lowest <= result.value <= load(name).declaration.highest
    assert set(result.named(SPACE.names).parts) >= {SPACE.names[int(part)] for part in result.parts if part.isdigit()}


@every_score_of_samplers
def test_a_factor_of_one_value_is_never_intervened_on(name: str) -> None:
    space = FactorSpace([Factor("shape", 3), Factor("colour", 1), Factor("scale", 4), Factor("x", 5)])
    wider = sampled(name, lambda factors: identity(factors[:, [0, 2, 3]]), space)
    assert wider.value == pytest.approx(known(name, identity), abs=0.05)
    assert "1" not in wider.parts


@every_score_of_samplers
def test_dead_sampled_codes_have_a_finite_value(name: str) -> None:
    for represent in (constant, lambda factors: np.zeros((len(factors), 1))):
        result = sampled(name, represent)
        assert np.isfinite([result.value, *result.parts.values()]).all()


@every_score_of_samplers
def test_sampled_codes_that_are_not_numbers_are_refused(name: str) -> None:
    with pytest.raises(InvalidData, match="NaN"):
        sampled(name, lambda factors: np.full(factors.shape, np.nan))


@every_score_of_samplers
def test_a_space_in_which_nothing_varies_is_refused(name: str) -> None:
    with pytest.raises(InvalidData, match=r"varies|vary|more than one value"):
        sampled(name, identity, FactorSpace([Factor("shape", 1)]))


@every_score_of_samplers
def test_the_seed_draws_the_samples(name: str) -> None:
    if "seed" not in inspect.signature(load(name)).parameters:
        return
    represented = blurred(drawn(60, seed=5))

    def represent(factors: Integers) -> Floats:
        return represented[SPACE.index(factors)]

    one = sampled(name, represent, seed=3)
    assert sampled(name, represent, seed=3).to_dict() == one.to_dict()
    assert sampled(name, represent, seed=4).value != one.value


@every_score_of_runs
def test_runs_that_found_the_same_latents_agree_and_others_do_not(name: str) -> None:
    factors = drawn()
    found, order = blurred(factors), [2, 0, 1]
    same = load(name)([found, -found[:, order], 3.0 + 5.0 * found])
    other = load(name)([noise(factors), blurred(factors), factors @ np.random.default_rng(5).normal(size=(3, 3))])
    assert same.value > other.value + 0.2
    assert load(name).declaration.lowest <= other.value <= same.value <= load(name).declaration.highest
    assert json.loads(json.dumps(same.to_dict()))["value"] == same.value


@every_score_of_runs
def test_the_order_of_runs_does_not_matter(name: str) -> None:
    runs = [identity(drawn()), blurred(drawn()), repeated(drawn())]
    assert load(name)(runs[::-1]).value == pytest.approx(load(name)(runs).value, abs=1e-12)


@every_score_of_runs
def test_runs_are_refused_with_a_sentence(name: str) -> None:
    codes = blurred(drawn(30))
    wrong = [[codes], [codes, codes[:9]], [codes, with_value(np.nan)], [codes, codes[:, 0]]]
    for runs in wrong:
        with pytest.raises(InvalidData, match=r"at least 2|same samples|NaN|\(samples, latents\)"):
            load(name)(runs)
