"""Neuron knockout against the same forests grown here, and on codes with spare copies and without."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from unbraid.errors import InvalidOption
from unbraid.info.representations import representation
from unbraid.scores.nk import nk

FACTORS = np.random.default_rng(0).integers(0, (3, 6, 8), size=(1200, 3))


def test_nk_is_the_fall_in_accuracy_without_the_latent_of_the_factor() -> None:
    codes = representation("noisy", FACTORS)
    train, test = slice(0, 800), slice(800, None)
    falls = []
    for f in range(3):  # the noisy codes hold factor f in latent f
        right = []
        for kept in (list(range(10)), [d for d in range(10) if d != f]):
            trees = [ExtraTreesClassifier(30, max_features=None, random_state=seed) for seed in range(5)]
            named = [tree.fit(codes[train][:, kept], FACTORS[train, f]).predict(codes[test][:, kept]) for tree in trees]
            right.append(np.mean(np.array(named) == FACTORS[test, f]))
        falls.append(right[0] - right[1])
    result = nk(codes[train], FACTORS[train], test=(codes[test], FACTORS[test]))
    assert [result.parts[str(f)] for f in range(3)] == pytest.approx(falls, abs=0.06)
    assert result.value > 0.2


def test_one_latent_a_factor_falls_to_chance_and_a_copy_holds() -> None:
    perfect = nk(representation("perfect", FACTORS), FACTORS)
    chance = np.mean([1 / 3, 1 / 6, 1 / 8])
    assert perfect.value == pytest.approx(1 - chance, abs=0.05)
    copied = nk(representation("duplicated", FACTORS), FACTORS)
    assert copied.parts["2"] < 0.05
    assert copied.parts["0"] == pytest.approx(perfect.parts["0"], abs=0.05)


def test_a_latent_alone_and_dead_latents_are_fine() -> None:
    assert nk(FACTORS[:, :1], FACTORS[:, :1]).value == pytest.approx(2 / 3, abs=0.05)
    assert nk(representation("all dead", FACTORS), FACTORS).value == 0.0
    assert nk(FACTORS[:, :1], FACTORS[:, :2]).parts["1"] == 0.0


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidOption, match="train"):
        nk(FACTORS, FACTORS, train=1)
    with pytest.raises(InvalidOption, match="'guess'"):
        nk(FACTORS, FACTORS, predictor="guess")  # type: ignore[arg-type]
