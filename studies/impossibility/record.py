"""Writes what came of ``impossibility.yaml`` beside this file: README.md, rows.csv and spread.png.

Run ``python studies/impossibility/record.py FOLDER`` with the folder that ``unbraid study run`` kept the study in.
"""

from __future__ import annotations

import csv
import statistics
import sys
from pathlib import Path
from typing import Any

from unbraid.report.figures import spread
from unbraid.study.analysis import agreement, explained, supervised, unsupervised, with_method, with_udr
from unbraid.study.results import rows
from unbraid.study.spec import load

HERE = Path(__file__).parent
SPEC = HERE.with_suffix(".yaml")
COLUMNS = ("method", "options", "seed")
TEXT = """# Does the model matter, or its settings, or chance?

    unbraid study run studies/impossibility.yaml
    python studies/impossibility/record.py runs/studies/impossibility

{runs} runs of {methods} methods, three strengths and five seeds each, on a disc at 16 x 16 places; 500 steps of
batches of 64. Together the cells took {minutes:.0f} minutes of one worker each, on a machine with other work. Every run
is a row of `rows.csv`. This page is written by `record.py`.

![A box over the runs of each method, a dot a run](spread.png)

*Within*: from the least to the greatest run of a method, the median over methods. *Between*: from the least to the
greatest median of a method. *Shares*: of the variance over all runs, what goes with the method, what its settings add,
and what is left among runs that differ by seed alone.

| score | within | between | method | settings | seed |
| --- | --- | --- | --- | --- | --- |
{spread}

Within a method there is more than between methods for {more} of {scores} scores{less}.

What is known of a run without labels, and its rank correlation (Spearman, all runs) with the scores:

| | {names} |
| --- |{rule}
{known}
"""


def main() -> None:
    """Read the study, and write the three files."""
    spec, root = load(SPEC), sys.argv[1]
    found = rows(spec, root)
    if any(row.state != "done" for row in found):
        raise SystemExit(f"not every cell of {spec.name} in {root} is finished: give `unbraid study run` first")
    table = with_method(with_udr(found, root))
    names, known = supervised(table, spec.scores), unsupervised(table)
    width = [(name, *_widths(table, name)) for name in names]
    more = [name for name, within, between, *_ in width if within > between]
    less = ", not for " + ", ".join(name for name in names if name not in more) if len(more) < len(names) else ""
    correlations = agreement(table, known, names)
    lines = [
        f"| {name} | {' | '.join(f'{value:.2f}' for value in row)} |"
        for name, row in zip(known, correlations, strict=True)
    ]
    text = TEXT.format(
        runs=len(table), methods=len({row["method"] for row in table}),
        minutes=sum(row["seconds"] for row in table) / 60,
        spread="\n".join(f"| {n} | {w:.3f} | {b:.3f} | {m:.0%} | {s:.0%} | {r:.0%} |" for n, w, b, m, s, r in width),
        more=len(more), scores=len(names), less=less, names=" | ".join(names), rule=" --- |" * len(names),
        known="\n".join(lines),
    )  # fmt: skip
    (HERE / "README.md").write_text(text, "utf-8")
    with (HERE / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*COLUMNS, *names, *known))
        for row in table:
            writer.writerow([*(row[name] for name in COLUMNS), *(f"{row[name]:.5g}" for name in (*names, *known))])
    spread(table, names).savefig(HERE / "spread.png", dpi=100, pil_kwargs={"optimize": True})


def _widths(table: list[dict[str, Any]], name: str) -> tuple[float, ...]:
    groups: dict[str, list[float]] = {}
    for row in table:
        groups.setdefault(row["method"], []).append(row[name])
    middles = [statistics.median(values) for values in groups.values()]
    within = statistics.median(max(values) - min(values) for values in groups.values())
    shares = explained([r[name] for r in table], [r["method"] for r in table], [r["options"] for r in table])
    return within, max(middles) - min(middles), *shares


if __name__ == "__main__":
    main()
