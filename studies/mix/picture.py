"""Two pictures of what was measured: what layers keep of their input, and what samples can stand.

``python studies/mix/picture.py`` draws ``depth.png`` and ``robust.png`` from ``results.json``, all beside this file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from measure import LAYERS
from run import mixers

from unbraid.plots._style import FAINT, MARGIN, PALETTE, WIDTH, Page

HERE = Path(__file__).parent
ASKED = {
    "accuracy": "as they are",
    "noise": "noise",
    "gradient": "gradient",
    "box": "box blank",
    "blobs": "blobs blank",
}
Results = dict[str, dict[str, dict[str, Any]]]


def seeds(results: Results, task: str, mixing: str) -> list[dict[str, Any]]:
    """The networks of one way of mixing."""
    return [run for key, run in results[task].items() if key.rpartition(", ")[0] == mixing]


def begun(results: Results, title: str, note: str) -> tuple[Page, list[Any]]:
    """A page with a panel for each task, and the names of all mixings in their colours."""
    page = Page(WIDTH, 450, title, note)
    width = (WIDTH - 2 * MARGIN - 60) / len(results)
    panels = []
    for i, task in enumerate(results):
        axes = page.axes(MARGIN + 40 + i * (width + 10), Page.heading + 30, width - 50, 220)
        axes.set_title(task, fontsize=11)
        axes.grid(axis="y", color=FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        panels.append(axes)
    for i, mixing in enumerate(mixers(2)):
        page.text(MARGIN + 40 + 130 * i, 436, mixing, color=PALETTE[i], size=11)
    return page, panels


def depth(results: Results) -> Figure:
    """Nats that a linear reader finds of the input in each layer; bars are standard errors of the means over seeds."""
    count = len(seeds(results, next(iter(results)), "baseline"))
    note = (
        f"Nats of the input's 64 first components, by ridge regression. Means of {count} seeds; "
        "bars join the seeds' spread and the estimator's own error."
    )
    page, panels = begun(results, "What layers keep of their input", note)
    for axes, task in zip(panels, results, strict=True):
        for i, mixing in enumerate(mixers(2)):
            found = np.array([[run["information"][n] for n in LAYERS] for run in seeds(results, task, mixing)])
            value, error = found[..., 0], found[..., 1]
            bars = np.sqrt((value.var(axis=0, ddof=1) + np.square(error).mean(axis=0)) / len(found))
            places = np.arange(len(LAYERS)) + 0.08 * (i - 2)
            axes.errorbar(places, value.mean(axis=0), bars, color=PALETTE[i], linewidth=1.6, capsize=2)
        axes.set_xticks(range(len(LAYERS)), LAYERS, rotation=40, ha="right", fontsize=9)
    panels[0].set_ylabel("nats")
    return page.figure


def robust(results: Results) -> Figure:
    """Accuracy on samples as they are and as they are spoilt, a dot a seed and a bar at the mean."""
    note = "Accuracy on test samples: a dot for every seed, a stroke at their mean."
    page, panels = begun(results, "What mixing gives, and for which samples", note)
    for axes, task in zip(panels, results, strict=True):
        for i, mixing in enumerate(mixers(2)):
            found = np.array([[run[name] for name in ASKED] for run in seeds(results, task, mixing)])
            places = np.arange(len(ASKED)) + 0.14 * (i - 2)
            axes.plot(np.tile(places, (len(found), 1)), found, "o", color=PALETTE[i], markersize=4, alpha=0.6, mew=0)
            axes.plot(places, found.mean(axis=0), "_", color=PALETTE[i], markersize=10, mew=2)
        axes.set_xticks(range(len(ASKED)), list(ASKED.values()), rotation=40, ha="right", fontsize=9)
    panels[0].set_ylabel("accuracy")
    return page.figure


def main() -> None:
    """Draw both."""
    results = {task: runs for task, runs in json.loads((HERE / "results.json").read_text("utf-8")).items() if runs}
    for name, figure in (("depth", depth(results)), ("robust", robust(results))):
        figure.savefig(HERE / f"{name}.png", dpi=100)


if __name__ == "__main__":
    main()
