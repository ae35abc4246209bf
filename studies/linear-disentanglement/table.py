"""The tables of the study, in Markdown, from ``results.jsonl``: ``python studies/linear-disentanglement/table.py``."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rows import ROWS
from settings import SETTINGS

RESULTS = Path(__file__).parent / "results.jsonl"
LINEAR = {
    "independence": "independence",
    "chance": "independence.chance",
    "residual": "independence.residual",
    "action error": "actionerror",
    "own": "actionerror.own",
    "angle": "actionerror.own_angle",
    "A^N": "cyclicconsistency.own",
    "5 steps": "rollout.own_after_5",
    "5 steps, pixels": "rollout.pixels_after_5",
    "D_LSBD": "dlsbd",
    "actions": "actionaccuracy.own",
}
CLASSICAL = {name: name for name in ("independence", "betavae_score", "dci", "mig", "modularity", "sap")}
KEPT = ("independence", "chance", "residual", "own", "A^N", "5 steps", "actions")

Runs = Sequence[Mapping[str, Any]]


def table(columns: Mapping[str, str], rows: Mapping[str, Runs], part: str = "scores") -> str:
    """One line a row; columns that no row has are left out."""
    every = [run[part] for runs in rows.values() for run in runs]
    columns = {name: key for name, key in columns.items() if any(key in scores for scores in every)}
    lines = ["| row | " + " | ".join(columns) + " | CPU s |", "| --- " * (len(columns) + 2) + "|"]
    for row, runs in rows.items():
        cells = [told([run[part][key] for run in runs if key in run[part]]) for key in columns.values()]
        seconds = f"{np.mean([run['cpu_seconds'] for run in runs]):.0f}"
        lines.append(f"| `{row}` | " + " | ".join(cell or "–" for cell in cells) + f" | {seconds} |")
    return "\n".join(lines)


def restarts(rows: Mapping[str, Runs]) -> str:
    """Of every row of a policy the seed whose predictions err least, which nobody has to be told to choose by."""
    lines = ["| row | prediction of each seed | kept | " + " | ".join(KEPT) + " |", "| --- " * (len(KEPT) + 3) + "|"]
    for row, runs in rows.items():
        if ROWS[row].model == "rgrvae" and len(runs) > 2:
            errors = [run["last"]["prediction"] for run in runs]
            best = runs[int(np.argmin(errors))]
            cells = ", ".join(f"{error:.2f}" for error in errors), str(best["seed"])
            cells += tuple(written(best["scores"][LINEAR[name]]) for name in KEPT)
            lines.append(f"| `{row}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def told(values: Sequence[float]) -> str:
    """Every seed's value, or of more than three the median, the least and the greatest."""
    if len(values) <= 3:
        return ", ".join(map(written, values))
    return f"{written(float(np.median(values)))} ({written(min(values))} .. {written(max(values))})"


def written(value: float) -> str:
    """Three decimals.

    >>> written(0.5), written(1.25)
    ('.500', '1.250')
    """
    return f"{value:.3f}".removeprefix("0")


def main() -> None:
    """Print every table, and how scores go with independence over all fits."""
    results: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for line in RESULTS.read_text("utf-8").splitlines():
        run = json.loads(line)
        results[run["row"]].setdefault(run["seed"], run)
    rows = {row: [results[row][seed] for seed in sorted(results[row])] for row in ROWS if row in results}
    for setting in SETTINGS:
        here = {row: runs for row, runs in rows.items() if ROWS[row].setting == setting}
        if not here:
            continue
        print(f"### {setting}\n")
        print(table(LINEAR, here) + "\n")
        if SETTINGS[setting].fitted is not None:
            print(f"From places that were not seen:\n\n{table(LINEAR, here, 'unseen')}\n")
        if setting == "FlatLand":
            print(table(CLASSICAL, here) + "\n")
            runs = [run["scores"] for some in here.values() for run in some]
            for name in list(CLASSICAL)[1:]:
                both = np.array([[run["independence"], run[name]] for run in runs])
                print(f"{name}: correlation with independence {np.corrcoef(both.T)[0, 1]:.2f} over {len(runs)} fits")
    print(f"### Restarts\n\n{restarts(rows)}")


if __name__ == "__main__":
    main()
