"""The sprites of Reed et al., as published.

References:
    Reed, Zhang, Zhang and Lee, "Deep visual analogy-making", NIPS 2015.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.files.archive import Archive, read_cells
from unbraid.files.kept import Kept
from unbraid.files.source import File, Source
from unbraid.types import Factor, FactorSpace, Integers
from unbraid.world import LabelledWorld

__all__ = ["ReedSprites"]

ARCHIVE = "nips2015-analogy-data.tar.gz"
SIDE, MARGIN = 60, 2
TRAITS = ("body", "gender", "hair", "armour", "arms", "greaves", "weapon")
ACTIONS = ("spellcast", "thrust", "walk", "slash", "shoot")
VIEWS = 4
ANIMATIONS = len(ACTIONS) * VIEWS


class ReedSprites(LabelledWorld):
    """Figures of a game in colour, 672 characters in 20 animations of several frames, 60x60 with a margin to 64x64.

    The factors are seven traits of the character (of which only those combinations exist that were drawn), its action
    5, the side it is seen from 4, and the frame of the animation. The weapon is drawn in some actions only. Read from
    the published archive, or from the MATLAB files in it; they are unpacked once (1.4 GB) into a file beside them, or
    into the data folder.

    Args:
        path: Of ``nips2015-analogy-data.tar.gz``, or of the folder that it was unpacked to; by default where
            ``unbraid fetch reedsprites`` puts it.

    Raises:
        MissingExtra: When h5py is not installed.
        InvalidData: When the files are absent, damaged or not these sprites.
    """

    citation = """@inproceedings{reed2015deep, author = {Reed, Scott E. and Zhang, Yi and Zhang, Yuting and Lee,
  Honglak}, title = {Deep Visual Analogy-Making}, booktitle = {Advances in Neural Information Processing Systems},
  year = {2015}}"""
    characters: ClassVar[int] = 672
    source: ClassVar[Source] = Source(
        "reedsprites",
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

    def __init__(self, *, path: str | None = None) -> None:
        self.path = path
        place = self.source.file(path, ARCHIVE)
        self._archive = Archive(place, "sprites", r"sprites_\d+\.mat")
        folder, sources = place if place.is_dir() else place.parent, self._archive.sources
        # Traits of each character, and frames of each of its animations: what the labels are made of.
        shape = (self.characters, len(TRAITS) + ANIMATIONS)
        sheet = Kept(folder / "reedsprites-labels.npy", sources, shape, self._sheet, np.int64)[:]
        self._frames = sheet[:, len(TRAITS) :]
        labels, space = _labels(sheet[:, : len(TRAITS)], self._frames)
        side = SIDE + 2 * MARGIN
        pixels = Kept(folder / "reedsprites.npy", sources, (len(labels), 3, side, side), self._blocks)
        super().__init__(pixels, labels, space)

    def _read(self) -> Iterator[tuple[int, list[npt.NDArray[Any]], Integers]]:
        """The number, the animations and the traits of each character."""
        read = 0
        for name, raw in self._archive.read():
            where = f"{name} of {self._archive.path}"
            cells, (traits,) = read_cells(raw, where, "sprites", "labels")
            number, cells = int(re.sub(r"\D", "", name)), cells[:ANIMATIONS]
            if traits.size != len(TRAITS) or len(cells) != ANIMATIONS or number >= self.characters:
                raise InvalidData(
                    f"{where} must hold {len(TRAITS)} labels and {ANIMATIONS} animations: is it the file?"
                )
            for cell in cells:
                if cell.ndim != 2 or cell.shape[1] != 3 * SIDE * SIDE or not (0 <= cell.min() <= cell.max() <= 1):
                    raise InvalidData(f"{where} must hold pictures of 60x60 in 0 .. 1, but holds {cell.shape}")
            read += 1
            yield number, cells, traits.ravel().astype(np.int64)
        if read != self.characters:
            raise InvalidData(
                f"{self._archive.path} holds {read} characters instead of {self.characters}: fetch it again"
            )

    def _sheet(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        for number, cells, traits in self._read():
            yield number, np.append(traits, [len(cell) for cell in cells])[None]

    def _blocks(self) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        first = np.append(0, np.cumsum(self._frames.sum(axis=1)))
        margin = (MARGIN, MARGIN)
        for number, cells, _ in self._read():
            # MATLAB counts along columns first: colour, then x, then y.
            frames = np.concatenate(cells).reshape(-1, 3, SIDE, SIDE).transpose(0, 1, 3, 2)
            drawn = np.rint(frames * 255).astype(np.uint8)
            yield int(first[number]), np.pad(drawn, ((0, 0), (0, 0), margin, margin), mode="edge")


def _labels(traits: Integers, frames: Integers) -> tuple[Integers, FactorSpace]:
    """What every frame shows, ``(N, 10)``, characters first, then animations, then frames."""
    character, animation = np.divmod(np.arange(frames.size), ANIMATIONS)
    counts = frames.ravel()
    of = np.repeat(np.arange(frames.size), counts)
    frame = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    factors, columns = [], []
    for name, column in zip(TRAITS, traits.T, strict=True):
        values, numbers = np.unique(column, return_inverse=True)
        factors.append(Factor(name, len(values), "categorical", tuple(values.tolist())))
        columns.append(numbers[character[of]])
    factors += [
        Factor("action", len(ACTIONS), "categorical", ACTIONS),
        Factor("view", VIEWS, "categorical"),
        Factor("frame", int(counts.max())),
    ]
    columns += [animation[of] // VIEWS, animation[of] % VIEWS, frame]
    return np.stack(columns, axis=1).astype(np.int64), FactorSpace(factors)
