"""JEMMIG against its formula written out in loops, and on the cases it was made for."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.jemmig import jemmig
from unbraid.types import Floats, Integers

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 8), size=(3000, 3))


def slow_entropy(*columns: Integers) -> float:
    _, counts = np.unique(np.stack(columns), axis=1, return_counts=True)
    return float(-(counts / counts.sum() * np.log(counts / counts.sum())).sum())


def slow_jemmig(codes: Floats, factors: Integers, bins: int) -> list[float]:
    labels = [np.digitize(column, np.histogram(column, bins)[1][:-1]) for column in codes.T]
    scores = []
    for values in factors.T:
        known = [slow_entropy(label) + slow_entropy(values) - slow_entropy(label, values) for label in labels]
        order = np.argsort(known)
        lack = slow_entropy(labels[order[-1]], values) - known[order[-1]] + known[order[-2]]
        scores.append(1 - lack / (slow_entropy(values) + np.log(bins)))
    return scores


@pytest.mark.parametrize("name", ["perfect", "noisy", "mixed", "merged", "rotated"])
def test_jemmig_is_its_formula(name: str) -> None:
    codes = representation(name, FACTORS)
    result = jemmig(codes, FACTORS, bins=10)
    expected = slow_jemmig(codes, FACTORS, 10)
    assert list(result.parts.values()) == pytest.approx(expected, abs=1e-9)
    assert result.value == pytest.approx(np.mean(expected), abs=1e-9)


def test_merged_duplicated_and_noisy_codes_all_cost() -> None:
    scores = {name: float(jemmig(representation(name, FACTORS), FACTORS)) for name in ("perfect", "warped", "random")}
    for name in ("merged", "duplicated", "noisy", "rotated"):
        assert scores["random"] + 0.1 < float(jemmig(representation(name, FACTORS), FACTORS)) < scores["perfect"] - 0.1
    assert scores["perfect"] > 0.98
    assert scores["random"] < 0.2


def test_a_dead_latent_is_the_best_of_none_and_dead_codes_score_zero() -> None:
    # The formula gives log B / (H + log B), over a half, to a latent that says nothing: 0 / 0 or .57 elsewhere.
    result = jemmig(representation("dead", FACTORS[:, [0, 1, 2, 0]]), FACTORS[:, [0, 1, 2, 0]])
    assert np.isfinite([result.value, *result.parts.values()]).all()
    assert jemmig(representation("all dead", FACTORS), FACTORS).value == 0.0


DSPRITES = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), size=(10000, 5))


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("permuted", 0.944),
        ("periodic", 0.856),
        ("duplicated", 0.854),
        ("merged", 0.81),
        ("noisy", 0.335),
        ("random", 0.113),
    ],
)
def test_known_codes_score_as_with_other_implementations(name: str, published: float) -> None:
    assert jemmig(representation(name, DSPRITES), DSPRITES).value == pytest.approx(published, abs=0.01)


def test_a_single_bin_is_refused() -> None:
    with pytest.raises(InvalidOption, match="bins"):
        jemmig(np.eye(3), np.arange(3)[:, None], bins=1)
