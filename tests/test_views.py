"""The laws of views: a batch is a function of (world, view, seed, step) alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from unbraid.errors import InvalidOption, UnknownName
from unbraid.types import Factor, FactorSpace
from unbraid.view import Batch, to_float, view
from unbraid.views.images import Images
from unbraid.world import LabelledWorld

SIZE = 50
SPACE = FactorSpace([Factor("row", 5), Factor("column", 10)])
PIXELS = np.random.default_rng(0).integers(0, 256, (SIZE, 1, 4, 4), dtype=np.uint8)
WORLD = LabelledWorld(PIXELS, SPACE.factors(np.arange(SIZE)), SPACE)
VIEWS = ["images"]


def same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.x, other.x) and torch.equal(one.index, other.index) and one.population == other.population


@pytest.mark.parametrize("name", VIEWS)
@given(steps=st.permutations(range(6)), seed=st.integers(0, 99))
def test_a_batch_is_the_same_in_whatever_order_it_is_asked_for(name: str, steps: list[int], seed: int) -> None:
    stream = view(name)(WORLD, batch_size=4, seed=seed)
    found = {step: stream.batch(step) for step in steps}
    fresh = view(name)(WORLD, batch_size=4, seed=seed)
    assert all(same(fresh.batch(step), found[step]) and same(stream.batch(step), found[step]) for step in range(6))


@pytest.mark.parametrize("name", VIEWS)
def test_a_batch_does_not_depend_on_global_generators_or_move_them(name: str) -> None:
    stream = view(name)(WORLD, batch_size=4)
    first = stream.batch(3)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    before = torch.get_rng_state()
    assert same(stream.batch(3), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_streams_of_other_batch_sizes_do_not_disturb_one_another() -> None:
    wide, narrow = Images(WORLD, batch_size=32), Images(WORLD, batch_size=8)
    alone = [Images(WORLD, batch_size=8).batch(step) for step in range(5)]
    for step in range(5):
        wide.batch(step)
        assert same(narrow.batch(step), alone[step])


def test_steps_and_seeds_give_different_batches() -> None:
    drawn = [tuple(Images(WORLD, seed=seed).batch(step).index.tolist()) for seed in range(5) for step in range(20)]
    assert len(set(drawn)) == 100


def test_a_batch_holds_the_worlds_images_as_floats_in_0_to_1() -> None:
    batch = Images(WORLD, batch_size=16).batch(0)
    assert len(batch) == 16
    assert batch.population == SIZE
    assert (batch.x.dtype, batch.index.dtype) == (torch.float32, torch.int64)
    assert batch.x.shape == (16, 1, 4, 4)
    assert batch.x.min() >= 0
    assert batch.x.max() <= 1
    assert np.array_equal((batch.x * 255).round().numpy(), PIXELS[batch.index.numpy()])


def test_bytes_become_floats_with_both_ends() -> None:
    bytes_ = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    floats = to_float(bytes_)
    assert (float(floats.min()), float(floats.max())) == (0.0, 1.0)
    assert np.array_equal((floats * 255).round().numpy(), bytes_)
    assert to_float(bytes_[..., ::-1, :]).shape == (1, 1, 16, 16), "an array that is not contiguous is taken too"


def test_changing_a_batch_changes_neither_the_world_nor_the_next_batch() -> None:
    stream = Images(WORLD, batch_size=16)
    first = stream.batch(0)
    kept = first.x.clone()
    first.x.zero_()
    assert torch.equal(stream.batch(0).x, kept)


@pytest.mark.parametrize("seed", range(3))
def test_images_are_drawn_uniformly_at_every_place_of_a_batch(seed: int) -> None:
    stream = Images(WORLD, batch_size=100, seed=seed)
    index = np.stack([stream.batch(step).index.numpy() for step in range(200)])
    for part in (index, index[:, 0], index[:, -1], index[:, ::2], index[1::2]):
        counts = np.bincount(part.ravel(), minlength=SIZE)
        assert chisquare(counts).pvalue > 1e-4


def test_neighbouring_seeds_and_steps_are_uncorrelated() -> None:
    drawn = np.stack([Images(WORLD, batch_size=500, seed=s).batch(t).index.numpy() for s in range(4) for t in range(4)])
    correlation = np.corrcoef(drawn)
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 5 / np.sqrt(500)


def test_a_batch_goes_to_another_device_whole() -> None:
    batch = Images(WORLD, batch_size=2).batch(0)
    moved = batch.to("meta")
    assert (moved.x.device.type, moved.index.device.type) == ("meta", "meta")
    assert moved.population == batch.population


def test_views_are_found_by_name() -> None:
    assert view("images") is Images
    with pytest.raises(UnknownName, match="unknown view 'image': did you mean images"):
        view("image")


@pytest.mark.parametrize(("options", "sentence"), [
    ({"batch_size": 0}, "batch_size must be .* at least 1, but is 0"),
    ({"seed": -1}, "seed must be .* at least 0, but is -1"),
])  # fmt: skip
def test_a_stream_of_nothing_is_refused_when_it_is_made(options: dict[str, int], sentence: str) -> None:
    with pytest.raises(InvalidOption, match=sentence):
        Images(WORLD, **options)
