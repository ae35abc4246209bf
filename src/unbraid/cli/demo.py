"""Learn, measure and look at three representations, and write one report."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from unbraid.cli import _flags
from unbraid.errors import RunError
from unbraid.runs import folder

__all__ = ["demo", "main"]

SPRITES = "--network patches --beta 6 --start 60 --anneal 2900 --steps 3200 --fit.learning-rate 1e-3"
DIGITS = "--network patches --latent-dim 2 --steps 1000 --fit.learning-rate 1e-3"
SCORES, DIGIT_SCORES = "mig dci sap", "mig sap"
"""DCI asks whether latents keep to one factor each, which says nothing where there is only one."""
SAMPLES = 2000


def demo(*, out: Path = Path("runs/demo")) -> None:
    """Train a BetaTCVAE on Sprites and a two-latent AE and VAE on real digits, evaluate them, and write one report.

    Interrupted, it goes on where it was; repeated, it starts anew.

    Args:
        out: The folder for the three runs and the report.
    """
    began = time.monotonic()
    report = out / "report.html"
    sprites, ae, vae = (out / name for name in ("betatcvae", "ae", "vae"))
    if report.exists():
        _forget(report, sprites, ae, vae)
    lanes = (
        _commands(f"betatcvae sprites {SPRITES}", sprites, SCORES),
        _commands(f"ae digits {DIGITS}", ae, DIGIT_SCORES) + _commands(f"vae digits {DIGITS}", vae, DIGIT_SCORES),
    )
    print("Three representations are learned, two at a time, one on each processor; this takes three to four minutes.")
    failed = threading.Event()
    with ThreadPoolExecutor(len(lanes)) as pool:
        timings = [row for rows in pool.map(lambda lane: _lane(lane, failed), lanes) for row in rows]
    print("Drawing the report.", flush=True)
    from unbraid.report.demo import report as write
    from unbraid.runs.run import Run

    write(Run(sprites), {"AE": Run(ae), "VAE": Run(vae)}, timings, report)
    print(f"\nDone in {time.monotonic() - began:.0f} s. Open {report.resolve()}")


def main(arguments: list[str]) -> None:
    """``unbraid demo [--out FOLDER]``."""
    _flags.call(demo, arguments, prog="unbraid demo")


def _commands(train: str, run: Path, scores: str) -> list[str]:
    where = shlex.quote(str(run))
    return [
        f"unbraid train {train} --out {where}",
        f"unbraid evaluate {where} --scores {scores} --samples {SAMPLES}",
        f"unbraid plot {where}",
    ]


def _lane(commands: list[str], failed: threading.Event) -> list[tuple[str, float]]:
    """Run commands one after the other, each in a process of its own with one thread, and time them."""
    timings = []
    for command in commands:
        words = shlex.split(command)[1:]
        if words[0] == "train" and (Path(words[words.index("--out") + 1]) / folder.MODEL).exists():
            continue  # an interrupted demo had come this far
        if failed.is_set():
            break
        start = time.monotonic()
        # Two processes on two processors: a second thread in each would only wait for the other process.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        print(f"$ {command}", flush=True)
        if subprocess.run([sys.executable, "-m", "unbraid", *words], env=environment, check=False).returncode:
            failed.set()
            raise RunError(f"the demo stopped at: {command}")
        timings.append((command, time.monotonic() - start))
    return timings


def _forget(report: Path, *runs: Path) -> None:
    """Remove the demo's own files, and nothing else, so that it can start anew."""
    report.unlink()
    for run in runs:
        if run.is_dir():
            shutil.rmtree(run)
