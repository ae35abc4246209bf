"""What every score says of representations whose virtue is known: measured by this script, drawn by ``_picture.py``.

python docs/_scores.py              # measures everything anew (about ten minutes on one core), writes docs/scores.json
python docs/_scores.py mig rotated  # only these scores and representations
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from unbraid import registry
from unbraid.info.representations import REPRESENTATIONS, representation
from unbraid.info.shared import sharing
from unbraid.runs.measure import Arrays, Task, measure, needs
from unbraid.types import Factor, FactorSpace

RECORD = Path(__file__).with_name("scores.json")
SPACE = FactorSpace(
    [Factor("shape", 3), Factor("scale", 6), Factor("orientation", 40), Factor("x", 32), Factor("y", 32)]
)
SAMPLES, RUNS, IDLE = 10_000, 3, 0.05


def value(score: str, of: str) -> float:
    """A score, with its own defaults, of one representation; of three runs of it where a score compares runs."""
    factors = SPACE.sample(SAMPLES, np.random.default_rng(0))
    if needs(score) == "runs":
        runs = [representation(of, factors, sizes=SPACE.sizes, seed=seed) for seed in range(RUNS)]
        # Which latents a model makes no use of is known from its divergences.
        used = [1.0 * (codes.std(axis=0) > IDLE) for codes in runs]
        return float(registry.load("scores", score)(runs, divergences=used))
    return measure(Task(score, of, 0), Arrays(np.zeros((SAMPLES, 1)), factors, SPACE)).value


def main(names: list[str]) -> None:
    """Measure and record."""
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    for of in [name for name in names if name in REPRESENTATIONS] or REPRESENTATIONS:
        with sharing():
            for score in [name for name in names if name not in REPRESENTATIONS] or registry.names("scores"):
                record.setdefault(score, {})[of] = float(f"{value(score, of):.6g}")
                print(f"{of:12} {score:18} {record[score][of]:.3f}", flush=True)
        rows = (f"  {json.dumps(score)}: {json.dumps(record[score])}" for score in sorted(record))
        RECORD.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
