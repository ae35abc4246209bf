"""Damaged samples: what is known of linear classifiers, and the corrections for occlusion."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from unbraid.errors import InvalidData
from unbraid.info.robustness import accuracy, adversarial, interference, iocclusion

WEIGHT = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))


def classify(x: torch.Tensor) -> torch.Tensor:
    return x @ WEIGHT


@pytest.mark.parametrize("steps", [1, 5])
def test_the_margin_of_a_linear_classifier_shrinks_by_the_sum_of_its_weights(steps: int) -> None:
    x = 0.5 + 0.1 * torch.randn(30, 12, generator=torch.Generator().manual_seed(1))
    y = classify(x).argmax(1)
    moved = adversarial(classify, x, y, strength=0.02, steps=steps, batch_size=7)
    other = 1 - y
    apart = WEIGHT[:, y] - WEIGHT[:, other]
    lost = ((x - moved) * apart.T).sum(1)
    assert torch.allclose(lost, 0.02 * apart.abs().sum(0), atol=1e-5)
    assert accuracy(classify, x, y) == 1
    assert accuracy(classify, adversarial(classify, x, y, strength=0.5, steps=steps), y) == 0


def test_samples_stay_within_strength_and_bounds() -> None:
    x, y = torch.rand(20, 12), torch.zeros(20).long()
    moved = adversarial(classify, x, y, strength=0.3, steps=4)
    assert float((moved - x).abs().max()) <= 0.3 + 1e-6
    assert float(moved.min()) >= 0
    assert float(moved.max()) <= 1
    assert bool((F.cross_entropy(classify(moved), y) > F.cross_entropy(classify(x), y)).all())
    assert torch.equal(adversarial(classify, x, y, strength=0.0), x)


def test_damage_that_is_taken_for_a_class_interferes_and_even_mistakes_do_not() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 5000)
    clean = np.where(rng.random(5000) < 0.9, labels, rng.integers(0, 10, 5000))
    even = np.where(rng.random(5000) < 0.5, labels, rng.integers(0, 10, 5000))
    taken = np.where(rng.random(5000) < 0.5, labels, 3)
    assert interference(clean, clean, labels, 10) == 0
    assert interference(clean, even, labels, 10) < 0.5
    assert interference(clean, taken, labels, 10) > 8


def test_iocclusion_compares_gaps() -> None:
    assert iocclusion(0.9, 0.8, 0.6, 0.7) == pytest.approx(1)
    with pytest.raises(InvalidData, match="no gap"):
        iocclusion(0.9, 0.9, 0.5, 0.4)
