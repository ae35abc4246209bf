"""Accuracy on what is left of the latents, against a loop over scikit-learn's trees."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from unbraid.errors import InvalidOption
from unbraid.scores.reduceddownstream import reduceddownstream
from unbraid.types import Floats, Integers


def representation() -> tuple[Floats, Integers]:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 3), size=(450, 2))
    clear = factors @ [[1.0, 0.6, 0.0], [0.3, 0.0, 1.0]]
    return np.column_stack([clear, factors[:, 0] + generator.normal(size=450)]) + 0.2 * generator.normal(
        size=(450, 4)
    ), factors


@pytest.mark.parametrize("remove", [1, 2])
def test_the_most_important_latents_are_taken_away_one_by_one(remove: int) -> None:
    codes, factors = representation()
    own, others, before = [], [], []
    for f in range(2):
        rest = list(range(4))
        for turn in range(remove):
            trees = GradientBoostingClassifier(random_state=0).fit(codes[:300][:, rest], factors[:300, f])
            if turn == 0:
                before.append(trees.score(codes[300:], factors[300:, f]))
            del rest[int(trees.feature_importances_.argmax())]
        for g in range(2):
            trees = GradientBoostingClassifier(random_state=0).fit(codes[:300][:, rest], factors[:300, g])
            (own if g == f else others).append(trees.score(codes[300:][:, rest], factors[300:, g]))
    result = reduceddownstream(
        codes[:300], factors[:300], test=(codes[300:], factors[300:]), remove=remove, others=True, trees="original"
    )
    assert [result.parts[str(f)] for f in range(2)] == pytest.approx(own, abs=0.01)
    assert result.parts["others"] == pytest.approx(np.mean(others), abs=0.01)
    assert result.value == pytest.approx(np.mean(before) - np.mean(own), abs=0.01)


def test_a_factor_in_two_latents_survives_the_loss_of_one() -> None:
    factors = np.random.default_rng(0).integers(0, 4, size=(300, 2))
    codes = np.column_stack([factors, factors[:, 0]])
    result = reduceddownstream(codes, factors)
    assert result.parts["0"] == 1.0
    assert result.parts["1"] < 0.4
    assert reduceddownstream(codes, factors, remove=2).parts["0"] < 0.4


def test_with_no_latent_left_the_commonest_value_is_the_answer() -> None:
    factors = (np.arange(90)[:, None] % 3 == 0).astype(np.int64)
    result = reduceddownstream(factors, factors, test=(factors, factors), remove=5)
    assert result.parts["0"] == pytest.approx(2 / 3)


def test_something_must_be_removed() -> None:
    with pytest.raises(InvalidOption, match="remove"):
        reduceddownstream(np.eye(6), np.arange(6)[:, None] % 2, remove=0)
