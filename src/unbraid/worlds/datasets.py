"""Datasets, any set of images of the Hugging Face library ``datasets``."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from unbraid.errors import InvalidData, UnknownName
from unbraid.files.needed import needed
from unbraid.files.pictures import Pictures, prepared
from unbraid.types import Bytes, Factor, FactorSpace, Integers, numbers
from unbraid.world import LabelledWorld

__all__ = ["Datasets"]


class Datasets(LabelledWorld):
    """Images from a data set of the Hugging Face library, saved on the disk or by name, with columns as factors.

    Images stay in their Arrow files and are decoded when they are asked for.

    Args:
        path: A folder written by ``save_to_disk``, or a name on the hub (``"ylecun/mnist"``).
        split: Which part, where there are several.
        subset: Which configuration, for a name on the hub that has several.
        image: The column of images; by default the first that holds any.
        columns: The columns that are factors; by default all of class labels, or else all of whole numbers and yes-no.
        size: Pixels a side of every image, at least 1.
        channels: 3 for colour, 1 for grey.
        fit: What is done to an image that is not square: ``"crop"`` takes its middle, ``"pad"`` adds black bars,
            ``"stretch"`` changes its form.

    Raises:
        MissingExtra: When the library is not installed.
        InvalidOption: When an option is out of range.
        UnknownName: When there is no such split or column, with the nearest names.
        InvalidData: When the data set cannot be read, or has no images or nothing that could be a factor.
    """

    # Whom to cite stands on the data set's own card.
    citation = """@inproceedings{lhoest2021datasets, author = {Lhoest, Quentin and others},
  title = {Datasets: a Community Library for Natural Language Processing}, booktitle = {EMNLP: System Demonstrations},
  year = {2021}}"""

    def __init__(
        self,
        *,
        path: str,
        split: str = "train",
        subset: str | None = None,
        image: str | None = None,
        columns: tuple[str, ...] = (),
        size: int = 64,
        channels: int = 3,
        fit: Literal["crop", "pad", "stretch"] = "crop",
    ) -> None:
        self.path, self.split, self.subset, self.image = path, split, subset, image
        self.columns, self.size, self.channels, self.fit = tuple(columns), size, channels, fit
        library = needed("datasets", "the world datasets", "datasets")
        table = self._opened(library)
        held = list(table.column_names)
        pictures = [name for name in held if isinstance(table.features[name], library.Image)]
        for name in (*(() if image is None else (image,)), *self.columns):
            if name not in held:
                raise UnknownName("column", name, held)
        if image is not None and image not in pictures:
            raise InvalidData(f"the column {image!r} of {path} holds no images, but {', '.join(pictures) or 'none'} do")
        if not pictures:
            raise InvalidData(f"{path} has no column of images, but {', '.join(held)}")
        chosen = self.columns or _suitable(library, table)
        if not chosen:
            raise InvalidData(f"{path} has no class labels or numbers that could be factors: name some with `columns`")
        made = [_factor(library, table, name) for name in chosen]
        if math.prod(factor.size for factor, _ in made) >= 2**62:
            raise InvalidData(f"{', '.join(chosen)} have too many combinations together: name fewer with `columns`")
        labels = np.stack([values for _, values in made], axis=1)
        pixels = _Decoded(library, table, image or pictures[0], Pictures([], size, channels=channels, fit=fit), path)
        super().__init__(pixels, labels, FactorSpace([factor for factor, _ in made]))

    def _opened(self, library: Any) -> Any:
        folder = Path(self.path).expanduser()
        try:
            if folder.exists():
                found = library.load_from_disk(str(folder))
            else:
                found = library.load_dataset(self.path, self.subset)
        # The library, Arrow below it and the network each raise kinds of their own.
        except Exception as error:
            raise InvalidData(
                f"{self.path} is neither a folder written by save_to_disk nor a data set that can be loaded ({error})"
            ) from error
        if isinstance(found, library.DatasetDict):
            if self.split not in found:
                raise UnknownName("split", self.split, found)
            found = found[self.split]
        return found


class _Decoded:
    """A column of images as one array, decoded when they are asked for."""

    def __init__(self, library: Any, table: Any, column: str, pictures: Pictures, path: str) -> None:
        # As the bytes they are stored in: the library's own decoding would tell of no picture which one is damaged.
        self.table = table.select_columns([column]).cast_column(column, library.Image(decode=False))
        self.column, self.pictures, self.path = column, pictures, path
        self.shape = (len(self.table), *pictures.shape[1:])

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, indices: npt.ArrayLike) -> Bytes:
        index = numbers(indices)
        out = np.empty((len(index), *self.shape[1:]), dtype=np.uint8)
        try:
            stored = self.table[index.tolist()][self.column] if len(index) else []
        except Exception as error:  # As above.
            raise InvalidData(f"{self.path} cannot be read ({error})") from error
        of = self.pictures
        for place, (number, entry) in enumerate(zip(index, stored, strict=True)):

            def opened(entry: Any = entry) -> Image.Image:
                return Image.open(io.BytesIO(entry["bytes"]) if entry["bytes"] is not None else entry["path"])

            out[place] = prepared(opened, f"image {number} of {self.path}", of.size, of.channels, of.fit)
        return out


def _suitable(library: Any, table: Any) -> list[str]:
    """The columns of class labels, or else those of whole numbers and yes-no."""
    features = table.features
    labels = [name for name in table.column_names if isinstance(features[name], library.ClassLabel)]
    plain = [
        name for name in table.column_names if getattr(features[name], "dtype", "").startswith(("int", "uint", "bool"))
    ]
    return labels or plain


def _factor(library: Any, table: Any, name: str) -> tuple[Factor, Integers]:
    """One column as a factor, and its value indices."""
    feature, column = table.features[name], list(table[name])
    if isinstance(feature, library.ClassLabel):
        numbers = np.asarray(column, dtype=np.float64)  # A label that is absent is not a number here.
        if not ((numbers >= 0) & (numbers < feature.num_classes)).all():
            raise InvalidData(f"some images have no {name}: choose a split with labels, or name other `columns`")
        return Factor(name, feature.num_classes, "categorical", tuple(feature.names)), numbers.astype(np.int64)
    if any(value is None or not isinstance(value, bool | int | str) for value in column):
        raise InvalidData(f"the column {name!r} holds more than whole numbers, yes-no or text, and can be no factor")
    values, places = np.unique(np.asarray(column), return_inverse=True)
    kind: Literal["ordinal", "categorical"] = "ordinal" if values.dtype.kind in "iu" else "categorical"
    return Factor(name, len(values), kind, tuple(values.tolist())), np.asarray(places, dtype=np.int64)
