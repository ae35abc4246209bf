"""Flatness against distances taken one by one, and on turned, cyclic and dead codes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.score import Sampler
from unbraid.scores.flatness import flatness
from unbraid.types import Factor, FactorSpace, Floats, Integers

SPACE = FactorSpace([Factor("shape", 3), Factor("x", 6), Factor("y", 6)])


def bent(factors: Integers) -> Floats:
    x, y = factors[:, 1], factors[:, 2]
    return np.column_stack([np.cos(x), np.sin(x) + 0.1 * x * y, y + factors[:, 0], 0.2 * factors[:, 0] ** 2])


def test_flatness_is_width_over_length_averaged_over_all_traversals() -> None:
    expected = {}
    for f in range(3):
        others = [o for o in range(3) if o != f]
        widths, lengths = [], []
        for a in range(SPACE.sizes[others[0]]):
            for b in range(SPACE.sizes[others[1]]):
                values = np.zeros((SPACE.sizes[f], 3), dtype=np.int64)
                values[:, f], values[:, others[0]], values[:, others[1]] = np.arange(SPACE.sizes[f]), a, b
                codes = bent(values)
                widths.append(max(np.sqrt(((p - q) ** 2).sum()) for p, q in combinations(codes, 2)))
                steps = sorted(abs(codes[i] - codes[i - 1]).sum() for i in range(len(codes)))
                lengths.append(sum(steps[:-1]))
        expected[f] = np.mean(widths) / np.mean(lengths)
    result = flatness(Sampler(SPACE, bent), repeats=4000)
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(list(expected.values()), abs=0.01)
    assert result.value == pytest.approx(np.mean(list(expected.values())), abs=0.01)


@pytest.mark.parametrize(
    ("represent", "value", "l2"),
    [
        (lambda f: f.astype(float), 1.0, 1.0),
        (lambda f: -3.0 * np.sinh(f), 1.0, 1.0),
        (lambda f: f @ np.array([[1.0, 1, 0], [1, -1, 0], [0, 0, 1]]), (2 / np.sqrt(2) + 1) / 3, 1.0),
        (lambda f: np.column_stack([f, f]), 1 / np.sqrt(2), 1.0),
        (lambda f: f[:, :1].astype(float), 1 / 3, 1 / 3),
        (lambda f: np.zeros((len(f), 4)), 0.0, 0.0),
    ],
    ids=["identity", "warped", "turned", "duplicated", "one latent", "dead"],
)
def test_known_codes_have_known_ratios(represent: Callable[[Integers], Floats], value: float, l2: float) -> None:
    result = flatness(Sampler(SPACE, represent))
    assert result.value == pytest.approx(value, abs=1e-9)
    assert result.parts["l2"] == pytest.approx(l2, abs=1e-9)


def test_perfect_codes_beside_latents_of_dust_score_as_with_the_reference() -> None:
    space = FactorSpace([Factor(str(f), size) for f, size in enumerate((3, 6, 40, 32, 32))])
    result = flatness(Sampler(space, lambda f: representation("permuted", f, sizes=space.sizes)))
    assert result.value == pytest.approx(0.765, abs=0.01)
    assert result.parts["l2"] == pytest.approx(0.976, abs=0.01)


def test_a_turn_back_and_a_circle_cost() -> None:
    space = FactorSpace([Factor("x", 4)])
    shuffled = flatness(Sampler(space, lambda f: np.array([[0.0], [2.0], [1.0], [3.0]])[f[:, 0]]))
    assert shuffled.value == pytest.approx(3 / 5)  # steps 2, 1, 2 and 3 back: the longest is left out
    square = flatness(Sampler(space, lambda f: np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])[f[:, 0]]))
    assert square.parts["l2"] == pytest.approx(np.sqrt(2) / 3)


def test_no_repeats_are_refused() -> None:
    with pytest.raises(InvalidOption, match="repeats"):
        flatness(Sampler(SPACE, bent), repeats=0)
