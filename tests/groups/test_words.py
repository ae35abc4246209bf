"""Actions from pairs several actions apart: what can be known, and what cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unbraid.errors import InvalidData
from unbraid.groups.group import rotation
from unbraid.groups.words import generators, products
from unbraid.types import Floats

STEP = 2 * np.pi / 7


def pairs(distance: int, count: int = 60) -> tuple[Floats, Floats]:
    """Codes on a circle of seven places, so many steps up or down apart."""
    generator = np.random.default_rng(distance)
    first = generator.integers(0, 7, count)
    last = first + generator.choice([-1, 1], (count, distance)).sum(axis=1)

    def codes(v: Floats) -> Floats:
        return np.stack([np.cos(STEP * v), np.sin(STEP * v)], axis=1)

    return codes(first), codes(last)


def angles(maps: Floats) -> Floats:
    return np.sort(np.arctan2(maps[..., 1, 0], maps[..., 0, 0]), axis=-1)


def test_products_are_of_all_words() -> None:
    maps = torch.from_numpy(rotation(np.array([[0.1, 1.0, 10.0]]))).float()
    found = np.sort(angles(products(maps, 2).numpy()[0, :, None])[:, 0])
    sums = np.add.outer([0.1, 1.0, 10.0], [0.1, 1.0, 10.0]).ravel()
    assert found == pytest.approx(np.sort((sums + np.pi) % (2 * np.pi) - np.pi), abs=1e-5)
    assert products(maps, 3).shape == (1, 27, 2, 2)


@pytest.mark.parametrize("distance", [2, 3])
def test_a_turn_whose_power_is_one_changes_nothing_at_that_distance_and_shows_at_another(distance: int) -> None:
    true = rotation(np.array([STEP, -STEP]))
    other = true @ rotation(np.array(2 * np.pi / distance))

    def left(maps: Floats, at: int) -> float:
        before, after = pairs(at)
        words = products(torch.from_numpy(maps)[None], at)[0].numpy()
        made = np.einsum("wij,nj->nwi", words, before)
        return float(((made - after[:, None]) ** 2).sum(axis=2).min(axis=1).max())

    assert left(true, distance) < 1e-20
    assert left(other, distance) < 1e-20
    assert left(true, 5 - distance) < 1e-20
    assert left(other, 5 - distance) > 0.1


def test_pairs_two_actions_apart_have_two_answers_and_pairs_three_apart_besides_leave_one() -> None:
    alone = generators({2: pairs(2)}, 2)
    explained = angles(alone.all[alone.errors < 0.01])
    right = np.isclose(explained, [-STEP, STEP], atol=0.05).all(axis=1)
    turned = np.isclose(explained, [STEP - np.pi, np.pi - STEP], atol=0.05).all(axis=1)
    assert (right | turned).all()
    assert right.any()
    assert turned.any()
    small = generators({2: pairs(2)}, 2, reach=0.3)
    assert np.isclose(angles(small.all[small.errors < 0.01]), [-STEP, STEP], atol=0.05).all(), "the smaller turns"
    both = generators({2: pairs(2), 3: pairs(3)}, 2)
    kept = angles(both.all[both.errors < 0.01])
    assert len(kept) >= 1
    assert np.isclose(kept, [-STEP, STEP], atol=0.05).all()


def test_no_pairs_have_no_actions() -> None:
    with pytest.raises(InvalidData, match="none are given"):
        generators({}, 2)
