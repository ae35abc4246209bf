"""A life of environments one after the other: which are noticed, what is forgotten, and which latents are shared.

References:
    Achille et al., "Life-long disentangled representation learning with cross-domain latent homologies", NeurIPS 2018,
    arXiv:1808.06508.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import torch

from unbraid import registry
from unbraid.models.vase import VASE
from unbraid.runs.life import judge_life
from unbraid.views.environments import Environments

RESULTS = Path(__file__).parent / "life.jsonl"
TOLD: dict[str, Any] = {"environments": "told"}
ROWS: dict[str, dict[str, Any]] = {
    "VASE": {},
    "no dreams": {"dreaming": 0.0},
    "no masks": {"masking": False},
    "no contrast": {"contrast": False},
    "nothing imagined": {"imagining": 0.0},
    "told": TOLD,
    "told, no dreams": {**TOLD, "dreaming": 0.0},
    "told, dreams by 1": {**TOLD, "dreaming": 1.0},
    "told, no masks": {**TOLD, "masking": False},
    "told, masks from 0.6": {**TOLD, "atypical": 0.6},
    "masks from 0.6": {"atypical": 0.6},
}


def lived(options: dict[str, Any], world: Any, each: int, seed: int) -> dict[str, Any]:
    """One life: what the model takes each batch for, and what is found at the end of every environment."""
    torch.manual_seed(seed)
    model = VASE(world.shape, network="patches", anneal=each, **options)
    seen = Environments(world, batch_size=48, seed=seed, each=each)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    count = world.space["environment"].size
    taken, ends = [], []
    # A tenth of the first environment's time when it is back.
    for step in range(count * each + each // 10):
        optimiser.zero_grad()
        model.loss(seen.batch(step), step).total().backward()
        optimiser.step()
        taken.append((int(model.now), model.known))
        if step % each == each - 1 or step == count * each + each // 10 - 1:
            ends.append(judge_life(model, world).parts)
            model.train()
    truth = [min(step // each, count) % count for step in range(len(taken))]
    return {
        "known": model.known,
        "right": sum(now == there for (now, _), there in zip(taken, truth, strict=True)) / len(taken),
        "returned": next((i for i, (now, _) in enumerate(taken[count * each :]) if now == 0), None),
        "ends": ends,
    }


def main() -> None:
    """Live the lives asked for, and record them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="+", choices=ROWS)
    parser.add_argument("--each", type=int, default=800, help="steps of an environment")
    parser.add_argument("--environments", nargs="+", default=["fashion", "digits", "inverted fashion"])
    parser.add_argument("--folder", help="where Fashion-MNIST is, if not where Debian puts it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    world = registry.load("worlds", "moving")(environments=tuple(options.environments), folder=options.folder)
    for name, seed in product(options.rows, options.seeds):
        began = time.process_time()
        found = lived(ROWS[name], world, options.each, seed)
        row = {"row": name, "seed": seed, "each": options.each, "environments": options.environments, **found}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(name, json.dumps(row, indent=1), f"{time.process_time() - began:.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()
