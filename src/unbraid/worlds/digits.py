"""Digits, the handwritten digits that come with scikit-learn.

References:
    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

from unbraid.files.handwritten import handwritten
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
        images, classes = handwritten()
        space = FactorSpace([Factor("class", 10, "categorical", tuple("0123456789"))])
        super().__init__(resized(images * (255 / 16), SIZE)[:, None], classes[:, None], space)
