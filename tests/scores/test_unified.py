"""Unified scores: each reading is the published score's own where the relation is, and groups are counted by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import trapezoid

from unbraid.errors import InvalidOption
from unbraid.scores.dci import dci
from unbraid.scores.mig import mig
from unbraid.scores.modularity import modularity
from unbraid.scores.sap import sap
from unbraid.scores.unified import unified
from unbraid.types import Floats, Integers


def representation() -> tuple[Floats, Integers]:
    generator = np.random.default_rng(0)
    factors = generator.integers(0, (2, 3, 4), size=(450, 3))
    mixed = factors @ [[1.0, 0.6, 0.0], [0.0, 1.0, 0.0], [0.3, 0.0, 1.0]]
    return np.column_stack([mixed + 0.3 * generator.normal(size=mixed.shape), generator.normal(size=450)]), factors


def groups_at(matrix: Floats, threshold: float) -> int:
    """Groups of latents and factors joined by what is at least the threshold, found by spreading from each latent."""
    joined = (matrix >= threshold) & (matrix > 0)
    left, found = set(range(len(matrix))), 0
    while left:
        latents, factors = {left.pop()}, set()
        while True:
            wider = {f for d in latents for f in np.flatnonzero(joined[d])}
            more = {int(d) for f in wider for d in np.flatnonzero(joined[:, f])} | latents
            if wider == factors and more == latents:
                break
            latents, factors = more, wider
        left -= latents
        found += bool(factors)
    return found


def test_each_relation_read_its_own_way_is_the_published_score() -> None:
    codes, factors = representation()
    information = unified(codes, factors, test=(codes, factors)).parts
    assert information["mig"] == pytest.approx(mig(codes, factors).value)
    assert information["modularity"] == pytest.approx(modularity(codes, factors).value)
    importance, published = unified(codes, factors, relation="importance").parts, dci(codes, factors)
    assert importance["disentanglement"] == pytest.approx(published.value)
    assert importance["completeness"] == pytest.approx(published.parts["completeness"])
    assert unified(codes, factors, relation="accuracy").parts["sap"] == pytest.approx(sap(codes, factors).value)


@pytest.mark.parametrize("relation", ["information", "importance", "accuracy"])
def test_the_area_is_that_under_the_number_of_groups(relation: Any) -> None:
    codes, factors = representation()
    result = unified(codes, factors, relation=relation)
    assert result.matrix is not None
    strengths = np.sort(result.matrix.ravel())[::-1]
    counts = [groups_at(result.matrix, strength) for strength in strengths]
    assert result.parts["area"] == pytest.approx(trapezoid(counts, -strengths))
    assert result.parts["groups"] == max(counts)
    if relation != "information":
        ours = [groups_at(result.matrix, strength) for strength in np.linspace(1e-9, 1, 20_001)]
        assert result.value == pytest.approx(np.mean(ours) / 3, abs=1e-3)


def test_merged_factors_are_one_group() -> None:
    factors = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    merged = factors @ [[4], [1]]
    result = unified(merged, factors, bins=16, test=(merged, factors))
    assert result.value == pytest.approx(0.5)
    assert result.parts["groups"] == 1


def test_an_unknown_relation_is_refused() -> None:
    with pytest.raises(InvalidOption, match="'love'"):
        unified(np.eye(4), np.arange(4)[:, None], relation="love")  # type: ignore[arg-type]
