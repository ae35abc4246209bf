"""Digits: scikit-learn's own, only larger."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from unbraid.files.handwritten import handwritten
from unbraid.worlds.digits import Digits


def test_digits_are_those_of_scikit_learn() -> None:
    data, world = load_digits(), Digits()
    assert np.array_equal(world.factors(np.arange(len(world)))[:, 0], data.target)
    # Averaged back to 8x8 they are the originals, but for the smoothing and the cut at black and white.
    small = world.images(np.arange(len(world))).reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))
    assert np.corrcoef(small.ravel(), data.images.ravel())[0, 1] > 0.98


def test_digits_are_enlarged_as_pillow_enlarges_one_image() -> None:
    originals = (load_digits().images[:20] * 255 / 16).astype(np.float32)
    enlarged = (Image.fromarray(image).resize((32, 32), Image.Resampling.LANCZOS) for image in originals)
    large = np.array([np.asarray(image) for image in enlarged])
    drawn = Digits().images(np.arange(20))[:, 0]
    assert np.abs(drawn - large.clip(0, 255)).max() < 0.51


def test_digits_use_the_whole_range_from_black_to_white() -> None:
    images = Digits().images(np.arange(100))
    assert images.min() == 0
    assert images.max() == 255


def test_each_class_is_found_by_its_first_image() -> None:
    world = Digits()
    classes = np.arange(10)[:, None]
    assert np.array_equal(world.factors(world.index(classes)), classes)


def test_the_file_is_read_without_loading_what_it_comes_with() -> None:
    images, classes = handwritten()
    np.testing.assert_array_equal(images, load_digits().images)
    np.testing.assert_array_equal(classes, load_digits().target)
    script = "import sys; from unbraid.worlds.digits import Digits; Digits(); sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
