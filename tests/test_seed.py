"""Generators are functions of (seed, purpose, step), and no two share a stream."""

from __future__ import annotations

import subprocess
import sys
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unbraid.errors import InvalidOption
from unbraid.seed import derive, numpy_generator, torch_generator

seeds = st.integers(0, 2**70)
purposes = st.text("images é☃", max_size=12)
steps = st.integers(0, 10**9)


@given(seeds, purposes, steps)
def test_a_derived_seed_is_a_63_bit_function_of_its_arguments(seed: int, purpose: str, step: int) -> None:
    derived = derive(seed, purpose, step)
    assert derived == derive(seed, purpose, step)
    assert 0 <= derived < 2**63


def test_seeds_purposes_and_steps_all_tell() -> None:
    purposes = ["initialise", "images", "noise", "evaluate", "hold out", ""]
    derived = {derive(seed, purpose, step) for seed in range(30) for purpose in purposes for step in range(30)}
    assert len(derived) == 30 * len(purposes) * 30


def test_seed_and_step_cannot_stand_for_one_another() -> None:
    assert derive(1, "images", 2) != derive(2, "images", 1)
    assert derive(2**32, "images") != derive(0, "images", 1)


def test_purposes_are_independent_streams() -> None:
    drawn = [numpy_generator(seed, p).standard_normal(2000) for seed in range(3) for p in ("images", "noise", "show")]
    correlation = np.asarray(np.corrcoef(drawn))
    np.fill_diagonal(correlation, 0)
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)


def test_another_process_draws_the_same() -> None:
    code = (
        "from unbraid.seed import *; "
        "print(derive(7, 'images', 3), numpy_generator(7, 'images', 3).random(), "
        "torch_generator(7, 'images', 3).initial_seed())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    here = derive(7, "images", 3), numpy_generator(7, "images", 3).random(), derive(7, "images", 3)
    assert done.stdout.split() == [str(value) for value in here]


def test_seeds_mean_what_they_meant_when_earlier_runs_were_made() -> None:
    # A change here would part every run folder from the seed that is written in it.
    assert derive(0, "images", 0) == 6514142391546988798
    assert numpy_generator(0, "images", 0).integers(0, 1000, 3).tolist() == [296, 984, 897]


def test_the_torch_generator_is_its_own_and_on_the_cpu() -> None:
    before = torch.get_rng_state()
    generator = torch_generator(3, "noise", 1)
    first = torch.rand(4, generator=generator)
    assert generator.device == torch.device("cpu")
    assert torch.equal(torch.rand(4, generator=torch_generator(3, "noise", 1)), first)
    assert not torch.equal(torch.rand(4, generator=torch_generator(3, "noise", 2)), first)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("make", [derive, numpy_generator, torch_generator])
@pytest.mark.parametrize(("seed", "step", "name"), [(-1, 0, "seed"), (0, -1, "step")])
def test_what_is_below_zero_is_refused(make: object, seed: int, step: int, name: str) -> None:
    with pytest.raises(InvalidOption, match=rf"{name} must be .* at least 0, but is -1"):
        make(seed, "images", step)  # type: ignore[operator]


def test_seeding_does_not_import_torch() -> None:
    code = "import sys, unbraid.seed; unbraid.seed.numpy_generator(0, 'images'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, 2**32, 2**63 + 1])
def test_a_seed_may_be_of_any_size(seed: int) -> None:
    words = [seed, zlib.crc32(b"images"), 700]
    assert numpy_generator(seed, "images", 700).random() == np.random.default_rng(words).random()
