"""Unsupervised disentanglement ranking, against loops over scikit-learn's lasso and scipy's rank correlation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Lasso

from unbraid.errors import InvalidData, InvalidOption
from unbraid.scores.udr import udr
from unbraid.types import Floats

DIVERGENCES = [np.array([1.0, 0.5, 0.001, 2.0]), np.array([1.0, 0.5, 0.02, 0.0]), np.ones(4)]


def runs() -> list[Floats]:
    generator = np.random.default_rng(0)
    sources = generator.normal(size=(400, 4))
    mixing = np.eye(4) + 0.4 * generator.normal(size=(3, 4, 4))
    return [5.0 + sources @ mix + 0.3 * generator.normal(size=(400, 4)) for mix in mixing]


def related(first: Floats, second: Floats, relation: str) -> Floats:
    if relation == "lasso":
        return np.abs(Lasso(alpha=0.1, tol=1e-12, max_iter=100_000).fit(first, second).coef_).T
    return np.array([[abs(spearmanr(a, b).statistic) for b in second.T] for a in first.T])


@pytest.mark.parametrize("relation", ["lasso", "spearman"])
@pytest.mark.parametrize("divergences", [None, DIVERGENCES])
def test_it_is_the_median_agreement_with_the_other_models(relation: Any, divergences: Any) -> None:
    codes = runs()
    kept = [np.full(4, True) if divergences is None else divergences[i] > 0.01 for i in range(3)]
    scaled = [(of - of.mean(axis=0)) / of.std(axis=0) for of in codes]
    if relation == "lasso":  # in the reference those below the threshold are set to 0 and stay
        scaled = [of * keep for of, keep in zip(scaled, kept, strict=True)]
    agreement = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            if i != j:
                matrix = related(scaled[i], scaled[j], relation)[kept[i]][:, kept[j]]
                ways = [
                    np.mean([max(row) ** 2 / sum(row) if sum(row) > 0 else 0.0 for row in way])
                    for way in (matrix, matrix.T)
                ]
                agreement[i, j] = np.mean(ways)
    each = [np.median([agreement[i, j] for i in range(3) if i != j]) for j in range(3)]
    result = udr(codes, relation=relation, divergences=divergences)
    assert result.matrix == pytest.approx(agreement, abs=1e-8)
    assert list(result.parts.values()) == pytest.approx(each, abs=1e-8)
    assert result.value == pytest.approx(np.mean(each), abs=1e-8)


def test_models_that_differ_by_order_sign_and_unit_agree_but_for_the_penalty() -> None:
    independent = np.linalg.qr(np.random.default_rng(0).normal(size=(300, 4)))[0]
    independent -= independent.mean(axis=0)
    independent = np.linalg.qr(independent)[0]
    other = independent[:, [2, 0, 3, 1]] * [1.0, -5.0, 0.1, 2.0]
    # A weight of 1 is drawn 0.1 towards 0, and 0.9 squared over 0.9 is left.
    assert udr([independent, other]).value == pytest.approx(0.9, abs=1e-6)
    assert udr([independent, other], penalty=0.0).value == pytest.approx(1.0, abs=1e-6)


def test_a_rotation_between_models_is_seen() -> None:
    codes = np.random.default_rng(0).normal(size=(2000, 2))
    turned = codes @ np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)
    # Two equal weights w = 0.71 - 0.1 a latent: w squared over 2 w.
    assert udr([codes, turned]).value == pytest.approx((np.sqrt(0.5) - 0.1) / 2, abs=0.02)


def test_models_may_differ_in_width_and_dead_latents_do_not_count() -> None:
    first, second, _ = runs()
    wider = np.column_stack([second, np.full(400, 3.0)])
    result = udr([first, wider])
    assert result.value == pytest.approx(udr([first, second]).value, abs=1e-9)
    assert result.settings["informative_latents"] == [4, 4]
    assert result.settings["dead_latents"] == [[], [4]]
    assert udr([first, np.zeros((400, 3))]).value == 0.0


def test_what_cannot_be_compared_is_refused() -> None:
    first, second, _ = runs()
    with pytest.raises(InvalidData, match="at least 2, but there are 1"):
        udr([first])
    with pytest.raises(InvalidData, match="same samples, but they have 400, 7 rows"):
        udr([first, second[:7]])
    with pytest.raises(InvalidData, match="the codes of run 1 must be finite"):
        udr([first, np.where(second > 6, np.nan, second)])
    with pytest.raises(InvalidData, match="one number a latent"):
        udr([first, second], divergences=[[1.0] * 4, [1.0] * 3])
    with pytest.raises(InvalidOption, match="'pearson'"):
        udr([first, second], relation="pearson")  # type: ignore[arg-type]
