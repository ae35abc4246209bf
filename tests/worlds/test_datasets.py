"""Data sets of the Hugging Face library, saved on the disk."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData, MissingExtra, UnknownName
from unbraid.worlds.datasets import Datasets

library = pytest.importorskip("datasets")
made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(library.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def saved(folder: Path, table: Any) -> str:
    table.save_to_disk(folder / "saved")
    return str(folder / "saved")


def test_images_and_labels_are_those_of_the_table(tmp_path: Path) -> None:
    world = Datasets(path=saved(tmp_path, made.table()), channels=1, fit="stretch")
    assert world.space["label"].values == ("cat", "dog", "emu")
    assert np.array_equal(world.factors(np.arange(12))[:, 0], np.arange(12) % 3)
    from PIL import Image

    reference = Image.fromarray(made.blocks(12, 70, 90, side=10)[5]).resize((64, 64), Image.Resampling.LANCZOS)
    assert np.array_equal(world.images([5])[0, 0], reference)


def test_shuffled_and_chosen_rows_stay_with_their_labels(tmp_path: Path) -> None:
    whole = Datasets(path=saved(tmp_path / "a", made.table()))
    rows = [7, 2, 2, 11]
    part = Datasets(path=saved(tmp_path / "b", made.table().select(rows)))
    assert np.array_equal(part.images(np.arange(4)), whole.images(rows))
    assert np.array_equal(part.factors(np.arange(4)), whole.factors(rows))


def test_any_columns_can_be_factors(tmp_path: Path) -> None:
    world = Datasets(path=saved(tmp_path, made.table()), columns=("count", "label"))
    assert world.space.names == ("count", "label")
    assert world.space["count"].kind == "ordinal"
    assert np.array_equal(world.factors(np.arange(12)), np.stack([np.arange(12) % 2, np.arange(12) % 3], axis=1))
    numbers = Datasets(path=saved(tmp_path / "n", made.table(count=[10, 30] * 6)))
    assert numbers.space["count"].values == (10, 30)


def test_a_split_is_chosen_by_name(tmp_path: Path) -> None:
    parts = library.DatasetDict({"train": made.table(12), "test": made.table(6)})
    path = saved(tmp_path, parts)
    assert (len(Datasets(path=path)), len(Datasets(path=path, split="test"))) == (12, 6)
    with pytest.raises(UnknownName, match=r"unknown split 'tests': did you mean test\?"):
        Datasets(path=path, split="tests")


@pytest.mark.parametrize(("options", "sentence"), [
    ({"columns": ("labels",)}, "unknown column 'labels': did you mean label?"),
    ({"image": "imag"}, "unknown column 'imag': did you mean image?"),
])  # fmt: skip
def test_an_unknown_column_is_answered_with_the_nearest(tmp_path: Path, options: Any, sentence: str) -> None:
    with pytest.raises(UnknownName, match=sentence.replace("?", r"\?")):
        Datasets(path=saved(tmp_path, made.table()), **options)


def test_tables_that_cannot_be_a_world_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a", made.table())
    with pytest.raises(InvalidData, match=r"'label' of .* holds no images, but image do"):
        Datasets(path=path, image="label")
    with pytest.raises(InvalidData, match="no column of images, but label, count"):
        Datasets(path=saved(tmp_path / "b", made.table().remove_columns("image")))
    with pytest.raises(InvalidData, match="could be factors"):
        Datasets(path=saved(tmp_path / "c", made.table().select_columns(["image"])))
    with pytest.raises(InvalidData, match="some images have no label"):
        Datasets(path=saved(tmp_path / "d", made.table(label=[0, None, -1] * 4)))
    with pytest.raises(InvalidData, match="'image' holds more than whole numbers"):
        Datasets(path=path, columns=("image",))
    many = {f"c{i}": list(range(12)) for i in range(20)}
    with pytest.raises(InvalidData, match="too many combinations"):
        Datasets(path=saved(tmp_path / "e", made.table(**many)))


def test_an_image_that_cannot_be_read_is_numbered(tmp_path: Path) -> None:
    rows = made.table().cast_column("image", library.Image(decode=False)).to_dict()
    rows["image"][4]["bytes"] = rows["image"][4]["bytes"][:100]
    table = library.Dataset.from_dict(rows, features=made.table().features)
    world = Datasets(path=saved(tmp_path, table))
    world.images(np.arange(4))
    with pytest.raises(InvalidData, match=r"image 4 of .* is not a picture that can be read"):
        world.images(np.arange(12))


def test_what_is_no_data_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="is neither a folder written by save_to_disk nor a data set"):
        Datasets(path=str(tmp_path))


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unbraid\[datasets\]'"):
        Datasets(path="anything")
