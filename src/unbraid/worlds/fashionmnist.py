"""Fashion-MNIST, pictures of garments.

References:
    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017,
    arXiv:1708.07747.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from unbraid.errors import InvalidData, InvalidOption
from unbraid.files import read_idx
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["FashionMNIST"]

DEBIAN = "/usr/share/datasets/fashion-mnist"
GARMENTS = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
PREFIXES = {"train": "train", "test": "t10k"}
MARGIN = 2


class FashionMNIST(LabelledWorld):
    """70,000 photographs of garments in grey, 28x28 with a margin of two to make 32x32; the one factor is their class.

    Args:
        folder: Where the four idx files are, plain or as .gz; by default where Debian's package
            ``dataset-fashion-mnist`` puts them.
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).

    Raises:
        InvalidOption: When there is no such split.
        InvalidData: When a file is absent, damaged or not Fashion-MNIST.
    """

    citation = """@article{xiao2017fashion, author = {Xiao, Han and Rasul, Kashif and Vollgraf, Roland},
  title = {{Fashion-MNIST}: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  journal = {arXiv:1708.07747}, year = {2017}}"""

    def __init__(self, *, folder: str | None = None, split: Literal["train", "test"] = "train") -> None:
        if split not in PREFIXES:
            raise InvalidOption(f"split must be train or test, but is {split!r}")
        self.folder, self.split = folder, split
        images = read_idx(self._find("images-idx3-ubyte"))
        labels = read_idx(self._find("labels-idx1-ubyte"))
        if images.ndim != 3 or images.dtype != np.uint8 or images.shape[1:] != (28, 28):
            raise InvalidData(f"Fashion-MNIST images must be bytes (N, 28, 28), but are {images.dtype} {images.shape}")
        if labels.shape != images.shape[:1] or labels.dtype != np.uint8:
            raise InvalidData(
                f"{len(images):,} images need as many byte labels, but there are {labels.dtype} {labels.shape}"
            )
        margin = (MARGIN, MARGIN)
        space = FactorSpace([Factor("class", len(GARMENTS), "categorical", GARMENTS)])
        super().__init__(np.pad(images, ((0, 0), margin, margin))[:, None], labels[:, None].astype(np.int64), space)

    def _find(self, ending: str) -> Path:
        folder, name = Path(self.folder or DEBIAN).expanduser(), f"{PREFIXES[self.split]}-{ending}"
        for file in (folder / name, folder / f"{name}.gz"):
            if file.is_file():
                return file
        raise InvalidData(
            f"FashionMNIST looked for {name} and {name}.gz in {folder} and found neither: on Debian run "
            "`apt-get install dataset-fashion-mnist`, elsewhere fetch the four files from "
            "github.com/zalandoresearch/fashion-mnist and name their folder with `folder`"
        )
