"""MNIST, handwritten digits.

References:
    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", Proceedings of the
    IEEE 86, 1998.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

from unbraid.errors import InvalidOption
from unbraid.files.idx import Framed, read_labelled
from unbraid.files.source import File, Source
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["MNIST"]

PREFIXES = {"train": "train-", "test": "t10k-"}


class MNIST(LabelledWorld):
    """70,000 handwritten digits in grey, 28x28 with a margin of two to make 32x32; the one factor is their class.

    Args:
        folder: Where the four idx files are, plain or as .gz; by default ``mnist`` in the data folder.
        split: ``"train"`` (60,000 images) or ``"test"`` (10,000).

    Raises:
        InvalidOption: When there is no such split.
        InvalidData: When a file is absent, damaged or not MNIST.
    """

    citation = """@article{lecun1998gradient, author = {LeCun, Yann and Bottou, L{\\'e}on and Bengio, Yoshua and
  Haffner, Patrick}, title = {Gradient-Based Learning Applied to Document Recognition},
  journal = {Proceedings of the IEEE}, volume = {86}, number = {11}, pages = {2278--2324}, year = {1998}}"""
    source: ClassVar[Source] = Source(
        "mnist",
        "http://yann.lecun.com/exdb/mnist",
        "not stated",
        tuple(
            File(f"{prefix}{kind}-ubyte.gz") for prefix in PREFIXES.values() for kind in ("images-idx3", "labels-idx1")
        ),
    )

    def __init__(self, *, folder: str | None = None, split: Literal["train", "test"] = "train") -> None:
        if split not in PREFIXES:
            raise InvalidOption(f"split must be train or test, but is {split!r}")
        self.folder, self.split = folder, split
        images, labels = read_labelled("MNIST", partial(self.source.find, folder), PREFIXES[split])
        space = FactorSpace([Factor("class", 10, "categorical", tuple("0123456789"))])
        super().__init__(Framed(images), labels, space)
