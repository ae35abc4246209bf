"""CelebA from a folder of JPEG files and tables of text."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.views.classes import Classes
from unbraid.worlds.celeba import CelebA

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))


@pytest.fixture
def faces(tmp_path: Path) -> Any:
    return made.write_faces(tmp_path)


def test_factors_are_the_attributes_of_the_table(tmp_path: Path, faces: Any) -> None:
    world = CelebA(folder=str(tmp_path))
    assert np.array_equal(world.factors(np.arange(20)), faces)
    assert world.space.names[3] == "Attribute_3"
    assert world.space["Attribute_3"].values == ("no", "yes")
    assert len(world.space) == 2**40


def test_some_attributes_can_be_chosen_in_any_order(tmp_path: Path, faces: Any) -> None:
    world = CelebA(folder=str(tmp_path), attributes=("Attribute_7", "Attribute_2"))
    assert np.array_equal(world.factors(np.arange(20)), faces[:, [7, 2]])
    with pytest.raises(UnknownName, match="unknown attribute 'Attribute_77': did you mean Attribute_"):
        CelebA(folder=str(tmp_path), attributes=("Attribute_77",))


def test_who_it_is_can_be_a_factor(tmp_path: Path, faces: Any) -> None:
    world = CelebA(folder=str(tmp_path), attributes=("Attribute_0",), identity=True)
    assert np.array_equal(
        world.space.values(world.factors(np.arange(20)))[:, 1], [str(100 + i // 3) for i in range(20)]
    )
    assert world.space["identity"].size == 7


def test_its_class_is_who_it_is_where_that_is_known_and_else_the_first_attribute(tmp_path: Path, faces: Any) -> None:
    for identity, name in ((True, "identity"), (False, "Attribute_0")):
        assert Classes(CelebA(folder=str(tmp_path), identity=identity)).classes.names == (name,)


@pytest.mark.parametrize(("split", "number"), [("train", 0), ("valid", 1), ("test", 2)])
def test_a_split_holds_its_pictures_alone(tmp_path: Path, faces: Any, split: Any, number: int) -> None:
    world = CelebA(folder=str(tmp_path), split=split)
    everything = CelebA(folder=str(tmp_path))
    index = np.arange(number, 20, 3)
    assert len(world) == len(index)
    assert np.array_equal(world.factors(np.arange(len(world))), faces[index])
    assert np.array_equal(world.images(np.arange(len(world))), everything.images(index))


def test_the_middle_is_cut_out_and_made_small(tmp_path: Path, faces: Any) -> None:
    whole = Image.open(tmp_path / "img_align_celeba" / "000003.jpg")
    middle = whole.crop((15, 35, 163, 183))
    assert middle.size == (148, 148)
    world = CelebA(folder=str(tmp_path), size=32)
    expected = np.asarray(middle.resize((32, 32), Image.Resampling.LANCZOS)).transpose(2, 0, 1)
    assert np.array_equal(world.images([2])[0], expected)
    whole.close()


def test_absent_files_are_answered_with_what_to_do(tmp_path: Path, faces: Any) -> None:
    with pytest.raises(InvalidData, match="`unbraid fetch celeba`"):
        CelebA(folder=str(tmp_path / "elsewhere"))
    (tmp_path / "img_align_celeba" / "000004.jpg").unlink()
    with pytest.raises(InvalidData, match=r"lacks 1 of 20 pictures, 000004\.jpg among them"):
        CelebA(folder=str(tmp_path))
    (tmp_path / "identity_CelebA.txt").unlink()
    with pytest.raises(InvalidData, match=r"no file identity_CelebA\.txt"):
        CelebA(folder=str(tmp_path), identity=True)
    (tmp_path / "img_align_celeba").rename(tmp_path / "other")
    with pytest.raises(InvalidData, match=r"there is no folder .*: unpack img_align_celeba\.zip there"):
        CelebA(folder=str(tmp_path))


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("20\n", "21\n", "announces 21 pictures but lists 20"),
    ("20\n", "many\n", "must begin with the number of pictures"),
    ("000003.jpg ", "000003.jpg 1 ", "must give 1 or -1 .* but not for 000003.jpg"),
    ("000003.jpg -1", "000003.jpg  2", "must give 1 or -1 .* but not for 000003.jpg"),
    ("000003.jpg -1", "000003.jpg  ", "must give 1 or -1 .* but not for 000003.jpg"),
    ("000003", "0é0003", "cannot be read"),
])  # fmt: skip
def test_a_damaged_table_is_refused(tmp_path: Path, faces: Any, old: str, new: str, sentence: str) -> None:
    table = tmp_path / "list_attr_celeba.txt"
    text = table.read_text().replace("000003.jpg  1", "000003.jpg -1")
    assert old in text
    table.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidData, match=sentence):
        CelebA(folder=str(tmp_path))


def test_tables_that_do_not_agree_are_refused(tmp_path: Path, faces: Any) -> None:
    for name in ("identity_CelebA.txt", "list_eval_partition.txt"):
        lines = (tmp_path / name).read_text().splitlines()
        (tmp_path / name).write_text("\n".join(lines[1:]))
    with pytest.raises(InvalidData, match="one number for each picture"):
        CelebA(folder=str(tmp_path), identity=True)
    with pytest.raises(InvalidData, match="one number for each picture"):
        CelebA(folder=str(tmp_path), split="test")


@pytest.mark.parametrize("options", [{"split": "both"}, {"size": 0}, {"crop": 0}])
def test_options_out_of_range_are_refused(tmp_path: Path, faces: Any, options: Any) -> None:
    with pytest.raises(InvalidOption, match=f"{next(iter(options))} must be"):
        CelebA(folder=str(tmp_path), **options)


def test_a_cut_larger_than_the_picture_is_refused(tmp_path: Path, faces: Any) -> None:
    with pytest.raises(InvalidData, match=r"000001\.jpg is 178x218, too small to cut 200x200"):
        CelebA(folder=str(tmp_path), crop=200).images([0])
