"""What the table of migration says exists here does exist, and nothing of torchbearer is forgotten."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from unbraid import fit

PAGE = (Path(__file__).parents[1] / "docs" / "migration.md").read_text("utf-8")
ROWS = [row.strip("|").split("|") for row in PAGE.splitlines() if row.startswith("|") and "---" not in row]
NAMES = sorted(set(re.findall(r"`((?:unbraid\.)?fit\.[\w.]+)`", PAGE)))
SHORT = sorted(set(re.findall(r'`"(\w+)"`', PAGE)))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_the_table_gives_exists(name: str) -> None:
    found: object = fit
    path = name.removeprefix("unbraid.").removeprefix("fit.")
    if path.startswith("state."):
        found, path = importlib.import_module("unbraid.fit.state"), path.removeprefix("state.")
    for part in path.split("."):
        found = getattr(found, part)


@pytest.mark.parametrize("name", SHORT)
def test_a_short_hand_that_the_table_gives_is_a_metric(name: str) -> None:
    assert isinstance(fit.as_metric(name), fit.Metric)


def test_every_row_says_where_it_went() -> None:
    assert len(NAMES) > 80
    for row in ROWS:
        assert len(row) == 2, row
        assert all(cell.strip() for cell in row), row


def test_every_callback_and_metric_of_here_is_in_the_table() -> None:
    shown = {name.split(".")[1] for name in NAMES if name.startswith("fit.")}
    callbacks = {
        n for n in fit.__all__ if isinstance(getattr(fit, n), type) and issubclass(getattr(fit, n), fit.Callback)
    }
    # GradNorm is a metric that listens.
    assert callbacks - {"Callback", "GradNorm"} <= shown
