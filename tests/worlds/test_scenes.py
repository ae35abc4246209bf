"""Scenes: counts, masks and factors agree with what is drawn, and sampled scenes keep their promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from unbraid.errors import InvalidOption
from unbraid.types import Integers
from unbraid.worlds.scenes import COLOURS, Scenes

SPRITES = Scenes(fewest=1, size=64)
DIGITS = Scenes(objects="digits", most=2, size=50, colour=False, overlap=0)
BOTH = pytest.mark.parametrize("world", [SPRITES, DIGITS], ids=["sprites", "digits"])


def some(world: Scenes, count: int = 200) -> Integers:
    return world.sample(count, np.random.default_rng(0))


def middles(world: Scenes, index: Integers) -> npt.NDArray[np.float64]:
    """The middle of each object's square in pixels, ``(B, most, 2)``."""
    slots, place = world.slots(index), np.asarray(world.space["x_1"].values, dtype=float) * world.size
    return np.asarray(place[slots[..., -2:]])


@BOTH
def test_all_counts_are_sampled_alike_and_are_those_of_the_factors(world: Scenes) -> None:
    counts = world.count(some(world, 3000))
    values = np.arange(world.fewest, world.most + 1)
    assert np.array_equal(np.unique(counts), values)
    assert np.bincount(counts)[values] / 3000 == pytest.approx(np.full(3, 1 / 3), abs=0.03)


@BOTH
def test_masks_share_no_pixel_and_there_is_one_for_each_object(world: Scenes) -> None:
    index = some(world)
    masks = world.masks(index)
    assert masks.dtype == bool
    assert masks.shape == (200, world.most, world.size, world.size)
    assert masks.sum(axis=1).max() == 1
    filled = np.arange(world.most) < world.count(index)[:, None]
    assert np.array_equal(masks.any(axis=(2, 3)), filled)
    assert np.array_equal(world.slots(index)[..., 0] >= 0, filled)


@BOTH
def test_masks_are_the_bright_pixels_of_the_image(world: Scenes) -> None:
    index = some(world)
    ink, masked = world.images(index).max(axis=1), world.masks(index).any(axis=1)
    assert ink[masked].min() >= 100
    assert ink[~masked].max() <= 200
    assert ((ink > 127) == masked).mean() > 0.99


def test_inside_a_mask_the_image_has_the_colour_of_its_object() -> None:
    index = some(SPRITES)
    images, masks, slots = SPRITES.images(index).astype(int), SPRITES.masks(index), SPRITES.slots(index)
    palette = np.array(list(COLOURS.values()))
    image, k = np.nonzero(SPRITES.slots(index)[..., 0] >= 0)
    painted = palette[slots[image, k, 1]][:, :, None, None]
    right = (images[image] == painted).all(axis=1)
    shown = masks[image, k]
    # But for the smooth edges.
    assert (right & shown).sum() / shown.sum() > 0.8
    assert ((right & shown).sum(axis=(1, 2)) > 0).all()


def test_an_object_lies_about_its_middle_and_has_its_size() -> None:
    index = DIGITS.index(
        [[1, digit, scale, x, y, 0, 0, 0, 0] for digit in range(10) for scale in range(3) for x, y in ((0, 15), (7, 8))]
    )
    mask = DIGITS.masks(index)[:, 0]
    side = np.asarray(DIGITS.space["scale_1"].values, dtype=float)[DIGITS.slots(index)[:, 0, 1]] * 50
    for axis in (0, 1):
        lines = mask.any(axis=1 + axis)
        low, high = lines.argmax(axis=1), 50 - lines[:, ::-1].argmax(axis=1)
        middle = middles(DIGITS, index)[:, 0, axis]
        assert (low >= middle - side / 2 - 0.5).all()
        assert (high <= middle + side / 2 + 0.5).all()
        # Digits are higher than wide, but fill their square from top to bottom.
        assert (high - low > (0.2, 0.8)[axis] * side).all()


def test_a_sprite_has_the_area_of_its_shape() -> None:
    index = SPRITES.index([[0, shape, 0, scale, 5, 9, *[0] * 10] for shape in range(3) for scale in range(4)])
    side = 64 * np.array([0.22, 0.25, 0.28, 0.31])
    area = np.array([1, np.pi / 4, 1 / 2])[:, None] * side**2
    assert SPRITES.masks(index)[:, 0].sum(axis=(1, 2)) == pytest.approx(area.ravel(), rel=0.1)


def test_a_later_object_lies_before_an_earlier_one() -> None:
    behind, before = [0, 0, 3, 7, 7], [0, 2, 0, 7, 7]
    two, one = SPRITES.index([[1, *behind, *before, *[0] * 5], [0, *behind, *before, *[0] * 5]])
    masks = SPRITES.masks([two, one])
    assert not masks[1, 1].any()
    assert masks[0, 0].sum() == masks[1, 0].sum() - masks[0, 1].sum()
    assert tuple(SPRITES.images([two])[0, :, 32, 32]) == COLOURS["blue"]


def test_only_factors_of_objects_that_are_there_are_relevant() -> None:
    factors = SPRITES.factors(some(SPRITES))
    relevant = SPRITES.relevant(factors)
    other = np.where(relevant, factors, SPRITES.space.sample(200, np.random.default_rng(1)))
    assert (other != factors).any(axis=1).sum() > 100
    assert np.array_equal(SPRITES.images(SPRITES.index(factors)), SPRITES.images(SPRITES.index(other)))


@pytest.mark.parametrize("most", [2, 3])
def test_without_overlap_no_two_squares_meet(most: int) -> None:
    world = Scenes(objects="digits", most=most, size=50, colour=False, overlap=0)
    index = some(world, 300)
    scale = np.asarray(world.space["scale_1"].values, dtype=float)[world.slots(index)[..., 1]] * 50
    apart = np.abs(middles(world, index)[:, :, None] - middles(world, index)[:, None]).max(axis=-1)
    reach = (scale[:, :, None] + scale[:, None]) / 2
    there = world.slots(index)[..., 0] >= 0
    pairs = there[:, :, None] & there[:, None] & ~np.eye(most, dtype=bool)
    assert (apart >= reach - 1e-6)[pairs].all()


def test_a_larger_overlap_leaves_less_of_what_lies_behind() -> None:
    least = []
    for overlap in (0.0, 0.2, 0.5, 0.9):
        world = Scenes(fewest=2, size=64, overlap=overlap)
        index = some(world, 500)
        factors = world.factors(index)
        for k in (2, 3):  # The others move away.
            factors[:, world.space.position(f"x_{k}")] = np.where(factors[:, world.space.position("x_1")] < 8, 15, 0)
        shown, whole = (world.masks(i)[:, 0].sum(axis=(1, 2)) for i in (index, world.index(factors)))
        least.append((shown / whole).min())
    assert least[0] == 1
    assert least == sorted(least, reverse=True)
    assert least[2] > 0.15


def test_which_digit_is_drawn_depends_on_the_image_and_the_seed_and_comes_from_the_split() -> None:
    factors = np.tile([1, 3, 1, 7, 7, 0, 0, 0, 0], (60, 1))
    factors[:, 7] = np.arange(60) % 16
    factors[:, 8] = np.arange(60) // 16

    def first(**options: Any) -> set[bytes]:
        world = Scenes(**({"objects": "digits", "most": 2, "size": 50, "colour": False} | options))
        return {image.tobytes() for image in world.images(world.index(factors))}

    assert len(first()) > 30
    assert len(first() & first(seed=1)) < 30
    assert not first(split="train") & first(split="test")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"objects": "cubes"}, "sprites or digits, but is 'cubes'"),
        ({"most": 0}, "most must be"),
        ({"fewest": 3, "most": 2}, "most must be"),
        ({"most": 5}, "too many combinations"),
        ({"overlap": 1.5}, "overlap must lie in"),
        ({"split": "train"}, "only handwritten digits"),
        ({"size": 8}, "size"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Scenes(**options)
