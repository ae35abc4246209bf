"""DSprites from small files in the published format: the same members, for a space with fewer combinations."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.types import Factor, FactorSpace
from unbraid.worlds.dsprites import DSprites

SPACE = FactorSpace([Factor("shape", 3, "categorical"), Factor("x", 4), Factor("y", 5)])
IMAGES = np.random.default_rng(0).integers(0, 2, (len(SPACE), 64, 64), dtype=np.uint8)


class Few(DSprites):
    """The reader, for 60 images."""

    space = SPACE


def write(file: Path, save: Callable[..., None] = np.savez_compressed, images: Any = IMAGES, name: str = "imgs") -> str:
    metadata = np.array({"title": "dSprites dataset"}, dtype=object)
    classes = SPACE.factors(np.arange(len(SPACE)))
    save(file, allow_pickle=True, metadata=metadata, latents_classes=classes, **{name: images})
    return str(file)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_images_are_those_of_the_file_in_any_order(tmp_path: Path, save: Callable[..., None]) -> None:
    world = Few(path=write(tmp_path / "a.npz", save))
    order = np.random.default_rng(1).permutation(len(SPACE))
    images = world.images(order)
    assert images.dtype == np.uint8
    assert np.array_equal(images, IMAGES[order][:, None] * 255)
    assert np.array_equal(world.fractions(order), IMAGES[order][:, None].astype(np.float32))


def test_a_compressed_file_is_unpacked_once_at_a_bit_a_pixel(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz")
    world = Few(path=path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    world.images([0])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.bits.npy", "a.npz"]
    assert (tmp_path / "a.bits.npy").stat().st_size == 128 + IMAGES.size // 8
    made = (tmp_path / "a.bits.npy").stat().st_mtime_ns
    assert np.array_equal(Few(path=path).images([7])[0, 0], IMAGES[7] * 255)
    assert (tmp_path / "a.bits.npy").stat().st_mtime_ns == made


def test_a_damaged_or_outdated_unpacked_file_is_made_anew(tmp_path: Path) -> None:
    path, bits = write(tmp_path / "a.npz"), tmp_path / "a.bits.npy"
    Few(path=path).images([0])
    bits.write_bytes(bits.read_bytes()[:-5])
    assert np.array_equal(Few(path=path).images([59])[0, 0], IMAGES[59] * 255)
    write(tmp_path / "a.npz", images=1 - IMAGES)
    os.utime(bits, (0, 0))
    assert np.array_equal(Few(path=path).images([59])[0, 0], 255 - IMAGES[59] * 255)


def test_where_the_folder_cannot_be_written_the_data_folder_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    path, cache = write(tmp_path / "data" / "a.npz"), tmp_path / "cache"
    monkeypatch.setenv("UNBRAID_DATA", str(cache))
    # A folder in the way of the unpacked file stands for a lack of permission, which an administrator never has.
    (tmp_path / "data" / "a.bits.npy").mkdir()
    os.utime(tmp_path / "data" / "a.bits.npy", (0, 0))
    assert np.array_equal(Few(path=path).images([3])[0, 0], IMAGES[3] * 255)
    assert len(list(cache.iterdir())) == 1
    assert [file.name for file in (tmp_path / "data").iterdir() if file.is_file()] == ["a.npz"]


def test_where_nothing_can_be_written_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.npz")
    (tmp_path / "a.bits.npy").mkdir()
    (tmp_path / "occupied").touch()
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path / "occupied"))
    with pytest.raises(InvalidData, match=r"neither .* nor .* can be written"):
        Few(path=path).images([0])


def test_damage_found_while_unpacking_leaves_nothing_behind(tmp_path: Path) -> None:
    path = Path(write(tmp_path / "a.npz"))
    raw = bytearray(path.read_bytes())
    raw[20000:20200] = bytes(200)
    path.write_bytes(raw)
    with pytest.raises(InvalidData, match="is damaged"):
        Few(path=str(path)).images([0])
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("images", [IMAGES[:-1], IMAGES[:, :32], IMAGES.astype(np.int64)])
def test_images_of_another_shape_or_type_are_refused(tmp_path: Path, images: Any) -> None:
    with pytest.raises(InvalidData, match=r"must be bytes \(60, 64, 64\)"):
        Few(path=write(tmp_path / "a.npz", images=images))


def test_a_file_that_is_absent_or_truncated_or_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="there is no file"):
        DSprites(path=str(tmp_path / "absent.npz"))
    with pytest.raises(InvalidData, match="no array 'imgs', but metadata"):
        Few(path=write(tmp_path / "a.npz", name="images"))
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:1000])
    with pytest.raises(InvalidData, match="is not a whole"):
        Few(path=str(tmp_path / "a.npz"))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("index", [-1, 60])
def test_an_index_out_of_range_is_refused(tmp_path: Path, save: Callable[..., None], index: int) -> None:
    with pytest.raises(InvalidData, match=r"must lie in 0 \.\. 59"):
        Few(path=write(tmp_path / "a.npz", save)).images([index])
