"""3D Shapes, as published.

References:
    Burgess and Kim, "3D shapes dataset", 2018.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.files.hdf5 import Rows, hdf5_rows
from unbraid.files.source import File, Source
from unbraid.types import Bytes, Factor, FactorSpace, within
from unbraid.world import World

__all__ = ["Shapes3D"]

SIDE = 64
PROBES = 64
"""Labels that are compared with the space, spread over all of them."""


def _even(start: float, stop: float, size: int) -> tuple[float, ...]:
    return tuple(np.linspace(start, stop, size).round(12).tolist())


class Shapes3D(World):
    """The 480,000 images of 3D Shapes, read from the published .h5 file: a coloured shape in a coloured room, 64x64.

    The factors are the hues of floor, wall and object (10 each), scale 8, shape 4 and orientation 15. Images are never
    all in memory. Where the file's chunks hold many images each, so that one could not be had without unpacking
    thousands, they are unpacked once (5.9 GB on the disk) into a file beside it, or into the data folder.

    Args:
        path: Of ``3dshapes.h5``; by default where ``unbraid fetch shapes3d`` puts it.

    Raises:
        MissingExtra: When h5py is not installed.
        InvalidData: When the file is absent, damaged or not 3D Shapes.
    """

    citation = """@misc{burgess2018shapes, author = {Burgess, Chris and Kim, Hyunjik}, title = {{3D} Shapes Dataset},
  howpublished = {github.com/google-deepmind/3d-shapes}, year = {2018}}"""
    space = FactorSpace(
        [
            Factor("floor hue", 10, "cyclic", _even(0.0, 0.9, 10)),
            Factor("wall hue", 10, "cyclic", _even(0.0, 0.9, 10)),
            Factor("object hue", 10, "cyclic", _even(0.0, 0.9, 10)),
            Factor("scale", 8, "ordinal", _even(0.75, 1.25, 8)),
            Factor("shape", 4, "categorical", ("cube", "cylinder", "sphere", "capsule")),
            Factor("orientation", 15, "ordinal", _even(-30.0, 30.0, 15)),
        ]
    )
    source: ClassVar[Source] = Source(
        "shapes3d",
        "https://github.com/google-deepmind/3d-shapes",
        "Apache-2.0",
        (
            File(
                "3dshapes.h5",
                "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
                md5="099a2078d58cec4daad0702c55d06868",
            ),
        ),
    )

    def __init__(self, *, path: str | None = None) -> None:
        self.path, self.shape = path, (3, SIDE, SIDE)
        file = self.source.file(path, "3dshapes.h5")
        self._images = hdf5_rows(file, "images", file.with_suffix(".images.npy"))
        expected = (len(self.space), SIDE, SIDE, 3)
        if self._images.shape != expected or self._images.dtype != np.uint8:
            raise InvalidData(
                f"images in {file} must be bytes {expected}, but are {self._images.dtype} {self._images.shape}: "
                "is it the published 3D Shapes file?"
            )
        labels = Rows(file, "labels")
        probes = np.linspace(0, len(self.space) - 1, PROBES).round().astype(np.int64)
        values = [
            np.arange(factor.size) if factor.kind == "categorical" else np.asarray(factor.values, dtype=np.float64)
            for factor in self.space
        ]
        known = np.stack([v[i] for v, i in zip(values, self.space.factors(probes).T, strict=True)], axis=1)
        if labels.shape != (len(self.space), len(values)) or not np.allclose(labels[probes], known, atol=1e-3):
            raise InvalidData(f"the labels in {file} are not those of 3D Shapes in their order: is it the right file?")

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 3, 64, 64)``, bytes.

        Raises:
            InvalidData: When an index is out of range, or the file turns out to be damaged.
        """
        index = within(indices, len(self))
        return np.ascontiguousarray(self._images[index].transpose(0, 3, 1, 2))
