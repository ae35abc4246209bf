"""The laws of every world on the shelf: a new file is held to them without being named here.

A world that reads files is given small ones in the true format, which ``worlds/_files.py`` makes.
"""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from unbraid import registry
from unbraid.errors import InvalidData
from unbraid.world import LabelledWorld, World

WORLDS = registry.names("worlds")

# Factors of which some neighbouring values draw the same image: a full turn, or a symmetry of the shape.
REPEATING = {"orientation"}


MADE: dict[str, Callable[[Path], World]] = runpy.run_path(str(Path(__file__).parent / "worlds" / "_files.py"))["MADE"]
# Whose pictures they read, only their owner knows.
OWN = {"folders"}


@pytest.fixture(scope="module", params=WORLDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def world(name: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    made: World = MADE[name](tmp_path_factory.mktemp(name)) if name in MADE else registry.load("worlds", name)()
    return made


def some(world: World, count: int = 40) -> npt.NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, len(world), count)


def test_images_are_bytes_of_the_shape_promised(world: World) -> None:
    images = world.images(some(world))
    assert images.dtype == np.uint8
    assert images.shape == (40, *world.shape)
    assert images.max() == 255
    assert images.min() == 0
    assert world.images(np.array([], dtype=np.int64)).shape == (0, *world.shape)


def test_an_image_is_the_same_in_any_order_batch_and_type_of_index(world: World) -> None:
    indices = some(world)
    images, order = world.images(indices), np.random.default_rng(1).permutation(40)
    assert np.array_equal(world.images(indices[order]), images[order])
    assert np.array_equal(np.concatenate([world.images([i]) for i in indices]), images)
    assert np.array_equal(world.images(indices.tolist()), images)


def test_a_batch_belongs_to_whoever_asked_for_it(world: World) -> None:
    images = world.images([0, 1])
    images[:] = 7
    assert world.images([0, 1]).max() != 7


def test_factors_lead_back_to_an_image_with_those_factors(world: World) -> None:
    factors = world.factors(some(world))
    assert factors.dtype == np.int64
    assert factors.shape == (40, len(world.space.names))
    assert ((factors >= 0) & (factors < world.space.sizes)).all()
    assert np.array_equal(world.factors(world.index(factors)), factors)


def test_a_world_that_draws_has_one_image_for_each_combination(world: World) -> None:
    if isinstance(world, LabelledWorld):
        pytest.skip("collected images share their factors")
    assert len(world) == len(world.space)
    assert np.array_equal(world.index(world.factors(some(world))), some(world))


def test_changing_one_factor_changes_the_image(world: World) -> None:
    if isinstance(world, LabelledWorld):
        pytest.skip("collected images share their factors")
    before = world.factors(world.sample(40, np.random.default_rng(0)))
    # A scene says which of its factors can be seen: those of an object that is not there cannot. And now and then an
    # object moves behind another, or before one of its own colour.
    scene = hasattr(world, "relevant")
    seen = world.relevant(before) if scene else np.ones(before.shape, dtype=bool)
    for column, factor in enumerate(world.space):
        if factor.name in REPEATING:
            continue
        after = before.copy()
        after[:, column] = (after[:, column] + 1) % factor.size
        different = world.images(world.index(before)) != world.images(world.index(after))
        changed = different.any(axis=(1, 2, 3))
        assert changed[seen[:, column]].mean() >= (0.9 if scene else 1), factor.name
        assert not changed[~seen[:, column]].any(), factor.name


def test_an_index_out_of_range_is_refused(world: World) -> None:
    for method in (world.images, world.factors):
        for index in (-1, len(world)):
            with pytest.raises(InvalidData, match="must lie in 0"):
                method([0, index])


def test_every_option_is_kept_under_its_name_and_makes_the_same_world(world: World) -> None:
    again = type(world)(**registry.options(world))
    assert registry.options(again) == registry.options(world)
    assert again.space == world.space
    assert len(again) == len(world)
    assert np.array_equal(again.images(some(world)), world.images(some(world)))


def test_options_are_keyword_only_typed_and_documented(name: str) -> None:
    cls = registry.load("worlds", name)
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.annotation is not parameter.empty
        assert f"{parameter.name}:" in (inspect.getdoc(cls) or "")


def test_a_world_says_what_it_is_and_whom_to_cite(name: str, world: World) -> None:
    assert 20 < len(registry.summary("worlds", name)) <= 120
    assert world.citation.startswith("@") or name in OWN
    assert f"{len(world):,} images" in repr(world)
