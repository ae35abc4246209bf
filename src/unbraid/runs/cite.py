"""Whom to cite for a run."""

from __future__ import annotations

from pathlib import Path

from unbraid import registry
from unbraid.runs.run import Run

__all__ = ["cite"]


def cite(run: Run | str | Path) -> str:
    """BibTeX of everything that a run stands on: its model, its world, and every score it was given.

    Args:
        run: A run, finished or not, or its folder.
    """
    run = run if isinstance(run, Run) else Run(run)
    model, world = run.config["model"], run.config["world"]
    entries: list[str] = []
    if model["name"] in registry.names("models"):
        entries.append(registry.load("models", model["name"]).citation)
    if world["name"] in registry.names("worlds"):
        entries += registry.load("worlds", world["name"]).citations(world["options"])
    entries += [registry.load("scores", name).declaration.citation for name in run.scores]
    # dict.fromkeys: several scores may come from one paper.
    return "\n\n".join(entry.strip() for entry in dict.fromkeys(entries) if entry)
