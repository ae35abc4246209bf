"""CelebA, faces of celebrities with their attributes.

References:
    Liu, Luo, Wang and Tang, "Deep learning face attributes in the wild", ICCV 2015.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from unbraid.errors import InvalidData, InvalidOption, UnknownName, require_at_least
from unbraid.files.pictures import Pictures
from unbraid.files.source import File, Source
from unbraid.types import Factor, FactorSpace, Integers
from unbraid.world import LabelledWorld

__all__ = ["CelebA"]

ATTRIBUTES, IDENTITIES, PARTITION = "list_attr_celeba.txt", "identity_CelebA.txt", "list_eval_partition.txt"
IMAGES = "img_align_celeba"
SPLITS = {"train": 0, "valid": 1, "test": 2}


class CelebA(LabelledWorld):
    """202,599 photographs of faces in colour, 178x218 cropped and brought to 64x64; the factors are yes-no attributes.

    They are labels, not the causes of the images: much else differs between two faces, and attributes go together.
    Images are decoded when they are asked for.

    Args:
        folder: Where ``img_align_celeba`` (unpacked) and the text files are; by default ``celeba`` in the data folder.
        split: ``"all"``, ``"train"``, ``"valid"`` or ``"test"``; the last three need ``list_eval_partition.txt``.
        attributes: The factors, by their names in the file; all 40 when none is named.
        identity: Whether who it is, is a factor too; it needs ``identity_CelebA.txt``.
        size: Pixels a side, at least 1.
        crop: Pixels a side of the square that is cut from the middle first, at most 178.

    Raises:
        InvalidOption: When an option is out of range.
        UnknownName: When there is no such attribute, with the nearest names.
        InvalidData: When a file is absent or damaged.
    """

    citation = """@inproceedings{liu2015deep, author = {Liu, Ziwei and Luo, Ping and Wang, Xiaogang and Tang, Xiaoou},
  title = {Deep Learning Face Attributes in the Wild}, booktitle = {International Conference on Computer Vision},
  year = {2015}}"""
    source: ClassVar[Source] = Source(
        "celeba",
        "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "non-commercial research",
        (
            File(f"{IMAGES}.zip", md5="00d2c5bc6d35e252742224ab0c1e8fcb"),
            File(ATTRIBUTES, md5="75e246fa4810816ffd6ee81facbd244c"),
            File(IDENTITIES, md5="32bd1bd63d3c78cd57e08160ec5ed1e2"),
            File(PARTITION, md5="d32c9cbf5e040fd4025c592c306e6668"),
        ),
    )

    def __init__(
        self,
        *,
        folder: str | None = None,
        split: Literal["all", "train", "valid", "test"] = "all",
        attributes: tuple[str, ...] = (),
        identity: bool = False,
        size: int = 64,
        crop: int = 148,
    ) -> None:
        if split != "all" and split not in SPLITS:
            raise InvalidOption(f"split must be all, train, valid or test, but is {split!r}")
        require_at_least(1, size=size, crop=crop)
        self.folder, self.split, self.attributes = folder, split, tuple(attributes)
        self.identity, self.size, self.crop = identity, size, crop
        files, known, labels = _attributes(self.source.find(folder, ATTRIBUTES))
        for name in self.attributes:
            if name not in known:
                raise UnknownName("attribute", name, known)
        chosen = self.attributes or known
        columns = [labels[:, known.index(name)] for name in chosen]
        factors = [Factor(name, 2, "categorical", ("no", "yes")) for name in chosen]
        if identity:
            people, numbers = np.unique(self._column(IDENTITIES, files), return_inverse=True)
            columns.append(numbers)
            factors.append(Factor("identity", len(people), "categorical", tuple(people.tolist())))
        kept = np.arange(len(files))
        if split != "all":
            kept = np.flatnonzero(self._column(PARTITION, files) == SPLITS[split])
        pictures = Pictures(self._pictures([files[i] for i in kept]), size, crop=crop)
        super().__init__(pictures, np.stack(columns, axis=1)[kept], FactorSpace(factors))

    def _pictures(self, names: list[str]) -> list[Path]:
        place = self.source.place(self.folder) / IMAGES
        if not place.is_dir():
            raise InvalidData(f"there is no folder {place}: unpack {IMAGES}.zip there")
        absent = set(names) - {file.name for file in place.iterdir()}
        if absent:
            raise InvalidData(
                f"{place} lacks {len(absent):,} of {len(names):,} pictures, {min(absent)} among them: unpack "
                f"{IMAGES}.zip again"
            )
        return [place / name for name in names]

    def _column(self, name: str, files: list[str]) -> Integers:
        """The number that a text file gives to each picture."""
        path = self.source.find(self.folder, name)
        pairs = [line.split() for line in _lines(path)]
        if any(len(pair) != 2 or not pair[1].isdecimal() for pair in pairs) or [pair[0] for pair in pairs] != files:
            raise InvalidData(f"{path} must give one number for each picture of {ATTRIBUTES}, in its order")
        return np.array([int(pair[1]) for pair in pairs], dtype=np.int64)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("ascii").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidData(f"{path} cannot be read ({error}): fetch it again") from error


def _attributes(path: Path) -> tuple[list[str], list[str], Integers]:
    """The pictures, the attributes, and which has which: 0 or 1, ``(pictures, attributes)``."""
    lines = _lines(path)
    if len(lines) < 2 or not lines[0].strip().isdecimal():
        raise InvalidData(f"{path} must begin with the number of pictures and a line of attributes: is it the file?")
    count, names = int(lines[0]), lines[1].split()
    if len(lines) - 2 != count:
        raise InvalidData(f"{path} announces {count:,} pictures but lists {len(lines) - 2:,}: fetch it again")
    files, rows = [], []
    for line in lines[2:]:
        file, _, values = line.strip().partition(" ")
        files.append(file)
        rows.append(values.replace("-1", "0").replace(" ", ""))
    wrong = [file for file, row in zip(files, rows, strict=True) if len(row) != len(names) or row.strip("01")]
    if wrong:
        raise InvalidData(f"{path} must give 1 or -1 for each of {len(names)} attributes, but not for {wrong[0]}")
    bits = np.frombuffer("".join(rows).encode("ascii"), dtype=np.uint8) - ord("0")
    return files, names, bits.reshape(count, len(names)).astype(np.int64)
