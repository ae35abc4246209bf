"""Garments: both images of a garment are of the same one, and only one of them tells its hue."""

from __future__ import annotations

import colorsys
import runpy
from pathlib import Path

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Bytes
from unbraid.views.domains import Domains
from unbraid.worlds.garments import Garments

write_idx = runpy.run_path(str(Path(__file__).parent / "_files.py"))["write_idx"]
REAL = Path("/usr/share/datasets/fashion-mnist")
COUNT = 400


def clothes() -> Bytes:
    """Boxes of all sizes and brightnesses, some of them almost as dark as what is behind them."""
    drawn = np.zeros((COUNT, 28, 28), dtype=np.uint8)
    generator = np.random.default_rng(0)
    for picture in drawn:
        (top, left), (height, width) = generator.integers(2, 8, 2), generator.integers(8, 18, 2)
        picture[top : top + height, left : left + width] = generator.integers(50, 256)
    return drawn


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Garments:
    folder = tmp_path_factory.mktemp("garments")
    write_idx(folder, "train-", clothes(), np.arange(COUNT) % 10)
    return Garments(folder=str(folder))


def pairs(world: Garments) -> tuple[Bytes, Bytes]:
    """The outlines of all garments, and their coloured images."""
    index = np.arange(len(world))
    domain = world.factors(index)[:, 0]
    return world.images(index[domain == 0]), world.images(index[domain == 1])


def test_every_garment_is_in_both_domains_with_the_same_other_factors(world: Garments) -> None:
    index = np.arange(len(world))
    factors, content = world.factors(index), world.content(index)
    assert len(world) == 2 * COUNT
    order = np.lexsort((factors[:, 0], content))
    twins = factors[order].reshape(COUNT, 2, 3)
    assert (twins[:, :, 0] == [0, 1]).all()
    assert np.array_equal(twins[:, 0, 1:], twins[:, 1, 1:])
    assert np.array_equal(twins[:, 0, 1], np.arange(COUNT) % 10)


def test_a_garment_is_of_its_hue_on_white(world: Garments) -> None:
    index = np.flatnonzero(world.factors(np.arange(len(world)))[:, 0] == 1)
    images, masks = world.images(index), world.masks(index)[:, 0]
    hue = np.asarray(world.space["hue"].values)[world.factors(index)[:, 2]]
    for image, mask, wanted in zip(images, masks, hue, strict=True):
        assert (image[:, ~mask] == 255).all()
        inside = image[:, mask] / 255
        found, saturation, _ = colorsys.rgb_to_hsv(*inside.mean(axis=1))
        assert abs((found - wanted + 0.5) % 1 - 0.5) < 0.01
        assert saturation == pytest.approx(0.75, abs=0.02)


def test_brighter_garments_are_brighter(world: Garments) -> None:
    grey, images = clothes().max(axis=(1, 2)), pairs(world)[1]
    bright = np.array([image[:, mask].max() for image, mask in zip(images, clothes_masks(), strict=True)])
    assert np.corrcoef(grey, bright)[0, 1] > 0.99


def clothes_masks() -> np.ndarray:
    return np.pad(clothes() > 0, ((0, 0), (2, 2), (2, 2)))


def test_an_outline_is_a_closed_dark_line_around_the_garment_however_dark_that_is(world: Garments) -> None:
    outlines = pairs(world)[0]
    assert (outlines == outlines[:, :1]).all(), "grey"
    for line, mask in zip(outlines[:, 0] < 128, clothes_masks(), strict=True):
        inner = mask[2:-2, 2:-2] & mask[:-4, 2:-2] & mask[4:, 2:-2] & mask[2:-2, :-4] & mask[2:-2, 4:]
        assert not line[2:-2, 2:-2][inner].any()
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        found_rows, found_columns = np.flatnonzero(line.any(axis=1)), np.flatnonzero(line.any(axis=0))
        for found, wanted in ((found_rows, rows), (found_columns, columns)):
            assert abs(found[0] - wanted[0]) <= 1
            assert abs(found[-1] - wanted[-1]) <= 1
        around = 2 * (len(rows) + len(columns))
        assert 0.8 * around < line.sum() < 1.2 * around


def test_the_silhouette_is_the_same_in_both_domains(world: Garments) -> None:
    masks = world.masks(np.arange(len(world)))
    assert masks.shape == (2 * COUNT, 1, 32, 32)
    assert np.array_equal(masks[0::2], masks[1::2])
    assert np.array_equal(masks[0::2, 0], clothes_masks())


def test_only_a_coloured_image_shows_the_hue(world: Garments) -> None:
    relevant = world.relevant(world.factors([0, 1]))
    assert relevant.tolist() == [[True, True, False], [True, True, True]]
    again = Garments(folder=world.folder, seed=1)
    assert np.array_equal(pairs(again)[0], pairs(world)[0])
    moved = (pairs(again)[1] != pairs(world)[1]).any(axis=(1, 2, 3))
    assert 0.9 < moved.mean() < 1
    hues = world.factors(np.arange(len(world)))[:, 2]
    assert set(hues.tolist()) == set(range(24))


def test_no_garment_is_seen_in_both_domains_while_training(world: Garments) -> None:
    batches = [Domains(world).batch(step) for step in range(40)]
    seen = [
        set(world.content(np.concatenate([getattr(batch, name).numpy() for batch in batches])).tolist())
        for name in ("index", "other_index")
    ]
    assert not seen[0] & seen[1]
    assert len(seen[0] | seen[1]) == COUNT


def test_what_cannot_be_is_answered_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="split must be train or test"):
        Garments(split="all")
    with pytest.raises(InvalidOption, match="seed must be"):
        Garments(seed=-1)
    with pytest.raises(InvalidData, match="FashionMNIST looked for train-images"):
        Garments(folder=str(tmp_path))


@pytest.mark.skipif(not REAL.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_real_garments_have_outlines_and_colours() -> None:
    world = Garments(split="test")
    assert len(world) == 20000
    index = np.arange(0, 20000, 7)
    dark = (world.images(index).min(axis=1) < 128).mean(axis=(1, 2))
    assert np.quantile(dark, 0.01) > 0.03
    hue = world.factors(np.arange(20000))[:, 2]
    assert np.bincount(hue).min() > 600
