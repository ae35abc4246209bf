"""The laws of every view on the shelf: a batch is a function of (world, view, seed, step) alone.

A new view is held to them without being named here, over drawn, collected, skewed, incomplete and huge worlds.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption, UnbraidError, UnknownName
from unbraid.types import Factor, FactorSpace
from unbraid.view import Seen, View, to_float, view
from unbraid.views.images import Images
from unbraid.world import LabelledWorld, World

VIEWS = registry.names("views")
SHAPE = (1, 4, 4)


def space(large: int = 5) -> FactorSpace:
    """One factor of each kind, and one that tells a domain."""
    return FactorSpace([
        Factor("class", 3, "categorical"), Factor("hue", large, "cyclic"),
        Factor("x", large + 1, "ordinal"), Factor("domain", 2, "categorical"),
    ])  # fmt: skip


class Drawn(World):
    """Every combination, as noise that is a function of its number."""

    def __init__(self, factors: FactorSpace) -> None:
        self.space, self.shape = factors, SHAPE

    def images(self, indices):
        pixel = np.arange(1, 17).reshape(SHAPE)
        return ((np.asarray(indices)[:, None, None, None] * 37 + 11) * pixel % 251).astype(np.uint8)


class Skewed(Drawn):
    """Every combination, the later ones more often."""

    def sample(self, count, generator):
        return (len(self) * np.sqrt(generator.random(count))).astype(np.int64)


class Incomplete(Drawn):
    """Some combinations are kept back; the others are numbered anew."""

    def __init__(self, factors: FactorSpace) -> None:
        super().__init__(factors)
        self.kept = np.flatnonzero(np.arange(len(factors)) % 7 > 2)

    def __len__(self):
        return len(self.kept)

    def images(self, indices):
        return super().images(self.kept[indices])

    def factors(self, indices):
        return self.space.factors(self.kept[indices])

    def index(self, factors):
        number = self.space.index(factors)
        if not np.isin(number, self.kept).all():
            raise InvalidData("kept back")
        return np.searchsorted(self.kept, number)


def collected() -> LabelledWorld:
    """Some combinations have several images, others none."""
    generator = np.random.default_rng(0)
    factors = space().sample(120, generator)
    return LabelledWorld(generator.integers(0, 256, (120, *SHAPE), dtype=np.uint8), factors, space())


WORLDS: dict[str, World] = {
    "drawn": Drawn(space()),
    "skewed": Skewed(space()),
    "incomplete": Incomplete(space()),
    "collected": collected(),
    "huge": Drawn(space(10**6)),
}

every_view = pytest.mark.parametrize("name", VIEWS)
every_world = pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)


def tensors(batch: Any) -> dict[str, torch.Tensor]:
    return {one.name: value for one in fields(batch) if isinstance(value := getattr(batch, one.name), torch.Tensor)}


def same(one: Any, other: Any) -> bool:
    mine, theirs = tensors(one), tensors(other)
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


@every_view
@given(steps=st.permutations(range(4)), seed=st.integers(0, 99), world=st.sampled_from(list(WORLDS)))
def test_a_batch_is_the_same_in_whatever_order_it_is_asked_for(name, steps, seed, world) -> None:
    stream = view(name)(WORLDS[world], batch_size=4, seed=seed)
    found = {step: stream.batch(step) for step in steps}
    fresh = view(name)(WORLDS[world], batch_size=4, seed=seed)
    assert all(same(fresh.batch(step), found[step]) and same(stream.batch(step), found[step]) for step in range(4))


@every_view
def test_a_batch_does_not_depend_on_global_generators_or_move_them(name) -> None:
    first = view(name)(WORLDS["drawn"], batch_size=4).batch(3)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert same(view(name)(WORLDS["drawn"], batch_size=4).batch(3), first)
    assert torch.equal(torch.get_rng_state(), before)


@every_view
@every_world
@pytest.mark.parametrize("size", [1, 16])
def test_a_batch_shows_the_worlds_images_under_their_numbers(name, world, size) -> None:
    batch = view(name)(world, batch_size=size).batch(0)
    assert is_dataclass(batch)
    assert isinstance(batch, Seen)
    assert len(batch) == size
    assert batch.population == len(world)
    shown = [(batch.x, batch.index)]
    if hasattr(batch, "other"):
        shown.append((batch.other, batch.other_index))
    for x, index in shown:
        assert (x.dtype, index.dtype) == (torch.float32, torch.int64)
        assert x.shape == (*index.shape, *SHAPE)
        assert torch.equal(x.flatten(0, -4), to_float(world.images(index.flatten().numpy())))


@every_view
@every_world
def test_steps_and_seeds_give_different_batches(name, world) -> None:
    made = view(name)
    drawn = {tuple(made(world, seed=s).batch(t).index.flatten().tolist()) for s in range(3) for t in range(5)}
    assert len(drawn) == 15


@every_view
def test_first_images_are_drawn_as_the_world_draws_them(name) -> None:
    if name in ("domains", "environments"):
        pytest.skip("what is seen at once is drawn from a part of the world")
    world = WORLDS["skewed"]
    stream = view(name)(world, batch_size=500)
    index = np.concatenate([stream.batch(t).index.numpy().reshape(500, -1)[:, 0] for t in range(4)])
    assert index.mean() / len(world) == pytest.approx(2 / 3, abs=4 * np.sqrt(1 / 18 / 2000))


@every_view
def test_a_batch_goes_to_another_device_whole(name) -> None:
    batch = view(name)(WORLDS["drawn"], batch_size=2).batch(0)
    moved = batch.to("meta")
    assert type(moved) is type(batch)
    assert moved.population == batch.population
    assert tensors(moved).keys() == tensors(batch).keys()
    assert {tensor.device.type for tensor in tensors(moved).values()} == {"meta"}


@every_view
def test_changing_a_batch_changes_neither_the_world_nor_the_next_batch(name) -> None:
    stream = view(name)(WORLDS["collected"], batch_size=16)
    first, kept = stream.batch(0), stream.batch(0)
    for tensor in tensors(first).values():
        tensor.zero_()
    assert same(stream.batch(0), kept)


@every_view
def test_options_are_keyword_only_typed_documented_and_kept(name) -> None:
    cls = view(name)
    for option, parameter in registry.parameters(cls).items():
        assert parameter.annotation is not parameter.empty, option
        assert f"{option}:" in inspect.getdoc(cls), option
    made = cls(WORLDS["drawn"], batch_size=3, seed=2)
    again = cls(WORLDS["drawn"], **registry.options(made))
    assert registry.options(again) == registry.options(made)
    assert same(again.batch(1), made.batch(1))
    assert "batch_size=3, seed=2" in repr(made)


@every_view
def test_a_factor_that_is_not_there_is_answered_with_the_nearest(name) -> None:
    if "factors" not in registry.parameters(view(name)):
        pytest.skip("it takes no factors")
    with pytest.raises(UnknownName, match="unknown factor 'hues': did you mean hue"):
        view(name)(WORLDS["drawn"], factors=("hues",))
    with pytest.raises(InvalidOption, match="factors must differ, but are x, x"):
        view(name)(WORLDS["drawn"], factors=("x", "x"))


@every_view
@pytest.mark.parametrize(("options", "sentence"), [
    ({"batch_size": 0}, "batch_size must be .* at least 1, but is 0"),
    ({"seed": -1}, "seed must be .* at least 0, but is -1"),
])  # fmt: skip
def test_a_stream_of_nothing_is_refused_when_it_is_made(name, options, sentence) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        view(name)(WORLDS["drawn"], **options)


def test_views_are_found_by_name() -> None:
    assert view("images") is Images
    assert all(issubclass(view(name), View) and view(name).name == name for name in VIEWS)
    with pytest.raises(UnknownName, match="unknown view 'image': did you mean images"):
        view("image")


def test_bytes_become_floats_with_both_ends() -> None:
    bytes_ = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    floats = to_float(bytes_)
    assert (float(floats.min()), float(floats.max())) == (0.0, 1.0)
    assert np.array_equal((floats * 255).round().numpy(), bytes_)
    assert to_float(bytes_[..., ::-1, :]).shape == (1, 1, 16, 16), "an array that is not contiguous is taken too"


@pytest.mark.parametrize("place", registry.names("worlds"))
def test_every_view_shows_the_worlds_of_the_shelf_or_says_why_not(place) -> None:
    try:
        world = registry.load("worlds", place)()
    except (UnbraidError, TypeError):
        pytest.skip("it reads a file")
    shown, refusals = 0, []
    for name in VIEWS:
        try:
            stream = view(name)(world, batch_size=2, **({"labels": 4} if name == "labelled" else {}))
        except InvalidOption as refusal:
            refusals.append(str(refusal))
            continue
        batch = stream.batch(0)
        shown += 1
        assert batch.x.shape == (*batch.index.shape, *world.shape)
        if getattr(batch, "masks", None) is not None:
            assert batch.masks.dtype == torch.bool
            assert (len(batch.masks), batch.masks.ndim, batch.masks.shape[2:]) == (2, 4, world.shape[1:])
        if getattr(batch, "count", None) is not None:
            assert batch.count.shape == (2,)
    assert shown >= 3, "single images, scenes and few labels suit any world"
    assert all(re.match(r"(a|an) \w+ needs |domains need |no factor of ", refusal) for refusal in refusals)
