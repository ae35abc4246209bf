"""What the page says of any run: names, and scores with what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unbraid import registry
from unbraid.runs.run import Run

__all__ = ["definition", "told"]


def definition(name: str) -> dict[str, Any]:
    """What a score says, its range where there is one, and where it comes from; empty for what is on no shelf.

    >>> told = definition("mig")
    >>> told["lowest"], told["highest"], told["better"]
    (0.0, 1.0, 'higher')
    """
    known = name in registry.names("scores")
    declared = registry.load("scores", name).declaration if known else None
    return {
        "name": name,
        "says": registry.told("scores", name),
        "lowest": declared.lowest if declared and np.isfinite(declared.lowest) else None,
        "highest": declared.highest if declared and np.isfinite(declared.highest) else None,
        "better": declared.direction if declared else "",
        "reference": declared.reference if declared else "",
    }


def told(run: Run, title: str) -> dict[str, Any]:
    """What the page says of a run of any kind."""
    config = run.config
    return {
        "name": run.name,
        "title": title,
        "model": config["model"]["name"],
        "summary": registry.told("models", config["model"]["name"]),
        "seed": config["seed"],
        "steps": config["steps"],
        "shape": list(run.model.shape),
        "images": len(run.world),
        "scores": [_score(name, kept) for name, kept in run.scores.items()],
    }


def _score(name: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    measured = {"value": kept["value"], "parts": kept.get("parts", {}), "bounds": kept.get("bounds", {})}
    return definition(name) | measured
