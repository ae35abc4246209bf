"""What other fitting layers cost beside a bare PyTorch loop, measured like ``fit.py`` measures a ``Trial``.

The same tiny classifier and the same 2,000 ready batches. Every contender runs in a process of its own, on one thread,
in turn with the bare loop; its ratio is the median of the ratios of neighbours in CPU time. Its final weights must
equal the bare loop's, so that nobody wins by doing less. Peers are installed with pip into folders of their own under
``runs/peers``, beside and not into the environment.

Run ``python benchmarks/fit_peers.py``; it takes about five minutes and writes ``benchmarks/fit_peers.md``.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from _peers import installed
from torch import Tensor, nn

BATCHES, ROUNDS = 2000, 5
HERE = Path(__file__).resolve()

LIGHTNING = ["lightning-utilities", "torchmetrics", "fsspec", "pyyaml", "tqdm", "packaging"]
PACKAGES = {
    "unbraid": [],
    "torchbearer": ["torchbearer==0.5.5", "tqdm", "packaging"],
    "ignite": ["pytorch-ignite==0.5.5", "packaging", "tqdm"],
    "poutyne": ["poutyne==1.19", "torchmetrics", "lightning-utilities", "packaging"],
    "skorch": ["skorch==1.4.0", "tabulate", "tqdm"],
    "fabric": ["lightning-fabric==2.6.6", *LIGHTNING],
    "lightning": ["pytorch-lightning==2.6.6", "lightning-fabric==2.6.6", *LIGHTNING],
    "accelerate": ["accelerate==1.15.0", "huggingface_hub==0.36.0", "psutil", "pyyaml", "tqdm", "packaging", "filelock",
                   "fsspec", "requests", "urllib3", "idna", "certifi", "charset-normalizer"],
}  # fmt: skip

Batches = list[tuple[Tensor, Tensor]]
Fit = Callable[[], nn.Module]
"""Fits a new model to all batches once and gives it back."""
criterion = nn.CrossEntropyLoss()


def made() -> tuple[nn.Module, torch.optim.Optimizer]:
    """The model and its optimiser, the same every time."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    return model, torch.optim.SGD(model.parameters(), lr=0.01)


def bare(batches: Batches) -> nn.Module:
    """What there is to do."""
    model, optimizer = made()
    model.train()
    for x, y in batches:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    return model


def unbraid(batches: Batches) -> dict[str, Fit]:
    """This project."""
    from rich.console import Console

    from unbraid.fit import Progress, Trial

    def fitted(**options: Any) -> nn.Module:
        model, optimizer = made()
        Trial(model, optimizer, criterion, **options).fit(batches, epochs=1)
        return model

    def bar() -> nn.Module:
        progress = Progress("fit", console=Console(file=io.StringIO(), force_terminal=True))
        return fitted(metrics=["acc"], callbacks=[progress])

    return {
        "no metrics": lambda: fitted(metrics=None),
        "acc and loss": lambda: fitted(metrics=["acc"]),
        "acc, loss and progress bar": bar,
    }


def torchbearer(batches: Batches) -> dict[str, Fit]:
    """The ancestor."""
    from torchbearer import Trial

    def fitted(metrics: list[str], verbose: int = 0) -> nn.Module:
        model, optimizer = made()
        trial = Trial(model, optimizer, criterion, metrics=metrics).with_train_generator(batches)
        trial.run(epochs=1, verbose=verbose)
        return model

    return {
        "no metrics": lambda: fitted([]),
        "acc and loss": lambda: fitted(["acc", "loss"]),
        "acc, loss and progress bar (default)": lambda: fitted(["acc", "loss"], 2),
    }


def ignite(batches: Batches) -> dict[str, Fit]:
    """PyTorch Ignite."""
    from ignite.engine import create_supervised_trainer
    from ignite.handlers import ProgressBar
    from ignite.metrics import Accuracy, RunningAverage

    def fitted(metrics: bool, bar: bool) -> nn.Module:
        model, optimizer = made()

        def output(x: Tensor, y: Tensor, y_pred: Tensor, loss: Tensor) -> Any:
            return (loss.item(), y_pred, y) if metrics else loss.item()

        trainer = create_supervised_trainer(model, optimizer, criterion, output_transform=output)
        if metrics:
            RunningAverage(output_transform=lambda out: out[0]).attach(trainer, "loss")
            Accuracy(output_transform=lambda out: out[1:]).attach(trainer, "acc")
        if bar:
            ProgressBar(file=io.StringIO()).attach(trainer, ["loss"])
        trainer.run(batches, max_epochs=1)
        return model

    return {
        "no metrics": lambda: fitted(False, False),
        "acc and loss": lambda: fitted(True, False),
        "acc, loss and progress bar": lambda: fitted(True, True),
    }


def poutyne(batches: Batches) -> dict[str, Fit]:
    """Poutyne."""
    from poutyne import Model

    def fitted(metrics: list[str]) -> nn.Module:
        model, optimizer = made()
        fitter = Model(model, optimizer, criterion, batch_metrics=metrics)
        fitter.fit_generator(batches, epochs=1, verbose=False)
        return model

    return {"no metrics": lambda: fitted([]), "acc and loss": lambda: fitted(["accuracy"])}


def skorch(batches: Batches) -> dict[str, Fit]:
    """Skorch."""
    from skorch import NeuralNet

    class Loader:
        def __init__(self, dataset: Any, **_: Any) -> None:
            pass

        def __iter__(self) -> Any:
            return iter(batches)

    def fitted(callbacks: Any) -> nn.Module:
        model, _ = made()
        net = NeuralNet(model, nn.CrossEntropyLoss, optimizer=torch.optim.SGD, lr=0.01, max_epochs=1, verbose=0,
                        train_split=None, iterator_train=Loader, callbacks=callbacks)  # fmt: skip
        net.fit([0], None)
        return model

    return {"no metrics": lambda: fitted("disable"), "loss (default callbacks)": lambda: fitted(None)}


def fabric(batches: Batches) -> dict[str, Fit]:
    """Lightning Fabric around a loop of one's own."""
    from lightning_fabric import Fabric

    def fitted() -> nn.Module:
        tool = Fabric(accelerator="cpu", devices=1)
        plain, optimizer = made()
        model, optimizer = tool.setup(plain, optimizer)
        model.train()
        for x, y in batches:
            optimizer.zero_grad()
            tool.backward(criterion(model(x), y))
            optimizer.step()
        return plain

    return {"no metrics": fitted}


def accelerate(batches: Batches) -> dict[str, Fit]:
    """Accelerate around a loop of one's own."""
    from accelerate import Accelerator

    def fitted() -> nn.Module:
        tool = Accelerator(cpu=True)
        plain, optimizer = made()
        model, optimizer = tool.prepare(plain, optimizer)
        model.train()
        for x, y in batches:
            optimizer.zero_grad()
            tool.backward(criterion(model(x), y))
            optimizer.step()
        return plain

    return {"no metrics": fitted}


def lightning(batches: Batches) -> dict[str, Fit]:
    """Lightning's Trainer."""
    import pytorch_lightning as pl

    class Module(pl.LightningModule):
        def __init__(self, log: bool) -> None:
            super().__init__()
            self.net, self.log_loss = made()[0], log

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            loss: Tensor = criterion(self.net(batch[0]), batch[1])
            if self.log_loss:
                self.log("loss", loss, prog_bar=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.net.parameters(), lr=0.01)

    class Loader:
        def __len__(self) -> int:
            return len(batches)

        def __iter__(self) -> Any:
            return iter(batches)

    def fitted(log: bool, **options: Any) -> nn.Module:
        module = Module(log)
        with tempfile.TemporaryDirectory() as folder:
            trainer = pl.Trainer(max_epochs=1, accelerator="cpu", devices=1, default_root_dir=folder, **options)
            trainer.fit(module, Loader())
        return module.net

    off = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    return {
        "no metrics (everything off)": lambda: fitted(False, **off),
        "loss and progress bar (default)": lambda: fitted(True, logger=False),
    }


def child(peer: str) -> dict[str, float]:
    """The ratio of each form of one peer."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    batches = [(torch.randn(32, 64), torch.randint(10, (32,))) for _ in range(BATCHES)]
    expected = bare(batches).state_dict()
    found: dict[str, float] = {}
    for name, fit in globals()[peer](batches).items():
        fit()  # once to warm up
        pairs = []
        for _ in range(ROUNDS):
            start = time.process_time()
            bare(batches)
            middle = time.process_time()
            model = fit()
            pairs.append((time.process_time() - middle) / (middle - start))
        for key, value in model.state_dict().items():
            torch.testing.assert_close(value, expected[key])
        found[name] = statistics.median(pairs)
    return found


def version(folder: Path, package: str) -> str:
    """The installed version of a peer's first package."""
    name = package.partition("==")[0]
    return next(iter(metadata.distributions(name=name, path=[str(folder)]))).version


def main() -> None:
    """Install and time every peer, and write the table."""
    if len(sys.argv) == 2:
        silence = os.dup(1)
        with Path(os.devnull).open("w") as nothing:
            os.dup2(nothing.fileno(), 1)  # some peers talk
            result = child(sys.argv[1])
        os.write(silence, json.dumps(result).encode())
        return
    rows = []
    for peer, packages in PACKAGES.items():
        folder = installed(peer, packages)
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run([sys.executable, str(HERE), peer], env={**os.environ, "PYTHONPATH": path},
                              capture_output=True, check=False)  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{peer} failed:\n{done.stderr.decode()[-2000:]}")
        label = f"{peer} {version(folder, packages[0])}" if packages else f"**{peer}**"
        rows += [f"| {label} | {form} | {ratio:.2f} |" for form, ratio in json.loads(done.stdout).items()]
        print(*rows[-3:], sep="\n", flush=True)
    text = [
        "# Fitting layers beside a bare loop",
        "",
        "CPU time of 2,000 steps of a tiny classifier (64-128-10, batches of 32, ready in memory) as a ratio to the",
        f"bare loop it took turns with: PyTorch {torch.__version__.partition('+')[0]}, one thread, the median of",
        f"{ROUNDS} pairs.",
        "Every contender ends with the bare loop's weights. `python benchmarks/fit_peers.py` writes this page.",
        "",
        "| layer | what it does besides | ratio |",
        "| --- | --- | --- |",
        *rows,
    ]
    HERE.with_suffix(".md").write_text("\n".join(text) + "\n", "utf-8")


if __name__ == "__main__":
    main()
