"""The laws of every world on the shelf: a new file is held to them without being named here.

A world that reads files is given small ones in the true format, which ``worlds/_files.py`` makes.
"""

from __future__ import annotations

import inspect
import json
import runpy
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Bytes, Factor, FactorSpace
from unbraid.views.classes import Classes
from unbraid.world import ALIKE, INDEXED, LabelledWorld, World, drawn

WORLDS = registry.names("worlds")

# Factors of which some neighbouring values draw the same image: a full turn, or a symmetry of the shape.
REPEATING = {"orientation"}


MADE: dict[str, Callable[[Path], World]] = runpy.run_path(str(Path(__file__).parent / "worlds" / "_files.py"))["MADE"]
# Whose pictures they read, only their owner knows; and a mean over squares is nobody's idea.
OWN = {"folders", "smaller"}


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


def test_what_models_see_are_the_same_images(world: World) -> None:
    seen = world.fractions(some(world))
    assert seen.dtype == np.float32
    assert np.array_equal(seen, world.images(some(world)) / np.float32(255))


def test_a_batch_belongs_to_whoever_asked_for_it(world: World) -> None:
    images = world.images([0, 1])
    images[:] = 7
    assert world.images([0, 1]).max() != 7
    seen = world.fractions([0, 1])
    seen[:] = 7
    assert world.fractions([0, 1]).max() <= 1


def test_collected_images_that_are_read_from_files_are_read_when_they_are_asked_for() -> None:
    class Files:
        shape = (20, 1, 2, 2)
        read: list[int] = []  # noqa: RUF012

        def __len__(self) -> int:
            return 20

        def __getitem__(self, index: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
            self.read += index.tolist()
            return np.broadcast_to(index.astype(np.uint8)[:, None, None, None], (len(index), 1, 2, 2))

    files = Files()
    world = LabelledWorld(files, np.arange(20)[:, None], FactorSpace([Factor("number", 20, kind="ordinal")]))
    assert np.array_equal(world.fractions([3, 4])[:, 0, 0, 0], np.array([3, 4], dtype=np.float32) / 255)
    assert files.read == [3, 4]


@pytest.mark.parametrize("name", ["digits", "sprites"])
def test_who_makes_images_in_another_way_is_seen_in_that_way(name: str) -> None:
    kind: type[World] = registry.load("worlds", name)

    class Negative(kind):  # type: ignore[misc, valid-type]
        def images(self, indices: npt.ArrayLike) -> Bytes:
            return 255 - np.asarray(super().images(indices))

    class Named(Negative):
        """Of one that changed them."""

    for world in (Negative(), Named()):
        assert np.array_equal(world.fractions(some(world)), world.images(some(world)) / np.float32(255))


def test_what_is_drawn_of_a_world_is_kept_with_all_that_it_knows_of_itself(world: World) -> None:
    kept, every = some(world), np.arange(40)
    made = drawn(world, kept)
    assert made.space == world.space
    assert np.array_equal(made.images(every), world.images(kept))
    assert np.array_equal(made.factors(every), world.factors(kept))
    for name in ALIKE:
        assert getattr(made, name, None) == getattr(world, name, None)
    for name in INDEXED:
        assert hasattr(made, name) == hasattr(world, name)
        if hasattr(world, name):
            told = getattr(drawn(made, every[::-1]), name)
            assert np.array_equal(told([0, 7]), getattr(world, name)(kept[[39, 32]])), "of what is drawn of it, too"
            with pytest.raises(InvalidData, match=r"must lie in 0 \.\. 39"):
                getattr(made, name)([-1])
    assert classes_of(made) == classes_of(world)


def classes_of(world: World) -> FactorSpace | None:
    try:
        return Classes(world).classes
    except InvalidOption:
        return None


def test_images_may_be_changed_before_they_are_kept_and_have_no_masks_then() -> None:
    world = registry.load("worlds", "scenes")()
    made = drawn(world, [5, 6], change=lambda images: 255 - images[..., :8])
    assert np.array_equal(made.images([1]), 255 - world.images([6])[..., :8])
    assert np.array_equal(made.count([0, 1]), world.count([5, 6]))
    assert not hasattr(made, "masks")


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


def test_the_last_value_of_a_cycle_is_next_to_the_first(name: str, world: World) -> None:
    if name in MADE or isinstance(world, LabelledWorld):
        pytest.skip("its images are not drawn")
    before = world.factors(world.sample(12, np.random.default_rng(0)))
    for column, factor in enumerate(world.space):
        if factor.kind != "cyclic" or factor.size < 4:
            continue
        around = []
        for value in range(factor.size):
            before[:, column] = value
            around.append(world.images(world.index(before)).astype(np.float64))
        steps = [np.abs(around[i] - around[i - 1]).mean() for i in range(factor.size)]
        # steps[0] goes from the last value to the first. The opposite of a value is farther away than its neighbour.
        assert steps[0] <= 1.5 * max(steps[1:]), factor.name
        if factor.name not in REPEATING:
            assert np.abs(around[0] - around[factor.size // 2]).mean() >= min(steps[0], min(steps[1:])), factor.name


def test_draws_are_images_of_the_world_and_those_measured_are_all_different(world: World) -> None:
    index = world.sample(500, np.random.default_rng(0))
    assert index.shape == (500,)
    assert index.min() >= 0
    assert index.max() < len(world)
    assert np.array_equal(index, world.sample(500, np.random.default_rng(0)))
    assert not np.array_equal(index, world.sample(500, np.random.default_rng(1)))
    measured = world.measured(200, np.random.default_rng(0))
    assert len(np.unique(measured)) == len(measured) == min(200, len(world))
    assert measured.min() >= 0
    assert measured.max() < len(world)


FINGERPRINTS = """
import json, sys, zlib
import numpy as np
from unbraid import registry

def fingerprint(name):
    world = registry.load("worlds", name)()
    return zlib.crc32(world.images(np.linspace(0, len(world) - 1, 60).astype(np.int64)).tobytes())

print(json.dumps({name: fingerprint(name) for name in sys.argv[1:]}))
"""


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, int]:
    """What another process draws of the worlds that need no files."""
    names = [name for name in WORLDS if name not in MADE]
    done = subprocess.run([sys.executable, "-c", FINGERPRINTS, *names], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_another_process_draws_the_same_bytes(name: str, world: World, elsewhere: dict[str, int]) -> None:
    if name in MADE:
        pytest.skip("it reads files")
    some = np.linspace(0, len(world) - 1, 60).astype(np.int64)
    assert (
        zlib.crc32(np.concatenate([world.images(part) for part in np.array_split(some, 7)]).tobytes())
        == (elsewhere[name])
    ), "in batches of another size"


def test_an_index_out_of_range_is_refused(world: World) -> None:
    for method in (world.images, world.factors):
        for index in (-1, len(world)):
            with pytest.raises(InvalidData, match="must lie in 0"):
                method([0, index])


def test_what_is_no_whole_number_is_no_index(world: World) -> None:
    for method in (world.images, world.factors, lambda index: drawn(world, index)):
        with pytest.raises(InvalidData, match="flatnonzero gives the numbers of a mask"):
            method(np.array([True, False]))
        with pytest.raises(InvalidData, match="indices are of type float64"):
            method([0.5, 1.0])


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
