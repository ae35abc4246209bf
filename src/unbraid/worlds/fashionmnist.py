"""Fashion-MNIST, pictures of garments.

References:
    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017,
    arXiv:1708.07747.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from unbraid.errors import InvalidData, InvalidOption
from unbraid.files.idx import Framed, read_labelled
from unbraid.files.source import File, Source
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["FashionMNIST"]

DEBIAN = "/usr/share/datasets/fashion-mnist"
GARMENTS = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
PREFIXES = {"train": "train-", "test": "t10k-"}


class FashionMNIST(LabelledWorld):
    """70,000 photographs of garments in grey, 28x28 with a margin of two to make 32x32; the one factor is their class.

    Args:
        folder: Where the four idx files are, plain or as .gz; by default where Debian's package
            ``dataset-fashion-mnist`` puts them, or ``fashionmnist`` in the data folder.
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).

    Raises:
        InvalidOption: When there is no such split.
        InvalidData: When a file is absent, damaged or not Fashion-MNIST.
    """

    citation = """@article{xiao2017fashion, author = {Xiao, Han and Rasul, Kashif and Vollgraf, Roland},
  title = {{Fashion-MNIST}: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  journal = {arXiv:1708.07747}, year = {2017}}"""
    source: ClassVar[Source] = Source(
        "fashionmnist",
        "https://github.com/zalandoresearch/fashion-mnist",
        "MIT",
        tuple(
            File(f"{prefix}{kind}-ubyte.gz") for prefix in PREFIXES.values() for kind in ("images-idx3", "labels-idx1")
        ),
    )

    def __init__(self, *, folder: str | None = None, split: Literal["train", "test"] = "train") -> None:
        if split not in PREFIXES:
            raise InvalidOption(f"split must be train or test, but is {split!r}")
        self.folder, self.split = folder, split
        images, labels = read_labelled("FashionMNIST", self._find, PREFIXES[split])
        super().__init__(Framed(images), labels, FactorSpace([Factor("class", len(GARMENTS), "categorical", GARMENTS)]))

    def _find(self, *names: str) -> Path:
        folders = [Path(self.folder).expanduser()] if self.folder else [Path(DEBIAN), self.source.place()]
        for file in (folder / name for folder in folders for name in names):
            if file.is_file():
                return file
        raise InvalidData(
            f"FashionMNIST looked for {' and '.join(names)} in {' and '.join(map(str, folders))} and found neither: on "
            "Debian run `apt-get install dataset-fashion-mnist`, elsewhere fetch the four files from "
            f"github.com/zalandoresearch/fashion-mnist into {folders[-1]}, or name their folder with `folder`"
        )
