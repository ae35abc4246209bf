"""Solids against their own definitions, point by point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from unbraid.draw.solid import Capsule, Cone, Placed, Solid, Vector, block, dot, prism, pyramid, sphere, turns, unit

Array = npt.NDArray[np.float64]
Inside = Callable[[Array, Array, Array], npt.NDArray[np.bool_]]


def in_capsule(x: Array, y: Array, z: Array) -> npt.NDArray[np.bool_]:
    beyond = z - np.clip(z, -0.8, 0.8)
    return np.asarray(x**2 + y**2 + beyond**2 <= 0.25)


def in_prism(x: Array, y: Array, z: Array) -> npt.NDArray[np.bool_]:
    around = [np.abs(np.cos(a) * x + np.sin(a) * y) for a in np.pi / 3 * np.arange(3)]
    return np.asarray((np.max(around, axis=0) <= 0.8) & (np.abs(z) <= 0.5))


SOLIDS: dict[str, tuple[Solid, Inside]] = {
    "sphere": (sphere(0.9), lambda x, y, z: x**2 + y**2 + z**2 <= 0.81),
    "block": (block(0.4, 0.6, 0.8), lambda x, y, z: (abs(x) <= 0.4) & (abs(y) <= 0.6) & (abs(z) <= 0.8)),
    "cylinder": (Cone(0.6, 0.5, 0.5), lambda x, y, z: (x**2 + y**2 <= 0.25) & (abs(z) <= 0.6)),
    "cone": (Cone(0.7, 0.8, 0.0), lambda x, y, z: (np.hypot(x, y) <= 0.4 - z * 0.8 / 1.4) & (abs(z) <= 0.7)),
    "frustum": (Cone(0.5, 0.3, 0.9), lambda x, y, z: (np.hypot(x, y) <= 0.6 + 0.6 * z) & (abs(z) <= 0.5)),
    "prism": (prism(6, 0.8, 0.5), in_prism),
    "pyramid": (pyramid(0.8, 0.6), lambda x, y, z: (np.maximum(abs(x), abs(y)) <= 0.4 - z * 0.8 / 1.2) & (z >= -0.6)),
    "capsule": (Capsule((0.0, 0.0, -0.8), (0.0, 0.0, 0.8), 0.5), in_capsule),
}


def rays(count: int) -> tuple[Vector, Vector]:
    """Rays from 4 away towards somewhere near the middle."""
    generator = np.random.default_rng(0)
    away = unit(tuple(generator.normal(size=(3, count))))  # type: ignore[arg-type]
    origin = (4 * away[0], 4 * away[1], 4 * away[2])
    target = generator.uniform(-1, 1, (3, count))
    return origin, unit((target[0] - origin[0], target[1] - origin[1], target[2] - origin[2]))


def along(origin: Vector, ray: Vector, far: Any) -> tuple[Any, Any, Any]:
    return tuple(o + far * r for o, r in zip(origin, ray, strict=True))  # type: ignore[return-value]


@pytest.fixture(params=SOLIDS)
def case(request: pytest.FixtureRequest) -> tuple[Solid, Inside]:
    return SOLIDS[request.param]


def test_a_ray_enters_where_walking_along_it_first_comes_inside(case: tuple[Solid, Inside]) -> None:
    solid, inside = case
    origin, ray = rays(400)
    step = 1 / 500
    steps = np.arange(2, 6, step)[:, None]
    walked = inside(*along(origin, ray, steps))
    first = np.where(walked.any(axis=0), steps[walked.argmax(axis=0), 0], np.inf)
    entered = solid.enter(origin, ray)
    hit = np.isfinite(first)
    assert 0.05 < hit.mean() < 0.95
    assert np.isfinite(entered[hit]).all()
    assert (first[hit] - entered[hit] > -1e-9).all()
    assert (first[hit] - entered[hit] < step + 1e-9).all()
    # A walk can step over a corner, but not over much more.
    assert (np.isfinite(entered) & ~hit).sum() <= 4


def test_a_normal_points_out_of_the_surface(case: tuple[Solid, Inside]) -> None:
    solid, inside = case
    origin, ray = rays(2000)
    far = solid.enter(origin, ray)
    hit = np.isfinite(far)
    point = along(tuple(o[hit] for o in origin), tuple(r[hit] for r in ray), far[hit])  # type: ignore[arg-type]
    normal = solid.normal(point)
    assert np.allclose(dot(normal, normal), 1)
    assert (dot(normal, tuple(r[hit] for r in ray)) < 1e-9).all()  # type: ignore[arg-type]
    assert not inside(*along(point, normal, 1e-6)).any()
    # Just beneath the surface is inside, but for points so near an edge that the way down leads out again.
    assert inside(*along(point, normal, -1e-6)).mean() > 0.99


def test_no_ray_that_misses_the_ball_around_a_solid_meets_it(case: tuple[Solid, Inside]) -> None:
    solid, inside = case
    origin, ray = rays(2000)
    closest = np.sqrt(dot(origin, origin) - dot(origin, ray) ** 2)
    hit = np.isfinite(solid.enter(origin, ray))
    assert (closest[hit] <= solid.reach + 1e-9).all()
    grid = np.meshgrid(*[np.linspace(-1.5, 1.5, 61)] * 3)
    farthest = np.sqrt(sum(c**2 for c in grid))[inside(*grid)].max()
    assert farthest <= solid.reach + 1e-9
    assert farthest > solid.reach - 0.15


def test_rays_parallel_to_faces_and_axes_meet_what_is_before_them() -> None:
    for direction in ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0)):
        origin = tuple(np.float64(-4 * c) for c in direction)
        ray = tuple(np.float64(c) for c in direction)
        for solid, inside in SOLIDS.values():
            far = solid.enter(origin, ray)  # type: ignore[arg-type]
            assert 2.5 < far < 4, (solid, direction)
            assert inside(*along(origin, ray, far + 1e-6)), (solid, direction)  # type: ignore[arg-type]


def test_single_precision_stays_single_and_agrees() -> None:
    origin, ray = rays(500)
    small: Any = tuple(tuple(c.astype(np.float32) for c in vector) for vector in (origin, ray))
    for solid, _ in SOLIDS.values():
        exact, single = solid.enter(origin, ray), solid.enter(*small)
        assert single.dtype == np.float32
        both = np.isfinite(exact) & np.isfinite(single)
        assert both.sum() >= np.isfinite(exact).sum() - 2
        assert np.abs(exact[both] - single[both]).max() < 0.01


def test_a_capsule_may_lie_anyhow() -> None:
    origin, ray = rays(500)
    upright = Capsule((0.0, 0.0, -0.8), (0.0, 0.0, 0.8), 0.5)
    lying = Capsule((-0.8, 0.0, 0.0), (0.8, 0.0, 0.0), 0.5)

    def turned(vector: Vector) -> Vector:
        return vector[2], vector[1], -vector[0]

    assert np.allclose(upright.enter(origin, ray), lying.enter(turned(origin), turned(ray)))


def test_a_placed_solid_is_its_own_larger_turned_and_moved() -> None:
    origin, ray = rays(500)
    block_of = Placed(block(0.2, 0.3, 0.4), (0.1, -0.2, 0.3), 2.0, turns(1 / 4))  # type: ignore[arg-type]
    moved = (origin[0] - 0.1, origin[1] + 0.2, origin[2] - 0.3)
    # A quarter turn swaps the sides.
    expected = block(0.6, 0.4, 0.8)
    far = block_of.enter(origin, ray)
    hit = np.isfinite(far)
    assert hit.sum() > 50
    assert np.array_equal(hit, np.isfinite(expected.enter(moved, ray)))
    assert np.allclose(far[hit], expected.enter(moved, ray)[hit])
    point = along(tuple(o[hit] for o in moved), tuple(r[hit] for r in ray), far[hit])  # type: ignore[arg-type]
    there = (point[0] + 0.1, point[1] - 0.2, point[2] + 0.3)
    assert np.allclose(block_of.normal(there), expected.normal(point))


def test_turns_are_exact_where_they_should_be() -> None:
    cos, sin = turns(np.arange(12) / 12)
    assert cos[[0, 2, 3, 6, 9]].tolist() == [1.0, 0.5, 0.0, -1.0, 0.0]
    assert sin[[0, 1, 3, 6, 9]].tolist() == [0.0, 0.5, 1.0, 0.0, -1.0]
