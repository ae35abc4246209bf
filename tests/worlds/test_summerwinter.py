"""Summer and winter: the same land, trees, house and sun, and each season its own style."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.types import Bytes, Integers
from unbraid.views.domains import Domains
from unbraid.worlds.summerwinter import SummerWinter

WORLD = SummerWinter(size=64)
SPACE = WORLD.space
SUMMER, WINTER = range(2)
LAND, TREES, HOUSE = range(3)
NOON = 2


def some(count: int = 60, **fixed: int) -> Integers:
    return SPACE.sample(count, np.random.default_rng(0), fixed=fixed)


def images(factors: Integers, **fixed: int) -> Bytes:
    return WORLD.images(WORLD.index(put(factors, **fixed)))


def masks(factors: Integers, **fixed: int) -> Any:
    return WORLD.masks(WORLD.index(put(factors, **fixed)))


def put(factors: Integers, **fixed: int) -> Integers:
    factors = factors.copy()
    for name, value in fixed.items():
        factors[:, SPACE.position(name)] = value
    return factors


def next_value(factors: Integers, name: str) -> Integers:
    column = SPACE.position(name)
    other = factors.copy()
    other[:, column] = (other[:, column] + 1) % SPACE.sizes[column]
    return other


def test_counterparts_have_the_same_skyline_and_house() -> None:
    summer, winter = (masks(some(100), domain=domain) for domain in (SUMMER, WINTER))
    assert np.array_equal(summer[:, HOUSE], winter[:, HOUSE])
    both = summer.any(axis=1).sum(), (summer.any(axis=1) & winter.any(axis=1)).sum()
    assert both[1] > 0.99 * both[0], "round trees are bare in winter, and all else is there"


def test_firs_stay_and_round_trees_are_bare() -> None:
    summer, winter = (masks(some(200), domain=domain)[:, TREES] for domain in (SUMMER, WINTER))
    assert 0.3 < winter.sum() / summer.sum() < 0.9
    assert (winter & ~summer).sum() < 0.2 * winter.sum()


def test_masks_are_disjoint_and_the_house_moves_with_its_factor() -> None:
    centre = (np.arange(64) + 0.5) / 64
    for value, x in enumerate(SPACE["house"].values):
        found = masks(some(house=value))
        assert found.sum(axis=1).max() == 1
        house = found[:, HOUSE]
        middle = house.sum(axis=1) @ centre / house.sum(axis=(1, 2))
        assert np.abs(middle - float(x)).max() < 0.01


def test_the_sun_is_where_it_should_be_in_both_seasons() -> None:
    for value, x in enumerate(SPACE["sun"].values):
        factors = put(some(sun=value), flakes=0)
        other = put(factors, sun=(value + 3) % 7)
        moved = np.abs(images(factors).astype(int) - images(other).astype(int)).sum(axis=1) > 0
        column, row = int(64 * float(x)), int(64 * (0.12 + 0.5 * (float(x) - 0.5) ** 2))
        assert moved[:, row, column].all()
        assert not masks(factors)[:, :, row, column].any()
        red = images(put(factors, hour=NOON))[:, :, row, column]
        assert red.min() > 225


@pytest.mark.parametrize("name", ["hour", "meadow", "flowers", "snow", "flakes"])
def test_a_style_paints_the_same_land_and_house(name: str) -> None:
    before, after = masks(some(100)), masks(next_value(some(100), name))
    assert np.array_equal(before[:, HOUSE], after[:, HOUSE])
    assert (before != after).mean() < (0.01 if name == "snow" else 1e-9), "snow lies on branches"


@pytest.mark.parametrize("name", ["hills", "trees", "house"])
def test_content_moves_what_it_names(name: str) -> None:
    layer = {"hills": LAND, "trees": TREES, "house": HOUSE}[name]
    before, after = masks(some(100)), masks(next_value(some(100), name))
    assert (before[:, layer] != after[:, layer]).any(axis=(1, 2)).mean() > 0.95


def test_the_more_snow_the_whiter_the_land() -> None:
    factors = put(some(), domain=WINTER, hour=NOON, flakes=0)
    white = []
    for value in range(6):
        shown = images(factors, snow=value)[:, :, 50:].min(axis=1) > 225
        white.append((shown & masks(factors)[:, LAND, 50:]).sum(axis=(1, 2)))
    assert (np.diff(np.sum(white, axis=1)) > 0).all()
    assert (white[5] > 1.8 * white[0]).all()
    assert not (images(put(factors, domain=SUMMER, flowers=0)).min(axis=1) > 225)[:, 50:].any()


def test_winter_is_whiter_and_summer_greener() -> None:
    summer, winter = (
        images(some(300, meadow=1), domain=domain, hour=NOON).astype(float)[:, :, 40:] for domain in (0, 1)
    )
    green = [(x[:, 1] - (x[:, 0] + x[:, 2]) / 2).mean(axis=(1, 2)) for x in (summer, winter)]
    assert (green[0] > green[1] + 15).mean() > 0.95
    assert (winter.min(axis=1).mean(axis=(1, 2)) > summer.min(axis=1).mean(axis=(1, 2)) + 20).all()


def test_flakes_fall_and_flowers_grow_as_many_as_there_should_be() -> None:
    for domain, name, rows in ((WINTER, "flakes", slice(0, 64)), (SUMMER, "flowers", slice(45, 64))):
        factors = put(some(), domain=domain, hour=NOON)
        none, few, many = (images(factors, **{name: value})[:, :, rows] for value in range(3))
        new = [(x != none).any(axis=1).sum(axis=(1, 2)) for x in (few, many)]
        assert new[0].mean() > 3
        assert 1.6 < new[1].mean() / new[0].mean() < 4
    outside = (images(factors, flowers=2) != images(factors, flowers=0)).any(axis=1) & ~masks(factors)[:, LAND]
    assert outside.sum() < 0.05 * new[1].sum(), "only at soft edges"


def test_lamps_are_lit_and_the_land_is_dark_at_dusk() -> None:
    factors = put(some(flowers=0, flakes=0), domain=SUMMER)
    noon, dusk = (images(factors, hour=hour).astype(float) for hour in (NOON, 4))
    house = masks(factors)[:, HOUSE]
    assert (dusk[:, :, 60:].mean(axis=(1, 2, 3)) < 0.8 * noon[:, :, 60:].mean(axis=(1, 2, 3))).all()
    yellow = (dusk[:, 0] > 230) & (dusk[:, 1] > 190) & (dusk[:, 2] < 150) & house
    assert (yellow.sum(axis=(1, 2)) >= 2).all()


def test_counterparts_share_their_content_and_nothing_else_does() -> None:
    factors = some(300)
    content = WORLD.content(WORLD.index(factors))
    for name in ("domain", *WORLD.styles[0], *WORLD.styles[1]):
        assert np.array_equal(WORLD.content(WORLD.index(next_value(factors, name))), content)
    for name in WORLD.shared:
        assert (WORLD.content(WORLD.index(next_value(factors, name))) != content).all()
    assert {"domain", *WORLD.shared, *WORLD.styles[0], *WORLD.styles[1]} == set(SPACE.names)


def test_no_content_is_seen_in_both_domains_while_training() -> None:
    world = SummerWinter(size=32)
    batches = [Domains(world, batch_size=64).batch(step) for step in range(5)]
    first, second = (
        set(world.content(np.concatenate([getattr(batch, name).numpy() for batch in batches])).tolist())
        for name in ("index", "other_index")
    )
    assert not first & second


def test_another_seed_is_another_country() -> None:
    other = SummerWinter(seed=1)
    index = WORLD.index(some())
    assert (other.masks(index) != WORLD.masks(index)).any(axis=(2, 3))[:, :2].all()


def test_everything_is_in_proportion_at_another_size() -> None:
    factors = put(some(100), flakes=0, flowers=0)
    halved = images(factors).reshape(100, 3, 32, 2, 32, 2).mean(axis=(3, 5))
    assert np.abs(halved - SummerWinter(size=32).images(WORLD.index(factors))).mean() < 6


@pytest.mark.parametrize(
    ("options", "sentence"), [({"size": 31}, "size must be .* at least 32"), ({"seed": -1}, "seed must be")]
)
def test_what_cannot_be_is_answered_with_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        SummerWinter(**options)
