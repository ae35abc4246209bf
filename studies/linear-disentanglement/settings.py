"""The worlds of the study, and how each is seen and judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unbraid.world import World
from unbraid.worlds.fewer import Fewer
from unbraid.worlds.flatland import FlatLand
from unbraid.worlds.heldout import HeldOut
from unbraid.worlds.smaller import Smaller

__all__ = ["SETTINGS", "Setting"]


@dataclass(frozen=True)
class Setting:
    """A world, and what is done in it.

    Args:
        world: On which models are judged.
        fitted: To which they are fitted, where it is another.
        view: Options of the view of those that see sequences.
        options: Options of every model.
        moving: The factors that move.
        mirrored: Those that are mirrored too.
    """

    world: World
    fitted: World | None = None
    view: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    moving: tuple[str, ...] = ("x", "y")
    mirrored: tuple[str, ...] = ()


PLACES = FlatLand(columns=7, rows=7, radius=7.5, size=32, wrap=False)
"""The paper's FlatLand at half its size: seven places a side, a step beyond the last comes back to the first."""
ROUND = FlatLand(columns=7, rows=7, radius=7.5, size=32)
"""The same places on a torus: a disc that leaves on one side comes back on the other."""
SPRITES = Fewer(of=Smaller(of="sprites", side=32), keep="scale=5; orientation=0; x=::4; y=::4")
"""Three shapes at eight by eight places, which go round in the view: the paper's steps of x and y, at half its size."""
MOST = HeldOut(of=PLACES, leave="x>13,x<19,y>13,y<19")
"""Without the nine places in the middle, of which each column and each row is seen."""
ROUND_MOST = HeldOut(of=ROUND, leave="x>11,x<21,y>11,y<21")
"""The same of the torus."""

SETTINGS: dict[str, Setting] = {
    "FlatLand": Setting(PLACES, options={"latent_dim": 4}),
    "FlatLand, held out": Setting(PLACES, MOST, options={"latent_dim": 4}),
    "torus, held out": Setting(ROUND, ROUND_MOST, options={"latent_dim": 4}),
    "torus, mirrored": Setting(ROUND, view={"mirrored": ("x",)}, options={"latent_dim": 4}, mirrored=("x",)),
    "Sprites": Setting(
        SPRITES, view={"factors": ("x", "y"), "ends": "wrap"}, options={"latent_dim": 6, "likelihood": "bernoulli"}
    ),
}
