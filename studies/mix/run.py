"""What mixing samples does to what a small residual network learns: fit, or measure what was fitted.

A network takes seconds; what is there already is not done again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from network import network
from tasks import TASKS, task
from torch import nn

from unbraid.fit import OneCycle, State, Tensors, Trial, hook, mixed_loss
from unbraid.fit.callback import Callback
from unbraid.fit.state import X
from unbraid.mix import Alternate, CutMix, FMix, MixUp
from unbraid.mixer import Mixer

HERE = Path(__file__).parent
EPOCHS = {"waves": 30, "garments": 24, "few": 96, "solids": 30}
BATCH = {"garments": 128, "few": 128, "waves": 64, "solids": 64}
RATE = {"garments": 0.2, "few": 0.2, "waves": 0.1, "solids": 0.1}


def mixers(dimensions: int) -> dict[str, Mixer | None]:
    """What is compared; in one dimension a smoother field than this would be a single segment."""
    fmix = {"decay": 1.5 if dimensions == 1 else 3.0}
    return {
        "baseline": None,
        "mixup": MixUp(),
        "cutmix": CutMix(),
        "fmix": FMix(**fmix),
        "fmix+mixup": Alternate([FMix(**fmix), MixUp()]),
    }


@hook("on_sample")
def flip(state: State) -> None:
    """Mirror half of the images."""
    x = state[X]
    state[X] = torch.where(torch.rand(len(x), *[1] * (x.ndim - 1)) < 0.5, x.flip(-1), x)


def fit(name: str, mixing: str, seed: int, out: Path, epochs: int) -> None:
    """Fit one network and keep its weights."""
    given = task(name)
    torch.manual_seed(seed)
    dimensions = given.x.ndim - 2
    model = network(dimensions, int(given.y.max()) + 1)
    mixer = mixers(dimensions)[mixing]
    callbacks: list[Callback] = [OneCycle(RATE[name]), *([flip] if given.flip else []), *([mixer] if mixer else [])]
    trial = Trial(
        model,
        lambda weights: torch.optim.SGD(weights, lr=RATE[name], momentum=0.9, nesterov=True, weight_decay=5e-4),
        mixed_loss(nn.CrossEntropyLoss(reduction="none")),
        callbacks=callbacks,
    )
    began = time.process_time()
    history = trial.fit(Tensors(given.x, given.y, batch_size=BATCH[name], seed=seed), epochs=epochs)
    kept = {
        "weights": model.state_dict(),
        "cpu_seconds": time.process_time() - began,
        "loss": float(history[-1]["loss"]),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(kept, out)
    print(f"{out.stem}: loss {kept['loss']:.3f}, {kept['cpu_seconds']:.0f} CPU s", flush=True)


def main() -> None:
    """Fit what is not fitted, for as many minutes as are given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--epochs", type=int, help="by default those of each task")
    parser.add_argument("--runs", type=Path, default=Path("runs/mix"))
    parser.add_argument("--minutes", type=float, default=4.5, help="after which no further run is begun")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    for name in arguments.tasks:
        epochs = arguments.epochs or EPOCHS[name]
        for seed in range(arguments.seeds):
            for mixing in mixers(2):
                out = arguments.runs / f"{name}, {epochs} epochs" / f"{mixing}, {seed}.pt"
                if out.exists():
                    continue
                if time.monotonic() - began > 60 * arguments.minutes:
                    print("out of time: run it again")
                    return
                fit(name, mixing, seed, out, epochs)


if __name__ == "__main__":
    main()
