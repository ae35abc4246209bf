"""Small NORB from binary matrix files."""

from __future__ import annotations

import gzip
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.worlds.smallnorb import STEMS, SmallNORB

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize(("camera", "number"), [("left", 0), ("right", 1)])
def test_images_and_labels_are_those_of_the_files(
    tmp_path: Path, pack: Callable[[bytes], bytes], split: Any, camera: Any, number: int
) -> None:
    written = made.write_norb(tmp_path, stem=STEMS[split], pack=pack)
    world = SmallNORB(folder=str(tmp_path), split=split, camera=camera, size=96)
    index = np.random.default_rng(0).permutation(60)
    assert np.array_equal(world.images(index)[:, 0], written["dat"][index, number])
    names = np.stack([world.factors(index)[:, 0], *world.space.values(world.factors(index))[:, 1:].T.astype(float)])
    info = written["info"][index]
    expected = [written["cat"][index], info[:, 0], 30 + 5 * info[:, 1], 10 * info[:, 2], info[:, 3]]
    assert np.array_equal(names, expected)


def test_images_are_brought_to_a_size_as_pillow_does(tmp_path: Path) -> None:
    from PIL import Image

    written = made.write_norb(tmp_path)
    world = SmallNORB(folder=str(tmp_path))
    # In floating point: with bytes, Pillow also cuts what overshoots between its two passes.
    expected = Image.fromarray(written["dat"][7, 0].astype(np.float32)).resize((64, 64), Image.Resampling.LANCZOS)
    assert world.shape == (1, 64, 64)
    assert np.abs(world.images([7])[0, 0] - np.asarray(expected).clip(0, 255)).max() < 0.51


def test_an_absent_file_is_answered_with_how_to_get_it(tmp_path: Path) -> None:
    made.write_norb(tmp_path)
    (tmp_path / f"{made.NORB}-info.mat").unlink()
    with pytest.raises(InvalidData, match=r"training-info\.mat\.gz in .*: get it with `unbraid fetch smallnorb`"):
        SmallNORB(folder=str(tmp_path))


@pytest.mark.parametrize(("kind", "array", "sentence"), [
    ("dat", np.zeros((60, 2, 48, 48), np.uint8), "is it Small NORB"),
    ("dat", np.zeros((60, 96, 96), np.uint8), "is it Small NORB"),
    ("dat", np.zeros((60, 2, 96, 96), int), "is it Small NORB"),
    ("cat", np.zeros(59, int), "is it of the same split"),
    ("cat", np.full(60, 5), "must lie below the sizes"),
    ("info", np.zeros((60, 3), int), "is it of the same split"),
    ("info", np.full((60, 4), 4) * [1, 1, 1, -1], "must lie below the sizes"),
    ("info", np.zeros((60, 4), int), "not of the split train"),
    ("info", np.full((60, 4), [4, 0, 3, 0]), "not of the split train"),
])  # fmt: skip
def test_files_of_something_else_are_refused(tmp_path: Path, kind: str, array: Any, sentence: str) -> None:
    made.write_norb(tmp_path)
    (tmp_path / f"{made.NORB}-{kind}.mat").write_bytes(made.matrix(array))
    with pytest.raises(InvalidData, match=sentence):
        SmallNORB(folder=str(tmp_path))


@pytest.mark.parametrize("options", [{"split": "valid"}, {"camera": "both"}, {"size": 0}])
def test_options_out_of_range_are_refused(tmp_path: Path, options: Any) -> None:
    with pytest.raises(InvalidOption, match=f"{next(iter(options))} must be"):
        SmallNORB(folder=str(tmp_path), **options)
