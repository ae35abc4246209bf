"""The sprites of Reed et al. from MATLAB 7.3 files."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.worlds.reedsprites import ReedSprites

pytest.importorskip("h5py")
made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))
FEW = made.few("reedsprites", characters=4)
CHARACTERS = made.characters(4)


def drawn(number: int, animation: int, frame: int) -> Any:
    """What a frame looks like, upright: colour, row, column."""
    pixels = made.blocks(21, 2, 3, 60, 60, side=6)[animation, frame]
    pixels[:, :6, :6] = round(number / 8 * 255)
    return pixels


def test_frames_stand_upright_with_a_margin_and_know_what_they_show(tmp_path: Path) -> None:
    made.write_files(tmp_path, CHARACTERS)
    world = FEW(path=str(tmp_path))
    assert (len(world), world.shape) == (4 * 20 * 2, (3, 64, 64))
    assert world.space.names[-3:] == ("action", "view", "frame")
    for index in (0, 1, 41, 119, 159):
        number, animation, frame = np.unravel_index(index, (4, 20, 2))
        image = world.images([index])[0]
        assert np.array_equal(image[:, 2:-2, 2:-2], drawn(int(number), int(animation), int(frame)))
        assert np.array_equal(image[:, 0, 30], image[:, 2, 30])
        traits = [number % 2, number // 2 % 2, 0, number // 4, 0, 0, number % 2]
        assert world.factors([index])[0].tolist() == [*traits, animation // 4, animation % 4, frame]
    values = world.space.values(world.factors([0]))[0]
    assert values[[4, 7]].tolist() == ["1", "spellcast"]


def test_the_archive_gives_what_the_folder_gives(tmp_path: Path) -> None:
    made.write_files(tmp_path / "folder", CHARACTERS)
    made.write_tar(tmp_path / "a.tar.gz", dict(reversed(CHARACTERS.items())) | {"data/cars/sprites_9.mat": b""})
    one, other = FEW(path=str(tmp_path / "folder")), FEW(path=str(tmp_path / "a.tar.gz"))
    index = np.arange(len(one))
    assert np.array_equal(one.images(index), other.images(index))
    assert np.array_equal(one.factors(index), other.factors(index))


def test_animations_may_differ_in_length(tmp_path: Path) -> None:
    longer = made.sprite(1, frames=3)
    cells = [longer[i] if i == 5 else animation for i, animation in enumerate(made.sprite(1))]
    traits = np.zeros(7)
    made.write_files(tmp_path, CHARACTERS | {"data/sprites/sprites_1.mat": made.mat73(cells, traits)})
    world = FEW(path=str(tmp_path))
    assert len(world) == 161
    assert world.space["frame"].size == 3
    expected = longer[5].T.reshape(3, 3, 60, 60).transpose(0, 1, 3, 2)
    index = 40 + np.array([10, 11, 12])
    assert np.array_equal(world.images(index)[:, :, 2:-2, 2:-2], np.rint(expected * 255))
    assert world.factors(index)[:, -3:].tolist() == [[1, 1, 0], [1, 1, 1], [1, 1, 2]]


@pytest.mark.parametrize(("content", "sentence"), [
    (made.mat73(made.sprite(0)[:19], np.zeros(7)), "must hold 7 labels and 20 animations"),
    (made.mat73(made.sprite(0), np.zeros(6)), "must hold 7 labels and 20 animations"),
    (made.mat73([cell[:-1] for cell in made.sprite(0)], np.zeros(7)), "must hold pictures of 60x60"),
    (made.mat73([255 * cell for cell in made.sprite(0)], np.zeros(7)), r"in 0 \.\. 1"),
    (made.mat(sprites=np.zeros(3)), "is not a whole MATLAB 7.3 file"),
    (CHARACTERS["data/sprites/sprites_0.mat"][:4000], "is not a whole MATLAB 7.3 file"),
])  # fmt: skip
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    made.write_files(tmp_path, CHARACTERS | {"data/sprites/sprites_2.mat": content})
    with pytest.raises(InvalidData, match=rf"sprites_2\.mat of .*{sentence}"):
        FEW(path=str(tmp_path))


def test_another_number_of_characters_is_refused(tmp_path: Path) -> None:
    made.write_files(tmp_path, made.characters(3))
    with pytest.raises(InvalidData, match="holds 3 characters instead of 4"):
        FEW(path=str(tmp_path))
    made.write_files(tmp_path, made.characters(5))
    with pytest.raises(InvalidData, match=r"sprites_4\.mat"):
        FEW(path=str(tmp_path))


def test_an_absent_archive_is_answered_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path))
    with pytest.raises(InvalidData, match="`unbraid fetch reedsprites`"):
        ReedSprites()
