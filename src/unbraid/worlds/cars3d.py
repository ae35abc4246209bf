"""Cars3D, as published.

References:
    Reed, Zhang, Zhang and Lee, "Deep visual analogy-making", NIPS 2015.
    Fidler, Dickinson and Urtasun, "3D object detection and viewpoint estimation with a deformable 3D cuboid model",
    NIPS 2012: the models of the cars.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData, require_at_least
from unbraid.files.archive import Archive, read_mat
from unbraid.files.kept import Kept
from unbraid.files.pictures import resized
from unbraid.files.source import File, Source
from unbraid.types import Bytes, Factor, FactorSpace
from unbraid.world import World

__all__ = ["Cars3D"]

ARCHIVE = "nips2015-analogy-data.tar.gz"
SIDE = 128


class Cars3D(World):
    """17,568 drawings of 183 cars from 24 directions and 4 heights, in colour, 128x128 brought to 64x64.

    Read from the published archive, or from the MATLAB files in it; they are unpacked once (216 MB at 64x64) into a
    file beside them, or into the data folder. The cars are numbered by the sorted names of their files.

    Args:
        path: Of ``nips2015-analogy-data.tar.gz``, or of the folder that it was unpacked to; by default where
            ``unbraid fetch cars3d`` puts it.
        size: Pixels a side, at least 1; 128 leaves the images as they are.

    Raises:
        InvalidOption: When the size is below 1.
        InvalidData: When the files are absent.
    """

    citation = """@inproceedings{reed2015deep, author = {Reed, Scott E. and Zhang, Yi and Zhang, Yuting and Lee,
  Honglak}, title = {Deep Visual Analogy-Making}, booktitle = {Advances in Neural Information Processing Systems},
  year = {2015}}"""
    space = FactorSpace(
        [
            Factor("elevation", 4),
            Factor("azimuth", 24, "cyclic", tuple(float(15 * i) for i in range(24))),
            Factor("object", 183, "categorical"),
        ]
    )
    source: ClassVar[Source] = Source(
        "cars3d",
        "http://www.scottreed.info",
        "not stated; for research",
        (
            File(
                ARCHIVE,
                f"http://www.scottreed.info/files/{ARCHIVE}",
                md5="4e866a7919c1beedf53964e6f7a23686",
            ),
        ),
        folder="analogy",
    )

    def __init__(self, *, path: str | None = None, size: int = 64) -> None:
        require_at_least(1, size=size)
        self.path, self.size, self.shape = path, size, (3, size, size)
        place = self.source.file(path, ARCHIVE)
        self._archive = Archive(place, "cars", r".*_mesh\.mat")
        folder = place if place.is_dir() else place.parent
        heights, directions, cars = self.space.sizes
        shape = (cars, directions, heights, *self.shape)
        self._kept = Kept(folder / f"cars3d-{size}.npy", self._archive.sources, shape, self._blocks)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, size, size)``, bytes.

        Raises:
            InvalidData: When an index is out of range, or a file turns out to be damaged when it is unpacked.
        """
        height, direction, car = np.moveaxis(self.factors(indices), -1, 0)
        return self._kept[car, direction, height]

    def _blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        heights, directions, cars = self.space.sizes
        numbers = {name: number for number, name in enumerate(sorted(set(self._archive.names())))}
        if len(numbers) != cars:
            raise InvalidData(f"{self._archive.path} holds {len(numbers)} cars instead of {cars}: fetch it again")
        for name, raw in self._archive.read():
            (pixels,) = read_mat(raw, f"{name} of {self._archive.path}", "im")
            expected = (SIDE, SIDE, 3, directions, heights)
            if pixels.shape != expected or pixels.dtype != np.uint8:
                raise InvalidData(
                    f"im in {name} of {self._archive.path} must be bytes {expected}, but is {pixels.dtype} "
                    f"{pixels.shape}: is it Cars3D?"
                )
            yield numbers[name], resized(pixels.transpose(3, 4, 2, 0, 1), self.size)[None]
