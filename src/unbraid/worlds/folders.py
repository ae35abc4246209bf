"""Folders, any pictures on the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from unbraid.errors import InvalidData
from unbraid.files.pictures import Pictures
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld

__all__ = ["Folders"]

ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}


class Folders(LabelledWorld):
    """Pictures of any kind and size in a folder, brought to one size; the one factor is the subfolder they are in.

    Pictures straight in the folder are of one class when there are no subfolders with pictures, and are left out when
    there are. They are numbered by their sorted paths and decoded when they are asked for. What is transparent becomes
    white, and a photograph is turned upright as its camera says.

    Args:
        path: The folder.
        size: Pixels a side of every image, at least 1.
        channels: 3 for colour, 1 for grey.
        fit: What is done to a picture that is not square: ``"crop"`` takes its middle, ``"pad"`` adds black bars,
            ``"stretch"`` changes its form.

    Raises:
        InvalidOption: When an option is out of range.
        InvalidData: When there is no such folder, or no picture in it.
    """

    def __init__(
        self, *, path: str, size: int = 64, channels: int = 3, fit: Literal["crop", "pad", "stretch"] = "crop"
    ) -> None:
        self.path, self.size, self.channels, self.fit = path, size, channels, fit
        folder = Path(path).expanduser()
        if not folder.is_dir():
            raise InvalidData(f"there is no folder {folder}: name one that holds pictures with `path`")
        classes = {name: found for name in sorted(_subfolders(folder)) if (found := _pictures(folder / name))}
        if not classes:
            classes = {folder.resolve().name: _pictures(folder)}
        files = [file for found in classes.values() for file in found]
        if not files:
            raise InvalidData(f"{folder} holds no pictures ({', '.join(sorted(ENDINGS))}), nor do its subfolders")
        labels = np.repeat(np.arange(len(classes)), [len(found) for found in classes.values()])[:, None]
        space = FactorSpace([Factor("class", len(classes), "categorical", tuple(classes))])
        super().__init__(Pictures(files, size, channels=channels, fit=fit), labels, space)


def _subfolders(folder: Path) -> list[str]:
    return [entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]


def _pictures(folder: Path) -> list[Path]:
    """All pictures below a folder, hidden ones left out."""
    found = []
    for place, _, names in os.walk(folder):
        found += [Path(place, name) for name in names if name[0] != "." and Path(name).suffix.lower() in ENDINGS]
    return sorted(found)
