"""Skeletons: within their square, in pieces short enough, and each its own digit."""

from __future__ import annotations

import numpy as np

from unbraid.draw.skeletons import DIGITS, LONGEST, arc, curve, segments


def test_lines_are_short_and_lie_in_the_square() -> None:
    for lines in DIGITS:
        assert np.hypot(*(lines[:, 2:] - lines[:, :2]).T).max() <= LONGEST + 1e-9
        assert np.abs(lines).max() <= 0.96
        assert np.abs((lines[:, :2] + lines[:, 2:]).mean(axis=0)).max() < 0.65


def test_cutting_a_chain_keeps_its_length_and_its_ends() -> None:
    lines = segments(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.5]]))
    assert np.isclose(np.hypot(*(lines[:, 2:] - lines[:, :2]).T).sum(), 1.5)
    assert np.array_equal(lines[1:, :2], lines[:-1, 2:])
    assert lines[0, :2].tolist() == [0, 0]
    assert lines[-1, 2:].tolist() == [1, 0.5]


def test_an_arc_lies_on_its_ellipse_and_a_curve_ends_where_it_should() -> None:
    corners = arc(1, 2, 3, 4, -30, 200)
    assert np.allclose(((corners - [1, 2]) / [3, 4] ** np.ones(2)).T[0] ** 2 + ((corners[:, 1] - 2) / 4) ** 2, 1)
    bent = curve((0, 0), (1, 1), (2, 0), pieces=4)
    assert np.allclose(bent[[0, 2, 4]], [[0, 0], [1, 0.5], [2, 0]])
