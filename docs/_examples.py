"""What the examples find, for the pages that show it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from _gallery import digest

__all__ = ["found"]

EXAMPLES = Path(__file__).parent.parent / "examples"


def found(name: str, folder: Path, *, uses: tuple[str, ...]) -> Mapping[str, float]:
    """The numbers that an example returns; its picture is drawn into ``folder``.

    It runs unless its own text and that of the parts of unbraid that it ``uses`` are those of the last time.
    """
    signed = digest(uses, EXAMPLES / f"{name}.py", EXAMPLES / "_shared.py")
    record = folder / f"{name}.json"
    if record.exists() and (kept := json.loads(record.read_text("utf-8")))["digest"] == signed:
        return dict(kept["found"])
    sys.path.insert(0, str(EXAMPLES))
    numbers = import_module(name).main(folder)
    sys.path.remove(str(EXAMPLES))
    record.write_text(json.dumps({"digest": signed, "found": numbers}), "utf-8")
    return dict(numbers)
