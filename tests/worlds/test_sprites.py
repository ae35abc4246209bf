"""Sprites against geometry and against published images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unbraid.draw.swirls import swirls
from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Bytes, Floats, Integers
from unbraid.worlds.sprites import Sprites

FRAMES = Path(__file__).parents[3] / "shared" / "data" / "dsprites_gif_frames.npz"
SQUARE, ELLIPSE, HEART = range(3)


@pytest.fixture(scope="module")
def world() -> Sprites:
    return Sprites()


def some(world: Sprites, count: int, **fixed: int) -> Integers:
    return world.space.sample(count, np.random.default_rng(0), fixed=fixed)


def centre(images: Bytes) -> Floats:
    """The centre of mass in pixels from the left and top edges, ``(B, 2)``."""
    weight, middle = images[:, 0] / 255.0, np.arange(64) + 0.5
    total = weight.sum(axis=(1, 2))
    moments = [weight.sum(axis=1) @ middle, weight.sum(axis=2) @ middle]
    return np.asarray(np.stack(moments, axis=1) / total[:, None])


@pytest.mark.skipif(not FRAMES.exists(), reason="the published images are not beside the checkout")
def test_published_images_are_drawn_to_the_pixel(world: Sprites) -> None:
    with np.load(FRAMES) as frames:
        published, factors = frames["imgs"], frames["latents_classes"].astype(np.int64)
    wrong = (world.images(world.index(factors))[:, 0] // 255 != published).sum(axis=(1, 2))
    assert len(wrong) == 320
    for shape, allowed in ((SQUARE, 0), (ELLIPSE, 0), (HEART, 4)):
        assert wrong[factors[:, 0] == shape].sum() <= allowed


def test_the_numbers_are_those_of_the_published_file(world: Sprites) -> None:
    assert len(world) == 737280
    assert world.space.names == ("shape", "scale", "orientation", "x", "y")
    assert world.index([[1, 2, 3, 4, 5]]) == [1 * 245760 + 2 * 40960 + 3 * 1024 + 4 * 32 + 5]
    assert world.space["scale"].values == pytest.approx((0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
    assert world.space["orientation"].values[-1] == pytest.approx(2 * np.pi)


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE])
def test_the_centre_of_mass_is_the_position(world: Sprites, shape: int) -> None:
    factors = some(world, 500, shape=shape)
    expected = 16 + 32 * factors[:, 3:] / 31
    assert np.abs(centre(world.images(world.index(factors))) - expected).max() < 0.5


def test_a_heart_moves_with_its_position(world: Sprites) -> None:
    # Its centre of mass is a little off the point it turns about, the same way wherever it is.
    factors = some(world, 500, shape=HEART, scale=5, orientation=0)
    off = centre(world.images(world.index(factors))) - (16 + 32 * factors[:, 3:] / 31)
    assert np.abs(off - off.mean(axis=0)).max() < 0.5
    assert abs(off[:, 0].mean()) < 0.1
    assert -2.5 < off[:, 1].mean() < -1


def test_the_area_grows_with_scale_whatever_the_rest(world: Sprites) -> None:
    factors = np.repeat(some(world, 200), 6, axis=0)
    factors[:, 1] = np.tile(np.arange(6), 200)
    areas = (world.images(world.index(factors)) // 255).sum(axis=(1, 2, 3)).reshape(200, 6)
    assert (np.diff(areas, axis=1) > 0).all()


@pytest.mark.parametrize(("shape", "fold"), [(SQUARE, 4), (ELLIPSE, 2), (HEART, 1)])
def test_a_shape_repeats_after_its_part_of_a_turn_and_not_before(world: Sprites, shape: int, fold: int) -> None:
    # The centre lies in the middle of the image, where no pixel centre is near an outline by accident.
    start = np.random.default_rng(0).uniform(0, 2 * np.pi, 100)
    drawn = world.draw(shape, 1.0, start, 0.5, 0.5)
    for part in range(1, 5):
        turned = world.draw(shape, 1.0, start + part * np.pi / 2, 0.5, 0.5)
        wrong = (drawn != turned).sum(axis=(1, 2, 3))
        if part * fold % 4 == 0:
            assert wrong.sum() <= 4
        else:
            assert wrong.min() > 30


def test_the_first_and_last_orientation_draw_the_same_image(world: Sprites) -> None:
    first, last = some(world, 2000, orientation=0), some(world, 2000, orientation=39)
    last[:, [0, 1, 3, 4]] = first[:, [0, 1, 3, 4]]
    assert np.array_equal(world.images(world.index(first)), world.images(world.index(last)))


def test_orientation_turns_counter_clockwise(world: Sprites) -> None:
    # An ellipse lies flat; an eighth of a turn later its right end is above its left.
    image = world.draw([ELLIPSE], [1.0], [np.pi / 4], [0.5], [0.5])[0, 0]
    assert image[:32, 32:].sum() > 1.5 * image[:32, :32].sum()


def test_values_between_those_of_the_data_set_can_be_drawn(world: Sprites) -> None:
    moved = centre(world.draw(SQUARE, 0.77, 0.3, np.linspace(0, 1, 101), 0.25))
    assert np.abs(moved - np.stack([16 + 32 * np.linspace(0, 1, 101), np.full(101, 24.0)], axis=1)).max() < 0.5


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"scale": 1.5}, "scale must lie in"),
        ({"x": -0.1}, "x must lie in"),
        ({"y": np.nan}, "y must lie in"),
        ({"shape": 3}, "numbered"),
    ],
)
def test_values_out_of_range_are_refused(world: Sprites, changed: dict[str, float], sentence: str) -> None:
    given = {"shape": 0, "scale": 1.0, "orientation": 0.0, "x": 0.5, "y": 0.5} | changed
    with pytest.raises(InvalidData, match=sentence):
        world.draw(**given)


VARIANTS: dict[str, dict[str, Any]] = {
    "coloured": {"colour": "random"},
    "noisy": {"background": "noise"},
    "painted": {"colour": "inverse", "background": "texture"},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_a_variant_is_a_function_of_its_number_and_seed_and_keeps_the_sprite(
    world: Sprites, options: dict[str, Any]
) -> None:
    variant = Sprites(**options)
    index = world.index(some(world, 200))
    images, there = variant.images(index), world.images(index)[:, 0] > 0
    assert images.shape == (200, 3, 64, 64)
    assert np.array_equal(Sprites(**options).images(index[::-1]), images[::-1])
    assert np.array_equal(variant.images(index[7:8]), images[7:8])
    changed = (images != Sprites(**options, seed=1).images(index)).any(axis=1)
    if options.get("colour", "white") != "white":
        assert changed[there].mean() > 0.9
    else:
        assert (images.transpose(0, 2, 3, 1)[there] == 255).all()
    if "background" in options:
        assert changed[~there].mean() > 0.9
    else:
        assert not images.transpose(0, 2, 3, 1)[~there].any()


def test_a_random_colour_is_one_colour_between_half_and_full(world: Sprites) -> None:
    index = world.index(some(world, 300))
    images, there = Sprites(colour="random").images(index), world.images(index)[:, 0] > 0
    colours = np.stack([image[:, mask].max(axis=1) for image, mask in zip(images, there, strict=True)])
    assert np.array_equal(images, colours[:, :, None, None] * there[:, None])
    assert colours.min() >= 127
    assert colours.min(axis=0).max() < 135
    assert colours.max(axis=0).min() > 248
    assert abs(np.corrcoef(colours.T) - np.eye(3)).max() < 0.2


def test_noise_is_any_byte_alike_often_and_no_pixel_tells_of_another(world: Sprites) -> None:
    index = world.index(some(world, 100))
    noise = Sprites(background="noise").images(index)[..., :2, :]  # no sprite reaches the first rows
    counts = np.bincount(noise.ravel(), minlength=256)
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 255 + 5 * np.sqrt(2 * 255)
    rows = noise.reshape(100, -1).astype(np.float64) - 127.5
    for one, other in ((rows[:, 1:], rows[:, :-1]), (rows[1:], rows[:-1])):
        assert abs((one * other).mean()) / rows.var() < 5 / np.sqrt(one.size)


def test_a_texture_is_a_tinted_piece_of_one_picture_and_the_sprite_its_negative(world: Sprites) -> None:
    index = world.index(some(world, 5))
    there = world.images(index)[:, 0] > 0
    picture = np.tile(swirls(256, seed=3) >> 1, (1, 2, 2)).astype(np.int64)
    painted = Sprites(colour="inverse", background="texture", seed=3).images(index).astype(np.int64)
    behind = np.where(there[:, None], 255 - painted, painted)
    # A tint moves a whole colour by one amount: differences of pixels find the piece.
    steps = np.diff(picture[0])[:256]
    for image in behind:
        wanted = np.diff(image[0])
        places = [
            (down, across)
            for down, across in np.argwhere(steps[:, :256] == wanted[0, 0])
            if np.array_equal(np.diff(picture[0, down : down + 64, across : across + 64]), wanted)
        ]
        assert len(places) == 1
        down, across = places[0]
        tints = image - picture[:, down : down + 64, across : across + 64]
        assert (tints == tints[:, :1, :1]).all()
        assert (tints >= 0).all()
        assert (tints < 128).all()
    white = Sprites(background="texture", seed=3).images(index)
    assert np.array_equal(white, np.where(there[:, None], 255, behind))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"colour": "red"}, "colour must be one of white, random, inverse, but is 'red'"),
        ({"background": "white"}, "background must be one of black, noise, texture, but is 'white'"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_variants_that_are_not_there_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Sprites(**options)
