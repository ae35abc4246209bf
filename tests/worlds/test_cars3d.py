"""Cars3D from MATLAB files in a folder or in the published archive."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Factor, FactorSpace
from unbraid.worlds.cars3d import Cars3D

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))
FEW = made.few("cars3d", space=FactorSpace([*Cars3D.space.all[:2], Factor("object", 3, "categorical")]))
CARS = made.cars(3)


def check(world: Any) -> None:
    index = np.arange(len(world))
    height, direction, car = world.factors(index).T
    images = world.images(index)
    assert images.dtype == np.uint8
    # Each drawing carries its numbers in its corner.
    assert np.array_equal(images[:, 0, 4, 4], 2 * (4 * direction + height))
    assert np.array_equal(images[:, 2, 4, 20 * world.size // 128], 10 * car)


@pytest.mark.parametrize("inner", ["", "data", "data/cars"])
def test_a_folder_is_read_at_any_depth(tmp_path: Path, inner: str) -> None:
    made.write_files(tmp_path, CARS)
    check(FEW(path=str(tmp_path / inner), size=128))


def test_the_archive_is_read_in_whatever_order_it_is_packed(tmp_path: Path) -> None:
    others = {"data/sprites/sprites_0.mat": b"", "data/cars/list.txt": b"", "data/masks/car_000_mesh.mat": b""}
    made.write_tar(tmp_path / "a.tar.gz", others | dict(reversed(CARS.items())))
    world = FEW(path=str(tmp_path / "a.tar.gz"), size=128)
    check(world)
    assert np.array_equal(world.images([0])[0], made.car(0)[..., 0, 0].transpose(2, 0, 1))
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["a.tar.gz", "cars3d-128.npy"]


def test_images_are_brought_to_a_size_as_pillow_does(tmp_path: Path) -> None:
    from PIL import Image

    made.write_files(tmp_path, CARS)
    world = FEW(path=str(tmp_path))
    assert world.shape == (3, 64, 64)
    # In floating point: with bytes, Pillow also cuts what overshoots between its two passes.
    red = Image.fromarray(made.car(1)[:, :, 0, 5, 2].astype(np.float32)).resize((64, 64), Image.Resampling.LANCZOS)
    drawn = world.images(world.index([[2, 5, 1]]))[0, 0]
    assert np.abs(drawn - np.asarray(red).clip(0, 255)).max() < 0.51


def test_nothing_is_unpacked_before_images_are_asked_for(tmp_path: Path) -> None:
    made.write_tar(tmp_path / "a.tar.gz", CARS)
    world = FEW(path=str(tmp_path / "a.tar.gz"))
    assert len(world) == 4 * 24 * 3
    assert [file.name for file in tmp_path.iterdir()] == ["a.tar.gz"]


def test_another_number_of_cars_is_refused(tmp_path: Path) -> None:
    made.write_files(tmp_path, made.cars(2))
    with pytest.raises(InvalidData, match="holds 2 cars instead of 3"):
        FEW(path=str(tmp_path)).images([0])


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    name = "data/cars/car_001_mesh.mat"
    for content, sentence in (
        (made.mat(im=made.car(1).astype(np.float64)), "must be bytes .* but is float64"),
        (made.mat(im=made.car(1)[:64]), "must be bytes"),
        (made.mat(image=np.ones(3)), "no array called im"),
        (CARS[name][:5000], "is not a whole MATLAB file"),
        (b"", "is not a whole MATLAB file"),
    ):
        made.write_files(tmp_path, CARS | {name: content})
        with pytest.raises(InvalidData, match=f"car_001_mesh.mat of .*{sentence}"):
            FEW(path=str(tmp_path)).images([0])
    assert not list(tmp_path.glob("*.npy*")), "nothing half made is left"


def test_what_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path / "data"))
    with pytest.raises(
        InvalidData, match=r"analogy/nips2015-analogy-data\.tar\.gz: get it with `unbraid fetch cars3d`"
    ):
        Cars3D()
    with pytest.raises(InvalidData, match="holds no files called"):
        Cars3D(path=str(tmp_path))
    with pytest.raises(InvalidOption, match="size must be"):
        Cars3D(path=str(tmp_path), size=0)
