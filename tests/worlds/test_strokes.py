"""Strokes: each factor moves what it names, measured in the image, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Bytes, Floats
from unbraid.worlds.strokes import Strokes

PLAIN: dict[str, Any] = {
    "slant": 0.0, "thickness": 0.08, "scale_x": 0.8, "scale_y": 0.8, "x": 0.5, "y": 0.5, "rotation": 0.0,
}  # fmt: skip


def draw(size: int = 64, **changed: Any) -> Bytes:
    return Strokes(size=size).draw(np.arange(10), **(PLAIN | changed))


def moments(images: Bytes) -> tuple[Floats, Floats, Floats]:
    """Ink (parts of the image), centre ``(B, 2)`` and covariance ``(B, 2, 2)`` (in image sides)."""
    size = images.shape[-1]
    weight = images[:, 0] / 255.0 / size**2
    p = np.stack(np.meshgrid(*2 * [(np.arange(size) + 0.5) / size]))
    total = weight.sum(axis=(1, 2))
    centre = np.einsum("bhw,khw->bk", weight, p) / total[:, None]
    away = p[None] - centre[:, :, None, None]
    return total, centre, np.einsum("bhw,bjhw,bkhw->bjk", weight, away, away) / total[:, None, None]


@pytest.mark.parametrize(("name", "column"), [("x", 0), ("y", 1)])
def test_position_moves_the_centre_of_mass_and_keeps_the_ink(name: str, column: int) -> None:
    ink, centre, spread = moments(draw())
    moved_ink, moved, moved_spread = moments(draw(**{name: 0.55}))
    shift = np.zeros(2)
    shift[column] = 0.05
    assert moved - centre == pytest.approx(np.tile(shift, (10, 1)), abs=1e-3)
    assert moved_ink == pytest.approx(ink, rel=0.01)
    assert moved_spread == pytest.approx(spread, abs=1e-3)


def test_slant_shears_by_its_tangent() -> None:
    upright, leaning = (moments(draw(slant=slant, thickness=0.03))[2] for slant in (0.0, 0.3))
    shear = leaning[:, 0, 1] / leaning[:, 1, 1] - upright[:, 0, 1] / upright[:, 1, 1]
    assert shear == pytest.approx(np.full(10, -0.3), abs=0.05)


def test_rotation_turns_the_covariance() -> None:
    cos, sin = np.cos(0.2), np.sin(0.2)
    turn = np.array([[cos, -sin], [sin, cos]])
    still, turned = (moments(draw(rotation=angle))[2] for angle in (0.0, 0.2))
    assert turned == pytest.approx(turn @ still @ turn.T, abs=3e-4)


def test_thickness_is_the_ink_of_a_line_over_its_length() -> None:
    # A one is two lines: its ink is length times thickness, but for the ends and the corner.
    size, thickness = 64, np.array([0.05, 0.07, 0.09])
    ink = moments(Strokes(size=size).draw(1, **(PLAIN | {"thickness": thickness})))[0]
    length = (np.hypot(0.38, 0.38) + 1.8) * 0.365 * 0.8
    assert np.diff(ink) / np.diff(thickness) == pytest.approx(np.full(2, length), rel=0.12)


@pytest.mark.parametrize(("name", "axis"), [("scale_x", -2), ("scale_y", -1)])
def test_scale_stretches_one_axis_alone(name: str, axis: int) -> None:
    def extent(images: Bytes, along: int) -> Floats:
        return np.asarray((images[:, 0].max(axis=along) > 127).sum(axis=1) / 64 - 0.08)

    small, large = draw(**{name: 0.6}), draw(**{name: 0.9})
    assert extent(large, axis) / extent(small, axis) == pytest.approx(np.full(10, 1.5), abs=0.16)
    other = -3 - axis
    assert extent(large, other) == pytest.approx(extent(small, other), abs=0.02)


def test_classes_are_told_apart_by_their_nearest_mean_whatever_the_wobble() -> None:
    world = Strokes(size=28)
    factors = np.tile([0, 4, 3, 3, 3, 4, 4, 4], (300, 1))
    factors[:, 0] = np.arange(300) % 10
    factors[:, 5:] += np.random.default_rng(0).integers(-1, 1, (300, 3))
    images = world.images(world.index(factors)).reshape(300, -1) / 255.0
    means = np.stack([images[digit:150:10].mean(axis=0) for digit in range(10)])
    nearest = ((images[150:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    assert (nearest == np.arange(150) % 10).mean() > 0.95


def test_wobble_bends_each_image_by_itself_and_by_its_seed() -> None:
    straight, world, other = Strokes(wobble=0), Strokes(), Strokes(seed=1)
    index = np.arange(50) * 1000
    first, second, none = (w.images(index).astype(int) for w in (world, other, straight))
    assert (first != second).any(axis=(1, 2, 3)).all()
    assert (first != none).any(axis=(1, 2, 3)).all()
    same = straight.space.factors(index)
    assert np.array_equal(straight.images(straight.index(same)), none)


def test_a_digit_is_the_same_picture_at_every_size() -> None:
    small = draw(size=28, thickness=0.1) / 255.0
    large = (draw(size=56, thickness=0.1) / 255.0).reshape(10, 1, 28, 2, 28, 2).mean(axis=(3, 5))
    assert np.abs(small - large).max() < 0.2
    assert np.abs(small - large).mean() < 0.01


def test_hardly_a_random_digit_touches_an_edge() -> None:
    world = Strokes(size=28)
    images = world.images(world.sample(2000, np.random.default_rng(0)))[:, 0]
    inner = images[:, 1:-1, 1:-1].astype(int).sum(axis=(1, 2))
    assert (images.astype(int).sum(axis=(1, 2)) == inner).mean() > 0.995


@pytest.mark.parametrize("options", [{"size": 15}, {"wobble": -0.1}, {"wobble": 1.5}, {"seed": -1}])
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption, match=next(iter(options))):
        Strokes(**options)


@pytest.mark.parametrize(("changed", "sentence"), [({"slant": np.nan}, "finite"), ({"digit": 10}, "digits are 0")])
def test_what_cannot_be_drawn_is_refused(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidData, match=sentence):
        Strokes().draw(**({"digit": 0} | PLAIN | changed))
