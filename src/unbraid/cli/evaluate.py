"""Measure how far a run's codes come apart into the world's factors."""

from __future__ import annotations

from pathlib import Path

from unbraid import registry
from unbraid.cli import _flags

__all__ = ["evaluate", "main"]


def evaluate(run: Path, /, *, scores: tuple[str, ...] = ("mig", "dci"), samples: int = 10_000, seed: int = 0) -> None:
    """Measure how far a run's codes come apart into the world's factors, and keep the scores in the run's scores.json.

    Args:
        run: The run folder.
        scores: Names from `unbraid list scores`, with spaces between, or `all`.
        samples: How many images are encoded; a smaller world is encoded whole.
        seed: What the choice of images and the scores' own randomness depend on.
    """
    names = registry.names("scores") if scores == ("all",) else scores
    for name in names:
        registry.check("scores", name)
    from rich.console import Console
    from rich.table import Table

    from unbraid.runs.evaluate import evaluate as measure
    from unbraid.runs.run import Run

    loaded = Run(run)
    results = measure(loaded, scores=names, samples=samples, seed=seed)
    table = Table()
    for column in ("score", "value", "range", "better", "parts"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for name, score in results.items():
        declared = registry.load("scores", name).declaration
        parts = "  ".join(f"{part} {value:.3f}" for part, value in score.parts.items())
        table.add_row(
            name, f"{score.value:.3f}", f"{declared.lowest:g} .. {declared.highest:g}", declared.direction, parts
        )
    print(f"{loaded.path}: {loaded.name}")  # not the table's title, which would be broken to the table's width
    Console(width=None if Console().is_terminal else 160).print(table)


def main(arguments: list[str]) -> None:
    """``unbraid evaluate RUN [--scores mig dci sap]``."""
    _flags.call(evaluate, arguments, prog="unbraid evaluate")
