"""The study's pictures, of runs that ``run.py --runs FOLDER`` has kept: ``python .../pictures.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from rows import place

from unbraid.runs.plot import figures
from unbraid.runs.run import Run

HERE = Path(__file__).parent
PICTURES = {
    "matrices": ("emvae, mirrored", "matrices"),
    "confusion": ("emvae, mirrored", "confusion"),
    "orbits": ("emvae, Sprites", "orbits"),
    "repeats": ("emvae, Sprites", "repeats"),
}
"""The row of which each is, of seed 0, and the plot."""


def main(runs: Path) -> None:
    """Draw every picture whose run is there."""
    for name, (row, plot) in PICTURES.items():
        folder = place(runs, row, 0)
        if folder.exists():
            drawn, unsuited = figures(Run(folder), plots=[plot])
            if plot in drawn:
                drawn[plot].savefig(HERE / f"{name}.png", dpi=100)
            print(name, unsuited or "drawn")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
