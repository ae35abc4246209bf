"""Disentanglement, completeness and informativeness, against loops over scikit-learn's trees and known answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier

from unbraid.errors import InvalidOption
from unbraid.scores.dci import dci
from unbraid.types import Floats, Integers


def representation(count: int) -> tuple[Floats, Integers]:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 3, 4), size=(count, 3))
    mixed = factors @ [[1.0, 0.6, 0.0], [0.0, 1.0, 0.0], [0.3, 0.0, 1.0]]
    return np.column_stack([mixed + 0.3 * generator.normal(size=mixed.shape), generator.normal(size=count)]), factors


def slow_dci(codes: Floats, factors: Integers, test_codes: Floats, test_factors: Integers) -> list[float]:
    importance = np.zeros((codes.shape[1], factors.shape[1]))
    right, right_train = [], []
    for f in range(factors.shape[1]):
        trees = GradientBoostingClassifier(random_state=0).fit(codes, factors[:, f])
        importance[:, f] = trees.feature_importances_
        right_train.append(np.mean(trees.predict(codes) == factors[:, f]))
        right.append(np.mean(trees.predict(test_codes) == test_factors[:, f]))

    def mean_purity(rows: Sequence[Floats]) -> float:
        total = sum(sum(row) for row in rows)
        return sum((1 - entropy(row + 1e-11, base=len(row))) * sum(row) / total for row in rows)

    return [mean_purity(importance), mean_purity(importance.T), np.mean(right), np.mean(right_train)]


@pytest.fixture(scope="module")
def reference() -> list[float]:
    codes, factors = representation(450)
    return slow_dci(codes[:300], factors[:300], codes[300:], factors[300:])


@pytest.mark.parametrize(("trees", "tolerance"), [("original", 1e-9), ("lightgbm", 0.02)])
def test_dci_is_that_of_gradient_boosting(trees: Any, tolerance: float, reference: list[float]) -> None:
    codes, factors = representation(450)
    result = dci(codes[:300], factors[:300], test=(codes[300:], factors[300:]), trees=trees)
    assert list(result.parts.values()) == pytest.approx(reference, abs=tolerance)
    assert result.value == result.parts["disentanglement"]
    assert 0.3 < result.value < 0.9  # a case in which something is at stake


def test_a_copied_latent_shares_the_importance_with_its_copy() -> None:
    factors = np.random.default_rng(0).integers(0, 4, size=(300, 2))
    result = dci(np.column_stack([factors, factors[:, 0]]), factors)
    assert result.value == pytest.approx(1.0, abs=1e-6)
    assert result.matrix is not None
    assert result.matrix[[0, 2], 0] == pytest.approx([0.5, 0.5], abs=0.1)
    # Half and half of three latents: 1 - log 2 / log 3 for one factor, 1 for the other.
    assert result.parts["completeness"] == pytest.approx(1 - np.log(2) / np.log(3) / 2, abs=0.02)


def test_a_merged_latent_is_complete_but_not_disentangled() -> None:
    factors = np.random.default_rng(0).integers(0, 3, size=(300, 2))
    result = dci(factors @ np.array([[3.0], [1.0]]), factors)
    assert result.parts["completeness"] == 1.0
    assert result.value == pytest.approx(0.0, abs=1e-6)
    assert result.parts["informativeness"] == 1.0


def test_a_dead_latent_hides_none_of_those_behind_it() -> None:
    # An implementation elsewhere stops at the first dead latent, and all after it count as tangled.
    factors = np.random.default_rng(0).integers(0, 3, size=(300, 2))
    result = dci(np.column_stack([np.zeros(300), factors[:, 0], np.full(300, 7.0), factors[:, 1]]), factors)
    assert result.value == pytest.approx(1.0, abs=1e-6)
    assert result.matrix is not None
    assert result.matrix.argmax(axis=0).tolist() == [1, 3]
    assert (result.matrix[[0, 2]] == 0).all()


def test_values_named_by_any_numbers_and_seen_only_in_the_test_are_allowed() -> None:
    factors = np.random.default_rng(0).integers(0, 3, size=(200, 1)) * 1000 - 7
    test = np.array([[-7.0], [993.0], [1993.0], [5.0]])
    result = dci(factors, factors, test=(test, np.array([[-7], [993], [1993], [5]])))
    assert result.parts["informativeness"] == 0.75


def test_an_unknown_kind_of_trees_is_refused() -> None:
    with pytest.raises(InvalidOption, match="'forest'"):
        dci(np.eye(6), np.arange(6)[:, None], trees="forest")  # type: ignore[arg-type]


def test_a_missing_openmp_library_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
            if name == "lightgbm":
                raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    codes, factors = representation(30)
    with pytest.raises(InvalidOption, match=r"libgomp1.*trees='original'"):
        dci(codes, factors)
    assert 0 <= float(dci(codes, factors, trees="original")) <= 1
