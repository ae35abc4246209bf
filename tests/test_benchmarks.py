"""The benchmarks begin and end: what they measure means nothing here."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

HERE = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(file.stem for file in HERE.glob("[!_]*.py"))
pytestmark = [pytest.mark.slow]

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """A script as a module, by its name."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)  # other tests have the one they began with

    def loaded(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return loaded


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_names_nothing_that_is_not_there(name: str, load: Load) -> None:
    assert callable(load(name).main)


class Clock:
    """Time that goes by when jobs are done, slowly the first time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.done: list[str] = []

    def __call__(self) -> float:
        return self.now

    def job(self, name: str, cost: float) -> Callable[[], None]:
        def done() -> None:
            self.now += cost if name in self.done else 100 * cost
            self.done.append(name)

        return done


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ({}, {"quick": 16, "slow": 1}),
        ({"seconds": 0.5}, {"quick": 4, "slow": 1}),
        ({"seconds": 0.5, "least": 3}, {"quick": 4, "slow": 3}),
    ],
)
def test_turns_last_about_as_long_for_all_and_the_first_two_do_not_count(
    load: Load, options: dict[str, Any], times: dict[str, int]
) -> None:
    clock, costs = Clock(), {"quick": 0.125, "slow": 2.0}
    spent = load("_timing").turns(
        {name: clock.job(name, cost) for name, cost in costs.items()}, 3, clock=clock, **options
    )
    assert spent == {name: [cost] * 3 for name, cost in costs.items()}, (
        "the first time, a hundred times as slow, is out"
    )
    assert clock.done[-3 * sum(times.values()) :] == 3 * [name for name, many in times.items() for _ in range(many)]


def small(module: ModuleType, monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Take other numbers for those that a script has."""
    for name, value in values.items():
        assert hasattr(module, name)
        monkeypatch.setattr(module, name, value)


def test_masks_are_timed(load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    mix = load("mix")
    small(mix, monkeypatch, BATCH=4, ROUNDS=1, TURN=1e-4)
    mix.masks()
    assert [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()[2:]] == ["32", "64", "224"]


def test_seeds_that_are_trained_as_one_model_have_the_losses_of_each(
    load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seeds = load("seeds")
    small(seeds, monkeypatch, BATCH=2, ROUNDS=2, SEEDS=(2,))
    seeds.main()
    assert capsys.readouterr().out.count("\n") == 2 + 4


def test_views_are_timed(load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    views = load("views")
    small(views, monkeypatch, SIZES=(8,), SAMPLES=8, ROUNDS=1)
    views.main()
    assert capsys.readouterr().out.count("ms") >= 20


def test_worlds_are_timed(load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    worlds = load("worlds")
    small(worlds, monkeypatch, SIZES=(2,), ROUNDS=1, WARM=2)
    worlds.main()
    said = capsys.readouterr().out
    assert all(name in said for name in worlds.drawn())


def test_a_trial_is_timed(load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fit = load("fit")
    small(fit, monkeypatch, BATCHES=20, ROUNDS=1, VAE_BATCH=4, VAE_STEPS=1, VAE_ROUNDS=1)
    fit.main()
    said = capsys.readouterr().out
    assert all(name in said for name in fit.LIMITS)


def test_scores_are_timed(load: Load, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    scores = load("scores")
    sizes = ["--train", "80", "--test", "40", "--latents", "4", "--sizes", "3", "4"]
    monkeypatch.setattr(sys, "argv", ["scores.py", *sizes, "--scores", "mig", "sap", "modularity"])
    scores.main()
    assert "modularity" in capsys.readouterr().out
