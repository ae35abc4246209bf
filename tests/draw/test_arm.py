"""The arm: what is left out to be quick changes nothing, and light falls as it should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unbraid.draw import arm
from unbraid.draw.arm import Arm, Poses
from unbraid.draw.solid import block, pyramid, sphere

SOLIDS = (sphere(1.0), block(0.8, 0.8, 0.8), pyramid(0.9, 0.9))
GREY = np.array([(0.5, 0.5, 0.5), (0.9, 0.9, 0.9)])


@pytest.fixture(scope="module")
def drawer() -> Arm:
    return Arm(SOLIDS, (45.0, 5.0), GREY)


def poses(count: int) -> Poses:
    generator = np.random.default_rng(0)
    return Poses(
        camera=generator.integers(0, 2, count),
        background=generator.integers(0, 2, count),
        solid=generator.integers(0, 3, count),
        size=generator.uniform(0.3, 0.5, count),
        colour=generator.uniform(0, 1, (count, 3)),
        turn=generator.uniform(-80, 80, count),
        lift=generator.uniform(-20, 45, count),
    )


def alone(**changes: Any) -> Poses:
    """One pose of a small red ball before the first camera."""
    pose = {"camera": 0, "background": 0, "solid": 0, "size": 0.35, "colour": (1.0, 0.0, 0.0), "turn": 0.0, "lift": 0.0}
    return Poses(**{name: np.array([value]) for name, value in (pose | changes).items()})


def test_tiles_that_are_left_out_are_those_where_nothing_is_seen(drawer: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    some = poses(60)
    quick = drawer.draw(some)
    with monkeypatch.context() as patch:
        patch.setattr(arm, "_touched", lambda part, eye: np.ones((len(eye[0]), arm.TILES), dtype=bool))
        assert np.array_equal(drawer.draw(some), quick)


def test_an_image_depends_on_its_own_pose_alone(drawer: Arm) -> None:
    some = poses(70)
    one_by_one = np.concatenate([drawer.draw(some.at(np.array([i]))) for i in range(70)])
    assert np.array_equal(drawer.draw(some), one_by_one)


def test_what_is_nearer_hides_what_is_behind_it(drawer: Arm) -> None:
    # Pointing to the viewer, the solid is before the arm and is seen whole; pointing away, it is partly hidden.
    red = [int((d[0, 0] > d[0, 1].astype(int) + 40).sum()) for d in (drawer.draw(alone(turn=t)) for t in (0.0, 180.0))]
    assert red[0] > 60
    assert red[1] < 0.7 * red[0]


def test_the_solid_is_larger_where_it_is_nearer(drawer: Arm) -> None:
    def area(turn: float) -> int:
        drawn = drawer.draw(alone(turn=turn, lift=40.0, camera=1)).astype(int)
        return int((drawn[0, 0] > drawn[0, 1] + 40).sum())

    assert area(0.0) > 1.1 * area(85.0)


def test_the_lamp_throws_a_shadow_away_from_itself(drawer: Arm) -> None:
    # Under the top camera the ground fills the lower image. The lamp is to the left, so the shadow lies to the right.
    drawn = drawer.draw(alone(turn=0.0, lift=30.0)).astype(int)[0, 1]
    empty = drawer.draw(alone(turn=60.0, lift=-20.0)).astype(int)[0, 1]
    darker = (drawn < empty - 15) & (np.abs(drawn - empty) < 80)
    assert darker.sum() > 30
    assert np.nonzero(darker)[1].mean() > 32


def test_light_is_the_colour_of_what_it_falls_on(drawer: Arm) -> None:
    dark, light = (drawer.draw(alone(background=i)).astype(int)[0] for i in (0, 1))
    assert (light >= dark).all()
    # All is grey but the solid.
    coloured = np.ptp(light, axis=0) > 20
    assert 60 < coloured.sum() < 400
