"""The readers of data files: good files, and damaged ones answered with a sentence."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.files.idx import read_idx
from unbraid.files.npz import npz_member

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
        (gzip.compress(idx())[:-12], "cannot be read"),
        (gzip.compress(idx())[:10] + b"\xff" * 30, "cannot be read"),
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
