"""A camera's rays and what it sees are each other's inverse."""

from __future__ import annotations

import numpy as np

from unbraid.draw.camera import Camera
from unbraid.draw.solid import dot

CAMERA = Camera((3.0, -6.0, 2.5), (0.2, 0.1, 0.5), 2.0)


def test_a_point_along_a_ray_is_seen_at_its_pixel() -> None:
    rays = CAMERA.rays(8, 2)
    assert rays[0].shape == (16, 16)
    assert np.allclose(dot(rays, rays), 1)
    x, y, depth = CAMERA.seen(tuple(place + 4 * ray for place, ray in zip(CAMERA.place, rays, strict=True)))  # type: ignore[arg-type]
    centres = (np.arange(16) + 0.5) / 8 - 1
    assert np.allclose(x, centres[None, :])
    assert np.allclose(y, centres[:, None])
    assert ((depth > 3) & (depth <= 4)).all()


def test_the_target_is_in_the_middle_and_up_is_up() -> None:
    assert np.allclose(CAMERA.seen(CAMERA.target)[:2], 0)
    x, y, _ = CAMERA.seen((0.2, 0.1, 1.5))
    assert np.allclose(x, 0)
    assert y < 0


def test_right_is_right() -> None:
    x, y, _ = Camera((0.0, -5.0, 1.0), (0.0, 0.0, 1.0), 1.0).seen((1.0, 0.0, 1.0))
    assert np.allclose((x, y), (0.2, 0))
