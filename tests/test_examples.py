"""Every example runs, draws its picture, and finds what its docstring says it finds."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(file.stem for file in EXAMPLES.glob("[!_]*.py"))
SLOW = {"parallel"}  # three processes import torch

CLAIMS: dict[str, Callable[[dict[str, float]], bool]] = {
    "alignment": lambda r: r["gradient_correct"] == 1 and r["cost"] < r["cost_before"] - 0.5 and r["height"] > 1.4,
    "gan": lambda r: r["islands"] == 8 and r["near"] > 0.7,
    "impossibility": lambda r: (
        r["largest_difference_of_bounds"] < 1e-5 * abs(r["bound"])
        and min(r["dci"], 1 - r["dci_turned"]) > 0.99
        and 0.3 < r["dci_at_9_degrees"] < 0.7
    ),
    "maml": lambda r: r["meta"] < r["ordinary"] / 2 and r["meta"] < r["before"] / 2,
    "mixing": lambda r: (
        r["fmix, blanked"] > r["plain, blanked"] + 0.03 and abs(r["fmix, whole"] - r["plain, whole"]) < 0.02
    ),
    "parallel": lambda r: r["difference"] < 1e-4 and abs(r["accuracy"] - r["alone"]) < 0.01 and r["alone"] > 0.95,
    "pendulum": lambda r: r["error"] < 0.1 and abs(r["frequency"] - 2.0) < 0.03,
    "plain_loop": lambda r: r["last"] < r["first"] / 3,
    "quickstart": lambda r: r["accuracy"] > 0.96,
    "renderer": lambda r: r["pixels_off_centre"] < 0.1 and r["grey_levels_off"] < 2,
    "rosenbrock": lambda r: r["lbfgs"] < 1e-3 < r["gradient descent"],
    "svm": lambda r: r["accuracy"] > 0.95 and r["degrees_apart"] < 0.5 and abs(r["margin_ratio"] - 1) < 0.02,
    "vae": lambda r: r["nats"] < r["independent_pixels"] - 2 and r["kl"] > 1,
}


@pytest.fixture(autouse=True)
def _as_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    for name in ("_shared", *NAMES):
        monkeypatch.delitem(sys.modules, name, raising=False)
    torch.manual_seed(0)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in SLOW else ()) for n in NAMES])
def test_an_example_finds_what_it_says(name: str, tmp_path: Path) -> None:
    example = importlib.import_module(name)
    found = example.main(tmp_path)
    assert CLAIMS[name](found), found
    with Image.open(tmp_path / f"{name}.png") as picture:
        assert len(set(picture.convert("L").resize((200, 100)).tobytes())) > 10, "the picture is empty"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_what_to_expect(name: str) -> None:
    text = importlib.import_module(name).__doc__
    assert "xpect" in text
    assert len((EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()) < 130
