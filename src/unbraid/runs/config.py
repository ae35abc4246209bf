"""What must stand in a run's ``run.json``, checked before anything reads it: it may come from anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from unbraid.errors import RunError
from unbraid.runs import folder

__all__ = ["FORMAT", "config"]

FORMAT = 1
BEFORE: dict[str, Any] = {"view": {"name": "images", "options": {}}, "fit": {"speed": "exact", "decay": 0}}
"""What runs are that were written before there were other views, speeds and rates, and do not say so."""

Check = tuple[Callable[[Any], bool], str]


def _count(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _named(value: Any) -> bool:
    known = isinstance(value, dict) and isinstance(value.get("options"), dict)
    return known and isinstance(value.get("name"), str)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(_count(side, 1) for side in value)


NAMED: Check = _named, "an object with a name and options"
COUNT: Check = _count, "a whole number, at least 0"
FIELDS: dict[str, Check] = {
    "model": NAMED,
    "world": NAMED,
    "view": NAMED,
    # Of a run that saw classes; of one that was written before, nobody says.
    "view.classes": (lambda value: value is None or _names(value), "a list of factors' names"),
    "shape": (_shape, "three whole numbers: channels, height and width"),
    "steps": COUNT,
    "seed": COUNT,
    "fit": (lambda value: isinstance(value, dict), "an object"),
    "fit.batch_size": (lambda value: _count(value, 1), "a whole number, at least 1"),
}


def config(path: Path) -> dict[str, Any]:
    """The configuration of the run in a folder.

    Raises:
        RunError: When the folder is no run, or what stands there is damaged or of another format.
    """
    file = path / folder.RUN
    if not file.is_file():
        what = "is no run folder: it has no run.json" if path.is_dir() else "does not exist"
        raise RunError(f"{path} {what}; give a folder that `unbraid train` made")
    found = folder.read_json(file)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise RunError(f"{file} is not of format {FORMAT}, which this version of unbraid reads")
    found = BEFORE | found
    for name, (fits, wanted) in FIELDS.items():
        value: Any = found
        for part in name.split("."):
            value = value.get(part)
        if not fits(value):
            raise RunError(f"{file} is damaged ({name} must be {wanted}): restore it, or remove the folder")
    return found | {"fit": BEFORE["fit"] | found["fit"]}
