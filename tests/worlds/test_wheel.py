"""Wheel: each of its four cyclic factors is a symmetry of the image that can be written down."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.types import Bytes, Integers
from unbraid.worlds.wheel import Wheel


@pytest.fixture(scope="module")
def world() -> Wheel:
    return Wheel()


def some(world: Wheel, count: int = 50) -> Integers:
    return world.space.sample(count, np.random.default_rng(0))


def stepped(world: Wheel, factors: Integers, name: str, by: int = 1) -> Bytes:
    after, column = factors.copy(), world.space.position(name)
    after[:, column] = (after[:, column] + by) % world.space.sizes[column]
    return world.images(world.index(after))


def test_every_factor_is_cyclic(world: Wheel) -> None:
    assert world.space.names == ("hue", "angle", "x", "y")
    assert {factor.kind for factor in world.space} == {"cyclic"}


def test_a_step_of_place_rolls_the_image(world: Wheel) -> None:
    factors = some(world)
    images = world.images(world.index(factors))
    assert np.array_equal(stepped(world, factors, "x"), np.roll(images, 8, axis=3))
    assert np.array_equal(stepped(world, factors, "y"), np.roll(images, 8, axis=2))


def test_a_third_of_the_hues_passes_each_channel_on(world: Wheel) -> None:
    factors = some(world)
    images = world.images(world.index(factors))
    assert np.array_equal(stepped(world, factors, "hue", by=2), np.roll(images, 1, axis=1))


def test_a_quarter_of_the_angles_turns_the_image() -> None:
    world = Wheel(columns=1, rows=1)
    factors = some(world)
    images = world.images(world.index(factors))
    assert np.array_equal(stepped(world, factors, "angle", by=2), np.rot90(images, axes=(2, 3)))


def test_the_mark_points_along_the_angle() -> None:
    world = Wheel(hues=1, angles=24, columns=1, rows=1)
    green = world.images(np.arange(24))[:, 1].astype(float)
    offset = np.arange(64) + 0.5 - 32
    x, y = green.sum(axis=1) @ offset, -(green.sum(axis=2) @ offset)
    difference = np.angle(np.exp(1j * (np.arctan2(y, x) - np.asarray(world.space["angle"].values))))
    assert np.abs(difference).max() < 0.02


def test_hue_alone_recolours_the_wheel_and_not_its_mark(world: Wheel) -> None:
    factors = some(world)
    brightest = world.images(world.index(factors)).max(axis=1)
    assert np.array_equal(stepped(world, factors, "hue").max(axis=1), brightest)


def test_a_factor_with_one_value_is_left_out() -> None:
    assert Wheel(angles=1).space.names == ("hue", "x", "y")
    assert Wheel(hues=1, columns=1).space.names == ("angle", "y")
    # Without angles there is no mark: the one colour is the hue's.
    assert Wheel(hues=2, angles=1, columns=1, rows=1).images([0])[0, 1:].max() == 0


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InvalidOption, match="needs a factor"):
        Wheel(hues=1, angles=1, columns=1, rows=1)
    with pytest.raises(InvalidOption, match=r"radius must be at most 15\.5 in 32 pixels"):
        Wheel(size=32, radius=20)


def test_the_bytes_are_the_same_on_every_computer() -> None:
    # Computed once; a change of this number is a change of the world, to be made knowingly.
    world = Wheel(angles=7, radius=11.3)
    assert zlib.crc32(world.images(np.linspace(0, len(world) - 1, 40).astype(np.int64)).tobytes()) == 655416863
