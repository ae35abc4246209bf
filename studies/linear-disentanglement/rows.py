"""What the study fits, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["ROWS", "Row", "place"]


class Row(NamedTuple):
    """What is fitted.

    Args:
        model: Its name.
        steps: How many.
        options: Of the model.
        view: Of the view, for models of sequences.
        setting: Where.
    """

    model: str
    steps: int
    options: Mapping[str, Any] = {}
    view: Mapping[str, Any] = {}
    setting: str = "FlatLand"


def place(runs: Path, row: str, seed: int) -> Path:
    """Where the run of a row is kept."""
    return runs / f"{row}, {seed}".replace(" ", "-")


TWO = {"length": 2, "intermediate": False}
FAR = {"length": 15, "intermediate": False}
HALF = {"beta": 0.5, "gamma": 5.0}
"""The weights of the paper's code at 64 x 64 pixels are 1 and 10, for the whole squared error and not half of it."""
CONV = {"network": "conv"}
PATCHES = {"policy_network": "patches"}
FREELY = {**HALF, "representation": "exponentials"}
"""Rotations that are bound to no plane; the policy's network is of convolutions, the others' of patches."""
TURNS = {"representation": "rotations"}
HELD, TORUS, MIRRORED, SPRITES = "FlatLand, held out", "torus, held out", "torus, mirrored", "Sprites"

ROWS: dict[str, Row] = {
    "untrained": Row("vae", 0),
    "forwardvae": Row("forwardvae", 800),
    "forwardvae rotations": Row("forwardvae", 800, TURNS),
    "forwardvae rotations, 2,400 steps": Row("forwardvae", 2400, TURNS),
    "slowfeaturevae": Row("slowfeaturevae", 600),
    "vae": Row("vae", 600),
    "emvae": Row("emvae", 1000, {"slow": 500}),
    "emvae k=2": Row("emvae", 1000, {"slow": 500, "most": 12}, TWO),
    "slowfeaturevae k=2": Row("slowfeaturevae", 600, {}, TWO),
    "rgrvae": Row("rgrvae", 3500, {**HALF, **CONV}),
    "rgrvae settled": Row("rgrvae", 2000, {"settle": 800, **FREELY}),
    "rgrvae settled, 3,200 steps": Row("rgrvae", 3200, {"settle": 800, **FREELY}),
    "rgrvae settled rotations": Row("rgrvae", 2000, {"settle": 800, **HALF}),
    "rgrvae exponentials": Row("rgrvae", 2000, FREELY),
    "betavae": Row("betavae", 600, {"beta": 4.0}),
    "betatcvae": Row("betatcvae", 600, {"beta": 4.0}),
    "factorvae": Row("factorvae", 600, {"gamma": 6.4, "critic_width": 100, "critic_depth": 3}),
    "liegroupvae": Row("liegroupvae", 800),
    "lsbdvae": Row("lsbdvae", 800, {"periods": (7, 7)}, FAR),
    "lsbdvae, one step": Row("lsbdvae", 800, {"periods": (7, 7)}),
    "rgrvae k=2": Row("rgrvae", 4500, {"horizon": 2, **HALF, **CONV}, TWO),
    "rgrvae patches, 5,000 steps": Row("rgrvae", 5000, {**HALF, **PATCHES}),
    "rgrvae patches, 2,000 steps": Row("rgrvae", 2000, {**HALF, **PATCHES}),
    "rgrvae patches k=2, 3,500 steps": Row("rgrvae", 3500, {"horizon": 2, **HALF, **PATCHES}, TWO),
    "rgrvae soft": Row("rgrvae", 1000, {"estimator": "soft", **PATCHES}),
    "rgrvae soft, half": Row("rgrvae", 1000, {"estimator": "soft", **HALF, **PATCHES}),
    "rgrvae exact": Row("rgrvae", 1000, {"estimator": "exact", **HALF, **PATCHES}),
    "rgrvae rate .1": Row("rgrvae", 600, {"rate": 0.1, **PATCHES}),
    "forwardvae free": Row("forwardvae", 800, {"representation": "free"}),
    "forwardvae, held out": Row("forwardvae", 800, setting=HELD),
    "forwardvae rotations, held out": Row("forwardvae", 800, TURNS, setting=HELD),
    "emvae, held out": Row("emvae", 1000, {"slow": 500}, setting=HELD),
    "slowfeaturevae, held out": Row("slowfeaturevae", 600, setting=HELD),
    "vae, held out": Row("vae", 600, setting=HELD),
    "emvae, torus held out": Row("emvae", 800, {"slow": 500}, setting=TORUS),
    "forwardvae rotations, torus held out": Row("forwardvae", 700, TURNS, setting=TORUS),
    "slowfeaturevae, torus held out": Row("slowfeaturevae", 500, setting=TORUS),
    "vae, torus held out": Row("vae", 500, setting=TORUS),
    "emvae, Sprites": Row("emvae", 800, {"slow": 500}, setting=SPRITES),
    "forwardvae, Sprites": Row("forwardvae", 700, setting=SPRITES),
    "forwardvae rotations, Sprites": Row("forwardvae", 2000, TURNS, setting=SPRITES),
    "forwardvae exponentials, Sprites": Row("forwardvae", 2000, {"representation": "exponentials"}, setting=SPRITES),
    "slowfeaturevae, Sprites": Row("slowfeaturevae", 500, setting=SPRITES),
    "betavae, Sprites": Row("betavae", 500, {"beta": 4.0}, setting=SPRITES),
    "rgrvae, Sprites": Row("rgrvae", 2000, {**HALF, **PATCHES}, setting=SPRITES),
    "rgrvae conv, Sprites": Row("rgrvae", 3500, {**HALF, **CONV}, setting=SPRITES),
    "rgrvae settled, Sprites": Row("rgrvae", 2000, {"settle": 800, **FREELY}, setting=SPRITES),
    "emvae, mirrored": Row("emvae", 800, {"slow": 500}, setting=MIRRORED),
    "forwardvae free, mirrored": Row("forwardvae", 700, {"representation": "free", "actions": 5}, setting=MIRRORED),
    "slowfeaturevae, mirrored": Row("slowfeaturevae", 500, setting=MIRRORED),
    "vae, mirrored": Row("vae", 500, setting=MIRRORED),
}
