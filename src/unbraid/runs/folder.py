"""Files of a run folder: written whole or not at all, and nothing in them executes."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unbraid.errors import RunError
from unbraid.files.whole import PART, claimed, locked, writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

__all__ = [
    "CHECKPOINT",
    "CODES",
    "FIGURES",
    "HISTORY",
    "INFORMATION",
    "MODEL",
    "RUN",
    "SCORES",
    "VERDICT",
    "as_json",
    "exclusive",
    "foreign",
    "make",
    "read_json",
    "require_fresh",
    "whole",
    "write_bytes",
    "write_json",
    "write_picture",
]

RUN = "run.json"
MODEL = "model.safetensors"
HISTORY = "history.jsonl"
SCORES = "scores.json"
INFORMATION = "information.json"
VERDICT = "verdict.json"
CHECKPOINT = "checkpoint.pt"
CODES = "codes.safetensors"
FIGURES = "figures"
LOCK, PROBE = ".lock", ".writable"


def make(path: Path) -> None:
    """Make a folder and check that it can be written.

    Raises:
        RunError: When it cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / PROBE
        probe.touch()
        probe.unlink(missing_ok=True)  # another process may have made the same one, and be done with it
    except OSError as error:
        raise RunError(f"cannot write to {path} ({error.strerror}): choose a folder that can be written") from None


def require_fresh(path: Path) -> None:
    """Refuse a folder to write to that holds something.

    Raises:
        RunError: When it is neither new nor empty.
    """
    if path.exists() and not path.is_dir():
        raise RunError(f"{path} is a file: choose a new or an empty folder")
    if path.exists() and any(path.iterdir()):
        raise RunError(f"{path} holds something already: choose a new or an empty folder")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A folder that is there when all is written to it, and not before: another place to write to, until then.

    Args:
        path: The folder, which is new or empty.

    Raises:
        RunError: When it holds something already, or cannot be written.
    """
    require_fresh(path)
    staged = path.with_name(f".{path.name}{PART}")
    make(path.parent)
    with _alone(staged, path):
        try:
            require_fresh(path)  # again: another process may have written it before this one had its turn
            for left in staged.iterdir():  # by one that was killed
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            yield staged
            if path.exists():
                path.rmdir()
            staged.replace(path)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise


@contextmanager
def _alone(staged: Path, path: Path) -> Iterator[None]:
    """Hold the folder in which another one is made; it is made where there is none."""
    if os.name == "nt":  # Windows opens no folders: processes that meet are not kept apart there
        staged.mkdir(exist_ok=True)
        yield
        return
    while True:
        with suppress(FileExistsError):
            staged.mkdir()
        try:
            number = os.open(staged, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # another process was done with it in this moment
            continue
        with ExitStack() as opened:
            opened.callback(os.close, number)
            try:
                ours = locked(number, staged, wait=False)
            except BlockingIOError:
                raise RunError(f"another process is writing {path}: wait for it, or choose another folder") from None
            if ours:
                yield
                return


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is never seen half.

    Several processes may write the same file: it is what one of them has written, the last.
    """
    with writing(path) as file:
        file.write(content)


def write_json(path: Path, content: Any) -> None:
    """Write JSON, readable by people; arrays of numbers stay on one line each."""
    write_bytes(path, as_json(content))


def as_json(content: Any) -> bytes:
    """What :func:`write_json` writes."""
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()


def write_picture(path: Path, picture: Figure | Image) -> None:
    """Write a figure or an image, in the format of the file's name, whole or not at all.

    Raises:
        ValueError: When the format is not known.
    """
    data, kind = io.BytesIO(), path.suffix.removeprefix(".") or "png"
    if hasattr(picture, "savefig"):
        picture.savefig(data, format=kind, dpi=100)
    else:
        picture.save(data, kind)
    write_bytes(path, data.getvalue())


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        RunError: When the file is damaged.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged ({error}): restore it, or remove the folder") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror})") from None


def foreign(path: Path) -> bool:
    """Whether a folder without a run holds files that are not the traces of one that was killed as it began."""
    own = {LOCK, PROBE, f"{RUN}{PART}"}
    return path.is_dir() and any(file.name not in own for file in path.iterdir())


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a folder for this process alone while something is written to it.

    Raises:
        RunError: When another process holds it.
    """
    with ExitStack() as held:
        try:
            held.enter_context(claimed(path / LOCK, wait=False))
        except BlockingIOError:
            raise RunError(f"another process is working in {path}: wait for it, or choose another folder") from None
        yield
