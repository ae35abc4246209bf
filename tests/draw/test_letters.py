"""Letters: whole, of one height, and different in every font."""

from __future__ import annotations

import string

import numpy as np
import pytest

from unbraid.draw.letters import CAPITAL, FONTS, TILE, font, letters
from unbraid.errors import InvalidData

CAPITALS = letters(string.ascii_uppercase)


def test_capitals_have_one_height_and_lie_in_the_middle_of_their_picture() -> None:
    shown = CAPITALS[[string.ascii_uppercase.index(letter) for letter in "HEZ"]] > 64
    rows, columns = shown.any(axis=-1), shown.any(axis=-2)
    assert np.abs(rows.sum(axis=-1) - CAPITAL).max() <= 2
    for lines in (rows, columns):
        before, after = lines.argmax(axis=-1), lines[..., ::-1].argmax(axis=-1)
        assert np.abs(before - after).max() <= 2


def test_no_letter_of_any_font_is_cut() -> None:
    pictures = letters(string.ascii_letters)
    assert pictures.shape == (52, len(FONTS), TILE, TILE)
    assert not pictures[..., [0, -1], :].any()
    assert not pictures[..., [0, -1]].any()


def test_every_font_draws_every_letter_its_own_way() -> None:
    flat = CAPITALS.reshape(*CAPITALS.shape[:2], -1)
    for pictures in (*flat, *flat.swapaxes(0, 1)):
        assert len(np.unique(pictures, axis=0)) == len(pictures)


def test_what_is_kept_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        CAPITALS[0] = 0


def test_a_font_that_is_not_there_is_answered_with_its_file() -> None:
    with pytest.raises(InvalidData, match=r"no font .*Garamond\.ttf"):
        font("Garamond")
