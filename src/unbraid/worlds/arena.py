"""Arena, a ray-cast world to the specification of MPI3D.

References:
    Gondal et al., "On the transfer of inductive bias from simulation to the real world: a new disentanglement dataset",
    NeurIPS 2019, arXiv:1906.03292.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unbraid.draw.arm import SIZE, Arm, Poses
from unbraid.draw.solid import Cone, Solid, block, prism, pyramid, sphere
from unbraid.types import Bytes, Factor, FactorSpace
from unbraid.world import World

__all__ = ["Arena"]

TURNS, LIFTS = (np.linspace(start, stop, 40).round(12) for start, stop in ((-72, 72), (-22, 45)))
SPACE = FactorSpace(
    [
        Factor("colour", 6, "categorical", ("white", "green", "red", "blue", "brown", "olive")),
        Factor("shape", 6, "categorical", ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere")),
        Factor("size", 2, "ordinal", ("small", "large")),
        Factor("camera height", 3, "ordinal", ("top", "centre", "bottom")),
        Factor("background", 3, "categorical", ("purple", "sea green", "salmon")),
        Factor("horizontal axis", 40, "ordinal", tuple(TURNS.tolist())),
        Factor("vertical axis", 40, "ordinal", tuple(LIFTS.tolist())),
    ]
)

COLOURS = np.array(
    [
        (0.97, 0.97, 0.97),
        (0.10, 0.72, 0.20),
        (0.90, 0.0, 0.05),
        (0.08, 0.20, 0.92),
        (0.50, 0.25, 0.08),
        (0.58, 0.58, 0.0),
    ]
)
SOLIDS: tuple[Solid, ...] = (
    Cone(1.0, 1.0, 0.0),
    block(0.85, 0.85, 0.85),
    Cone(0.9, 0.8, 0.8),
    prism(6, 0.85, 0.55),
    pyramid(0.95, 0.95),
    sphere(1.0),
)
SIZES = np.array([0.34, 0.48])
ELEVATIONS = (45.0, 25.0, 6.0)
BACKGROUNDS = np.array([(0.46, 0.28, 0.66), (0.22, 0.62, 0.50), (0.97, 0.56, 0.46)])


class Arena(World):
    """The 1,036,800 images of a solid on a robot's arm, ray-cast to the specification of MPI3D, 64x64 in colour.

    The factors are colour 6, shape 6, size 2, camera height 3, background 3, and the arm's horizontal and vertical
    axis, 40 each, in the published order; the axes are in degrees. The pictures are our own: the arm stands on a
    pedestal before a wall, under one lamp, and its shadow falls on both. Every image is drawn when it is asked for.

    >>> world = Arena()
    >>> world.images([0, 1036799]).shape
    (2, 3, 64, 64)
    """

    citation = """@inproceedings{gondal2019transfer, author = {Gondal, Muhammad Waleed and W{\\"u}thrich, Manuel and
  Miladinovi{\\'c}, {\\DJ}or{\\dj}e and Locatello, Francesco and Breidt, Martin and Volchkov, Valentin and Akpo, Joel
  and Bachem, Olivier and Sch{\\"o}lkopf, Bernhard and Bauer, Stefan}, title = {On the Transfer of Inductive Bias from
  Simulation to the Real World: a New Disentanglement Dataset}, booktitle = {NeurIPS}, year = {2019}}"""

    def __init__(self) -> None:
        self.space, self.shape = SPACE, (3, SIZE, SIZE)
        self._arm = Arm(SOLIDS, ELEVATIONS, BACKGROUNDS)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, 64, 64)``, unsigned bytes."""
        colour, shape, size, camera, background, turn, lift = self.factors(indices).T
        return self._arm.draw(Poses(camera, background, shape, SIZES[size], COLOURS[colour], TURNS[turn], LIFTS[lift]))
