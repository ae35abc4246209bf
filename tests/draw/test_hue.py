"""Hues against the standard library."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from unbraid.draw.hue import rgb


@pytest.mark.parametrize("saturation", [0.0, 0.4, 1.0])
def test_colours_are_those_of_the_standard_library(saturation: float) -> None:
    hues = np.linspace(0, 1, 37)
    expected = [colorsys.hsv_to_rgb(hue, saturation, 1.0) for hue in hues]
    assert np.allclose(rgb(hues, saturation=saturation), expected)


def test_a_third_of_a_turn_passes_each_primary_on() -> None:
    hues = np.linspace(0, 2, 25)
    assert np.allclose(rgb(hues + 1 / 3), np.roll(rgb(hues), 1, axis=-1))
