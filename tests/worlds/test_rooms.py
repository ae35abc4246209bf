"""Rooms: the published numbering, and what each factor may change."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from unbraid.types import Integers
from unbraid.worlds.rooms import Rooms
from unbraid.worlds.shapes3d import Shapes3D

PARTS = ("floor", "wall", "object")
CUBE, CYLINDER, SPHERE, CAPSULE = range(4)


@pytest.fixture(scope="module")
def world() -> Rooms:
    return Rooms()


def some(world: Rooms, count: int, **fixed: int) -> Integers:
    return world.space.sample(count, np.random.default_rng(0), fixed=fixed)


def test_the_numbers_are_those_of_the_published_file(world: Rooms) -> None:
    assert world.space == Shapes3D.space
    assert len(world) == 480_000
    assert world.space.names == ("floor hue", "wall hue", "object hue", "scale", "shape", "orientation")
    assert world.index([[1, 2, 3, 4, 3, 5]]) == [1 * 48000 + 2 * 4800 + 3 * 480 + 4 * 60 + 3 * 15 + 5]
    assert world.space["orientation"].values[0] == -30
    assert world.space["floor hue"].kind == "cyclic"


@pytest.mark.parametrize("part", range(3))
def test_a_hue_changes_the_pixels_of_its_part_and_no_other(world: Rooms, part: int) -> None:
    before = some(world, 20)
    after = before.copy()
    after[:, part] = (after[:, part] + 3) % 10
    changed = (world.images(world.index(before)) != world.images(world.index(after))).any(axis=1)
    mask = world.masks(world.index(before))[:, part] > 0
    assert not (changed & ~mask).any()
    assert changed.sum() > 0.95 * mask.sum()


def test_every_pixel_shows_a_part_and_most_show_one(world: Rooms) -> None:
    parts = (world.masks(world.index(some(world, 20))) > 0).sum(axis=1)
    assert parts.min() >= 1
    assert (parts == 1).mean() > 0.9


def test_a_room_of_one_hue_has_no_other_colour_but_the_highlight(world: Rooms) -> None:
    red = some(world, 20, **{"floor hue": 0, "wall hue": 0, "object hue": 0})
    images = world.images(world.index(red)).astype(int)
    assert np.array_equal(images[:, 1], images[:, 2])
    elsewhere = world.masks(world.index(red))[:, 2] == 0
    assert images[:, 1][elsewhere].max() == 0
    assert (images[:, 0] >= images[:, 1]).all()


def test_turning_every_hue_the_other_way_swaps_green_and_blue(world: Rooms) -> None:
    before = some(world, 20)
    after = before.copy()
    after[:, :3] = -before[:, :3] % 10
    assert np.array_equal(world.images(world.index(after)), world.images(world.index(before))[:, [0, 2, 1]])


def test_the_room_and_what_stands_in_it_are_their_own_mirror_image(world: Rooms) -> None:
    for shape in (CUBE, CYLINDER, SPHERE, CAPSULE):
        left = some(world, 15, shape=shape, scale=7)
        left[:, 5] = np.arange(15)
        right = left.copy()
        right[:, 5] = 14 - left[:, 5]
        masks, mirrored = world.masks(world.index(left)), world.masks(world.index(right))[..., ::-1]
        assert np.array_equal(masks, mirrored)


def test_the_silhouette_grows_with_scale_and_stays_in_the_middle(world: Rooms) -> None:
    for shape in range(4):
        factors = np.tile([0, 0, 0, 0, shape, 7], (8, 1))
        factors[:, 3] = np.arange(8)
        seen = world.masks(world.index(factors))[:, 2] > 0
        areas = seen.sum(axis=(1, 2))
        assert (np.diff(areas) > 0).all()
        # Areas grow with the square, lengths being seen a little larger as the solid comes nearer the camera.
        assert 0.9 < areas[-1] / areas[0] / (1.25 / 0.75) ** 2 < 1.6
        columns = np.nonzero(seen[-1].any(axis=0))[0]
        assert columns[0] + columns[-1] == 63


def test_the_corner_moves_one_way_as_the_camera_turns(world: Rooms) -> None:
    factors = np.tile([0, 5, 0, 0, SPHERE, 0], (13, 1))
    factors[:, 5] = np.arange(1, 14)
    floor = world.masks(world.index(factors))[:, 0] > 0
    # The floor reaches farthest up in the corner.
    reach = floor.argmax(axis=1)
    corner = [np.mean(np.nonzero(row == row.min())[0]) for row in reach]
    assert (np.diff(corner) > 0).all()
    assert corner[6] == 31.5


def test_the_object_throws_a_shadow_on_the_floor(world: Rooms) -> None:
    small, large = world.images(world.index([[0, 5, 5, 0, SPHERE, 7], [0, 5, 5, 7, SPHERE, 7]]))[:, 0].astype(int)
    masks = world.masks(world.index([[0, 5, 5, 7, SPHERE, 7]]))[0]
    floor = (masks[0] > 0) & (masks[1:] == 0).all(axis=0)
    darker = (large < small - 60) & floor
    assert darker.sum() > 20
    # The lamp is to the left, so the shadow falls to the right.
    assert np.nonzero(darker)[1].mean() > 36


def test_what_was_drawn_before_changes_nothing(world: Rooms) -> None:
    indices = world.index(some(world, 5))
    assert np.array_equal(Rooms().images(indices), world.images(indices))


def test_the_bytes_are_the_same_on_every_computer(world: Rooms) -> None:
    # Computed once; a change of this number is a change of the world, to be made knowingly.
    assert zlib.crc32(world.images(np.linspace(0, len(world) - 1, 40).astype(np.int64)).tobytes()) == 2038551216
