"""Cats and dogs: both domains do what the shared factors say, and each shows its own style alone."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidOption
from unbraid.types import Floats, Integers
from unbraid.views.domains import Domains
from unbraid.worlds.catsdogs import CatsDogs

WORLD = CatsDogs(size=64)
SPACE = WORLD.space
CAT, DOG = range(2)
ANIMAL, EYES = range(2)


def some(count: int = 60, **fixed: int) -> Integers:
    """Any factors, the head upright in the middle looking at one, but for what is fixed."""
    plain = {"x": 2, "y": 2, "turn": 2, "tilt": 2, "gaze": 2}
    fixed = {name.replace("_", " "): value for name, value in fixed.items()}
    return SPACE.sample(count, np.random.default_rng(0), fixed=plain | fixed)


def middles(masks: np.ndarray) -> Floats:
    """The centre of each mask in pixels, ``(B, 2)``."""
    centre = np.arange(64) + 0.5
    total = masks.sum(axis=(1, 2))
    return np.stack([masks.sum(axis=1) @ centre / total, masks.sum(axis=2) @ centre / total], axis=1)


def eyes(factors: Integers) -> np.ndarray:
    return WORLD.masks(WORLD.index(factors))[:, EYES]


@pytest.mark.parametrize("domain", [CAT, DOG])
def test_eyes_are_where_the_head_is(domain: int) -> None:
    for x in range(5):
        for y in range(5):
            factors = some(x=x, y=y, domain=domain)
            radius = 64 * np.asarray(SPACE["size"].values)[factors[:, SPACE.position("size")]]
            expected = 64 * np.array([SPACE["x"].values[x], SPACE["y"].values[y]])
            off = middles(eyes(factors)) - expected
            assert np.abs(off[:, 0]).max() < 0.5
            above = -off[:, 1] / radius
            assert (above > 0.02).all()
            assert (above < 0.25).all()


@pytest.mark.parametrize("domain", [CAT, DOG])
def test_the_line_of_the_eyes_is_tilted_by_the_tilt(domain: int) -> None:
    centre = np.arange(64) + 0.5
    for tilt, angle in enumerate(SPACE["tilt"].values):
        masks = eyes(some(tilt=tilt, domain=domain, size=3))
        x, y = middles(masks).T
        right, down = centre - x[:, None], centre - y[:, None]
        xx = np.einsum("bij,bj,bj->b", masks, right, right)
        yy = np.einsum("bij,bi,bi->b", masks, down, down)
        xy = np.einsum("bij,bi,bj->b", masks, down, right)
        found = np.arctan2(2 * xy, xx - yy) / 2
        assert np.abs(found - float(angle)).max() < 0.06


@pytest.mark.parametrize("domain", [CAT, DOG])
def test_eyes_move_aside_and_narrow_as_the_head_turns(domain: int) -> None:
    masks = [eyes(some(turn=turn, domain=domain, size=3)) for turn in range(5)]
    places = np.stack([middles(m)[:, 0] for m in masks])
    assert (np.diff(places, axis=0) > 1.5).all()
    areas = np.stack([m.sum(axis=(1, 2)) for m in masks])
    assert (areas[2] > areas[0]).all()
    assert (areas[2] > areas[4]).all()
    # From the left and from the right they are mirror images, but for the light in the eyes.
    assert np.abs(places[0] - 64 + places[4]).max() < 1


@pytest.mark.parametrize("domain", [CAT, DOG])
@pytest.mark.parametrize("size", [32, 64])
def test_pupils_follow_the_gaze(domain: int, size: int) -> None:
    world, factors = CatsDogs(size=size), some(domain=domain)
    places = []
    for gaze in range(5):
        factors[:, SPACE.position("gaze")] = gaze
        index = world.index(factors)
        dark = (255 - world.images(index).max(axis=1).astype(np.float64)) * world.masks(index)[:, EYES]
        places.append((dark.sum(axis=1) @ (np.arange(size) + 0.5)) / dark.sum(axis=(1, 2)))
    assert (np.diff(places, axis=0) > (0.1 if size == 64 else 0)).all()


def test_a_style_paints_over_the_same_form_but_ears_grow() -> None:
    factors = SPACE.sample(200, np.random.default_rng(0))
    for name in ("cat coat", "cat markings", "cat eyes", "dog coat", "dog markings", "backdrop"):
        other = factors.copy()
        column = SPACE.position(name)
        other[:, column] = (other[:, column] + 1) % SPACE.sizes[column]
        moved = WORLD.masks(WORLD.index(factors)) != WORLD.masks(WORLD.index(other))
        assert moved.sum(axis=(1, 2, 3)).max() <= (4 if "markings" in name else 0), name
    areas = [WORLD.masks(WORLD.index(some(domain=DOG, dog_ears=ears)))[:, ANIMAL].sum(axis=(1, 2)) for ears in range(3)]
    assert (np.diff(areas, axis=0) > 0).all()


def test_the_backdrop_is_of_its_hue_and_the_eyes_of_theirs() -> None:
    images = WORLD.images(WORLD.index(some(6, backdrop=2)))
    assert np.array_equal(images[:, :, 0, 0], np.tile([173, 255, 173], (6, 1)))
    iris = np.array([(126, 196, 84), (246, 208, 60), (94, 172, 236), (214, 122, 34)])
    for number, colour in enumerate(iris):
        index = WORLD.index(some(20, domain=CAT, cat_eyes=number, size=3))
        masks, images = WORLD.masks(index)[:, EYES], WORLD.images(index)
        for image, mask in zip(images, masks, strict=True):
            found, often = np.unique(image[:, mask], axis=1, return_counts=True)
            coloured = found.max(axis=0) - found.min(axis=0) > 40
            assert np.array_equal(found[:, coloured][:, often[coloured].argmax()], colour)


def test_counterparts_share_their_content_and_nothing_else_does() -> None:
    factors = SPACE.sample(300, np.random.default_rng(0))
    content = WORLD.content(WORLD.index(factors))
    twins = factors.copy()
    twins[:, 0] = 1 - twins[:, 0]
    for styles in WORLD.styles:
        for name in styles:
            twins[:, SPACE.position(name)] = 0
    assert np.array_equal(WORLD.content(WORLD.index(twins)), content)
    for name in WORLD.shared:
        other = factors.copy()
        column = SPACE.position(name)
        other[:, column] = (other[:, column] + 1) % SPACE.sizes[column]
        assert (WORLD.content(WORLD.index(other)) != content).all()


def test_no_content_is_seen_in_both_domains_while_training() -> None:
    world = CatsDogs(size=32)
    batches = [Domains(world, batch_size=64).batch(step) for step in range(5)]
    first, second = (
        set(world.content(np.concatenate([getattr(batch, name).numpy() for batch in batches])).tolist())
        for name in ("index", "other_index")
    )
    assert not first & second
    assert len(first) > 250


def test_every_factor_is_shared_or_of_one_domain() -> None:
    assert sorted(["domain", *WORLD.shared, *WORLD.styles[0], *WORLD.styles[1]]) == sorted(SPACE.names)


def test_everything_is_in_proportion_at_another_size() -> None:
    index = WORLD.index(SPACE.sample(100, np.random.default_rng(0)))
    halved = WORLD.images(index).reshape(100, 3, 32, 2, 32, 2).mean(axis=(3, 5))
    assert np.abs(halved - CatsDogs(size=32).images(index)).mean() < 4


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(InvalidOption, match="size must be a finite number of at least 32"):
        CatsDogs(size=24)
