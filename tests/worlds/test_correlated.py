"""Two factors go together as they are told to, in any world, and nothing else changes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.types import Factor, FactorSpace, Floats, Integers
from unbraid.views.pairs import Pairs
from unbraid.world import LabelledWorld, World
from unbraid.worlds.correlated import Correlated
from unbraid.worlds.sprites import Sprites

SPACE = FactorSpace([Factor("shape", 3, "categorical"), Factor("x", 5), Factor("one", 1), Factor("y", 4)])
COUNT = 60_000


class Drawn(World):
    """Every combination; a pixel tells the number."""

    def __init__(self) -> None:
        self.space, self.shape = SPACE, (1, 1, 1)

    def images(self, indices):
        return np.asarray(indices, dtype=np.uint8)[:, None, None, None]

    def masks(self, indices):
        return self.images(indices) > 7


class Skewed(Drawn):
    """Shape is mostly 2."""

    def sample(self, count, generator):
        drawn = self.space.sample(count, generator)
        drawn[generator.random(count) < 0.5, 0] = 2
        return self.index(drawn)


def expected(sigma: float, inverse: bool = False) -> Floats:
    """The law written out for each of the 5 x 4 combinations."""
    weight = np.array(
        [
            [np.exp(-((i / 4 - ((3 - j) / 3 if inverse else j / 3)) ** 2) / (2 * sigma**2)) for j in range(4)]
            for i in range(5)
        ]
    )
    return np.asarray(weight / weight.sum())


def shares(world: World, count: int = COUNT) -> Floats:
    """How often each combination of x and y is drawn."""
    drawn = world.factors(world.sample(count, np.random.default_rng(0)))
    return np.bincount(drawn[:, 1] * 4 + drawn[:, 3], minlength=20).reshape(5, 4) / count


@pytest.mark.parametrize("kind", [Drawn, Skewed])
@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("sigma", [0.15, 0.4])
def test_combinations_are_drawn_as_often_as_the_law_says(kind: type[World], inverse: bool, sigma: float) -> None:
    law = expected(sigma, inverse)
    found = shares(Correlated(of=kind(), sigma=sigma, inverse=inverse))
    assert (np.abs(found - law) < 5 * np.sqrt(law / COUNT) + 1e-4).all()


def test_other_factors_are_drawn_as_the_world_draws_them() -> None:
    world = Correlated(of=Skewed(), sigma=0.1)
    shape = world.factors(world.sample(COUNT, np.random.default_rng(0)))[:, 0]
    assert (shape == 2).mean() == pytest.approx(2 / 3, abs=0.01)


def test_only_the_draw_differs_from_the_world() -> None:
    world, inner = Correlated(of=Drawn()), Drawn()
    index = np.arange(len(inner))
    assert len(world) == len(inner)
    assert np.array_equal(world.images(index), inner.images(index))
    assert np.array_equal(world.factors(index), inner.factors(index))
    assert np.array_equal(world.index(world.factors(index)), index)
    assert np.array_equal(world.masks(index), inner.masks(index))
    assert not hasattr(world, "count")


def test_collected_images_are_drawn_more_often_where_their_factors_go_together() -> None:
    labels = SPACE.sample(400, np.random.default_rng(0))
    world = Correlated(of=LabelledWorld(np.zeros((400, 1, 1, 1), np.uint8), labels, SPACE), sigma=0.3)
    law = np.bincount(labels[:, 1] * 4 + labels[:, 3], minlength=20).reshape(5, 4) * expected(0.3)
    assert np.abs(shares(world) - law / law.sum()).max() < 0.01


def test_the_closer_the_tighter_down_to_the_nearest_values() -> None:
    spreads = []
    for sigma in (1e-6, 0.05, 0.3, 100):
        drawn = (world := Correlated(of="sprites", sigma=sigma)).factors(world.sample(5000, np.random.default_rng(0)))
        spreads.append(np.abs(drawn[:, 3] - drawn[:, 4]).mean())
    assert spreads[0] == 0
    assert spreads == sorted(spreads)
    assert spreads[-1] == pytest.approx(32 / 3, rel=0.05)


def test_pairs_of_factors_are_correlated_one_after_another() -> None:
    world = Correlated(
        of="correlated", of_options='{"pair": ["x", "y"], "sigma": 0.1}', pair=("scale", "orientation"), sigma=0.1
    )
    drawn = world.factors(world.sample(5000, np.random.default_rng(0)))
    matrix = np.corrcoef(drawn.T)
    assert min(matrix[1, 2], matrix[3, 4]) > 0.85
    assert abs(matrix[1, 3]) < 0.08


def test_first_images_of_a_pair_go_together_and_second_ones_are_found() -> None:
    batch = Pairs(Correlated(of=Drawn(), sigma=0.05), batch_size=500, k=1, known=True, protocol="uni").batch(0)
    first = Drawn().factors(batch.index.numpy())
    assert np.abs(first[:, 1] / 4 - first[:, 3] / 3).max() < 0.3
    assert (batch.differ.sum(dim=1) == 1).all()


@pytest.mark.parametrize(
    ("of", "of_options", "same"),
    [
        ("sprites", "", Sprites()),
        ("sprites", "colour=random, seed=3", Sprites(colour="random", seed=3)),
        ("sprites", {"colour": "random", "seed": 3}, Sprites(colour="random", seed=3)),
        ("sprites", '{"colour": "random", "seed": 3}', Sprites(colour="random", seed=3)),
        (Sprites(colour="random", seed=3), "", Sprites(colour="random", seed=3)),
    ],
)
def test_a_world_is_made_again_from_what_a_run_keeps(of: Any, of_options: Any, same: World) -> None:
    kept = json.loads(json.dumps(registry.options(Correlated(of=of, of_options=of_options, pair=("scale", "x")))))
    again = Correlated(**kept)
    index: Integers = np.array([5, 500_000])
    assert np.array_equal(again.images(index), same.images(index))
    assert json.loads(json.dumps(registry.options(again))) == kept
    assert registry.options(again.world) == registry.options(same)


def test_a_world_that_is_on_no_shelf_is_known_by_its_name() -> None:
    assert registry.options(Correlated(of=Drawn()))["of"] == "Drawn"


def test_text_is_read_as_what_it_looks_like() -> None:
    world = Correlated(of="flatland", of_options=" columns=4,rows=6 , wrap=false, radius=5.5, hue=None")
    assert registry.options(world.world) == {
        "columns": 4, "rows": 6, "radius": 5.5, "size": 64, "hue": None, "wrap": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"of": "sprite"}, UnknownName, "unknown world 'sprite': did you mean sprites"),
        ({"of_options": "color=random"}, InvalidOption, "no option 'color': did you mean colour"),
        ({"of_options": "colour"}, InvalidOption, "has the part 'colour'"),
        ({"of_options": "seed=1,seed=2"}, InvalidOption, "has seed twice"),
        ({"of_options": '{"seed": 1'}, InvalidOption, "begins as JSON but cannot be read"),
        ({"of_options": {"seed": {1}}}, InvalidOption, "must be text, numbers"),
        ({"of_options": "seed=first"}, InvalidOption, "sprites cannot be made with {'seed': 'first'}"),
        ({"of": "datasets"}, InvalidOption, "the world datasets needs path: give it in of_options, as path=..."),
        ({"of": Drawn(), "of_options": "size=3"}, InvalidOption, "Drawn is made already"),
        ({"pair": ("x", "z")}, UnknownName, "unknown factor 'z'"),
        ({"pair": ("x", "x")}, InvalidOption, "two different factors"),
        ({"pair": ("x",)}, InvalidOption, "two different factors"),
        ({"of": Drawn(), "pair": ("x", "one")}, InvalidOption, "'one' has a single value"),
        ({"of": "flatland", "of_options": "rows=1"}, InvalidOption, "has 1 that vary"),
        ({"sigma": 0.0}, InvalidOption, "sigma must be a finite number above 0"),
    ],
)
def test_what_cannot_be_is_answered_with_a_sentence(
    options: dict[str, Any], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        Correlated(**options)


def test_a_world_whose_images_never_go_together_says_so() -> None:
    labels = np.array([[0, 4, 0, 0]])
    world = Correlated(of=LabelledWorld(np.zeros((1, 1, 1, 1), np.uint8), labels, SPACE), sigma=0.01)
    with pytest.raises(InvalidData, match="x and y hardly ever go together in LabelledWorld"):
        world.sample(4, np.random.default_rng(0))
