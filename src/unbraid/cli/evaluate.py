"""Measure how far a run's codes come apart into the world's factors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unbraid import registry
from unbraid.cli import _flags, _information
from unbraid.errors import require_at_least

if TYPE_CHECKING:
    from rich.table import Table

    from unbraid.score import Score

__all__ = ["evaluate", "main"]

USUAL = ("mig", "dci")
OBJECTS = 2000
"""Scenes that objects are looked for in, at most: each is drawn once without each of its entities."""


def evaluate(
    run: Path,
    /,
    *,
    scores: tuple[str, ...] = (),
    samples: int = 10_000,
    seed: int = 0,
    repeats: int = 1,
    bounds: Literal["auto", "yes", "no"] = "auto",
    jobs: int = 0,
    information: bool = False,
) -> None:
    """Measure how far a run's codes come apart into the world's factors, and keep the scores in the run's scores.json.

    Args:
        run: The run folder.
        scores: Names from `unbraid list scores`, with spaces between, or `all`; by default mig and dci, and of a model
            of objects, whose codes have no order, what `unbraid judge` says.
        samples: How many images are encoded; a smaller world is encoded whole.
        seed: What the choice of images and the scores' own randomness depend on.
        repeats: How often to measure, each time with other images; shows between which values 95 % of them lie.
        bounds: Whether to show beside each value what noise, codes turned by 45 degrees and perfect codes get, which
            takes three times as long again until it is known for this world; `auto` does, unless `all` are asked for.
        jobs: How many processes share the work; 0 for one a core.
        information: Whether to take a VAE's KL apart too, into mutual information, total correlation and dimension-wise
            KL; all images are components of the aggregate posterior. Kept in the run's information.json.
    """
    usual, scores = not scores, scores or USUAL
    for name in scores if scores != ("all",) else ():
        registry.check("scores", name)
    bounded = bounds == "yes" or (bounds == "auto" and scores != ("all",))
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from unbraid.runs.evaluate import evaluate as measure
    from unbraid.runs.run import Run

    require_at_least(0, jobs=jobs)
    loaded = Run(run)
    if loaded.config["view"]["name"] == "scenes" and usual:
        from unbraid.runs.objects import judge_objects

        print(f"{loaded.path}: {loaded.name}")
        print(judge_objects(loaded, samples=min(samples, OBJECTS), seed=seed))
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    without: dict[str, str] = {}
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("encoding", total=None)
        results = measure(
            loaded,
            scores=scores,
            samples=samples,
            seed=seed,
            repeats=repeats,
            bounds=bounded,
            jobs=jobs or os.cpu_count() or 1,
            notice=lambda done, total, last: progress.update(bar, completed=done, total=total, description=last),
            skipped=without.__setitem__,
        )
    print(f"{loaded.path}: {loaded.name}")  # not the table's title, which would be broken to the table's width
    Console(width=None if Console().is_terminal else 160).print(_table(results, bounded, repeats))
    for name, reason in without.items():
        print(f"not measured: {name}: {reason}")
    if information:
        from unbraid.runs.decompose import decompose

        _information.show(decompose(loaded, samples=samples, seed=seed), images=len(loaded.world))


def _table(results: Mapping[str, Score], bounds: bool, repeats: int) -> Table:
    from rich.table import Table

    from unbraid.runs.measure import BOUNDS

    table = Table()
    numbers = ("value", *(("95 %",) if repeats > 1 else ()), *(BOUNDS if bounds else ()))
    for column in ("score", *numbers, "range", "better", "parts"):
        table.add_column(column, justify="right" if column in numbers else "left")
    for name, score in results.items():
        declared = registry.load("scores", name).declaration
        parts = "  ".join(f"{part} {value:.3f}" for part, value in score.parts.items())
        row = [f"{score.value:.3f}"]
        if score.interval is not None:
            row.append("{:.3f} .. {:.3f}".format(*score.interval))
        if bounds:
            row += [f"{score.bounds[of]:.3f}" if of in score.bounds else "-" for of in BOUNDS]
        table.add_row(name, *row, f"{declared.lowest:g} .. {declared.highest:g}", declared.direction, parts)
    return table


def main(arguments: list[str]) -> None:
    """``unbraid evaluate RUN [--scores mig dci sap]``."""
    _flags.call(evaluate, arguments, prog="unbraid evaluate")
