"""InfoE against scikit-learn's regression and log loss, the reference's published values, and codes that broke it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from unbraid.info.representations import representation
from unbraid.scores.infoe import infoe

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 40, 32, 32), size=(10000, 5))
FEW = FACTORS[:1500, [0, 1, 3]]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ["noisy", "mixed", "merged"])
def test_infoe_is_the_share_of_log_loss_that_a_balanced_regression_removes(name: str) -> None:
    codes = representation(name, FEW)
    scaled = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    shares = []
    for values in FEW.T:
        losses = []
        for inputs in (scaled, np.zeros_like(scaled)):
            # A penalty too weak to matter: the argument for none has another name in every version.
            fitted = LogisticRegression(C=1e8, class_weight="balanced", max_iter=100).fit(inputs, values)
            losses.append(log_loss(values, fitted.predict_proba(inputs)))
        shares.append(1 - losses[0] / losses[1])
    result = infoe(codes, FEW)
    assert list(result.parts.values()) == pytest.approx(shares, abs=2e-3)
    assert result.value == pytest.approx(np.mean(shares), abs=2e-3)


@pytest.mark.parametrize(
    ("name", "published"),
    [("permuted", 1.0), ("periodic", 1.0), ("merged", 0.807), ("noisy", 0.357), ("rotated", 1.0), ("random", 0.003)],
)
def test_known_codes_score_as_with_the_reference(name: str, published: float) -> None:
    assert infoe(representation(name, FACTORS), FACTORS).value == pytest.approx(published, abs=0.01)


def test_a_circle_is_read_by_planes_but_the_sum_of_two_bits_is_not_read_from_their_xor() -> None:
    bits = np.stack(np.meshgrid(np.arange(2), np.arange(2)), axis=-1).reshape(-1, 2)
    assert infoe(bits, (bits[:, 0] ^ bits[:, 1])[:, None]).value == pytest.approx(0.0, abs=1e-6)
    assert infoe(bits, bits).value > 0.95


def test_values_of_codes_are_read_one_by_one_when_they_are_few() -> None:
    values = np.random.default_rng(0).integers(0, 4, size=(400, 1))
    shuffled = np.array([2.0, 0.0, 3.0, 1.0])[values]
    merged = (values == 1) | (values == 2)  # a plane cannot part the middle of a line from both its ends
    assert infoe(values, merged.astype(int), discrete=True).value > 0.99 > 0.2 > infoe(values, merged.astype(int)).value
    assert infoe(shuffled, values, discrete=True).value > 0.99


def test_dead_latents_neither_crash_nor_count() -> None:
    # The reference stops with scikit-learn 1.8, which has no multi_class, and standardises dead latents by 0.
    assert infoe(representation("all dead", FEW), FEW).value == pytest.approx(0.0, abs=1e-9)
    codes = representation("noisy", FEW)
    padded = np.column_stack([codes, np.full((len(FEW), 3), 0.1)])
    assert infoe(padded, FEW).parts == pytest.approx(infoe(codes, FEW).parts, abs=1e-12)
