"""Gaps and concentrations of small matrices that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.info.importance import completeness, concentration, disentanglement, gaps


def test_pure_rows_and_columns_are_fully_concentrated() -> None:
    importance = np.array([[0.0, 3.0], [1.0, 0.0], [0.0, 0.0]])
    assert disentanglement(importance) == pytest.approx(1.0, abs=1e-9)
    assert completeness(importance) == pytest.approx(1.0, abs=1e-9)


def test_rows_count_by_what_they_hold() -> None:
    # A pure row with 3/4 of everything and an even one with 1/4.
    assert disentanglement(np.array([[3.0, 0.0], [0.5, 0.5]])) == pytest.approx(0.75, abs=1e-9)


def test_nothing_at_all_counts_as_even() -> None:
    assert disentanglement(np.zeros((3, 2))) == 0.0
    assert completeness(np.zeros((3, 2))) == pytest.approx(0.0, abs=1e-12)


def test_with_one_column_whatever_is_used_is_pure() -> None:
    assert concentration(np.array([[0.2], [0.0]])).tolist() == [1.0, 0.0]


def test_the_second_best_of_one_latent_is_zero() -> None:
    assert gaps(np.array([[0.4, 0.7]])).tolist() == [0.4, 0.7]
    assert gaps(np.array([[0.4, 0.7], [0.1, 0.9]])) == pytest.approx([0.3, 0.2])
