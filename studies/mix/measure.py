"""What the fitted networks do: accuracy, calibration, robustness, and what their layers keep."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from network import network, predict
from run import EPOCHS, mixers
from tasks import Task, task
from torch import Tensor, nn

from unbraid.info.calibration import calibration_error, negative_log_likelihood
from unbraid.info.layers import cka, features, linear_information
from unbraid.info.robustness import accuracy, adversarial, iocclusion
from unbraid.masks.areas import level
from unbraid.masks.boxes import boxes, placed
from unbraid.masks.fields import fields

HERE = Path(__file__).parent
LAYERS = ("stem", "block1", "block2", "block3", "pooled", "logits")
NOISE, STEP, HIDDEN, TESTED = 0.3, 0.02, 0.3, 1500
"""Half the width of uniform noise, the length of a step of gradient, the share that is hidden, how many are asked."""


def noisy(x: Tensor) -> Tensor:
    """Uniform noise, within bounds."""
    generator = torch.Generator().manual_seed(0)
    return (x + NOISE * (2 * torch.rand(x.shape, generator=generator) - 1)).clamp(0, 1)


def hidden(x: Tensor, shape: str) -> Tensor:
    """A share of every sample blanked: a box inside it, or blobs as FMix would cut them, of the same area."""
    generator = torch.Generator().manual_seed(0)
    if shape == "box":
        side = torch.full((len(x),), HIDDEN ** (1 / (x.ndim - 2)))
        mask = ~boxes(*placed(side, x.shape[2:], generator=generator), x.shape[2:])[:, None]
    else:
        values = fields(len(x), x.shape[2:], decay=1.5 if x.ndim == 3 else 3.0, generator=generator).flatten(1)
        count = torch.full((len(x),), round((1 - HIDDEN) * values.shape[1]))
        mask = (values >= level(values, count)).reshape(len(x), 1, *x.shape[2:])
    return torch.where(mask, x, torch.zeros(()))


def measured(model: nn.Module, given: Task, kept: dict[str, Any], reference: dict[str, Tensor]) -> dict[str, Any]:
    """All that is asked of one network; a layer is compared with the baseline's of the same seed."""
    x, y = given.test_x[:TESTED], given.test_y[:TESTED]
    train_x, train_y = given.x[:TESTED], given.y[:TESTED]
    chances = predict(model, given.test_x).softmax(1).double().numpy()
    labels = given.test_y.numpy()
    found: dict[str, Any] = {
        "accuracy": float((chances.argmax(1) == labels).mean()),
        "train": accuracy(model, train_x, train_y),
        "surprise": negative_log_likelihood(chances, labels),
        "calibration": calibration_error(chances, labels),
        "noise": accuracy(model, noisy(x), y),
        "gradient": accuracy(model, adversarial(model, x, y, strength=STEP), y),
        "loss": kept["loss"],
    }
    plain = accuracy(model, x, y)
    for shape in ("box", "blobs"):
        found[shape] = accuracy(model, hidden(x, shape), y)
        blanked = accuracy(model, hidden(train_x, shape), train_y)
        same = found["train"] == plain
        found[f"iocclusion, {shape}"] = None if same else iocclusion(found["train"], plain, blanked, found[shape])
    inputs = x.flatten(1).double().numpy()
    layers = features(model, LAYERS, x)
    found["information"] = {n: linear_information(layers[n].double().numpy(), inputs) for n in LAYERS}
    found["alike"] = {n: cka(layers[n].double().numpy(), reference[n].double().numpy()) for n in LAYERS}
    return found


def loaded(file: Path, given: Task) -> tuple[nn.Module, dict[str, Any]]:
    """A network at rest, and what was kept beside its weights."""
    kept: dict[str, Any] = torch.load(file, weights_only=True)
    model = network(given.x.ndim - 2, int(given.y.max()) + 1)
    model.load_state_dict(kept["weights"])
    return model.eval(), kept


def affinities(model: nn.Module, given: Task) -> dict[str, float]:
    """How familiar mixed test samples are to a network that never saw any: the change of its accuracy.

    A mixed sample is right where the network sees the label that has the larger part.
    """
    x, y = given.test_x[:TESTED], given.test_y[:TESTED]
    clean, found = accuracy(model, x, y), {}
    for name, mixer in mixers(given.x.ndim - 2).items():
        if mixer is not None:
            mixed, target = mixer(x, y, generator=torch.Generator().manual_seed(0))
            found[name] = accuracy(model, mixed, target.plain()) - clean
    return found


def table(results: dict[str, Any], spread: Callable[[list[float]], float] = lambda v: float(np.std(v, ddof=1))) -> str:
    """Means and spreads over seeds, for every task."""
    shown = ("accuracy", "train", "surprise", "calibration", "noise", "gradient", "box", "blobs")
    lines = []
    for name, runs in results.items():
        lines += ["", f"{name}", "", "| | seeds | " + " | ".join(shown) + " |", "| --- " * (len(shown) + 2) + "|"]
        for mixing in mixers(2):
            seeds = [run for key, run in runs.items() if key.rpartition(", ")[0] == mixing]
            if seeds:
                cells = []
                for key in shown:
                    values = [run[key] for run in seeds]
                    about = f" ± {spread(values):.3f}" if len(values) > 1 else ""
                    cells.append(f"{np.mean(values):.3f}{about}")
                lines.append(f"| {mixing} | {len(seeds)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure every network that is there, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/mix"))
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, Any] = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else {}
    for name, epochs in EPOCHS.items():
        folder = arguments.runs / f"{name}, {epochs} epochs"
        if not folder.is_dir():
            continue
        given, runs = task(name), results.setdefault(name, {})
        for file in sorted(folder.glob("*.pt")):
            baseline = folder / f"baseline, {file.stem.rpartition(', ')[2]}.pt"
            if file.stem in runs or not baseline.exists():
                continue
            first, _ = loaded(baseline, given)
            reference = features(first, LAYERS, given.test_x[:TESTED])
            model, kept = loaded(file, given)
            runs[file.stem] = measured(model, given, kept, reference)
            if file == baseline:
                runs[file.stem]["affinity"] = affinities(first, given)
        arguments.out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(table({name: runs for name, runs in results.items() if runs}))


if __name__ == "__main__":
    main()
