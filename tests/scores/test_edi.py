"""EDI against its formulas in loops over scikit-learn's estimates, and on codes whose exclusivity is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mutual_info_score

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.edi import edi

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 8), size=(1500, 3))


def slow_exclusivity(impacts: list[float]) -> float:
    *rest, most = sorted(impacts)
    return float(most - np.sqrt(np.mean(np.square(rest))))


@pytest.mark.parametrize("name", ["noisy", "mixed"])
def test_edi_is_made_of_the_exclusivity_of_rows_and_columns_of_impacts(name: str) -> None:
    codes = representation(name, FACTORS)
    impact, explicit = np.zeros((10, 3)), []
    for f, values in enumerate(FACTORS.T):
        single = []
        for column in codes.T:
            scaled = ((column - column.mean()) / column.std())[:, None]
            single.append(
                mutual_info_classif(scaled, values, discrete_features=False, n_neighbors=10, random_state=0)[0]
            )
        inputs = (codes - codes.mean(axis=0)) / codes.std(axis=0)
        fitted = LogisticRegression(C=1e8, max_iter=1000).fit(inputs, values)
        entropy = mutual_info_score(values, values)
        known = max(entropy - log_loss(values, fitted.predict_proba(inputs)), *single)
        impact[:, f] = np.array(single) / known
        explicit.append(known / entropy)
    held = [0.0] * 3
    for row in impact:
        held[int(np.argmax(row))] += slow_exclusivity(row.tolist())
    expected = {
        "modularity": np.mean([min(share, 1.0) for share in held]),
        "compactness": np.mean([slow_exclusivity(column.tolist()) for column in impact.T]),
        "explicitness": np.mean(explicit),
    }
    result = edi(codes, FACTORS)
    assert result.parts == pytest.approx(expected, abs=2e-3)
    assert result.value == result.parts["modularity"]


def test_merging_costs_modularity_copying_compactness_and_turning_both() -> None:
    parts = {name: edi(representation(name, FACTORS), FACTORS).parts for name in ("merged", "duplicated", "rotated")}
    assert parts["merged"]["modularity"] < 0.8 < 0.98 < parts["merged"]["compactness"]
    assert parts["duplicated"]["compactness"] < 0.95 < 0.98 < parts["duplicated"]["modularity"]
    assert max(parts["rotated"]["modularity"], parts["rotated"]["compactness"]) < 0.8
    assert all(part["explicitness"] > 0.97 for part in parts.values())


def test_shares_of_nothing_are_nothing() -> None:
    # Two of the factors are in no latent: whatever the estimates leave of them must not draw the latents to them.
    factors = FACTORS[:, [0, 1, 2, 0, 1]].copy()
    factors[:, :2] = np.random.default_rng(1).integers(0, (3, 6), size=(1500, 2))
    result = edi(representation("dead", factors), factors, least=0.05)
    assert result.parts == pytest.approx({"modularity": 0.6, "compactness": 0.6, "explicitness": 0.6}, abs=0.03)
    assert edi(representation("all dead", factors), factors).value == 0.0


def test_dead_latents_change_no_part() -> None:
    codes = representation("noisy", FACTORS)
    padded = np.column_stack([codes, np.full((len(codes), 4), 3.0)])
    assert edi(padded, FACTORS).parts == pytest.approx(edi(codes, FACTORS).parts, abs=1e-12)


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidOption, match="neighbours"):
        edi(FACTORS, FACTORS, neighbours=0)
