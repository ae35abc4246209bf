"""Kuzushiji-MNIST, characters of old Japanese books.

References:
    Clanuwat et al., "Deep learning for classical Japanese literature", 2018, arXiv:1812.01718.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

from unbraid.errors import InvalidOption
from unbraid.files.idx import Framed, read_labelled
from unbraid.files.source import File, Source
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["KMNIST"]

CHARACTERS = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
PREFIXES = {"train": "train-", "test": "t10k-"}


class KMNIST(LabelledWorld):
    """70,000 cursive Japanese characters in grey, 28x28 with a margin of two to make 32x32; the factor is their class.

    Args:
        folder: Where the four idx files are, plain or as .gz; by default ``kmnist`` in the data folder.
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).

    Raises:
        InvalidOption: When there is no such split.
        InvalidData: When a file is absent, damaged or not KMNIST.
    """

    citation = """@article{clanuwat2018deep, author = {Clanuwat, Tarin and Bober-Irizar, Mikel and Kitamoto, Asanobu and
  Lamb, Alex and Yamamoto, Kazuaki and Ha, David}, title = {Deep Learning for Classical {Japanese} Literature},
  journal = {arXiv:1812.01718}, year = {2018}}"""
    source: ClassVar[Source] = Source(
        "kmnist",
        "https://github.com/rois-codh/kmnist",
        "CC-BY-SA-4.0",
        tuple(
            File(f"{prefix}{kind}-ubyte.gz") for prefix in PREFIXES.values() for kind in ("images-idx3", "labels-idx1")
        ),
    )

    def __init__(self, *, folder: str | None = None, split: Literal["train", "test"] = "train") -> None:
        if split not in PREFIXES:
            raise InvalidOption(f"split must be train or test, but is {split!r}")
        self.folder, self.split = folder, split
        images, labels = read_labelled("KMNIST", partial(self.source.find, folder), PREFIXES[split])
        space = FactorSpace([Factor("class", len(CHARACTERS), "categorical", CHARACTERS)])
        super().__init__(Framed(images), labels, space)
