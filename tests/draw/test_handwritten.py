"""Handwritten digits: scikit-learn's, enlarged, and split without overlap."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from unbraid.draw.handwritten import SIDE, Handwritten, Split
from unbraid.errors import InvalidOption
from unbraid.files.pictures import enlarged
from unbraid.types import Integers


def members(split: Split) -> list[Integers]:
    digits = Handwritten(split)
    return [digits.picture(digit, np.arange(digits.counts[digit])) for digit in range(10)]


def test_every_digit_is_in_its_class_once() -> None:
    target = load_digits().target
    found = members("all")
    assert all((target[rows] == digit).all() for digit, rows in enumerate(found))
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(1797))


def test_a_digit_is_in_one_part_only() -> None:
    train, test = (np.concatenate(members(split)) for split in ("train", "test"))
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(1797))
    assert len(test) == 360


def test_pictures_are_the_originals_with_more_contrast() -> None:
    pictures = Handwritten().pictures
    assert pictures.shape == (1797, SIDE, SIDE)
    small = pictures.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))
    assert np.corrcoef(small.ravel(), load_digits().images.ravel())[0, 1] > 0.96
    assert (pictures == 0).mean() + (pictures == 255).mean() > 0.6


def test_enlarging_is_as_pillow_enlarges_one_image() -> None:
    original = np.random.default_rng(0).random((2, 8, 6))
    images = [Image.fromarray(image.astype(np.float32)) for image in original]
    expected = [np.asarray(image.resize((20, 20), Image.Resampling.LANCZOS)) for image in images]
    assert np.abs(enlarged(original, 20) - np.stack(expected)).max() < 1e-5


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(InvalidOption, match="all, train or test, but is 'valid'"):
        Handwritten("valid")  # type: ignore[arg-type]
