"""Linear disentanglement with and without told actions: one row of ``results.jsonl`` for every fit.

``python studies/linear-disentanglement/run.py`` fits what has no row yet, in the order of ``ROWS`` and seed by seed;
names of rows and seeds (``... run.py forwardvae rgrvae 0``)
fit these alone; ``--runs FOLDER`` keeps the runs, for pictures. A fit takes from ten seconds to six minutes on a core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rows import ROWS, place
from settings import SETTINGS, Setting

from unbraid import registry
from unbraid.runs.encode import abilities, encode
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.score import Sampler
from unbraid.scores import (
    actionaccuracy,
    actionerror,
    betavae_score,
    cyclicconsistency,
    dci,
    dlsbd,
    independence,
    mig,
    modularity,
    rollout,
    sap,
)

RESULTS = Path(__file__).parent / "results.jsonl"
SEEDS = (0, 1, 2)
COMMON = {"network": "patches", "likelihood": "gaussian"}
SIGNS = ("actions_used", "policy_sure", "greatest_angle")


def fitted(name: str, seed: int, folder: Path) -> tuple[Run, dict[str, Any]]:
    """The run of a row, and what its training says of itself."""
    row = ROWS[name]
    setting, sequences = SETTINGS[row.setting], registry.load("models", row.model).view == "orbits"
    began = time.process_time()
    run = train(
        row.model, setting.fitted or setting.world, steps=max(row.steps, 1), seed=seed, out=folder, batch_size=32,
        learning_rate=1e-3 if row.steps else 1e-12, decay=row.steps // 3, progress=False,
        view={**setting.view, **row.view} if sequences else {}, **{**COMMON, **setting.options, **row.options},
    )  # fmt: skip
    last = {key: value for key, value in run.history[-1].items() if not key.startswith("kl_")}
    signs = [
        [row["step"], *(round(row[f"sign_{sign}"], 3) for sign in SIGNS)]
        for row in run.history[:: max(1, len(run.history) // 25)]
        if f"sign_{SIGNS[0]}" in row
    ]
    about = {"cpu_seconds": round(time.process_time() - began, 1), "last": last}
    return run, about | ({"signs": signs} if signs else {})


def measured(model: Any, setting: Setting) -> dict[str, dict[str, float]]:
    """Every figure of the tables, on all states; and of actions on those that were held out, where some were."""
    world, everything = setting.world, np.arange(len(setting.world))
    codes, able = encode(model, world, everything), abilities(model, world, setting.fitted)
    parted = Sampler(world.space, lambda values: codes[world.index(values)], **able)
    sampler = replace(parted, seen=None)
    found = {"scores": acted(sampler, setting)}
    if setting.fitted is not None:
        found["unseen"] = acted(parted, setting)
    elif not setting.mirrored:
        factors, repeated = world.factors(everything), np.random.default_rng(0).integers(0, len(world), 1000)
        results = [dlsbd(sampler), betavae_score(sampler)]
        results += [score(codes[repeated], factors[repeated]) for score in (mig, sap, dci, modularity)]
        found["scores"] |= named(results)
    return found


def acted(sampler: Sampler, setting: Setting) -> dict[str, float]:
    """The scores of actions."""
    options: dict[str, Any] = {"moving": setting.moving, "mirrored": setting.mirrored}
    scores = (independence, actionerror, rollout, actionaccuracy)
    around = cyclicconsistency(sampler, moving=setting.moving)
    return named([around, *(score(sampler, **options) for score in scores)])


def named(results: list[Any]) -> dict[str, float]:
    """Values and parts by name, but those of single factors."""
    found: dict[str, float] = {}
    for result in results:
        kept: Mapping[str, float] = {key: value for key, value in result.parts.items() if not key.isdigit()}
        found |= {result.name: result.value, **{f"{result.name}.{key}": value for key, value in kept.items()}}
    return {key: round(float(value), 5) for key, value in found.items()}


def main() -> None:
    """Fit and measure what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="rows and seeds; all by default")
    parser.add_argument("--runs", type=Path, help="a folder in which the runs are kept")
    given = parser.parse_args()
    seeds = [int(name) for name in given.names if name.isdigit()] or SEEDS
    names = [name for name in given.names if not name.isdigit()] or list(ROWS)
    for seed in seeds:
        for row in names:
            done = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()] if RESULTS.exists() else []
            if any((one["row"], one["seed"]) == (row, seed) for one in done):
                continue
            with tempfile.TemporaryDirectory() as folder:
                run, about = fitted(row, seed, place(given.runs or Path(folder), row, seed))
                record = {"row": row, "seed": seed, **about, **measured(run.model, SETTINGS[ROWS[row].setting])}
            with RESULTS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            shown = {key: record["scores"].get(key) for key in ("independence", "actionerror", "actionaccuracy.own")}
            print(row, seed, about["cpu_seconds"], shown, flush=True)


if __name__ == "__main__":
    main()
