"""FlatLand: its declared symmetry is a roll of the image."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbraid.errors import InvalidOption
from unbraid.types import Bytes, Floats
from unbraid.worlds.flatland import FlatLand


def centre(images: Bytes) -> Floats:
    """The centre of mass in pixels from the left and top edges, ``(B, 2)``."""
    weight, middle = images.max(axis=1) / 255.0, np.arange(images.shape[-1]) + 0.5
    moments = [weight.sum(axis=1) @ middle, weight.sum(axis=2) @ middle]
    return np.asarray(np.stack(moments, axis=1) / weight.sum(axis=(1, 2))[:, None])


@settings(derandomize=True, max_examples=20, deadline=None)
@given(
    columns=st.integers(1, 12),
    rows=st.integers(2, 12),
    step=st.sampled_from([1, 2, 3]),
    radius=st.floats(1, 5),
    hue=st.sampled_from([None, 0.0, 0.45]),
)
def test_a_step_of_a_factor_is_a_roll(columns: int, rows: int, step: int, radius: float, hue: float | None) -> None:
    size = np.lcm(columns, rows) * step
    size *= -(-12 // size)
    world = FlatLand(columns=columns, rows=rows, radius=radius, size=int(size), hue=hue)
    everything = np.arange(len(world))
    images = world.images(everything)
    for name, axis, count in (("x", 3, columns), ("y", 2, rows)):
        if count == 1:
            continue
        factors, column = world.factors(everything), world.space.position(name)
        factors[:, column] = (factors[:, column] + 1) % count
        assert np.array_equal(world.images(world.index(factors)), np.roll(images, size // count, axis=axis))


def test_where_a_step_is_no_whole_pixel_several_steps_are() -> None:
    world = FlatLand(columns=6, rows=6)
    images = world.images(world.index([[1, 2], [4, 2], [1, 5]]))
    assert np.array_equal(np.roll(images[0], 32, axis=2), images[1])
    assert np.array_equal(np.roll(images[0], 32, axis=1), images[2])


def test_no_place_is_special_on_the_torus() -> None:
    world = FlatLand()
    values = np.sort(world.images(np.arange(64)).reshape(64, -1), axis=1)
    assert (values == values[0]).all()


def test_the_centre_of_mass_is_the_place_where_the_disc_is_whole() -> None:
    for world in (FlatLand(columns=16, rows=16, radius=5), FlatLand(columns=7, rows=5, radius=15, wrap=False)):
        factors = world.factors(np.arange(len(world)))
        places = world.space.values(factors)
        whole = ((places >= world.radius + 1) & (places <= 63 - world.radius)).all(axis=1)
        assert whole.sum() >= 35
        assert np.abs(centre(world.images(world.index(factors[whole]))) - places[whole]).max() < 0.05


def test_without_wrapping_the_places_are_those_of_the_paper() -> None:
    world = FlatLand(columns=7, rows=7, radius=15, wrap=False)
    assert world.space["x"].values == tuple(17 + 5 * k for k in range(7))
    row, column = np.mgrid[:64, :64] + 0.5
    expected = np.clip(15.5 - np.hypot(column - 22, row - 37), 0, 1)
    assert np.array_equal(world.images(world.index([[1, 4]]))[0, 0], np.rint(255 * expected))


def test_the_area_is_that_of_a_disc() -> None:
    for radius in (3, 10, 20):
        area = FlatLand(radius=radius).images([0]).sum() / 255
        assert area == pytest.approx(np.pi * radius**2, rel=0.02)


def test_a_hue_gives_a_disc_of_that_colour() -> None:
    images = FlatLand(hue=1 / 3).images(np.arange(64))
    assert np.array_equal(images[:, 1:2], FlatLand().images(np.arange(64)))
    assert images[:, [0, 2]].max() == 0


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InvalidOption, match="more than one place"):
        FlatLand(columns=1, rows=1)
    with pytest.raises(InvalidOption, match=r"radius must be at most 31\.5"):
        FlatLand(radius=40)
    with pytest.raises(InvalidOption, match="columns must be"):
        FlatLand(columns=0)


def test_the_bytes_are_the_same_on_every_computer() -> None:
    # Computed once; a change of this number is a change of the world, to be made knowingly.
    world = FlatLand(columns=7, rows=6, hue=0.3)
    assert zlib.crc32(world.images(np.linspace(0, len(world) - 1, 40).astype(np.int64)).tobytes()) == 2496789712
