"""Clutter: everything lies where its factors say, and changes nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from unbraid.draw.handwritten import Handwritten
from unbraid.errors import InvalidOption
from unbraid.types import Integers
from unbraid.worlds.clutter import MARKS, Clutter

WORLD, OVER = Clutter(size=24), Clutter(size=24, mark="over")
EDGES = np.array([0, 2, 5, 7, 9, 11, 14, 16])


def some(count: int = 200) -> Integers:
    return WORLD.space.sample(count, np.random.default_rng(0))


def square(factors: Integers) -> npt.NDArray[np.bool_]:
    """The pixels of the digit's square at 24 pixels, ``(B, 24, 24)``."""
    row, column = np.mgrid[:24, :24]
    x, y = (EDGES[factors[:, k]][:, None, None] for k in (1, 2))
    return np.asarray((column >= x) & (column < x + 8) & (row >= y) & (row < y + 8))


def test_the_square_of_the_digit_shows_one_of_its_class_and_nothing_else() -> None:
    factors = some()
    digits = Handwritten()
    small = digits.pictures.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))
    shown = WORLD.images(WORLD.index(factors))[:, 0][square(factors)].reshape(200, 1, 8, 8)
    for digit in range(10):
        members = small[digits.picture(digit, np.arange(digits.counts[digit]))]
        off = np.abs(shown[factors[:, 0] == digit] - members).max(axis=(2, 3)).min(axis=1)
        assert off.max() <= 0.6


def test_what_is_seen_of_digit_mark_and_pieces_is_the_image() -> None:
    index = WORLD.index(some())
    masks, images = WORLD.masks(index), WORLD.images(index)[:, 0]
    assert masks.sum(axis=1).max() == 1
    assert np.array_equal(masks.any(axis=1), images > 127)


def test_every_mark_is_its_pattern_beside_the_digit() -> None:
    factors = some()
    masks = WORLD.masks(WORLD.index(factors))
    assert not (masks[:, 1] & square(factors)).any()
    assert (masks[:, 1].sum(axis=(1, 2)) == 20).all()
    for mask, pattern in zip(masks[:, 1], factors[:, 3], strict=True):
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert ["".join(".#"[int(on)] for on in row) for row in cut] == list(tuple(MARKS.values())[pattern])


def test_there_are_five_different_places_wherever_the_digit_is() -> None:
    for world in (WORLD, OVER):
        factors = np.array([[3, x, y, 0, place, 0] for x in range(8) for y in range(8) for place in range(5)])
        masks = world.masks(world.index(factors))[:, 1].reshape(64, 5, -1)
        assert all(len(np.unique(places, axis=0)) == 5 for places in masks)


def test_a_mark_over_the_digit_hides_part_of_it() -> None:
    factors = some()
    whole, hidden = (world.masks(world.index(factors))[:, 0] for world in (WORLD, OVER))
    assert not (hidden & ~whole).any()
    assert ((hidden != whole).any(axis=(1, 2))).mean() > 0.9
    assert (OVER.masks(OVER.index(factors))[:, 1].sum(axis=(1, 2)) == 20).all()


@pytest.mark.parametrize(("name", "layer"), [("mark", 1), ("place", 1), ("clutter", 2)])
def test_a_nuisance_leaves_the_pixels_of_the_digit_alone_or_redraws_it_as_another_of_its_class(
    name: str, layer: int
) -> None:
    factors = some()
    other = factors.copy()
    column = WORLD.space.position(name)
    other[:, column] = (other[:, column] + 1) % WORLD.space.sizes[column]
    before, after = (WORLD.masks(WORLD.index(f)) for f in (factors, other))
    assert (before[:, layer] != after[:, layer]).any(axis=(1, 2)).all()
    outside = ~square(factors)
    assert not (before[:, 0] & outside).any()
    assert not (after[:, 0] & outside).any()
    if name == "mark":
        assert np.array_equal(before[:, 2], after[:, 2])


def test_pieces_are_the_same_for_an_arrangement_and_different_for_others() -> None:
    everywhere = WORLD.space.sample(64 * 30, np.random.default_rng(0))
    everywhere[:, 5] = np.arange(64 * 30) % 64
    pieces = WORLD.masks(WORLD.index(everywhere))[:, 2].reshape(30, 64, -1).any(axis=0)
    assert len(np.unique(pieces, axis=0)) == 64
    # Four windows of 4x4, partly dark, partly over one another.
    assert pieces.sum(axis=1).min() > 4
    assert pieces.sum(axis=1).max() <= 64
    assert 15 < pieces.sum(axis=1).mean() < 45


def test_without_pieces_only_the_digit_and_the_mark_are_there() -> None:
    bare = Clutter(size=24, pieces=0)
    assert bare.space["clutter"].size == 1
    assert not bare.masks(bare.sample(100, np.random.default_rng(0)))[:, 2].any()


def test_digits_of_one_split_are_not_in_the_other() -> None:
    factors = np.tile([3, 3, 3, 0, 0, 0], (64, 1))
    factors[:, 5] = np.arange(64)

    def shown(**options: Any) -> set[bytes]:
        world = Clutter(size=24, **options)
        images = world.images(world.index(factors))[:, 0]
        return {image.tobytes() for image in images[square(factors)].reshape(64, 64)}

    assert len(shown()) > 30
    assert shown() != shown(seed=1)
    assert not shown(split="train") & shown(split="test")


def test_everything_is_in_proportion_at_another_size() -> None:
    factors = some()
    large = Clutter(size=48).images(WORLD.index(factors))[:, 0].reshape(200, 24, 2, 24, 2).mean(axis=(2, 4))
    off = np.abs(large - WORLD.images(WORLD.index(factors))[:, 0])
    assert off[square(factors)].max() < 2
    # Where pieces lie over one another the brighter is seen, at either size.
    assert off.mean() < 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 20}, "size"),
        ({"mark": "under"}, "beside or over, but is 'under'"),
        ({"pieces": -1}, "pieces"),
        ({"arrangements": 5000}, "at most 4096"),
        ({"split": "valid"}, "all, train or test"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Clutter(**options)
