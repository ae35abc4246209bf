"""MPI3D, as published.

References:
    Gondal et al., "On the transfer of inductive bias from simulation to the real world: a new disentanglement dataset",
    NeurIPS 2019, arXiv:1906.03292.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData, InvalidOption
from unbraid.files.npz import npz_member
from unbraid.files.source import File, Source
from unbraid.types import Bytes, Factor, FactorSpace, within
from unbraid.world import World

__all__ = ["MPI3D"]

SIDE = 64
HUB = "https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main"
NAMES = {
    "toy": "mpi3d_toy.npz",
    "realistic": "mpi3d_realistic.npz",
    "real": "mpi3d_real.npz",
    "complex": "real3d_complicated_shapes_ordered.npz",
}


def _space(colours: tuple[str, ...], shapes: tuple[str, ...]) -> FactorSpace:
    return FactorSpace(
        [
            Factor("colour", len(colours), "categorical", colours),
            Factor("shape", len(shapes), "categorical", shapes),
            Factor("size", 2, "ordinal", ("small", "large")),
            Factor("camera height", 3, "ordinal", ("top", "centre", "bottom")),
            Factor("background", 3, "categorical", ("purple", "sea green", "salmon")),
            Factor("horizontal axis", 40),
            Factor("vertical axis", 40),
        ]
    )


SIMPLE = _space(
    ("white", "green", "red", "blue", "brown", "olive"),
    ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere"),
)
COMPLEX = _space(("yellow", "green", "olive", "red"), ("coffee cup", "tennis ball", "croissant", "beer cup"))


class MPI3D(World):
    """The 1,036,800 images of MPI3D (460,800 of its complex variant): an object on a robot's arm, in colour, 64x64.

    The factors are colour 6 (complex: 4), shape 6 (4), size 2, camera height 3, background 3, and the arm's horizontal
    and vertical axis, 40 each. Images are never all in memory: a file stored without compression is used as it is; a
    compressed one is unpacked once (12.7 GB) into a file beside it, or into the data folder.

    Args:
        variant: ``"toy"`` (simply rendered), ``"realistic"`` (rendered with care), ``"real"`` (photographed) or
            ``"complex"`` (photographed things of every day).
        path: Of the variant's .npz file; by default where ``unbraid fetch mpi3d`` puts it.

    Raises:
        InvalidOption: When there is no such variant.
        InvalidData: When the file is absent, truncated or not this variant.
    """

    citation = """@inproceedings{gondal2019transfer, author = {Gondal, Muhammad Waleed and W{\\"u}thrich, Manuel and
  Miladinovi{\\'c}, {\\DJ}or{\\dj}e and Locatello, Francesco and Breidt, Martin and Volchkov, Valentin and Akpo, Joel
  and Bachem, Olivier and Sch{\\"o}lkopf, Bernhard and Bauer, Stefan}, title = {On the Transfer of Inductive Bias from
  Simulation to the Real World: a New Disentanglement Dataset}, booktitle = {NeurIPS}, year = {2019}}"""
    spaces: ClassVar[Mapping[str, FactorSpace]] = {
        "toy": SIMPLE,
        "realistic": SIMPLE,
        "real": SIMPLE,
        "complex": COMPLEX,
    }
    source: ClassVar[Source] = Source(
        "mpi3d",
        "https://github.com/rr-learning/disentanglement_dataset",
        "CC-BY-4.0",
        (
            File(NAMES["toy"], f"{HUB}/{NAMES['toy']}", md5="55889cb7c7dfc655d6e0277beee88868"),
            File(NAMES["realistic"], f"{HUB}/{NAMES['realistic']}", md5="59a6225b88b635365f70c91b3e52f70f"),
            File(NAMES["real"], f"{HUB}/{NAMES['real']}", md5="0f33f609918fb5c97996692f91129802"),
            File(NAMES["complex"]),
        ),
        alternatives=True,
    )

    def __init__(
        self, *, variant: Literal["toy", "realistic", "real", "complex"] = "toy", path: str | None = None
    ) -> None:
        if variant not in NAMES:
            raise InvalidOption(f"variant must be one of {', '.join(NAMES)}, but is {variant!r}")
        self.variant, self.path = variant, path
        self.space, self.shape = self.spaces[variant], (3, SIDE, SIDE)
        file = self.source.file(path, NAMES[variant])
        member = npz_member(file, "images")
        expected = (len(self.space), SIDE, SIDE, 3)
        if member.shape != expected or member.dtype != np.uint8:
            raise InvalidData(
                f"images in {file} must be bytes {expected}, but are {member.dtype} {member.shape}: "
                f"is it MPI3D's {variant} variant?"
            )
        self._images = member.kept(file.with_suffix(".images.npy"))

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, 64, 64)``, bytes.

        Raises:
            InvalidData: When an index is out of range, or the file turns out to be damaged when it is unpacked.
        """
        index = within(indices, len(self))
        return np.ascontiguousarray(self._images[index].transpose(0, 3, 1, 2))
