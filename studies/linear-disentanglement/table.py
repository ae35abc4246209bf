"""The tables of the study, in Markdown, from ``results.jsonl``: ``python studies/linear-disentanglement/table.py``."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from run import ROWS

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


def table(columns: dict[str, str], results: dict[str, list[dict[str, Any]]]) -> str:
    """One line a row: the value of every seed."""
    lines = ["| row | " + " | ".join(columns) + " | CPU s |", "| --- " * (len(columns) + 2) + "|"]
    for row in (row for row in ROWS if row in results):
        runs = sorted(results[row], key=lambda run: run["seed"])
        cells = []
        for key in columns.values():
            values = [run["scores"][key] for run in runs if key in run["scores"]]
            cells.append(", ".join(f"{value:.3f}".removeprefix("0") for value in values) or "–")
        seconds = f"{np.mean([run['cpu_seconds'] for run in runs]):.0f}"
        lines.append(f"| `{row}` | " + " | ".join(cells) + f" | {seconds} |")
    return "\n".join(lines)


def main() -> None:
    """Print both tables, and how scores go with independence over all fits."""
    results: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for line in RESULTS.read_text("utf-8").splitlines():
        run = json.loads(line)
        results[run["row"]].setdefault(run["seed"], run)
    rows = {row: list(runs.values()) for row, runs in results.items()}
    print(table(LINEAR, rows), table(CLASSICAL, rows), sep="\n\n")
    runs = [run["scores"] for some in rows.values() for run in some]
    for name in list(CLASSICAL)[1:]:
        both = np.array([[run["independence"], run[name]] for run in runs])
        print(f"{name}: correlation with independence {np.corrcoef(both.T)[0, 1]:.2f} over {len(runs)} fits")


if __name__ == "__main__":
    main()
