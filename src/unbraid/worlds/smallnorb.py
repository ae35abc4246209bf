"""Small NORB, as published.

References:
    LeCun, Huang and Bottou, "Learning methods for generic object recognition with invariance to pose and lighting",
    CVPR 2004.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.files.kept import Kept
from unbraid.files.matrix import Matrix, binary_matrix
from unbraid.files.pictures import resized
from unbraid.files.source import File, Source
from unbraid.types import Factor, FactorSpace, Integers
from unbraid.world import LabelledWorld

__all__ = ["SmallNORB"]

SIDE, BLOCK = 96, 450
URL = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small"
STEMS = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}
INSTANCES = {"train": (4, 6, 7, 8, 9), "test": (0, 1, 2, 3, 5)}
CAMERAS = ("left", "right")
SUMS = {
    "train": {
        "dat": "66054832f9accfe74a0f4c36a75bc0a2",
        "cat": "23c8b86101fbf0904a000b43d3ed2fd9",
        "info": "51dee1210a742582ff607dfd94e332e3",
    },
    "test": {
        "dat": "e4ad715691ed5a3a5f138751a4ceb071",
        "cat": "5aa791cd7e6016cf957ce9bdb93b8603",
        "info": "a9454f3864d7fd4bb3ea7fc3eb84924e",
    },
}


class SmallNORB(LabelledWorld):
    """24,300 photographs of toys in grey under every pose and light, 96x96 brought to 64x64; a split of as many more.

    The factors are category 5, instance 5 (other toys in each split), elevation 9, azimuth 18 and lighting 6; every
    combination is there once. The images are unpacked once (100 MB at 64x64) into a file beside the published ones, or
    into the data folder.

    Args:
        folder: Where the three files of the split are, plain or as .gz; by default ``smallnorb`` in the data folder.
        split: ``"train"`` or ``"test"``, each of 24,300 images.
        camera: ``"left"`` or ``"right"`` of the pair that took every photograph.
        size: Pixels a side, at least 1; 96 leaves the images as they are.

    Raises:
        InvalidOption: When an option is out of range.
        InvalidData: When a file is absent, damaged or not Small NORB.
    """

    citation = """@inproceedings{lecun2004learning, author = {LeCun, Yann and Huang, Fu Jie and Bottou, L{\\'e}on},
  title = {Learning Methods for Generic Object Recognition with Invariance to Pose and Lighting},
  booktitle = {Conference on Computer Vision and Pattern Recognition}, year = {2004}}"""
    source: ClassVar[Source] = Source(
        "smallnorb",
        "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small",
        "for research",
        tuple(
            File(f"{stem}-{kind}.mat.gz", f"{URL}/{stem}-{kind}.mat.gz", md5=md5)
            for split, stem in STEMS.items()
            for kind, md5 in SUMS[split].items()
        ),
    )

    def __init__(
        self,
        *,
        folder: str | None = None,
        split: Literal["train", "test"] = "train",
        camera: Literal["left", "right"] = "left",
        size: int = 64,
    ) -> None:
        if split not in STEMS:
            raise InvalidOption(f"split must be train or test, but is {split!r}")
        if camera not in CAMERAS:
            raise InvalidOption(f"camera must be left or right, but is {camera!r}")
        require_at_least(1, size=size)
        self.folder, self.split, self.camera, self.size = folder, split, camera, size
        self._pairs = self._matrix("dat")
        count = self._pairs.shape[0]
        if self._pairs.shape != (count, 2, SIDE, SIDE) or self._pairs.dtype != np.uint8:
            raise InvalidData(
                f"{self._pairs.path} must hold bytes (N, 2, {SIDE}, {SIDE}), but holds {self._pairs.dtype} "
                f"{self._pairs.shape}: is it Small NORB?"
            )
        name = f"{STEMS[split]}-{camera}-{size}.npy"
        pixels = Kept(self._pairs.path.with_name(name), [self._pairs.path], (count, 1, size, size), self._blocks)
        super().__init__(pixels, self._labels_of(count), self._space())

    def _matrix(self, kind: str) -> Matrix:
        name = f"{STEMS[self.split]}-{kind}.mat"
        return binary_matrix(self.source.find(self.folder, name, f"{name}.gz"))

    def _space(self) -> FactorSpace:
        return FactorSpace(
            [
                Factor("category", 5, "categorical", ("animal", "human", "plane", "truck", "car")),
                Factor("instance", 5, "categorical", INSTANCES[self.split]),
                Factor("elevation", 9, "ordinal", tuple(float(30 + 5 * i) for i in range(9))),
                Factor("azimuth", 18, "cyclic", tuple(float(20 * i) for i in range(18))),
                Factor("lighting", 6, "categorical"),
            ]
        )

    def _labels_of(self, count: int) -> Integers:
        categories, info = self._matrix("cat"), self._matrix("info")
        for matrix, shape in ((categories, (count,)), (info, (count, 4))):
            if matrix.shape != shape or matrix.dtype.kind != "i":
                raise InvalidData(
                    f"{matrix.path} must hold whole numbers {shape}, but holds {matrix.dtype} {matrix.shape}: "
                    "is it of the same split?"
                )
        instance, elevation, azimuth, lighting = info.whole().astype(np.int64).T
        instances = np.asarray(INSTANCES[self.split])
        if not np.isin(instance, instances).all() or np.any(azimuth % 2):
            raise InvalidData(f"{info.path} speaks of toys or directions that are not of the split {self.split}")
        columns = (categories.whole(), np.searchsorted(instances, instance), elevation, azimuth // 2, lighting)
        return np.stack(columns, axis=1).astype(np.int64)

    def _blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        for i, pairs in enumerate(self._pairs.blocks(BLOCK)):
            yield i * BLOCK, resized(pairs[:, [CAMERAS.index(self.camera)]], self.size)
