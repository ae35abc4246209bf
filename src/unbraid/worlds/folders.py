"""Folders, any pictures on the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from unbraid.errors import InvalidData, InvalidOption
from unbraid.files.pictures import Pictures
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["Folders"]

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}


class Folders(LabelledWorld):
    """Pictures of any kind and size in a folder, brought to one size; the one factor is the subfolder they are in.

    Pictures straight in the folder are of one class when there are no subfolders with pictures, and are left out when
    there are. Two folders, ``a`` and ``b``, are two domains: the one factor is then ``domain``, whatever subfolders
    there are. Pictures are numbered by their sorted paths and decoded when they are asked for. What is transparent
    becomes white, and a photograph is turned upright as its camera says.

    Args:
        path: The folder; left out where there are two.
        a: The folder of the first domain.
        b: The folder of the second.
        size: Pixels a side of every image, at least 1.
        channels: 3 for colour, 1 for grey.
        fit: What is done to a picture that is not square: ``"crop"`` takes its middle, ``"pad"`` adds black bars,
            ``"stretch"`` changes its form.

    Raises:
        InvalidOption: When an option is out of range.
        InvalidData: When there is no such folder, or no picture in it.
    """

    def __init__(
        self,
        *,
        path: str = "",
        a: str = "",
        b: str = "",
        size: int = 64,
        channels: int = 3,
        fit: Literal["crop", "pad", "stretch"] = "crop",
    ) -> None:
        self.path, self.a, self.b, self.size, self.channels, self.fit = path, a, b, size, channels, fit
        if bool(a) != bool(b) or bool(path) == bool(a):
            raise InvalidOption(f"give path, or both a and b; but path is {path!r}, a is {a!r} and b is {b!r}")
        found = {name: _pictures(_folder(given)) for name, given in (("a", a), ("b", b))} if a else _classes(path)
        for name, some in found.items():
            if not some:
                where = {"a": a, "b": b}[name] if a else path
                raise InvalidData(f"{where} holds no pictures ({', '.join(sorted(ENDINGS))}), nor do its subfolders")
        files = [file for some in found.values() for file in some]
        labels = np.repeat(np.arange(len(found)), [len(some) for some in found.values()])[:, None]
        space = FactorSpace([Factor("domain" if a else "class", len(found), "categorical", tuple(found))])
        super().__init__(Pictures(files, size, channels=channels, fit=fit), labels, space)


def _folder(path: str) -> Path:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise InvalidData(f"there is no folder {folder}: name one that holds pictures")
    return folder


def _classes(path: str) -> dict[str, list[Path]]:
    """The pictures of each subfolder; where none has any, those of the folder."""
    folder = _folder(path)
    classes = {name: found for name in sorted(_subfolders(folder)) if (found := _pictures(folder / name))}
    return classes or {folder.resolve().name: _pictures(folder)}


def _subfolders(folder: Path) -> list[str]:
    return [entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]


def _pictures(folder: Path) -> list[Path]:
    """All pictures below a folder, hidden ones left out; it may be that there are none."""
    found = []
    for place, _, names in os.walk(folder):
        found += [Path(place, name) for name in names if name[0] != "." and Path(name).suffix.lower() in ENDINGS]
    return sorted(found)
