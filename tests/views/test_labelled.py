"""The labelled images are few and fixed, and their labels as good or bad as asked for."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.views.labelled import Labelled

SIZES = np.array([4, 7, 9, 9, 1])


def told(world, **options):
    """The true factors of all labelled images, read off their pixels, and what is said of them."""
    batch = Labelled(world, batch_size=2000, **options).batch(0)
    return (batch.labelled * 255).round().numpy().astype(int)[:, 0, 0], batch


def test_exact_labels_are_the_factors(drawn) -> None:
    truth, batch = told(drawn, labels=300)
    assert np.array_equal(batch.labels[:, :4], truth[:, :4])
    assert batch.known[:, :4].all()
    assert batch.sizes.tolist() == SIZES.tolist()


def test_a_factor_of_one_value_and_one_not_named_are_not_labelled(drawn) -> None:
    _, batch = told(drawn, labels=10, factors=("x", "class"))
    assert batch.known.all(dim=0).tolist() == [True, False, True, False, False]
    assert (batch.labels[:, [1, 3, 4]] == -1).all()


def test_binned_labels_are_bins_of_equal_width(drawn) -> None:
    truth, batch = told(drawn, labels=600, kind="binned", bins=3)
    assert batch.sizes.tolist() == [3, 3, 3, 3, 1]
    assert np.array_equal(batch.labels[:, 2], truth[:, 2] // 3)
    assert np.array_equal(batch.labels[:, 0], np.array([0, 0, 1, 2])[truth[:, 0]])
    few = told(drawn, labels=100, kind="binned", bins=5)
    assert np.array_equal(few[1].labels[:, 0], few[0][:, 0]), "four values need no five bins"


@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
def test_noisy_labels_are_wrong_at_the_rate_asked_for(drawn, noise) -> None:
    truth, batch = told(drawn, labels=2000, kind="noisy", noise=noise)
    wrong = (batch.labels.numpy() != truth)[:, :4].mean(axis=0)
    assert np.allclose(wrong, noise * (1 - 1 / SIZES[:4]), atol=0.04)
    assert ((batch.labels.numpy()[:, :4] >= 0) & (batch.labels.numpy() < SIZES)[:, :4]).all()


def test_partial_labels_are_of_the_same_few_factors(drawn) -> None:
    chosen = set()
    for seed in range(12):
        truth, batch = told(drawn, labels=50, kind="partial", observed=2, seed=seed)
        columns = np.flatnonzero(batch.known[0])
        assert len(columns) == 2
        assert (batch.known == batch.known[0]).all()
        assert np.array_equal(batch.labels[:, columns], truth[:, columns])
        assert (batch.labels[~batch.known] == -1).all()
        chosen.add(tuple(columns))
    assert len(chosen) > 2


def test_permuted_labels_name_each_value_by_another(drawn) -> None:
    truth, batch = told(drawn, labels=1500, kind="permuted")
    moved = 0
    for column, size in enumerate(SIZES[:4]):
        pairs = set(zip(truth[:, column].tolist(), batch.labels[:, column].tolist(), strict=True))
        assert len(pairs) == size
        assert {label for _, label in pairs} == set(range(size))
        moved += sum(value != label for value, label in pairs)
    assert moved > 10


def test_the_labelled_images_are_distinct_fixed_by_the_seed_and_come_round(drawn, collected) -> None:
    def shown(steps, **options):
        view = Labelled(drawn, batch_size=20, labels=50, **options)
        return {tuple(row) for t in steps for row in (view.batch(t).labelled * 255).round().flatten(1).int().tolist()}

    assert len(shown(range(40))) == 50
    assert shown(range(40)) == shown(range(40, 80))
    assert len(shown(range(40)) & shown(range(40), seed=1)) < 15
    assert shown(range(40)) == shown(range(40), kind="noisy"), "the kind of the labels does not choose the images"
    everything = Labelled(collected, batch_size=len(collected), labels=len(collected)).batch(0)
    assert len(everything.labelled) == len(collected)


def test_with_fewer_labels_than_a_batch_all_are_shown(drawn) -> None:
    batch = Labelled(drawn, batch_size=64, labels=10).batch(3)
    assert (len(batch), len(batch.labelled), len(batch.labels)) == (64, 10, 10)


@pytest.mark.parametrize(("options", "sentence"), [
    ({"labels": 0}, "labels must be"),
    ({"labels": 10**6}, "labels must be at most 2,268, the images of the world, but is 1,000,000"),
    ({"kind": "wrong"}, "kind must be one of exact, binned"),
    ({"bins": 1}, "bins must be"),
    ({"noise": 1.5}, "noise must lie in 0 .. 1, but is 1.5"),
    ({"noise": float("nan")}, "noise must lie"),
    ({"observed": 0}, "observed must be"),
    ({"kind": "partial", "observed": 5}, "observed must be at most 4, the factors labelled, but is 5"),
])  # fmt: skip
def test_an_option_out_of_range_is_refused(drawn, options, sentence) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Labelled(drawn, **options)


def test_a_world_that_draws_too_few_images_says_so(drawn, monkeypatch) -> None:
    monkeypatch.setattr(type(drawn), "sample", lambda self, count, generator: generator.integers(0, 5, count))
    with pytest.raises(InvalidData, match="the world draws only 5 different images, but labels is 6: ask for fewer"):
        Labelled(drawn, labels=6)
