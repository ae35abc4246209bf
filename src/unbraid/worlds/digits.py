"""Digits, the handwritten digits that come with scikit-learn.

References:
    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

import numpy as np

from unbraid.files.pictures import resized
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["Digits"]

SIZE = 32


class Digits(LabelledWorld):
    """1,797 real handwritten digits that need no download, 8x8 enlarged to 32x32; the one factor is their class.

    >>> world = Digits()
    >>> len(world), world.images([0]).shape
    (1797, (1, 1, 32, 32))
    """

    citation = """@misc{alpaydin1998optical, author = {Alpaydin, E. and Kaynak, C.},
  title = {Optical Recognition of Handwritten Digits}, howpublished = {UCI Machine Learning Repository},
  doi = {10.24432/C50P49}, year = {1998}}"""

    def __init__(self) -> None:
        # Imported here: scikit-learn takes a second, and a list of worlds should not.
        from sklearn.datasets import load_digits

        data = load_digits()
        space = FactorSpace([Factor("class", 10, "categorical", tuple("0123456789"))])
        labels = np.asarray(data.target, dtype=np.int64)[:, None]
        super().__init__(resized(np.asarray(data.images) * (255 / 16), SIZE)[:, None], labels, space)
