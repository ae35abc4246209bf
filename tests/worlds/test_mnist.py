"""MNIST, KMNIST and EMNIST from idx files."""

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
from unbraid.worlds.emnist import EMNIST, KINDS
from unbraid.worlds.kmnist import KMNIST
from unbraid.worlds.mnist import MNIST

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))
IMAGES, LABELS = made.noise(30, 28, 28), np.arange(30) % 10


@pytest.mark.parametrize("reader", [MNIST, KMNIST])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train-"), ("test", "t10k-")])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_both_splits_are_read_plain_and_compressed(
    tmp_path: Path, reader: Any, split: str, prefix: str, pack: Callable[[bytes], bytes]
) -> None:
    made.write_idx(tmp_path, prefix, IMAGES, LABELS, pack)
    world = reader(folder=str(tmp_path), split=split)
    images = world.images(np.arange(30))
    assert images.shape == (30, 1, 32, 32)
    assert np.array_equal(images[:, 0, 2:-2, 2:-2], IMAGES)
    assert images.astype(int).sum() == IMAGES.astype(int).sum()
    assert np.array_equal(world.factors(np.arange(30))[:, 0], LABELS)


@pytest.mark.parametrize("kind", KINDS)
def test_emnist_stands_upright_and_knows_its_letters(tmp_path: Path, kind: Any) -> None:
    classes, first = len(KINDS[kind]), int(kind == "letters")
    labels = np.arange(80) % classes + first
    made.write_idx(tmp_path, f"emnist-{kind}-test-", made.noise(80, 28, 28), labels)
    world = EMNIST(folder=str(tmp_path), kind=kind, split="test")
    images = world.images(np.arange(80))[:, 0, 2:-2, 2:-2]
    assert np.array_equal(images.transpose(0, 2, 1), made.noise(80, 28, 28))
    assert np.array_equal(world.factors(np.arange(80))[:, 0] + first, labels)
    assert world.space["class"].size == classes


def test_emnist_has_the_published_numbers_of_classes() -> None:
    assert {kind: len(set(classes)) for kind, classes in KINDS.items()} == {
        "balanced": 47,
        "bymerge": 47,
        "byclass": 62,
        "letters": 26,
        "digits": 10,
        "mnist": 10,
    }


@pytest.mark.parametrize(("reader", "name"), [(MNIST, "mnist"), (KMNIST, "kmnist"), (EMNIST, "emnist")])
def test_absent_files_are_answered_with_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Any, name: str
) -> None:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path))
    with pytest.raises(InvalidData, match=rf"ubyte\.gz in {tmp_path / name}: get it with `unbraid fetch {name}`"):
        reader()


@pytest.mark.parametrize("reader", [MNIST, KMNIST, EMNIST])
def test_an_unknown_split_is_refused(reader: Any) -> None:
    with pytest.raises(InvalidOption, match="train or test, but is 'valid'"):
        reader(split="valid")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidOption, match="balanced, bymerge, byclass, letters, digits, mnist, but is 'all'"):
        EMNIST(kind="all")  # type: ignore[arg-type]


def test_labels_beyond_the_classes_are_refused(tmp_path: Path) -> None:
    made.write_idx(tmp_path, "train-", IMAGES, LABELS + 1)
    with pytest.raises(InvalidData, match="must lie below the sizes"):
        MNIST(folder=str(tmp_path))


def test_no_images_at_all_are_refused(tmp_path: Path) -> None:
    made.write_idx(tmp_path, "train-", IMAGES[:0], LABELS[:0])
    with pytest.raises(InvalidData, match="at least one image"):
        MNIST(folder=str(tmp_path))
