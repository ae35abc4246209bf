"""Moving: kinds of pictures, inverted or not, where their factors say."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.worlds.moving import Moving

WORLD = Moving()


def test_an_inverted_environment_shows_the_same_kind_white_for_black() -> None:
    index = WORLD.index([[environment, 3, 5, 7] for environment in range(3)])
    letter, digit, inverted = WORLD.images(index)[:, 0].astype(int)
    assert letter[0, 0] == digit[0, 0] == 0
    assert inverted[0, 0] == 255
    assert (letter > 127).sum() > 20
    assert (inverted < 128).sum() > 20


def test_a_picture_lies_about_its_middle() -> None:
    factors = np.array([[e, c, x, y] for e in range(2) for c in range(10) for x, y in ((0, 11), (5, 5), (11, 0))])
    ink = WORLD.images(WORLD.index(factors))[:, 0].astype(float)
    middles = 32 * np.asarray(WORLD.space["x"].values, dtype=float)
    grid = np.arange(32) + 0.5
    across = (ink.sum(axis=1) * grid).sum(axis=1) / ink.sum(axis=(1, 2))
    down = (ink.sum(axis=2) * grid).sum(axis=1) / ink.sum(axis=(1, 2))
    assert np.abs(across - middles[factors[:, 2]]).max() < 4
    assert np.abs(down - middles[factors[:, 3]]).max() < 4


def test_pictures_of_a_class_differ_from_image_to_image_and_between_splits() -> None:
    index = WORLD.index([[1, 2, x, y] for x in (5, 6) for y in range(12)])
    other = Moving(split="test").images(index)
    assert len(np.unique(WORLD.images(index).reshape(24, -1), axis=0)) == 24
    assert (WORLD.images(index) != other).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"environments": ()}, "environments must be some of"),
        ({"environments": ("numbers",)}, "environments must be some of letters"),
        ({"environments": ("digits", "digits")}, "environments must be"),
        ({"split": "all"}, "split must be train or test"),
        ({"size": 8}, "size"),
    ],
)
def test_options_out_of_range_are_refused(options, sentence) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Moving(**options)
