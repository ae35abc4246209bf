"""Many runs from one file, and what they say together: plan, run, status, table, sql, report."""

from __future__ import annotations

import csv
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unbraid.cli import _flags
from unbraid.errors import InvalidOption, UnknownName

if TYPE_CHECKING:
    from unbraid.study.drive import Progress
    from unbraid.study.engine import Engine
    from unbraid.study.results import Row
    from unbraid.study.spec import Cell, Spec
    from unbraid.study.work import Outcome

__all__ = ["main", "plan", "report", "run", "sql", "status", "table"]


def plan(file: Path, /, *, measure: bool = True) -> None:
    """Show the cells of a study, and what time and room they will take.

    Args:
        file: The study's file.
        measure: Whether to time a few steps and the scores, some seconds for each kind of model.
    """
    from rich.console import Console

    spec = _load(file)
    kinds = Counter((cell.world, cell.model, cell.varied, cell.steps) for cell in spec.cells)
    for one in spec.searches:
        ranges = " ".join(f"{name}={value}" for name, value in one.ranges.items() if name.startswith("fit."))
        kinds[one.cell.world, one.cell.model, f"{one.cell.varied} {ranges}".strip(), one.cell.steps] += one.size
    Console().print(_grid("world", "model", "options", "steps", "runs", rows=[(*k, n) for k, n in kinds.items()]))
    runs = "1 run" if spec.total == 1 else f"{spec.total:,} runs"
    print(f"{spec.name}: {runs}; scores: {' '.join(spec.scores)} on {spec.samples:,} images")
    for one in spec.searches[:1]:
        print(f"searched by {one.goal}, {len(one.seeds)} seeds each")
    if not measure:
        return
    from unbraid.fit.callbacks.progress import duration
    from unbraid.study.plan import estimate

    found = estimate(spec, lambda text: print(f"timing {text}", file=sys.stderr))
    most = "at most " if spec.searches else "about "
    work = sum(one.count * (one.training + one.scoring) for one in found)
    cores = os.cpu_count() or 1
    print(f"{most}{duration(work)} of work on one core, {duration(work / cores)} on the {cores} of this machine")
    print(f"{most}{sum(one.count * one.size for one in found) / 1e6:,.0f} MB on the disk")


def run(
    file: Path,
    /,
    *,
    out: str | None = None,
    on: Literal["local", "ray"] = "local",
    jobs: int | None = None,
    address: str | None = None,
    again: bool = False,
) -> None:
    """Bring every cell of a study to its end; the same command continues it, and several may work on it at once.

    Cells that fail stop no other, and are named by `unbraid study status`; the command then exits with 1.

    Args:
        file: The study's file.
        out: Where to keep it: a folder, or an address that fsspec knows; runs/studies/<name> by default.
        on: What computes: processes of this machine, or a Ray cluster.
        jobs: How many cells at once; by default one a core.
        address: Of the Ray cluster; without it one is started here.
        again: Whether cells that failed are computed anew; what was damaged is set aside.
    """
    from unbraid.study.drive import drive, forget

    spec, root = _load(file), _root(file, out)
    if again:
        print(f"{_cells(forget(spec, root))} that failed: computed anew")
    progress = drive(spec, root, _engine(on, jobs, address), notice=_shown(jobs))
    stopped = f", {progress.stopped} were stopped by their search" if progress.stopped else ""
    print(f"{root}: {progress.done} of {progress.total} cells are done, {progress.failed} failed{stopped}")
    print(f"next: unbraid study status {file}   unbraid study report {file}")
    if progress.failed:  # the others are done all the same, but a script should not take this for a whole study
        raise SystemExit(1)


def status(file: Path, /, *, out: str | None = None) -> None:
    """Show which cells are done, which failed and why, and how long the rest will take.

    Args:
        file: The study's file.
        out: Where it is kept, as for `unbraid study run`.
    """
    from unbraid.fit.callbacks.progress import duration

    spec, found = _load(file), _rows(file, out)
    states = Counter(row.state for row in found)
    states["open"] += spec.total - len(found)  # those of a search that is not so far
    shown = ("done", "failed", *(["stopped"] if states["stopped"] else []), "open")
    print(f"{_root(file, out)}: " + ", ".join(f"{states[state]} {state}" for state in shown))
    for row in found:
        if row.state == "failed" and row.outcome:
            print(f"failed ({row.outcome.kind}): {row.cell} [{row.cell.key}]: {row.outcome.reason}")
    done = [row.outcome.seconds for row in found if row.state == "done" and row.outcome]
    if states["open"] and done:
        left = states["open"] * sum(done) / len(done)
        print(f"about {duration(left)} of work are left, by what the others took")


def table(
    file: Path,
    /,
    *,
    out: str | None = None,
    pivot: str | None = None,
    by: tuple[str, ...] = ("model", "options"),
    csv: Path | None = None,
    parquet: Path | None = None,
) -> None:
    """Show what was found, or write it to a file.

    Args:
        file: The study's file.
        out: Where it is kept, as for `unbraid study run`.
        pivot: A score (`mig`, `dci.completeness`): its median over runs that are alike, with a 95 % interval.
        by: The columns by which runs are alike, with spaces between.
        csv: A file for all rows as comma-separated values.
        parquet: A file for all rows as Parquet.
    """
    from rich.console import Console

    from unbraid.study import results

    found = _rows(file, out)
    if csv is not None:
        _write(csv, results.to_csv(found))
    if parquet is not None:
        results.to_parquet(found, parquet)
        print(parquet)
    console = Console(width=None if sys.stdout.isatty() else 160)
    if pivot is not None:
        head = (*by, "median", "from", "to", "least", "greatest", "runs")
        console.print(_grid(*head, rows=results.pivot(found, pivot, by=by)))
    elif csv is None and parquet is None:
        names = [name for name in ("world", "model", "options", "seed", "state") if name]
        names += list(
            dict.fromkeys(n for row in found if row.outcome for n in row.outcome.values or {} if "." not in n)
        )
        console.print(_grid(*names, rows=[[row.flat().get(name) for name in names] for row in found]))


def sql(file: Path, question: str, /, *, out: str | None = None) -> None:
    """Answer a question in SQL over the tables `cells` (a column for everything) and `scores` (a row for each value).

    Args:
        file: The study's file.
        question: For example "select model, avg(value) from scores where score = 'mig' group by model".
        out: Where it is kept, as for `unbraid study run`.
    """
    from unbraid.study.results import ask

    names, answer = ask(_rows(file, out), question)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(answer)


def report(file: Path, /, *, out: str | None = None, to: Path | None = None) -> None:
    """Write one page with the pictures and tables of a study.

    Args:
        file: The study's file.
        out: Where it is kept, as for `unbraid study run`.
        to: The page's file; report.html beside the study's folder by default.
    """
    from unbraid.report.study import write

    root = _root(file, out)
    target = to or (Path(f"{_load(file).name}.html") if "://" in root else Path(root) / "report.html")
    for made in write(_load(file), root, target):
        print(made)


VERBS: dict[str, Callable[..., None]] = {
    "plan": plan,
    "run": run,
    "status": status,
    "table": table,
    "sql": sql,
    "report": report,
}


def main(arguments: list[str]) -> None:
    """``unbraid study VERB FILE [...]``."""
    verb = arguments[0] if arguments else "--help"
    if verb in ("-h", "--help"):
        print(
            "usage: unbraid study VERB FILE [OPTIONS]\n\nMany runs from one file, and what they say together.\n\nverbs:"
        )
        for name, function in VERBS.items():
            print(f"  {name:<8} {(function.__doc__ or '').partition(chr(10))[0]}")
        print("\n`unbraid study VERB --help` tells more.")
        return
    if verb not in VERBS:
        raise UnknownName("verb of study", verb, VERBS)
    _flags.call(VERBS[verb], arguments[1:], prog=f"unbraid study {verb}")


def _load(file: Path) -> Spec:
    from unbraid.study.spec import load

    return load(file)


def _root(file: Path, out: str | None) -> str:
    return out if out is not None else str(Path("runs") / "studies" / _load(file).name)


def _rows(file: Path, out: str | None) -> list[Row]:
    from unbraid.study.results import rows

    return rows(_load(file), _root(file, out))


def _engine(on: str, jobs: int | None, address: str | None) -> Engine:
    if on == "ray":
        from unbraid.study.ray import Cluster

        return Cluster(address, jobs)
    if address is not None:
        raise InvalidOption("--address is that of a Ray cluster: add --on ray, or leave it out")
    from unbraid.study.local import Local

    return Local(jobs)


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _shown(jobs: int | None) -> Any:
    """What is told of a study while it runs: a line for each cell that ends, with how long the rest will take."""
    from unbraid.fit.callbacks.progress import duration

    workers = jobs or os.cpu_count() or 1
    told = 0

    def notice(progress: Progress, cell: Cell | None, outcome: Outcome | None) -> None:
        nonlocal told
        for line in progress.lost[told:]:
            print(f"lost, and tried again: {line}", file=sys.stderr)
        told = len(progress.lost)
        if cell is None:
            ready = f", {progress.settled} of them ended before" if progress.settled else ""
            print(f"{_cells(progress.total)}{ready}", file=sys.stderr, flush=True)
        elif outcome is not None:
            left = progress.remaining(workers)
            rest = f", {duration(left)} left" if left else ""
            what = outcome.state if outcome.state == "done" else f"failed ({outcome.kind}: {outcome.reason})"
            count = f"[{progress.settled}/{progress.total}{rest}]"
            print(f"{count} {cell}: {what} in {outcome.seconds:.0f} s", file=sys.stderr, flush=True)

    return notice


def _grid(*names: str, rows: Sequence[Sequence[Any]]) -> Any:
    from rich.table import Table

    made = Table()
    for i, name in enumerate(names):
        numeric = all(isinstance(row[i], int | float) or row[i] is None for row in rows)
        made.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        made.add_row(*("" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row))
    return made


def _write(path: Path, text: str) -> None:
    from unbraid.runs import folder

    try:
        folder.write_bytes(path, text.encode())
    except OSError as error:
        raise InvalidOption(f"{path} cannot be written ({error.strerror}): choose another file") from None
    print(path)
