"""Bias and spread of estimators of mutual information, on variables whose information is known.

``python studies/estimators/run.py`` measures what ``results.json`` beside this file does not hold yet, and writes the
table and ``bias.png`` anew.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.stats import multivariate_normal, norm

from unbraid.info.estimators.critic import critic_information
from unbraid.info.estimators.densities import barber_agakov, difference_of_entropies
from unbraid.info.estimators.estimate import Estimate
from unbraid.info.estimators.gaussian import gaussian_information
from unbraid.info.estimators.ksg import ksg_information, mixed_information
from unbraid.info.estimators.plugin import plugin_information, table_information
from unbraid.plots._style import FAINT, GREY, INK, MARGIN, PALETTE, WIDTH, Page
from unbraid.types import Floats

HERE = Path(__file__).parent
COLUMNS = {1: 0.6, 3: 0.8, 10: 0.9}
"""How many pairs of columns, and how much each of them is correlated."""
SAMPLES = (300, 1000, 3000)
CHEAP, DEAR = 5, 2
"""Repetitions of what takes milliseconds, and of what is fitted."""
STEPS, BATCH = 300, 64

Estimator = Callable[[Floats, Floats, int], Estimate]


def estimators(columns: int, samples: int) -> dict[str, tuple[Estimator, int]]:
    """Every estimator with how often it is asked; those that are fitted, where a batch fits the samples."""
    entropy = 0.5 * columns * math.log(2 * math.pi * math.e)
    found: dict[str, tuple[Estimator, int]] = {
        "Gaussian": (lambda x, y, seed: gaussian_information(x, y), CHEAP),
        "KSG": (lambda x, y, seed: ksg_information(x, y, seed=seed), CHEAP),
        "mixed KSG": (lambda x, y, seed: mixed_information(x, y), CHEAP),
    }
    if columns == 1:
        for correction in ("none", "miller-madow", "grassberger"):
            found[f"10 bins, {correction}"] = (
                lambda x, y, seed, correction=correction: plugin_information(
                    tenths(x), tenths(y), correction=correction
                ),
                CHEAP,
            )
    if samples >= 12 * BATCH:
        for bound in ("infonce", "nwj", "mine", "smile"):
            found[bound] = (
                lambda x, y, seed, bound=bound: critic_information(
                    x, y, bound=bound, batch_size=BATCH, steps=STEPS, width=64, seed=seed
                ),
                DEAR,
            )
    found["Barber-Agakov"] = (lambda x, y, seed: barber_agakov(x, y, entropy=entropy, steps=STEPS, seed=seed), DEAR)
    found["entropies"] = (lambda x, y, seed: difference_of_entropies(x, y, steps=STEPS, seed=seed), DEAR)
    return found


def tenths(x: Floats) -> Any:
    """Which tenth of its own column every number is in."""
    return (10 * x[:, 0].argsort().argsort() // len(x)).astype(np.int64)


def drawn(columns: int, samples: int, seed: int) -> tuple[Floats, Floats]:
    """Pairs of correlated Gaussians."""
    rho = COLUMNS[columns]
    x, noise = np.random.default_rng([seed, columns, samples]).normal(size=(2, samples, columns))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def truth(columns: int, name: str = "") -> float:
    """What they share, in nats; for bins, what tenths of them do."""
    if "bins" not in name:
        return -0.5 * columns * math.log(1 - COLUMNS[columns] ** 2)
    rho = COLUMNS[columns]
    edges = np.concatenate([[-8.0], norm.ppf(np.arange(1, 10) / 10), [8.0]])
    corners = np.stack(np.meshgrid(edges, edges, indexing="ij"), axis=-1)
    below = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf(corners)
    return table_information(np.diff(np.diff(below, axis=0), axis=1).clip(min=0))


def measure(rows: dict[str, dict[str, Any]], file: Path, minutes: float) -> bool:
    """Fill in what is missing; whether all is there."""
    began = time.monotonic()
    for columns in COLUMNS:
        for samples in SAMPLES:
            for name, (estimator, repetitions) in estimators(columns, samples).items():
                key = f"{columns} columns, {samples} samples, {name}"
                if key in rows:
                    continue
                if time.monotonic() - began > 60 * minutes:
                    return False
                start = time.process_time()
                found = [estimator(*drawn(columns, samples, seed), seed) for seed in range(repetitions)]
                true = truth(columns, name)
                values = [one.value for one in found]
                rows[key] = {
                    "columns": columns, "samples": samples, "estimator": name, "true": round(true, 4),
                    "values": [round(value, 4) for value in values],
                    "covered": sum(one.low <= true <= one.high for one in found),
                    "warned": sum(bool(one.warning) for one in found),
                    "cpu_seconds": round((time.process_time() - start) / repetitions, 3),
                }  # fmt: skip
                file.write_text(json.dumps(list(rows.values()), indent=1) + "\n", "utf-8")
    return True


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Bias and spread: a line for each estimator, a column for each size and number of columns."""
    names = list(dict.fromkeys(row["estimator"] for row in rows.values()))
    heads = [f"{c} col., N {n:,}" for c in COLUMNS for n in SAMPLES]
    lines = ["| bias ± spread, nats | " + " | ".join(heads) + " |", "| --- " * (len(heads) + 1) + "|"]
    for name in names:
        cells = []
        for columns in COLUMNS:
            for samples in SAMPLES:
                row = rows.get(f"{columns} columns, {samples} samples, {name}")
                values = np.array(row["values"]) - row["true"] if row else None
                cells.append("" if values is None else f"{values.mean():+.2f} ± {values.std(ddof=1):.2f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(rows: dict[str, dict[str, Any]]) -> Figure:
    """The share of the truth that each estimator finds at the largest sample, for each number of columns."""
    samples = max(SAMPLES)
    names = [name for name in dict.fromkeys(row["estimator"] for row in rows.values()) if "bins" not in name]
    page = Page(
        WIDTH, 500, "What estimators find of what there is",
        f"Pairs of Gaussians in 1, 3 and 10 columns a side; N = {samples:,}. Bars are the means of the dots.",
    )  # fmt: skip
    wide = (WIDTH - 2 * MARGIN - 110 - 60) / len(COLUMNS)
    for panel, columns in enumerate(COLUMNS):
        axes = page.axes(MARGIN + 110 + panel * (wide + 20), Page.heading + 30, wide - 20, 300)
        for place, name in enumerate(names):
            row = rows.get(f"{columns} columns, {samples} samples, {name}")
            if row:
                axes.barh(place, np.mean(row["values"]), color=PALETTE[0], height=0.6, alpha=0.75)
                axes.plot(row["values"], [place] * len(row["values"]), "o", color=INK, markersize=3, alpha=0.5, mew=0)
        axes.axvline(truth(columns), color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        if columns == 10:
            axes.axvline(math.log(BATCH), color=PALETTE[1], linewidth=1, linestyle=(0, (1, 2)))
        axes.set_yticks(range(len(names)), names if panel == 0 else [])
        axes.invert_yaxis()
        axes.set_xlim(0, 1.35 * truth(columns))
        axes.grid(axis="x", color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel("nats")
        axes.set_title(f"{columns} column{'s' if columns > 1 else ''}: {truth(columns):.2f} nats", size=10.5, color=INK)
    limit = f"Dotted: log {BATCH} = {math.log(BATCH):.2f}, what InfoNCE of batches of {BATCH} cannot exceed."
    page.text(MARGIN, 482, f"Dashed: the truth. {limit}", size=9.5, color=GREY)
    return page.figure


def main() -> None:
    """Measure what is missing, print the table, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="after which nothing further is begun")
    options = parser.parse_args()
    torch.set_num_threads(1)
    file = HERE / "results.json"
    kept = json.loads(file.read_text("utf-8")) if file.exists() else []
    rows = {f"{row['columns']} columns, {row['samples']} samples, {row['estimator']}": row for row in kept}
    whole = measure(rows, file, options.minutes)
    print(table(rows))
    if whole:
        draw(rows).savefig(HERE / "bias.png")
    else:
        print("out of time: run it again")


if __name__ == "__main__":
    main()
