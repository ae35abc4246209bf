"""The page of ``unbraid demo``: three runs, what was measured, and what their latents mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from unbraid.plots.latent_space import Panel, side_by_side
from unbraid.report.page import Section, Table, render
from unbraid.runs.folder import write_bytes
from unbraid.runs.plot import Material, figures
from unbraid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["report"]

POSITION = ("x", "y")
SHOWN = ("traversals", "information", "reconstructions", "losses")


def report(sprites: Run, digits: Mapping[str, Run], timings: Sequence[tuple[str, float]], target: Path) -> None:
    """Write the page.

    Args:
        sprites: A finished run on ``Sprites``, evaluated.
        digits: Finished runs with two latents on ``Digits``, evaluated, by the name they are shown under.
        timings: Every command that was run, and the seconds it took.
        target: The file.
    """
    drawn, _ = figures(sprites)
    shown: dict[str, Figure] = {name: drawn[name] for name in SHOWN if name in drawn}
    panels = {name: _panel(run) for name, run in digits.items()}
    commands = [command for command, _ in timings]
    factors = ", ".join(sprites.world.space.names)
    images = len(next(iter(digits.values())).world)
    sections = [
        Section(
            "A disentangled representation of Sprites",
            [
                f"A {type(sprites.model).__name__} with {sprites.model.latent_dim} latents has seen {_seen(sprites):,} "
                f"images of a world of {len(sprites.world):,}: one shape that varies in {factors}. Nobody told it of "
                "these factors. Each row of the first picture moves one latent and holds the others: where a row "
                "changes one thing only, that latent means that thing.",
                _found(sprites),
            ],
            [_scores({"": sprites})],
            shown,
            [command for command in commands if str(sprites.path) in command],
        ),
        Section(
            "Two latents, with and without a prior",
            [
                f"An autoencoder and a VAE with two latents have each seen the {images:,} handwritten digits of "
                "scikit-learn. The autoencoder puts its codes wherever it likes; the VAE must keep them close to the "
                "standard normal (dashed: two standard deviations). The numbers on the axes tell how far each goes.",
            ],
            [_scores(digits)],
            {"latent spaces side by side": side_by_side(panels)},
            [c for c in commands if any(str(run.path) in c for run in digits.values())],
        ),
        Section("How long it took", [], [Table(("command", "seconds"), [(c, round(s, 1)) for c, s in timings])]),
    ]
    page = render("unbraid", "Three representations, learned, measured and looked at on this machine.", sections)
    write_bytes(target, page.encode())


def _panel(run: Run) -> Panel:
    material = Material(run)
    return Panel(material.codes, material.factors, material.space, material.decode)


def _seen(run: Run) -> int:
    return int(run.config["steps"]) * int(run.config["fit"]["batch_size"])


def _found(run: Run) -> str:
    gaps = run.scores["mig"]["parts"]
    mean = sum(gaps[name] for name in POSITION) / len(POSITION)
    return (
        f"The mutual information gap (MIG) of the position factors is {mean:.2f}: that is the share of a position's "
        "entropy by which its best latent is ahead of the second best. Two seeds were tried at this length, 0 and 1: "
        "both found x and y, each in a latent of its own, and scale in a third; neither found the orientation."
    )


def _scores(runs: Mapping[str, Run]) -> Table:
    rows: list[tuple[str | float, ...]] = []
    for label, run in runs.items():
        for name, score in run.scores.items():
            parts = ", ".join(f"{part} {value:.2f}" for part, value in score["parts"].items())
            rows.append((label, name, float(score["value"]), parts))
    if set(runs) == {""}:
        return Table(("score", "value", "parts"), [row[1:] for row in rows])
    return Table(("model", "score", "value", "parts"), rows)
