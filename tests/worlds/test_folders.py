"""Folders of pictures of every kind and size."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unbraid.errors import InvalidData, InvalidOption
from unbraid.worlds.folders import Folders

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))
SQUARE = made.blocks(3, 64, 64, side=8).transpose(1, 2, 0)


def only(folder: Path, **options: Any) -> Any:
    """The one image of a folder."""
    world = Folders(path=str(folder), **options)
    assert len(world) == 1
    return world.images([0])[0]


def test_subfolders_are_classes_and_pictures_come_in_order(tmp_path: Path) -> None:
    made.write_pictures(tmp_path)
    (tmp_path / "dogs" / "deep").mkdir()
    Image.fromarray(SQUARE).save(tmp_path / "dogs" / "deep" / "last.PNG")
    for name in ("cats/.hidden.png", "cats/notes.txt", "lonely.png", ".git/x.png", "empty/readme"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"not a picture")
    world = Folders(path=str(tmp_path))
    assert world.space["class"].values == ("cats", "dogs", "emus")
    assert np.array_equal(world.factors(np.arange(13))[:, 0], [0] * 4 + [1] * 5 + [2] * 4)
    assert np.array_equal(world.images([8])[0], SQUARE.transpose(2, 0, 1))


def test_pictures_without_subfolders_are_of_one_class(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    Image.fromarray(SQUARE).save(tmp_path / "faces" / "a.bmp")
    world = Folders(path=str(tmp_path / "faces"))
    assert world.space["class"].values == ("faces",)
    assert np.array_equal(world.images([0])[0], SQUARE.transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_picture_keeps_its_look(tmp_path: Path, mode: str, channels: int) -> None:
    grey = made.blocks(64, 64)
    wide = Image.fromarray(grey.astype(np.uint16) * 257)
    picture = wide if mode == "I;16" else Image.fromarray(grey).convert(mode)
    kind = "tiff" if mode in ("CMYK", "YCbCr") else "png"
    picture.save(tmp_path / f"a.{kind}")
    image = only(tmp_path, channels=channels)
    assert image.shape == (channels, 64, 64)
    assert np.abs(image.astype(int) - grey).max() <= 2


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :32] = (10, 20, 30, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = only(tmp_path)
    assert np.array_equal(image[:, 0, 0], [10, 20, 30])
    assert np.array_equal(image[:, 0, 63], [255, 255, 255])
    palette = Image.fromarray((np.arange(64 * 64).reshape(64, 64) % 2).astype(np.uint8)).convert("P")
    palette.save(tmp_path / "a.png", transparency=0)
    assert only(tmp_path).max() == 255


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # Its orientation: a quarter turn.
    Image.fromarray(SQUARE).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(only(tmp_path), np.rot90(SQUARE, -1).transpose(2, 0, 1))


def test_what_is_not_square_is_cut_padded_or_stretched(tmp_path: Path) -> None:
    pixels = np.zeros((64, 128), np.uint8)
    pixels[:, 32:96] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert only(tmp_path, fit="crop", channels=1).min() == 255
    padded = only(tmp_path, fit="pad", channels=1)[0]
    assert padded[:14].max() == padded[-14:].max() == 0
    assert padded[20:44, 20:44].min() == 255
    stretched = only(tmp_path, fit="stretch", channels=1)[0]
    assert stretched[:, 20:44].min() == 255
    assert stretched[:, :10].max() == 0


def test_large_photographs_are_small_in_the_end(tmp_path: Path) -> None:
    large = made.blocks(3, 1200, 900, side=300).transpose(1, 2, 0)
    Image.fromarray(large).save(tmp_path / "a.jpg", quality=95)
    image = only(tmp_path, size=32)
    reference = Image.fromarray(large[150:1050]).resize((32, 32), Image.Resampling.LANCZOS)
    assert np.abs(image.astype(int) - np.asarray(reference).transpose(2, 0, 1)).mean() < 3


def test_of_a_moving_picture_the_first_is_taken(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((64, 64), grey, np.uint8)) for grey in (50, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert only(tmp_path).max() == 50


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0", b"BM" + bytes(40)])
def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    made.write_pictures(tmp_path)
    (tmp_path / "dogs" / "bad.png").write_bytes(content)
    world = Folders(path=str(tmp_path))
    world.images(np.arange(4))
    with pytest.raises(InvalidData, match=r"dogs/bad\.png is not a picture that can be read .*: replace or remove it"):
        world.images(np.arange(13))


def test_grey_without_a_known_white_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((64, 64), np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(InvalidData, match="floating point"):
        only(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="holds no pictures"):
        Folders(path=str(tmp_path))
    with pytest.raises(InvalidData, match="there is no folder"):
        Folders(path=str(tmp_path / "nowhere"))


@pytest.mark.parametrize("options", [{"size": 0}, {"channels": 4}, {"fit": "squash"}])
def test_options_out_of_range_are_refused(tmp_path: Path, options: Any) -> None:
    made.write_pictures(tmp_path)
    with pytest.raises(InvalidOption, match=f"{next(iter(options))} must be"):
        Folders(path=str(tmp_path), **options)


def test_two_folders_are_two_domains_whatever_their_subfolders(tmp_path: Path) -> None:
    made.write_pictures(tmp_path)
    world = Folders(a=str(tmp_path / "cats"), b=str(tmp_path), size=32)
    assert world.space["domain"].values == ("a", "b")
    assert world.factors(np.arange(len(world)))[:, 0].tolist() == [0] * 4 + [1] * 12
    assert np.array_equal(world.images([0]), Folders(path=str(tmp_path / "cats"), size=32).images([0]))


@pytest.mark.parametrize("given", [{}, {"a": "x"}, {"b": "x"}, {"path": "x", "a": "x", "b": "x"}])
def test_a_folder_or_two_domains_must_be_given_and_not_both(given: Any) -> None:
    with pytest.raises(InvalidOption, match="give path, or both a and b"):
        Folders(**given)


def test_a_domain_without_pictures_is_named(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    made.write_pictures(tmp_path / "full")
    (tmp_path / "bare").mkdir()
    with pytest.raises(InvalidData, match="bare holds no pictures"):
        Folders(a=str(tmp_path / "full"), b=str(tmp_path / "bare"))
