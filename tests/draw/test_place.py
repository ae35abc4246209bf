"""Placing against sums of whole pixels, against sampling, and against Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from unbraid.draw.place import Tiles
from unbraid.errors import InvalidData
from unbraid.types import Bytes, Floats

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 10, 8), dtype=np.uint8)
SIZE = 16


def slowly(picture: Bytes, scale: float, x: float, y: float, slant: float, fine: int = 40) -> Floats:
    """The mean over each pixel of points sampled finely, each looked up by itself; rows lean as a whole."""
    at = (np.arange(SIZE * fine) + 0.5) / fine
    row, column = np.meshgrid(at, at, indexing="ij")
    leant = column - x + slant * (np.floor(row) + 0.5 - y)
    u, v = np.floor(leant / scale + 4).astype(int), np.floor((row - y) / scale + 5).astype(int)
    inside = (u >= 0) & (u < 8) & (v >= 0) & (v < 10)
    points = np.where(inside, picture[v.clip(0, 9), u.clip(0, 7)], 0)
    return np.asarray(points.reshape(SIZE, fine, SIZE, fine).mean(axis=(1, 3)))


@pytest.mark.parametrize("slant", [0.0, 0.4])
@pytest.mark.parametrize("scale", [0.37, 1.0, 1.9])
def test_every_pixel_is_the_mean_over_its_area(scale: float, slant: float) -> None:
    drawn = Tiles(PICTURES).place([0, 1, 2], scale, 8.3, [7.1, 8.0, 8.9], SIZE, slant=slant)
    expected = [slowly(p, scale, 8.3, y, slant) for p, y in zip(PICTURES, (7.1, 8.0, 8.9), strict=True)]
    assert np.abs(drawn - np.stack(expected)).max() < 9


def test_a_picture_at_its_own_size_and_on_whole_pixels_is_itself() -> None:
    drawn = Tiles(PICTURES).place([2], 1.0, 6.0, 9.0, SIZE)[0]
    assert np.array_equal(drawn[4:14, 2:10], PICTURES[2])
    assert drawn.astype(int).sum() == PICTURES[2].astype(int).sum()


def test_reducing_is_what_pillow_calls_a_box() -> None:
    whole = np.random.default_rng(1).integers(0, 256, (1, 48, 48), dtype=np.uint8)
    drawn = Tiles(whole).place([0], 1 / 3, 8.0, 8.0, SIZE)[0]
    boxed = np.asarray(Image.fromarray(whole[0]).resize((SIZE, SIZE), Image.Resampling.BOX))
    assert np.abs(drawn.astype(int) - boxed).max() <= 1


def test_the_ink_grows_with_the_area_wherever_it_lies() -> None:
    generator = np.random.default_rng(0)
    scale = generator.uniform(0.3, 1.2, 100)
    x, y = generator.uniform(7, 9, (2, 100))
    ink = Tiles(PICTURES).place(0, scale, x, y, SIZE).sum(axis=(1, 2))
    assert ink == pytest.approx(PICTURES[0].sum() * scale**2, rel=0.01)


def test_an_image_does_not_depend_on_its_batch() -> None:
    generator = np.random.default_rng(0)
    given = (generator.integers(0, 3, 150), generator.uniform(0.2, 2, 150), *generator.uniform(0, SIZE, (2, 150)))
    tiles = Tiles(PICTURES)
    alone = np.concatenate([tiles.place(*(a[i : i + 1] for a in given), SIZE) for i in range(150)])
    assert np.array_equal(tiles.place(*given, SIZE), alone)


def test_what_lies_beyond_the_edges_is_cut() -> None:
    assert not Tiles(PICTURES).place(0, 1.0, [-5.0, 8.0, 99.0], [8.0, -6.0, 8.0], SIZE).any()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"which": 3}, r"0 \.\. 2"),
        ({"scale": 0.0}, "above 0"),
        ({"x": np.nan}, "finite"),
        ({"slant": np.inf}, "finite"),
    ],
)
def test_what_cannot_be_placed_is_refused(changed: dict[str, Any], sentence: str) -> None:
    given: dict[str, Any] = {"which": 0, "scale": 1.0, "x": 8.0, "y": 8.0, "size": SIZE}
    with pytest.raises(InvalidData, match=sentence):
        Tiles(PICTURES).place(**(given | changed))


def test_pictures_that_are_not_bytes_are_refused() -> None:
    with pytest.raises(InvalidData, match=r"must be bytes \(N, h, w\)"):
        Tiles(PICTURES.astype(float))  # type: ignore[arg-type]
