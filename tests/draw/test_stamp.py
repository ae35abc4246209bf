"""Stamping against the outlines themselves, pixel by pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from unbraid.draw.outline import Outline, ellipse, heart, rectangle
from unbraid.draw.stamp import Stamp
from unbraid.errors import InvalidData
from unbraid.types import Floats, Integers

OUTLINES = (rectangle(5, 3), ellipse(6, 2), heart(0.3, 0.3))
SIZE = 32


def slowly(outline: Outline, scale: float, angle: float, x: float, y: float) -> npt.NDArray[np.bool_]:
    """The same, written for one image and the whole plane."""
    row, column = np.mgrid[:SIZE, :SIZE] + 0.5
    turned = ((column - x) + 1j * (row - y)) * np.exp(1j * angle) / scale
    return outline.contains(turned.real, turned.imag)


def scenes(count: int) -> tuple[Integers | Floats, ...]:
    generator = np.random.default_rng(0)
    scale = generator.uniform(0.3, 1.5, count)
    edge = 6.4 * scale
    x, y = (generator.uniform(edge, SIZE - edge) for _ in range(2))
    return generator.integers(0, 3, count), scale, generator.uniform(-10, 10, count), x, y


def test_every_pixel_is_as_its_centre_lies() -> None:
    which, *numbers = scenes(200)
    drawn = Stamp(OUTLINES, SIZE).draw(which, *numbers)
    expected = np.stack([slowly(OUTLINES[w], *n) for w, *n in zip(which, *numbers, strict=True)])
    # A centre within a thousandth of a pixel of an outline may fall on either side.
    assert (drawn != expected).sum() <= 5
    assert drawn.dtype == bool


def test_an_image_does_not_depend_on_its_batch() -> None:
    stamp, given = Stamp(OUTLINES, SIZE), scenes(150)
    alone = np.concatenate([stamp.draw(*(numbers[i : i + 1] for numbers in given)) for i in range(150)])
    assert np.array_equal(stamp.draw(*given), alone)


def test_an_outline_can_touch_the_edges() -> None:
    drawn = Stamp([rectangle(3, 4)], 10).draw(0, 1.0, 0.0, [5, 5, 5], [5.0, 5, 5])
    assert drawn.sum(axis=(1, 2)).tolist() == [48, 48, 48]


def test_arguments_broadcast_and_nothing_gives_nothing() -> None:
    stamp = Stamp(OUTLINES, SIZE)
    assert stamp.draw(0, 1.0, [0.0, 0.1, 0.2], 16, 16).shape == (3, SIZE, SIZE)
    assert stamp.draw([], [], [], [], []).shape == (0, SIZE, SIZE)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"outline": 3}, r"numbered 0 \.\. 2"),
        ({"outline": -1}, r"numbered 0 \.\. 2"),
        ({"scale": 0.0}, "above 0"),
        ({"angle": np.nan}, "finite"),
        ({"x": 1.0}, "cross the edge"),
        ({"y": 31.0}, "cross the edge"),
        ({"outline": [[0]]}, "one dimension"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changed: dict[str, float], sentence: str) -> None:
    given = {"outline": 0, "scale": 1.0, "angle": 0.0, "x": 16.0, "y": 16.0} | changed
    with pytest.raises(InvalidData, match=sentence):
        Stamp(OUTLINES, SIZE).draw(**given)
