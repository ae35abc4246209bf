"""Arena: the published numbering, and what each factor may change."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt
import pytest

from unbraid.types import Integers
from unbraid.worlds.arena import Arena
from unbraid.worlds.mpi3d import MPI3D

WHITE, GREEN, RED, BLUE = range(4)


@pytest.fixture(scope="module")
def world() -> Arena:
    return Arena()


def some(world: Arena, count: int, **fixed: int) -> Integers:
    named = {name.replace("_", " "): value for name, value in fixed.items()}
    return world.space.sample(count, np.random.default_rng(0), fixed=named)


def seen(world: Arena, factors: Integers) -> npt.NDArray[np.bool_]:
    """Where the object is seen: what differs when it is green and when it is blue, ``(B, 64, 64)``."""
    drawn = []
    for colour in (GREEN, BLUE):
        changed = factors.copy()
        changed[:, 0] = colour
        drawn.append(world.images(world.index(changed)))
    return np.asarray((drawn[0] != drawn[1]).any(axis=1))


def test_the_factors_are_those_of_the_published_file(world: Arena) -> None:
    published = MPI3D.spaces["toy"]
    assert world.space.names == published.names
    assert world.space.sizes == published.sizes
    assert world.space.all[:5] == published.all[:5]


def test_the_object_is_seen_in_every_image(world: Arena) -> None:
    pixels = seen(world, some(world, 600)).sum(axis=(1, 2))
    assert pixels.min() > 40
    assert pixels.max() < 600


def test_the_object_keeps_within_the_image(world: Arena) -> None:
    masks = seen(world, some(world, 600, size=1))
    assert not masks[:, [0, -1]].any()
    assert not masks[:, :, [0, -1]].any()


def test_the_object_moves_to_the_right_with_the_horizontal_axis_and_up_with_the_vertical(world: Arena) -> None:
    for axis, name in ((2, "horizontal axis"), (1, "vertical axis")):
        factors = np.tile([GREEN, 5, 1, 1, 0, 20, 20], (40, 1))
        factors[:, world.space.position(name)] = np.arange(40)
        masks = seen(world, factors)
        centre = masks.sum(axis=3 - axis) @ np.arange(64) / masks.sum(axis=(1, 2))
        assert (np.diff(centre) * (1 if axis == 2 else -1) > -0.05).all()
        assert abs(centre[-1] - centre[0]) > 20


def test_a_larger_object_covers_more(world: Arena) -> None:
    small, large = (seen(world, some(world, 100, size=size)).sum(axis=(1, 2)) for size in (0, 1))
    assert (large > 1.4 * small).all()


def test_the_background_leaves_the_object_as_it_is(world: Arena) -> None:
    factors = some(world, 50, background=0)
    # Pixels inside the object, not those at its edge.
    mask = seen(world, factors)
    inside = mask.copy()
    for axis in (1, 2):
        inside &= np.roll(inside, 1, axis=axis) & np.roll(inside, -1, axis=axis)
    before = world.images(world.index(factors))
    factors[:, 4] = 2
    changed = (before != world.images(world.index(factors))).any(axis=1)
    assert not (changed & inside).sum(axis=(1, 2)).any()
    assert changed.mean() > 0.7


def test_a_higher_camera_sees_more_ground(world: Arena) -> None:
    # The wall is darker near the ground than the ground itself: the row of their edge lies lower for a lower camera.
    images = world.images(world.index([[0, 5, 0, camera, 0, 0, 39] for camera in range(3)])).astype(int)
    edges = np.abs(np.diff(images[:, :, :, 60].sum(axis=1), axis=1)).argmax(axis=1)
    assert (np.diff(edges) > 5).all()


def test_the_bytes_are_the_same_on_every_computer(world: Arena) -> None:
    # Computed once; a change of this number is a change of the world, to be made knowingly.
    assert zlib.crc32(world.images(np.linspace(0, len(world) - 1, 40).astype(np.int64)).tobytes()) == 352914389
