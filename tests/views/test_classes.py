"""A group is of one class, and everything else in it is free."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Factor, FactorSpace
from unbraid.views import _lookup
from unbraid.views.classes import Classes
from unbraid.world import LabelledWorld, World
from unbraid.worlds.characters import Characters

PEOPLE = FactorSpace([Factor("pose", 6), Factor("person", 50, "categorical")])


class Rare(World):
    """Every combination, but most images are of the first person; the last one never comes."""

    def __init__(self) -> None:
        self.space, self.shape = PEOPLE, (1, 1, 1)

    def images(self, indices):
        return np.zeros((len(np.asarray(indices)), 1, 1, 1), np.uint8)

    def sample(self, count, generator):
        person = np.minimum(generator.geometric(0.5, count) - 1, 48)
        return self.space.index(np.column_stack([generator.integers(0, 6, count), person]))


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("name", ["drawn", "collected"])
def test_all_images_of_a_group_are_of_the_class_told(request, name, balanced) -> None:
    world = request.getfixturevalue(name)
    batch = Classes(world, batch_size=200, group=5, balanced=balanced).batch(0)
    assert batch.x.shape == (200, 5, 1, 1, 5)
    assert np.array_equal(
        world.factors(batch.index.numpy())[..., 0], np.repeat(batch.label.numpy()[:, None], 5, axis=1)
    )


@pytest.mark.parametrize("name", ["drawn", "collected"])
def test_every_image_of_a_class_is_as_likely_as_any_other(request, name) -> None:
    world = request.getfixturevalue(name)
    batch = Classes(world, batch_size=20000, group=2).batch(0)
    others = world.factors(batch.index[:, 1].numpy())
    expected = np.bincount(world.factors(np.arange(len(world)))[:, 1], minlength=7) / len(world)
    assert chisquare(np.bincount(others[:, 1], minlength=7), 20000 * expected).pvalue > 1e-4
    assert abs(np.corrcoef(*world.factors(batch.index.numpy())[..., 2].T)[0, 1]) < 0.1 if name == "drawn" else True


def test_a_world_that_draws_some_images_rarely_does_so_within_a_group_too() -> None:
    world = Rare()
    batch = Classes(world, batch_size=3000, group=3, factors="pose").batch(0)
    factors = world.factors(batch.index.numpy())
    assert (factors[..., 0] == factors[:, :1, 0]).all()
    assert np.allclose((factors[..., 1] == 0).mean(axis=0), 0.5, atol=0.04)


def test_a_class_that_never_comes_is_never_shown(monkeypatch) -> None:
    label = Classes(Rare(), batch_size=500, balanced=True).batch(0).label.numpy()
    counts = np.bincount(label, minlength=50)
    assert 10 < (counts > 0).sum() < 20
    assert counts[:10].min() > 10
    assert counts[49] == 0
    monkeypatch.setattr(_lookup, "TRIES", 3)
    with pytest.raises(InvalidData, match="no image whose person is 49 was drawn"):
        _lookup.Lookup(Rare()).alike(FactorSpace([PEOPLE["person"]]), np.array([0, 49]), np.random.default_rng(0))


def test_balanced_classes_are_alike_and_others_as_frequent_as_in_the_world() -> None:
    labels = np.array([0] * 90 + [2] * 10)[:, None]
    space = FactorSpace([Factor("class", 3, "categorical")])
    world = LabelledWorld(np.zeros((100, 1, 1, 1), np.uint8), labels, space)
    for balanced, share in ((False, 0.1), (True, 0.5)):
        label = Classes(world, batch_size=4000, balanced=balanced).batch(0).label.numpy()
        assert set(label) == {0, 2}
        assert (label == 2).mean() == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("balanced", [False, True])
def test_a_class_may_be_several_factors_together(drawn, collected, balanced) -> None:
    for world in (drawn, collected, Characters(identities="train")):
        factors = getattr(world, "identity", ("hue", "y"))
        batch = Classes(world, batch_size=30, group=4, balanced=balanced, factors=factors).batch(0)
        columns = [world.space.position(name) for name in factors]
        values = world.factors(batch.index.numpy().ravel()).reshape(30, 4, -1)[..., columns]
        assert (values == values[:, :1]).all()
        same = batch.label[:, None] == batch.label
        assert np.array_equal(same, (values[:, None, 0] == values[None, :, 0]).all(axis=-1))


def test_the_identity_of_a_world_is_its_class() -> None:
    world = Characters(identities="test")
    plain, named = (Classes(world, batch_size=4, factors=factors).batch(0) for factors in ((), world.identity))
    assert np.array_equal(plain.index, named.index)


def test_the_class_is_the_factor_of_that_name_or_the_first_categorical_one(drawn) -> None:
    world = Rare()
    first = Classes(world, batch_size=8).batch(0)
    assert np.array_equal(world.factors(first.index[:, 0].numpy())[:, 1], first.label)
    named = Classes(drawn, factors="x", batch_size=8).batch(0)
    assert np.array_equal(drawn.factors(named.index[:, 1].numpy())[:, 2], named.label)
    space = FactorSpace([Factor("x", 3)])
    with pytest.raises(InvalidOption, match=r"no factor of FactorSpace\(x 3\) is a class: name one in factors \(x\)"):
        Classes(LabelledWorld(np.zeros((3, 1, 1, 1), np.uint8), np.arange(3)[:, None], space))
    with pytest.raises(InvalidOption, match="group must be"):
        Classes(drawn, group=0)
