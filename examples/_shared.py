"""What the examples share: one flag, and a place for their pictures."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["figure", "run", "save"]


def run(main: Callable[[Path], Mapping[str, float]]) -> None:
    """Run an example from the command line, and print what it found."""
    parser = argparse.ArgumentParser(description=main.__globals__["__doc__"])
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), help="the folder for pictures")
    for name, value in main(parser.parse_args().out).items():
        print(f"{name:>24} {value:.4g}")


def figure(width: float = 8, height: float = 4) -> Figure:
    """An empty figure, in inches; no window is ever opened."""
    made = Figure((width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def save(drawn: Figure, out: Path, name: str) -> None:
    """Write a figure as ``<out>/<name>.png``."""
    out.mkdir(parents=True, exist_ok=True)
    drawn.savefig(out / f"{name}.png", dpi=110)
