"""Objectives on Sprites, three seeds each: how far do their latents come apart in a few minutes on one core?

``python studies/sprites/run.py`` trains, measures and writes the table, two runs at a time (or as many as ``JOBS`` in
the environment says) with one thread each. What is done stays done: interrupted, the same command goes on where it
was. Runs are kept in ``runs/sprites``, what was measured in ``results`` beside this file.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from settings import FIT, ROWS, SAMPLES, SCORES, SEEDS, STEPS
from table import write

from unbraid.runs import folder
from unbraid.runs.run import Run

RUNS = Path("runs/sprites")
RESULTS = Path(__file__).parent / "results" / "runs.json"
AT_ONCE = 250


def measure(row: str, seed: int) -> dict[str, Any]:
    """Train one model, unless that is done, and measure it; in a process of its own."""
    import torch

    from unbraid import evaluate, train

    torch.set_num_threads(1)
    model, options = ROWS[row]
    options = {**FIT, **options}
    steps = options.pop("steps", STEPS)
    path = RUNS / f"{row.lower().replace(' ', '-').replace(',', '')}-{seed}"
    began = time.process_time()
    if not (path / folder.MODEL).exists():
        train(model, "sprites", steps=steps, seed=seed, out=path, progress=False, **options)
    seconds, run = time.process_time() - began, Run(path)
    scores = evaluate(run, scores=list(SCORES), samples=SAMPLES)
    return {
        "row": row,
        "seed": seed,
        "steps": steps,
        "model": model,
        "options": options,
        "cpu_seconds": round(seconds),
        "reconstruction": round(reconstruction(run), 2),
        "scores": {name: {"value": score.value, "parts": dict(score.parts)} for name, score in scores.items()},
    }


def reconstruction(run: Run) -> float:
    """-log p(x|z) at the posterior means of the images that are measured, in nats."""
    import torch

    from unbraid.runs.encode import choose
    from unbraid.view import to_float

    model: Any = run.model
    indices = choose(run.world, SAMPLES, 0)
    with torch.no_grad():
        batches = (to_float(run.world.images(some)) for some in np.split(indices, SAMPLES // AT_ONCE))
        return float(np.mean([float(model.nll(x, model.represent(x))) for x in batches]))


def main(rows: list[str]) -> None:
    """Measure the given rows, all by default, and write the table."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    done = {(one["row"], one["seed"]) for one in kept}
    # A seed at a time, so that there is a whole table early.
    asked = [(row, seed) for seed in SEEDS for row in rows or ROWS if (row, seed) not in done]
    os.environ["OMP_NUM_THREADS"] = "1"  # two processes on two processors
    folder.make(RESULTS.parent)
    with ProcessPoolExecutor(int(os.environ.get("JOBS", "2")), mp_context=multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(measure, row, seed) for row, seed in asked]):
            found = future.result()
            kept.append(found)
            kept.sort(key=lambda one: (list(ROWS).index(one["row"]), one["seed"]))
            folder.write_json(RESULTS, kept)
            told = ", ".join(f"{name} {score['value']:.3f}" for name, score in found["scores"].items())
            print(f"{found['row']}, seed {found['seed']} ({found['cpu_seconds']} s): {told}", flush=True)
    write(kept, RESULTS.parent)


if __name__ == "__main__":
    main(sys.argv[1:])
