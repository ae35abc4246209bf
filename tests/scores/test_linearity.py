"""Linearity against numpy's covariance, traversal by traversal, and on turned, bent and dead codes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.score import Sampler
from unbraid.scores.linearity import linearity
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("x", 6), Factor("y", 6)])


def bent(factors: Integers) -> Floats:
    x, y = factors[:, 1], factors[:, 2]
    return np.column_stack([np.cos(x), np.sin(x) + 0.1 * x * y, y + factors[:, 0], 0.2 * factors[:, 0] ** 2])


def every_traversal(f: int) -> list[Integers]:
    others = [o for o in range(3) if o != f]
    found = []
    for a in range(SPACE.sizes[others[0]]):
        for b in range(SPACE.sizes[others[1]]):
            values = np.zeros((SPACE.sizes[f], 3), dtype=np.int64)
            values[:, f], values[:, others[0]], values[:, others[1]] = np.arange(SPACE.sizes[f]), a, b
            found.append(values)
    return found


def slow_ratio(shares: Floats) -> float:
    return float((shares.max() / shares.sum() - 1 / len(shares)) / (1 - 1 / len(shares)))


def test_linearity_is_the_mean_ratio_over_all_traversals() -> None:
    linear, axis, aligned = [], [], []
    for f in range(3):
        ratios = []
        for values in every_traversal(f):
            spread = np.cov(bent(values).T)
            ratios.append((slow_ratio(np.linalg.eigvalsh(spread)), slow_ratio(np.diag(spread))))
        linear.append(np.mean([a for a, _ in ratios]))
        axis.append(np.mean([b for _, b in ratios]))
        aligned.append(np.mean([b / a for a, b in ratios]))
    result = linearity(Sampler(SPACE, bent), repeats=4000)
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(linear, abs=0.01)
    assert result.value == pytest.approx(np.mean(linear), abs=0.01)
    assert result.parts["axis"] == pytest.approx(np.mean(axis), abs=0.01)
    assert result.parts["alignment"] == pytest.approx(np.mean(aligned), abs=0.01)
    assert result.parts["geometric"] == pytest.approx(np.prod(linear) ** (1 / 3), abs=0.01)


@pytest.mark.parametrize(
    ("represent", "value", "axis"),
    [
        (lambda f: f.astype(float), 1.0, 1.0),
        (lambda f: f @ np.array([[1.0, 1, 0], [1, -1, 0], [0, 0, 1]]), 1.0, (0.25 + 0.25 + 1) / 3),
        (lambda f: np.column_stack([f, f[:, 0]]), 1.0, (1 / 3 + 1 + 1) / 3),
        (lambda f: f[:, :1].astype(float), 1 / 3, 1 / 3),
        (lambda f: np.zeros((len(f), 4)), 0.0, 0.0),
    ],
    ids=["identity", "turned", "duplicated", "one latent", "dead"],
)
def test_known_codes_have_known_ratios(represent: Callable[[Integers], Floats], value: float, axis: float) -> None:
    result = linearity(Sampler(SPACE, represent))
    assert result.value == pytest.approx(value, abs=1e-9)
    assert result.parts["axis"] == pytest.approx(axis, abs=1e-9)


def test_a_factor_that_moves_nothing_counts_as_zero_and_not_as_the_rounding_of_its_mean() -> None:
    result = linearity(Sampler(SPACE, lambda f: np.column_stack([0.1 * f[:, 1] + 0.7, 0.3 * f[:, 2] + 1e3])))
    assert result.parts["0"] == 0.0
    assert result.value == pytest.approx(2 / 3)
    assert result.parts["geometric"] == 0.0


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(InvalidOption, match="repeats"):
        linearity(Sampler(SPACE, bent), repeats=0)
    with pytest.raises(InvalidData, match="rows hold NaN"):
        linearity(Sampler(SPACE, lambda f: np.full((len(f), 2), np.nan)))
    with pytest.raises(InvalidData, match="0 factors"):
        linearity(Sampler(FactorSpace([Factor("colour", 1)]), lambda f: f.astype(float)))
