"""Data parallelism: two processes share every batch, and end with the weights that one process finds.

    torchrun --nproc-per-node 2 script.py

is how such a script is started; this one starts itself so, by gloo on the CPU, and then fits the same model alone.
The only difference in the code is the runtime. Expect no difference in the weights but that of rounding, and digits
recognised as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from _shared import figure, run, save
from sklearn.datasets import load_digits
from torch import nn

from unbraid import fit
from unbraid.fit.processes import is_main


def fitted(runtime: fit.Runtime) -> tuple[nn.Module, dict[str, float], list[dict[str, float]]]:
    """A classifier of digits, its metrics on unseen ones, and its history."""
    torch.manual_seed(0)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x = torch.tensor(digits.data, dtype=torch.float32)[order] / 16
    y = torch.tensor(digits.target)[order]
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    trial = fit.Trial(
        model,
        lambda parameters: torch.optim.SGD(parameters, lr=0.3, momentum=0.9),
        nn.CrossEntropyLoss(),
        metrics=["acc"],
        runtime=runtime,
    )
    history = trial.fit(fit.Tensors(x[:1500], y[:1500], batch_size=64), epochs=10)
    return model, trial.evaluate(fit.Tensors(x[1500:], y[1500:], batch_size=64)), history


def share(path: Path) -> None:
    """What each of the two processes does; the first one writes."""
    model, found, history = fitted(fit.Distributed("cpu"))
    if is_main():
        torch.save({"model": model.state_dict(), "found": found, "history": history}, path)


def main(out: Path) -> dict[str, float]:
    """Fit together, fit alone, compare."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "together.pt"
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [*launcher, __file__, "--share", str(path)], env=environment, capture_output=True, text=True, timeout=400
        )
        if done.returncode:
            raise RuntimeError(f"the processes did not end well:\n{done.stderr}")
        together = torch.load(path)
    alone, found, history = fitted(fit.Runtime("cpu"))
    weights = alone.state_dict()
    difference = max(float((weights[name] - value).abs().max()) for name, value in together["model"].items())

    drawn = figure(6, 4)
    axes = drawn.subplots()
    for rows, style, label in ((history, "C0-", "one process"), (together["history"], "C1--", "two processes")):
        axes.semilogy([row["epoch"] for row in rows], [row["loss"] for row in rows], style, label=label)
    axes.set(xlabel="epoch", ylabel="loss", title=f"weights differ by {difference:.0e} at most")
    axes.legend(frameon=False)
    save(drawn, out, "parallel")
    return {"difference": difference, "accuracy": together["found"]["acc"], "alone": found["acc"]}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--share"]:
        share(Path(sys.argv[2]))
    else:
        run(main)
