"""Garments, outlines of clothes and the same clothes in colour.

References:
    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017,
    arXiv:1708.07747.
    Isola, Zhu, Zhou and Efros, "Image-to-image translation with conditional adversarial networks", CVPR 2017, whose
    edges of shoes and handbags this resembles.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from unbraid import registry
from unbraid.draw.edges import edges
from unbraid.draw.hashing import integers
from unbraid.draw.hue import rgb
from unbraid.errors import require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, Integers, within
from unbraid.world import LabelledWorld, World

__all__ = ["Garments"]

HUES = 24
SATURATION = 0.75
SHADE = 0.25
"""How bright a garment's darkest part is; its brightest is at 1."""
THERE = 40
"""The grey from which a pixel is fully the garment's."""
SEEN = 16
"""The grey from which it counts as the garment's."""

STANDS_OUT = 0.7
"""Something is drawn where the least of a pixel's channels is below this part of white."""


class Garments(LabelledWorld):
    """Two domains, outlines of garments and garments in colour, 32x32: every garment of Fashion-MNIST is in both.

    The factors are domain 2 (``outline``, dark lines on white, and ``garment``, in one hue on white), class 10 and hue
    24. A garment keeps its hue, which is drawn by ``seed``; its outline is labelled with it too, but does not show it.
    What both domains show is the class and all else about the form of a garment; ``content`` gives the number of the
    garment, which a counterpart has in the other domain and nothing else has.

    Attributes:
        shared: The names of the factors that both domains show.
        styles: For each domain, the names of those that only it shows.

    Args:
        folder: Where the four files of Fashion-MNIST are; where Debian puts them by default (see ``fashionmnist``).
        split: ``"train"`` (60,000 garments, 120,000 images) or ``"test"`` (10,000 and 20,000).
        seed: What the hues depend on, at least 0.

    Raises:
        InvalidOption: When an option is out of range.
        InvalidData: When a file is absent, damaged or not Fashion-MNIST.
    """

    citation = """@article{xiao2017fashion, author = {Xiao, Han and Rasul, Kashif and Vollgraf, Roland},
  title = {{Fashion-MNIST}: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  journal = {arXiv:1708.07747}, year = {2017}}"""
    shared: ClassVar[tuple[str, ...]] = ("class",)
    styles: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = ((), ("hue",))

    def __init__(self, *, folder: str | None = None, split: Literal["train", "test"] = "train", seed: int = 0) -> None:
        require_at_least(0, seed=seed)
        self.folder, self.split, self.seed = folder, split, seed
        # By its name: what finds and checks the files stands on the shelf already.
        photographs: World = registry.load("worlds", "fashionmnist")(folder=folder, split=split)
        everyone = np.arange(len(photographs))
        hue = integers(everyone, 1, HUES, seed=seed, purpose="hue")[:, 0]
        kind = photographs.factors(everyone)[:, 0]
        space = FactorSpace(
            [
                Factor("domain", 2, "categorical", ("outline", "garment")),
                photographs.space["class"],
                Factor("hue", HUES, "cyclic", tuple((np.arange(HUES) / HUES).round(9).tolist())),
            ]
        )
        labels = np.stack([np.tile([0, 1], len(everyone)), kind.repeat(2), hue.repeat(2)], axis=1)
        self._photographs = photographs
        super().__init__(_Dressed(photographs, hue), labels, space)

    def content(self, indices: npt.ArrayLike) -> Integers:
        """Which garment each image shows: ``(B,)`` to ``(B,)``; its outline and its coloured image have one number."""
        return within(indices, len(self)) // 2

    def counterpart(self, indices: npt.ArrayLike) -> Integers:
        """The image of the same garment in the other domain: ``(B,)`` to ``(B,)``."""
        return within(indices, len(self)) ^ 1

    def silhouettes(self, images: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """What stands out from white in images of either domain, ``(B, 3, 32, 32)`` bytes to ``(B, 1, 32, 32)``."""
        return np.asarray(np.asarray(images).min(axis=1, keepdims=True) < 255 * STANDS_OUT)

    def masks(self, indices: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Where the garment is, or where the garment is whose outline is shown: ``(B,)`` to ``(B, 1, 32, 32)``."""
        return np.asarray(self._photographs.images(self.content(indices)) >= SEEN)

    def relevant(self, factors: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which factors can be seen in an image, ``(B, F)`` to ``(B, F)``: an outline has no hue."""
        values = np.asarray(factors, dtype=np.int64)
        seen = np.ones(values.shape, dtype=bool)
        seen[..., 2] = values[..., 0] == 1
        return seen


class _Dressed:
    """All images, made when they are asked for: the outline of each garment, then its coloured image.

    Args:
        photographs: The garments in grey on black.
        hue: The number of each one's hue.
    """

    def __init__(self, photographs: World, hue: Integers) -> None:
        self._photographs, self._hue = photographs, hue
        self.shape = (2 * len(photographs), 3, *photographs.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Bytes:
        garment, coloured = index // 2, index % 2 == 1
        grey = self._photographs.images(garment).astype(np.float32) / 255
        cover = np.minimum(grey * (255 / THERE), 1)
        images = np.empty((len(index), *self.shape[1:]), dtype=np.float32)
        # However dark a garment is, it stands out against nothing.
        images[~coloured] = 1 - edges((grey + cover)[~coloured, 0] / 2)[:, None]
        colour = rgb(self._hue[garment[coloured]] / HUES, saturation=SATURATION).astype(np.float32)[:, :, None, None]
        images[coloured] = 1 - cover[coloured] * (1 - colour * (SHADE + (1 - SHADE) * grey[coloured]))
        return np.asarray(np.rint(255 * images), dtype=np.uint8)
