"""The empty stage: what is where, and where the lamp does not reach."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.solid import dot
from unbraid.draw.stage import LIGHT, Stage, across

COLOUR = np.array([0.2, 0.4, 0.8])


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(25.0, 32, 2)


def test_what_lies_along_the_light_has_one_place_across_it() -> None:
    points = np.random.default_rng(0).normal(size=(3, 20))
    later = points + 3 * np.array(LIGHT)[:, None]
    assert np.allclose(across(tuple(points)), across(tuple(later)))  # type: ignore[arg-type]
    # Distances across the light are true: none is left of what does not run along it.
    along = dot(LIGHT, tuple(points))  # type: ignore[arg-type]
    assert np.allclose(np.hypot(*across(tuple(points))) ** 2, (points**2).sum(axis=0) - along**2)  # type: ignore[arg-type]


def test_the_wall_is_above_the_ground_and_a_low_camera_sees_more_of_it(stage: Stage) -> None:
    assert (np.diff(stage.on_ground.astype(int), axis=0) >= 0).all()
    assert stage.on_ground.mean() > Stage(6.0, 32, 2).on_ground.mean() + 0.1


def test_the_lamp_lights_all_but_the_pedestal_and_its_shadow(stage: Stage) -> None:
    _, lit = stage.light(COLOUR)
    dark = lit.max(axis=0) == 0
    pedestal = stage.on_pedestal.reshape(32, 2, 32, 2).all(axis=(1, 3))
    assert pedestal.sum() > 5
    assert dark[pedestal].all()
    # The rest of the dark is the shadow, which lies to the right of the pedestal.
    shadow = dark & ~pedestal
    assert shadow.sum() > 3
    assert np.nonzero(shadow)[1].mean() > np.nonzero(pedestal)[1].mean() + 1


def test_wall_and_ground_take_the_background_s_colour_and_the_pedestal_does_not(stage: Stage) -> None:
    one, other = stage.light(COLOUR)[0], stage.light(COLOUR[::-1])[0]
    pedestal = stage.on_pedestal.reshape(32, 2, 32, 2)
    changed = (one != other).any(axis=0)
    assert np.array_equal(changed, ~pedestal.all(axis=(1, 3)))
    wall = one[:, 0, 0]
    assert np.allclose(wall / wall.max(), COLOUR / COLOUR.max())
