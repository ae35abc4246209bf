"""FashionMNIST from small files in the true format."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.worlds.fashionmnist import FashionMNIST

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = (np.arange(30) % 10).astype(np.uint8)


def idx(array: npt.NDArray[Any]) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write(folder: Path, images: npt.NDArray[Any] = IMAGES, labels: npt.NDArray[Any] = LABELS) -> str:
    for name, array in (("train-images-idx3-ubyte", images), ("train-labels-idx1-ubyte", labels)):
        (folder / name).write_bytes(idx(array))
    return str(folder)


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_both_splits_are_read_plain_and_compressed(
    tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes], split: Any, prefix: str
) -> None:
    (tmp_path / f"{prefix}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(IMAGES)))
    (tmp_path / f"{prefix}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(LABELS)))
    world = FashionMNIST(folder=str(tmp_path), split=split)
    images = world.images(np.arange(30))
    assert np.array_equal(images[:, 0, 2:-2, 2:-2], IMAGES)
    assert images.shape == (30, 1, 32, 32)
    assert images.astype(int).sum() == IMAGES.astype(int).sum()
    assert np.array_equal(world.factors(np.arange(30))[:, 0], LABELS)
    assert world.space["class"].values[9] == "ankle boot"


def test_absent_files_are_answered_with_where_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"train-images-idx3-ubyte\.gz in .*apt-get install dataset-fashion-mnist"):
        FashionMNIST(folder=str(tmp_path))


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(InvalidOption, match="train or test, but is 'valid'"):
        FashionMNIST(split="valid")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (IMAGES[:, :27], LABELS, r"must be bytes \(N, 28, 28\)"),
        (IMAGES, LABELS[:-1], "as many byte labels"),
        (IMAGES, np.full(30, 10, np.uint8), "below the sizes"),
    ],
)
def test_files_that_are_not_fashion_mnist_are_refused(
    tmp_path: Path, images: npt.NDArray[Any], labels: npt.NDArray[Any], sentence: str
) -> None:
    with pytest.raises(InvalidData, match=sentence):
        FashionMNIST(folder=write(tmp_path, images, labels))


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path)
    file = tmp_path / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InvalidData, match="fetch it again"):
        FashionMNIST(folder=folder)
