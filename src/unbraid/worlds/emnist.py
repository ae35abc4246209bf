"""EMNIST, handwritten letters and digits.

References:
    Cohen, Afshar, Tapson and van Schaik, "EMNIST: extending MNIST to handwritten letters", IJCNN 2017.
"""

from __future__ import annotations

import string
from functools import partial
from typing import ClassVar, Literal

from unbraid.errors import InvalidOption
from unbraid.files.idx import Framed, read_labelled
from unbraid.files.source import File, Source
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["EMNIST"]

MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"
KINDS = {
    "balanced": MERGED,
    "bymerge": MERGED,
    "byclass": string.digits + string.ascii_uppercase + string.ascii_lowercase,
    "letters": string.ascii_uppercase,
    "digits": string.digits,
    "mnist": string.digits,
}
SPLITS = ("train", "test")


class EMNIST(LabelledWorld):
    """Up to 814,255 handwritten letters and digits in grey, 28x28 with a margin to make 32x32; the factor is the class.

    The files hold every image with its rows and columns exchanged; here they stand upright.

    Args:
        folder: Where the idx files are, plain or as .gz; by default ``emnist`` in the data folder.
        kind: Which images: ``"balanced"`` (131,600 of 47 classes), ``"bymerge"`` (all, 47 classes), ``"byclass"`` (all,
            62 classes), ``"letters"`` (26 classes, capital and small together), ``"digits"`` or ``"mnist"``.
        split: ``"train"`` or ``"test"``.

    Raises:
        InvalidOption: When there is no such kind or split.
        InvalidData: When a file is absent, damaged or not EMNIST.
    """

    citation = """@inproceedings{cohen2017emnist, author = {Cohen, Gregory and Afshar, Saeed and Tapson, Jonathan and
  van Schaik, Andr{\\'e}}, title = {{EMNIST}: Extending {MNIST} to Handwritten Letters},
  booktitle = {International Joint Conference on Neural Networks}, year = {2017}}"""
    source: ClassVar[Source] = Source(
        "emnist",
        "https://www.nist.gov/itl/products-and-services/emnist-dataset",
        "not stated",
        tuple(
            File(f"emnist-{kind}-{split}-{part}-ubyte.gz")
            for kind in KINDS
            for split in SPLITS
            for part in ("images-idx3", "labels-idx1")
        ),
    )

    def __init__(
        self,
        *,
        folder: str | None = None,
        kind: Literal["balanced", "bymerge", "byclass", "letters", "digits", "mnist"] = "balanced",
        split: Literal["train", "test"] = "train",
    ) -> None:
        if kind not in KINDS:
            raise InvalidOption(f"kind must be one of {', '.join(KINDS)}, but is {kind!r}")
        if split not in SPLITS:
            raise InvalidOption(f"split must be train or test, but is {split!r}")
        self.folder, self.kind, self.split = folder, kind, split
        images, labels = read_labelled("EMNIST", partial(self.source.find, folder), f"emnist-{kind}-{split}-")
        classes = tuple(KINDS[kind])
        space = FactorSpace([Factor("class", len(classes), "categorical", classes)])
        first = 1 if kind == "letters" else 0  # Letters alone are counted from one.
        super().__init__(Framed(images.transpose(0, 2, 1)), labels - first, space)
