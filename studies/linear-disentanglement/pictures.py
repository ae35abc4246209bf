"""The study's pictures, of runs that ``run.py --runs FOLDER`` has kept: ``python .../pictures.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from rows import place

from unbraid.runs.plot import figures
from unbraid.runs.run import Run

HERE = Path(__file__).parent
PICTURES = {
    "matrices": ("emvae, mirrored", 0, "matrices"),
    "confusion": ("emvae, mirrored", 0, "confusion"),
    "orbits": ("emvae, Sprites", 0, "orbits"),
    "repeats": ("emvae, Sprites", 0, "repeats"),
    "settled": ("rgrvae settled", 2, "signs"),
}
"""The row of which each is, the seed, and the plot."""


def main(runs: Path) -> None:
    """Draw every picture whose run is there."""
    for name, (row, seed, plot) in PICTURES.items():
        folder = place(runs, row, seed)
        if folder.exists():
            drawn, unsuited = figures(Run(folder), plots=[plot])
            if plot in drawn:
                drawn[plot].savefig(HERE / f"{name}.png", dpi=100)
            print(name, unsuited or "drawn")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
