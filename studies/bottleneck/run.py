"""What a beta-VAE's KL is made of as beta rises, with every image of its world in the aggregate posterior.

``python studies/bottleneck/run.py`` fits the models that ``runs/bottleneck`` does not hold yet, and writes
``results.json`` and ``parts.png`` beside this file.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import unbraid
from unbraid.plots._style import FAINT, GREY, MARGIN, PALETTE, WIDTH, Page
from unbraid.types import Floats

HERE = Path(__file__).parent
BETAS, SEEDS = (1.0, 2.0, 4.0, 8.0, 16.0), (0, 1, 2)
DRAWS = 4
"""Samples of each posterior: the errors of the parts are then below a tenth of a nat."""
PARTS = {"mutual_information": "I(x; z)", "total_correlation": "TC(z)", "dimension_wise": "dimension-wise KL"}


def measure(beta: float, seed: int, steps: int, runs: Path) -> dict[str, Any]:
    """Fit one model to the digits, unless it is there, and take its KL apart over all of them."""
    out = runs / f"beta{beta:g}-seed{seed}"
    began = time.process_time()
    run = unbraid.Run(out) if (out / "model.safetensors").exists() else None
    if run is None:
        run = unbraid.train(
            "betavae", "digits", steps=steps, seed=seed, out=out, learning_rate=1e-3, progress=False,
            beta=beta, network="patches",
        )  # fmt: skip
    found = unbraid.decompose(run, samples=len(run.world), draws=DRAWS)
    row = {"beta": beta, "seed": seed, "cpu_seconds": round(time.process_time() - began, 1), **found.to_dict()}
    row["latent_information"] = np.round(found.latent_information, 4).tolist()
    return {**row, "dimension_wise": float(found.dimension_wise.sum())}


def draw(rows: list[dict[str, Any]]) -> Figure:
    """The three parts against beta: a dot a seed, a line through the means."""
    count = rows[0]["samples"]
    note = (
        f"Digits, all {count:,} in the aggregate posterior. A dot for each of {len(SEEDS)} seeds; lines join the means."
    )
    page = Page(WIDTH, 500, "What the KL of a beta-VAE is made of", note)
    axes = page.axes(MARGIN + 70, Page.heading + 14, WIDTH - MARGIN - 70 - 210, 330)
    axes.set_xscale("log", base=2)
    axes.set_xticks(BETAS, [f"{beta:g}" for beta in BETAS])
    axes.set_xlabel("beta")
    axes.set_ylabel("nats")
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.set_axisbelow(True)
    starts = {}
    for part, colour in zip(PARTS, PALETTE, strict=False):
        table = by_beta(rows, part)
        axes.plot(BETAS, table.mean(axis=1), color=colour, linewidth=2)
        axes.plot(np.repeat(BETAS, table.shape[1]), table.ravel(), "o", color=colour, markersize=5, alpha=0.55, mew=0)
        starts[part] = (float(table[0].mean()), colour)
    ceiling = float(np.log(count))
    axes.axhline(ceiling, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    limit = f"log N = {ceiling:.2f}, which I(x; z) cannot exceed"
    axes.text(BETAS[-1], ceiling + 0.15, limit, color=GREY, ha="right", size=9.5)
    axes.set_ylim(0, 1.12 * max(ceiling, *(row[part] for row in rows for part in PARTS)))
    for line, (part, (_, colour)) in enumerate(sorted(starts.items(), key=lambda one: -one[1][0])):
        page.text(WIDTH - 190, Page.heading + 40 + 26 * line, PARTS[part], color=colour, size=11)
    return page.figure


def by_beta(rows: list[dict[str, Any]], part: str) -> Floats:
    """One part of every model: a row for each beta, a column for each seed."""
    return np.array([[row[part] for row in rows if row["beta"] == beta] for beta in BETAS])


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether the identity holds, and whether the parts fall with beta: in the mean, and for every seed."""
    falls = {}
    for part in ("mutual_information", "total_correlation"):
        table = by_beta(rows, part)
        falls[part] = {
            "mean": table.mean(axis=1).round(3).tolist(),
            "falls_in_the_mean": bool((np.diff(table.mean(axis=1)) < 0).all()),
            "falls_for_every_seed": bool((np.diff(table, axis=0) < 0).all()),
        }
    worst = max(abs(row["kl"] - row["closed_form"]) for row in rows)
    return {"worst_gap_of_the_sum_to_the_closed_form": round(worst, 4), **falls}


def main() -> None:
    """Fit, measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--runs", type=Path, default=Path("runs/bottleneck"))
    options = parser.parse_args()
    rows = []
    for beta in BETAS:
        for seed in SEEDS:
            rows.append(measure(beta, seed, options.steps, options.runs))
            print({name: rows[-1][name] for name in ("beta", "seed", *PARTS, "kl", "closed_form")}, flush=True)
    results = {"steps": options.steps, "summary": summary(rows), "rows": rows}
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    draw(rows).savefig(HERE / "parts.png")


if __name__ == "__main__":
    main()
