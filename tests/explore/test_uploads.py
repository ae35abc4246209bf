"""Pictures that people give, whatever they really are."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from unbraid.errors import InvalidData
from unbraid.explore.uploads import BYTES, read


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def claimed(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be of any size."""

    def piece(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", head) + piece(b"IDAT", zlib.compress(b"\0")) + piece(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_middle_square_is_taken_in_the_models_size(kind: str, channels: int) -> None:
    wide = np.zeros((40, 120, 3), dtype=np.uint8)
    wide[:, 40:80] = (200, 200, 200)
    found = read(saved(Image.fromarray(wide), kind), (channels, 32, 32))
    assert found.shape == (1, channels, 32, 32)
    assert np.abs(found[:, :, 4:-4, 4:-4].astype(int) - 200).max() < 12


def test_a_picture_is_turned_as_its_camera_says_and_what_is_transparent_is_black() -> None:
    upper = np.zeros((32, 32, 3), dtype=np.uint8)
    upper[:16] = 255
    exif = Image.Exif()
    exif[0x0112] = 3
    turned = read(saved(Image.fromarray(upper), "JPEG", exif=exif), (1, 32, 32))
    assert turned[0, 0, :12].max() < 20 < 230 < turned[0, 0, 20:].min()
    clear = np.full((32, 32, 4), 255, dtype=np.uint8)
    clear[..., 3] = 0
    assert read(saved(Image.fromarray(clear), "PNG"), (3, 32, 32)).max() == 0


@pytest.mark.parametrize("side", [7000, 30_000])
def test_what_claims_to_be_enormous_is_refused_before_it_is_unpacked(side: int) -> None:
    with pytest.raises(InvalidData, match="40 million pixels, but this claims to have more"):
        read(claimed(side, side), (1, 32, 32))
    with pytest.raises(InvalidData, match="a picture may have 8 MB"):
        read(b"\0" * (BYTES + 1), (1, 32, 32))


def test_kinds_that_could_do_harm_are_not_even_tried() -> None:
    for kind in ("TIFF", "PPM", "ICO"):
        with pytest.raises(InvalidData, match="no picture that can be read"):
            read(saved(Image.new("L", (32, 32)), kind), (1, 32, 32))


@given(st.binary(max_size=200), st.integers(0, 300))
def test_damage_is_a_sentence_and_never_an_accident(noise: bytes, at: int) -> None:
    whole = saved(Image.effect_noise((40, 40), 50), "PNG")
    for content in (noise, whole[:at], whole[:at] + noise + whole[at + len(noise) :]):
        try:
            found = read(content, (1, 32, 32))
        except InvalidData:
            continue
        assert found.shape == (1, 1, 32, 32)
