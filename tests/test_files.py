"""The readers of data files: good files, and damaged ones answered with a sentence."""

from __future__ import annotations

import gzip
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.files.archive import Archive, read_mat
from unbraid.files.idx import Framed, read_idx
from unbraid.files.kept import Kept
from unbraid.files.matrix import binary_matrix
from unbraid.files.npz import npz_member
from unbraid.files.pictures import resized
from unbraid.files.source import File, Source, data_folder

NUMBERS = np.arange(24).reshape(2, 3, 4)
TYPES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}


def idx(kind: str = "u1") -> bytes:
    return bytes([0, 0, TYPES[kind], 3, *(0, 0, 0, 2), *(0, 0, 0, 3), *(0, 0, 0, 4)]) + NUMBERS.astype(kind).tobytes()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_is_read_plain_and_compressed(tmp_path: Path, kind: str, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / "file").write_bytes(pack(idx(kind)))
    array = read_idx(tmp_path / "file")
    assert array.dtype == np.dtype(kind)
    assert np.array_equal(array, NUMBERS)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "is not an idx file: it begins with nothing"),
        (b"PK\x03\x04", "is not an idx file: it begins with 50 4b 03 04"),
        (b"\x00\x00\x07\x01", "is not an idx file"),
        (idx()[:10], "ends within its header"),
        (idx()[:-1], r"announces the shape \(2, 3, 4\), 40 bytes in all, but holds 39"),
        (idx() + b"\x00", "but holds 41"),
        (gzip.compress(idx(), mtime=0)[:-12], "cannot be read"),
        (gzip.compress(idx(), mtime=0)[:10] + b"\xff" * 30, "cannot be read"),
    ],
)
def test_damaged_idx_is_refused_with_a_sentence(tmp_path: Path, raw: bytes, sentence: str) -> None:
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(InvalidData, match=sentence):
        read_idx(tmp_path / "file")


def test_an_absent_idx_file_is_answered_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="cannot be read"):
        read_idx(tmp_path / "absent")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_member_is_read_in_blocks(tmp_path: Path, save: Callable[..., None]) -> None:
    save(tmp_path / "a.npz", other=np.zeros(3), numbers=NUMBERS)
    member = npz_member(tmp_path / "a.npz", "numbers")
    assert member.shape == NUMBERS.shape
    assert member.dtype == NUMBERS.dtype
    for rows in (1, 2, 5):
        assert np.array_equal(np.concatenate(list(member.blocks(rows))), NUMBERS)


def test_a_stored_member_is_mapped_and_a_compressed_one_refuses(tmp_path: Path) -> None:
    np.savez(tmp_path / "stored.npz", first=np.ones(5), numbers=NUMBERS)
    np.savez_compressed(tmp_path / "packed.npz", numbers=NUMBERS)
    mapped = npz_member(tmp_path / "stored.npz", "numbers").mapped()
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, NUMBERS)
    with pytest.raises(InvalidData, match="is compressed"):
        npz_member(tmp_path / "packed.npz", "numbers").mapped()


def test_pickled_members_are_never_opened(tmp_path: Path) -> None:
    metadata = np.array({"title": "anything"}, dtype=object)
    np.savez(tmp_path / "a.npz", allow_pickle=True, metadata=metadata, numbers=NUMBERS)
    assert np.array_equal(npz_member(tmp_path / "a.npz", "numbers").mapped(), NUMBERS)
    with pytest.raises(InvalidData, match="plain numbers"):
        npz_member(tmp_path / "a.npz", "metadata")


def test_an_absent_member_is_answered_with_those_there_are(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", numbers=NUMBERS)
    with pytest.raises(InvalidData, match="no array 'imgs', but numbers"):
        npz_member(tmp_path / "a.npz", "imgs")
    with pytest.raises(InvalidData, match="there is no file"):
        npz_member(tmp_path / "b.npz", "imgs")


def test_a_truncated_npz_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", numbers=NUMBERS)
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    with pytest.raises(InvalidData, match="is not a whole"):
        npz_member(tmp_path / "b.npz", "numbers")


def test_damage_inside_a_compressed_member_is_found_when_it_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 1024), dtype=np.uint8)
    np.savez_compressed(tmp_path / "a.npz", numbers=noise)
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    raw[40000:40100] = bytes(100)
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(InvalidData, match="is damaged"):
        list(npz_member(tmp_path / "a.npz", "numbers").blocks(8))


def test_a_compressed_member_is_kept_and_a_stored_one_mapped(tmp_path: Path) -> None:
    np.savez(tmp_path / "stored.npz", numbers=NUMBERS)
    np.savez_compressed(tmp_path / "packed.npz", numbers=NUMBERS)
    assert isinstance(npz_member(tmp_path / "stored.npz", "numbers").kept(tmp_path / "a.npy"), np.memmap)
    kept = npz_member(tmp_path / "packed.npz", "numbers").kept(tmp_path / "b.npy")
    assert not (tmp_path / "b.npy").exists()
    assert np.array_equal(kept[[1, 0]], NUMBERS[[1, 0]])
    assert np.array_equal(np.load(tmp_path / "b.npy"), NUMBERS)


class Maker:
    """An array of three rows, of which it is counted how often it was made."""

    def __init__(self, folder: Path) -> None:
        self.source, self.made, self.rows = folder / "source", 0, [(2, NUMBERS[1:]), (0, NUMBERS), (3, NUMBERS[:1])]
        self.source.write_text("first")
        self.place = folder / "kept.npy"

    def blocks(self) -> Iterator[tuple[int, Any]]:
        self.made += 1
        yield from self.rows

    def kept(self) -> Kept:
        return Kept(self.place, [self.source], (4, 3, 4), self.blocks, np.int64)


def test_blocks_may_come_in_any_order_and_are_made_once(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    expected = np.concatenate([NUMBERS, NUMBERS[1:], NUMBERS[:1]])
    for _ in range(2):
        kept = maker.kept()
        assert len(kept) == 4
        assert np.array_equal(kept[[3, 0, 1, 2]], expected[[3, 0, 1, 2]])
        assert np.array_equal(kept[np.array([0, 3]), 1], expected[[0, 3], 1])
    assert maker.made == 1


@pytest.mark.parametrize("moved", [-(10**9), 10**9])
def test_a_source_that_is_older_or_newer_is_read_again(tmp_path: Path, moved: int) -> None:
    maker = Maker(tmp_path)
    maker.kept()[:]
    time = maker.source.stat().st_mtime_ns + moved
    os.utime(maker.source, ns=(time, time))
    maker.kept()[:]
    assert maker.made == 2


def test_rows_that_lack_are_noticed_and_nothing_is_left(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    maker.rows.pop()
    with pytest.raises(InvalidData, match="holds 3 rows instead of 4"):
        maker.kept()[:]
    assert [file.name for file in tmp_path.iterdir()] == ["source"]


KILLED = """
import os, pathlib, signal, sys
import numpy as np
from unbraid.files.kept import Kept

def blocks():
    yield 0, np.zeros((2, 3, 4), np.int64)
    os.kill(os.getpid(), signal.SIGKILL)

place = pathlib.Path(sys.argv[1])
Kept(place / "kept.npy", [place / "source"], (4, 3, 4), blocks, np.int64)[:]
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")
def test_what_is_left_by_one_that_was_killed_as_it_made_the_array_goes_with_the_next(tmp_path: Path) -> None:
    maker = Maker(tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=240)
    assert done.returncode == -signal.SIGKILL
    assert not maker.place.exists()
    assert np.array_equal(maker.kept()[0], NUMBERS[0])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["kept.npy", "source"]


def test_one_that_comes_as_another_process_makes_the_array_takes_it_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    maker, flock, waited = Maker(tmp_path), fcntl.flock, []

    def late(*given: Any) -> Any:
        monkeypatch.undo()
        waited.append(maker.kept()[:])
        return flock(*given)

    monkeypatch.setattr(fcntl, "flock", late)
    found = maker.kept()[:]
    assert np.array_equal(found, waited[0])
    assert maker.made == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["kept.npy", "source"]


def test_a_kept_array_goes_to_another_process_without_its_numbers(tmp_path: Path) -> None:
    large = Kept(tmp_path / "kept.npy", [tmp_path], (1000, 1000), None)  # type: ignore[arg-type]
    np.save(tmp_path / "kept.npy", np.ones((1000, 1000), np.uint8))
    time = tmp_path.stat().st_mtime_ns
    os.utime(tmp_path / "kept.npy", ns=(time, time))
    assert large[999].all()
    sent = pickle.dumps(large)
    assert len(sent) < 2000
    assert pickle.loads(sent)[999].all()


def test_where_there_is_no_room_a_sentence_says_how_much_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=100))
    with pytest.raises(
        InvalidData, match=r"unpacked once, into 0\.0 MB, but neither .*: make room, or set UNBRAID_DATA"
    ):
        Maker(tmp_path).kept()[:]


def binary(array: Any) -> bytes:
    magic = {"f4": 0x1E3D4C51, "f8": 0x1E3D4C53, "i4": 0x1E3D4C54, "u1": 0x1E3D4C55, "i2": 0x1E3D4C56}
    sizes = [*array.shape, 1, 1][: max(3, array.ndim)]
    return np.array([magic[array.dtype.str[1:]], array.ndim, *sizes], "<u4").tobytes() + array.tobytes()


@pytest.mark.parametrize("kind", ["u1", "<i2", "<i4", "<f4", "<f8"])
@pytest.mark.parametrize("shape", [(24,), (4, 6), (2, 3, 4), (2, 3, 2, 2)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_binary_matrix_is_read_whole_and_in_blocks(
    tmp_path: Path, kind: str, shape: tuple[int, ...], pack: Callable[[bytes], bytes]
) -> None:
    array = NUMBERS.reshape(shape).astype(kind)
    (tmp_path / "file").write_bytes(pack(binary(array)))
    matrix = binary_matrix(tmp_path / "file")
    assert (matrix.shape, matrix.dtype) == (shape, np.dtype(kind))
    assert np.array_equal(matrix.whole(), array)
    assert np.array_equal(np.concatenate(list(matrix.blocks(3))), array)


MATRIX = binary(NUMBERS.astype("u1"))


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "is not a binary matrix file: it begins with nothing"),
        (b"PK\x03\x04", "is not a binary matrix file"),
        (MATRIX[:4] + b"\x09" + MATRIX[5:], "is not a binary matrix file"),
        (MATRIX[:14], "ends within its header"),
        (MATRIX[:-1], "43 bytes"),
        (MATRIX + b"\x00", "holds 45"),
        (MATRIX[:8] + bytes(4) + MATRIX[12:], "announces the shape"),
        (gzip.compress(MATRIX, mtime=0)[:-12], "is damaged|cannot be read"),
        (gzip.compress(MATRIX[:-1], mtime=0), "is damaged .*ends after 1 of 2 rows"),
        (gzip.compress(MATRIX + b"\x00", mtime=0), "is damaged .*goes on"),
    ],
)
def test_a_damaged_binary_matrix_is_refused_with_a_sentence(tmp_path: Path, raw: bytes, sentence: str) -> None:
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(InvalidData, match=sentence.replace("43 bytes", "44 bytes in all, but holds 43")):
        binary_matrix(tmp_path / "file").whole()


def test_images_framed_are_those_given_in_black(tmp_path: Path) -> None:
    framed = Framed(np.full((3, 28, 28), 9, np.uint8))
    assert (len(framed), framed.shape) == (3, (3, 1, 32, 32))
    assert framed[np.array([0, 2])].sum() == 2 * 9 * 28 * 28


def test_a_flat_image_stays_flat_at_any_size() -> None:
    assert (resized(np.full((2, 3, 17, 40), 200.0), 64) == 200).all()
    assert resized(np.full((4, 4), 300.0), 4).max() == 255


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"<html>")
    with pytest.raises(InvalidData, match=r"a\.tar\.gz cannot be read"):
        Archive(tmp_path / "a.tar.gz", "cars", ".*").names()
    with pytest.raises(InvalidData, match="is not a whole MATLAB file"):
        read_mat(b"MATLAB 5.0 MAT-file" + bytes(200), "x.mat", "im")


def test_the_data_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("UNBRAID_DATA", raising=False)
    assert data_folder() == tmp_path / "cache" / "unbraid"
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path / "data"))
    assert data_folder() == tmp_path / "data"
    monkeypatch.setenv("UNBRAID_DATA", "")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_folder() == Path.home() / ".cache" / "unbraid"


def test_a_source_finds_the_first_of_its_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path))
    source = Source("some", "https://example.org", "none", (File("a"), File("b")), folder="shared")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "b").touch()
    assert source.find(None, "a", "b") == source.file(None, "b") == tmp_path / "shared" / "b"
    (tmp_path / "shared" / "a").touch()
    assert source.find(str(tmp_path / "shared"), "a", "b").name == "a"
    with pytest.raises(InvalidData, match=r"no file c in .*: get it with `unbraid fetch some`, or name .* `folder`"):
        source.find(None, "c")
