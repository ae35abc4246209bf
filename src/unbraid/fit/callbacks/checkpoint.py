"""Checkpoints: written whole or not at all, the one before kept, and read without executing anything."""

from __future__ import annotations

import os
import pickle
import time
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import torch

from unbraid.errors import InvalidData, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.processes import agreed, gathered, is_main
from unbraid.fit.state import DEVICE, STEP, State

if TYPE_CHECKING:
    from unbraid.fit.trial import Trial

__all__ = ["Checkpoint", "previous", "read", "resume", "write"]


class Checkpoint(Callback):
    """Saves the whole trial now and then, and on interruption.

    When it saves has no influence on the result: a resumed trial goes on bit for bit.

    Args:
        path: The file; the checkpoint before it stays beside it as ``<stem>.previous<suffix>``.
        seconds: Save when this much time has passed, at least 0; None never does.
        steps: Save every so many steps, at least 1; None never does.
    """

    last = True

    def __init__(self, path: str | Path, *, seconds: float | None = 30.0, steps: int | None = None) -> None:
        if seconds is not None:
            require_at_least(0, seconds=seconds)
        if steps is not None:
            require_at_least(1, steps=steps)
        self.path, self.seconds, self.steps = Path(path), seconds, steps
        self.trial: Trial | None = None
        self._saved_at, self._saved_step = time.monotonic(), -1

    def bind(self, trial: Trial) -> None:
        """Called by the trial when it starts: what is to be saved."""
        self.trial = trial

    def on_start(self, state: State) -> None:
        """Begin to count."""
        self._saved_at, self._saved_step = time.monotonic(), state[STEP]

    def on_step(self, state: State) -> None:
        """Save when it is time."""
        late = self.seconds is not None and time.monotonic() - self._saved_at >= self.seconds
        if self.seconds is not None:
            (late,) = agreed(late, device=state[DEVICE])  # all processes save together
        if late or (self.steps is not None and state[STEP] % self.steps == 0):
            self._save(state)

    def on_checkpoint(self, state: State) -> None:
        """Save, for the trial is being interrupted."""
        self._save(state)

    def _save(self, state: State) -> None:
        if self.trial is not None and state[STEP] != self._saved_step:
            saved = self.trial.state_dict()
            if is_main():
                write(self.path, saved)
            self._saved_at, self._saved_step = time.monotonic(), state[STEP]


class _Told:
    """A file that remembers why it could not be written: torch says only that something failed."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, content: bytes) -> int:
        try:
            return self.file.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def previous(path: Path) -> Path:
    """Where the checkpoint before the one at ``path`` is kept."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def write(path: Path, saved: dict[str, Any]) -> None:
    """Write a checkpoint: at every moment, even under ``kill -9``, one whole checkpoint is on disk."""
    temporary = path.with_name(f"{path.name}.part")
    try:
        with temporary.open("wb") as file:
            told = _Told(file)
            try:
                torch.save(saved, cast("IO[bytes]", told))
            except RuntimeError:
                if told.error is None:
                    raise
                raise told.error from None
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)  # half a file on a full disk is in everybody's way
        raise
    if path.exists():
        path.replace(previous(path))
    temporary.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Read a checkpoint, executing nothing.

    Raises:
        InvalidData: When it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
        if broken is not None:
            raise InvalidData(f"checkpoint {path} is damaged in {broken}")
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError, ValueError, KeyError) as error:
        if isinstance(error, InvalidData | FileNotFoundError):
            raise
        raise InvalidData(f"checkpoint {path} is damaged or no checkpoint") from error
    if not isinstance(saved, dict) or saved.get("format") != 1:
        raise InvalidData(f"{path} is not a checkpoint of this version of unbraid.fit")
    return saved


def resume(trial: Trial, path: str | Path) -> str | None:
    """Take up the newest whole checkpoint at ``path``.

    A damaged newest checkpoint is put aside as ``<stem>.damaged<suffix>``, so that it never takes the place of a whole
    one.

    Args:
        trial: The trial, made as the interrupted one was.
        path: As given to :class:`Checkpoint`.

    Returns:
        None when all is well or there is no checkpoint yet; else a sentence that says which file was damaged and what
        was taken up in its place.

    Raises:
        InvalidData: When the checkpoint is whole, but of another trial.
    """
    # Of several processes the first one looks, and the others take up what it found.
    found, saved, damage = _newest(Path(path)) if is_main() else (None, None, None)
    (found, damage), *_ = gathered((found, damage))
    if found is not None:
        trial.load_state_dict(saved or read(found))
        return f"{damage}; going on from the one before it, at step {trial.state[STEP]:,}" if damage else None
    return f"{damage}; there is no whole one, starting again from step 0" if damage else None


def _newest(path: Path) -> tuple[Path | None, dict[str, Any] | None, str | None]:
    """The newest whole checkpoint with what it holds, and what is damaged, which is put aside."""
    damage: str | None = None
    for candidate in (path, previous(path)):
        try:
            return candidate, read(candidate), damage
        except FileNotFoundError:
            continue
        except InvalidData as error:
            damage = damage or str(error)
            if candidate == path:
                path.replace(path.with_name(f"{path.stem}.damaged{path.suffix}"))
    return None, None, damage
