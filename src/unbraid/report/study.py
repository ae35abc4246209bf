"""The page of a study: what was found, in pictures and tables, and the exact circumstances."""

from __future__ import annotations

import platform
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import unbraid
from unbraid.errors import InvalidData, InvalidOption, UnbraidError
from unbraid.report.figures import against, correlations, shares, spread
from unbraid.report.page import Section, Table, render
from unbraid.runs.folder import write_bytes
from unbraid.study.analysis import agreement, explained, supervised, unsupervised, with_method, with_udr
from unbraid.study.results import Row, hunted, pivot, rows, to_csv
from unbraid.study.search import Hunt, Tried
from unbraid.study.spec import Spec
from unbraid.study.store import Store
from unbraid.study.work import CELLS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["latex", "write"]


def write(spec: Spec, root: str, target: Path) -> list[Path]:
    """Write the page of a study, and its tables as CSV and LaTeX beside it.

    Args:
        spec: The study.
        root: Where it is kept.
        target: The page's file.

    Returns:
        The files.

    Raises:
        InvalidData: When no cell is finished yet.
    """
    found = rows(spec, root)
    table = with_method(with_udr(found, root))
    if not table:
        raise InvalidData(f"no cell of {spec.name} in {root} is finished: give `unbraid study run` first")
    names = supervised(table, spec.scores)
    if not names:
        raise InvalidData(f"no score is known of every finished run of {spec.name}: measured were {spec.scores}")
    known = unsupervised(table)
    medians = {name: pivot(found, name) for name in names}
    sections = [
        _spread(table, names),
        _medians(medians, names),
        _settings(table, names),
        _agree(table, names, known),
        *_searches(spec, root),
        *_traversals(found, root, names[0]),
        _circumstances(spec, found),
    ]
    world = ", ".join(dict.fromkeys(row.cell.world for row in found))
    lead = (
        f"{len(table)} runs of {len({r['method'] for r in table})} methods on {world}, measured by {', '.join(names)}."
    )
    stem = target.with_suffix("")
    files = {
        target: render(spec.name, lead, sections),
        stem.with_suffix(".csv"): to_csv(found),
        stem.with_suffix(".tex"): "\n".join(latex(name, rows) for name, rows in medians.items()),
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            write_bytes(file, text.encode())
    except OSError as error:
        raise InvalidOption(f"{target} cannot be written ({error.strerror}): choose another file with --to") from None
    return list(files)


def latex(score: str, found: list[tuple[Any, ...]]) -> str:
    """A table of medians as LaTeX, for the package booktabs."""
    lines = [f"% {score}: median, 95 % bootstrap interval, runs", r"\begin{tabular}{llrr}", r"\toprule"]
    lines += [rf"model & options & {_tex(score)} & runs \\", r"\midrule"]
    for model, options, middle, low, high, _, _, count in found:
        lines.append(rf"{_tex(model)} & {_tex(options)} & {middle:.3f} [{low:.3f}, {high:.3f}] & {count} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _tex(text: Any) -> str:
    return "".join(f"\\{c}" if c in "_&%$#{}" else c for c in str(text))


def _spread(table: list[dict[str, Any]], names: list[str]) -> Section:
    text = []
    for name in names:
        groups: dict[str, list[float]] = {}
        for row in table:
            groups.setdefault(row["method"], []).append(row[name])
        if len(groups) > 1:
            middles = [float(np.median(values)) for values in groups.values()]
            within = float(np.median([max(values) - min(values) for values in groups.values()]))
            between = max(middles) - min(middles)
            verdict = "more than" if within > between else "no more than"
            text.append(
                f"{name}: within a method, settings and seeds span {within:.3f} (median over methods); the medians of "
                f"methods lie {between:.3f} apart. Within a method there is {verdict} between methods."
            )
    figures = {"how scores spread": spread(table, names), "what the variance goes with": shares(table, names)}
    parts: list[list[str | float]] = [
        [name, *explained([r[name] for r in table], [r["method"] for r in table], [r["options"] for r in table])]
        for name in names
    ]
    return Section("Within and between methods", text, [Table(("score", "method", "settings", "seed"), parts)], figures)


def _medians(medians: dict[str, list[tuple[Any, ...]]], names: list[str]) -> Section:
    cells = [
        (model, options, name, middle, f"{low:.3f} to {high:.3f}", least, greatest, count)
        for name in names
        for model, options, middle, low, high, least, greatest, count in medians[name]
    ]
    head = ("model", "options", "score", "median", "95 % interval", "least", "greatest", "runs")
    return Section("Medians", ["Over seeds, with bootstrap intervals of the median."], [Table(head, cells)])


def _settings(table: list[dict[str, Any]], names: list[str]) -> Section:
    figures: dict[str, Figure] = {f"{name} over settings": against(table, name) for name in names[:4]}
    return Section("Settings and seeds", [], [], figures)


def _agree(table: list[dict[str, Any]], names: list[str], known: list[str]) -> Section:
    text, figures = [], dict[str, "Figure"]()
    if len(table) < 4:
        return Section("Which scores agree", ["Too few runs to compare orders."])
    if len(names) > 1:
        figures["agreement of scores"] = correlations(table, names, names, "Which scores put runs in the same order")
    if known:
        figures["selection without labels"] = correlations(
            table, known, names, "Whether what is known without labels tells which run is good"
        )
        found = agreement(table, known, names)
        best = np.abs(found).max(axis=1)
        text.append(
            "Without labels one knows of a run: "
            + "; ".join(
                f"{name} (rank correlation {found[i, int(np.abs(found[i]).argmax())]:.2f} with "
                f"{names[int(np.abs(found[i]).argmax())]} at most)"
                for i, name in enumerate(known)
            )
            + f". The strongest is {known[int(best.argmax())]}."
        )
    return Section("Which scores agree, and what tells a good run without labels", text, [], figures)


def _searches(spec: Spec, root: str) -> list[Section]:
    """The trials of each search, best first."""
    sections = []
    for hunt in hunted(spec, Store(root)).hunts:
        goal, states = hunt.search.goal, Counter(trial.state for trial in hunt.trials)
        rest = [trial for trial in hunt.trials if trial.state in ("stopped", "failed")]
        cells = [
            (trial.number, _setting(hunt, trial), trial.values[-1] if trial.values else "", trial.state)
            for trial in (*hunt.best(), *rest)
        ]
        text = (
            f"{goal}: {states['done']} came to their end, {states['stopped']} were stopped, {states['failed']} failed."
        )
        table = Table(("trial", "setting", goal.score, "state"), cells)
        sections.append(Section(f"Search: {hunt.search.cell.model} on {hunt.search.cell.world}", [text], [table]))
    return sections


def _setting(hunt: Hunt, trial: Tried) -> str:
    cell, names = trial.cells[0], [name.rpartition(".") for name in hunt.search.ranges]
    return " ".join(f"{name}={(cell.fit if kind else cell.options)[name]}" for kind, _, name in names)


def _traversals(found: list[Row], root: str, score: str) -> list[Section]:
    """The best and the worst run by one score, to look at."""
    if "://" in root:
        return []
    from unbraid.runs.plot import figures
    from unbraid.runs.run import Run

    done = sorted(
        (row for row in found if row.state == "done" and row.outcome and score in (row.outcome.values or {})),
        key=lambda row: float((row.outcome.values or {})[score]) if row.outcome else 0.0,
    )
    shown: dict[str, Figure] = {}
    for label, row in (("best", done[-1]), ("worst", done[0])) if len(done) > 1 else ():
        try:
            drawn, _ = figures(Run(Path(root) / CELLS / row.cell.key), plots=["traversals"])
        except UnbraidError:
            continue
        value = float((row.outcome.values or {})[score]) if row.outcome else 0.0
        shown |= {f"{label}: {row.cell}, {score} {value:.3f}": figure for figure in drawn.values()}
    return [Section(f"The best and the worst run by {score}", list(shown), [], shown)] if shown else []


def _circumstances(spec: Spec, found: list[Row]) -> Section:
    states = Counter(row.state for row in found)
    failed = [
        (str(row.cell), row.outcome.kind, row.outcome.reason) for row in found if row.outcome and row.state == "failed"
    ]
    seconds = sum(row.outcome.seconds for row in found if row.outcome)
    text = [
        f"{states['done']} of {len(found)} cells are finished, {states['failed']} failed, {states['open']} are open; "
        f"together they took {seconds / 60:,.0f} minutes of one worker each.",
        f"unbraid {unbraid.__version__}, Python {platform.python_version()}, {platform.platform()}; every cell's own "
        "versions are in its run.json.",
    ]
    tables = [Table(("cell", "what", "why"), failed)] if failed else []
    return Section("How it was made", text, tables, {}, spec.text.splitlines())
