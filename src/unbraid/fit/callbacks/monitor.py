"""A quantity that is watched: looked up by name, and better when smaller or when larger."""

from __future__ import annotations

from typing import Literal, TypeAlias

from unbraid.errors import InvalidOption, UnknownName, require_at_least
from unbraid.fit.state import EPOCH, EPOCH_LENGTH, EPOCHS, METRICS, POSITION, State

__all__ = ["Mode", "Monitor"]

Mode: TypeAlias = Literal["auto", "min", "max"]
"""Whether small or large is good; ``"auto"`` goes by the name."""

SMALL = frozenset(
    ["bce", "ce", "cost", "deviation", "distance", "error", "fid", "kl", "loss", "mae", "mse", "nll", "rmse"]
)
LARGE = frozenset(["acc", "accuracy", "auc", "dice", "f1", "iou", "map", "precision", "psnr", "r2", "recall", "ssim"])
VALIDATION = "validation_"


class Monitor:
    """Reads one quantity from the records of a trial, and says when it has improved.

    Args:
        name: As in the history: ``"loss"``, ``"validation_loss"``, ``"validation_acc"`` ...
        mode: ``"min"``, ``"max"``, or ``"auto"``, which knows losses and errors from accuracies by their names.
        min_delta: By how much a value must be better to count as better, at least 0.

    Raises:
        InvalidOption: When ``"auto"`` cannot tell.
    """

    def __init__(self, name: str, *, mode: Mode = "auto", min_delta: float = 0.0) -> None:
        require_at_least(0, min_delta=min_delta)
        if mode not in ("auto", "min", "max"):
            raise InvalidOption(f"mode must be 'auto', 'min' or 'max', but is {mode!r}")
        words = set(name.lower().split("_"))
        if mode == "auto":
            small, large = words & SMALL, words & LARGE
            if bool(small) == bool(large):
                raise InvalidOption(f"whether {name!r} is good when small or large is not in its name: give mode")
            mode = "min" if small else "max"
        self.name, self.mode, self.min_delta = name, mode, min_delta
        self._seen = False

    def better(self, value: float, than: float | None) -> bool:
        """Whether a value is better than another by at least ``min_delta`` (and not equal); NaN never is.

        >>> Monitor("loss", min_delta=0.1).better(0.5, 0.55), Monitor("acc").better(0.6, 0.5)
        (False, True)
        """
        if than is None or than != than:
            return value == value
        gain = than - value if self.mode == "min" else value - than
        return gain > 0 and gain >= self.min_delta

    def read(self, state: State) -> float | None:
        """The value in the row that has just joined the history; None when this row is of another kind.

        Between two evaluations rows may hold no ``validation_`` metric, and the row of an evaluation no other.

        Raises:
            UnknownName: When the row should hold the quantity, and does not.
        """
        row = state[METRICS]
        if self.name in row:
            self._seen = True
            return row[self.name]
        evaluated = [name for name in row if name.startswith(VALIDATION)]
        if self.name.startswith(VALIDATION):
            # Before the end of an epoch an evaluation may still come; in data without epochs none ever does.
            endless = state[EPOCH_LENGTH] is None and state[EPOCHS] is None and state[EPOCH] == 0
            missing = bool(evaluated) or state[POSITION] == 0 or endless
        else:
            missing = not evaluated or len(evaluated) < len(row)
        if missing:
            self._missing(state)
        return None

    def end_epoch(self, state: State) -> None:
        """Make sure that an evaluation has shown the quantity in this epoch, where it is one of evaluation.

        Raises:
            UnknownName: When none has.
        """
        if self.name.startswith(VALIDATION) and not self._seen:
            self._missing(state)
        self._seen = False

    def _missing(self, state: State) -> None:
        row: dict[str, float] = state[METRICS]
        known = list(row)
        error = UnknownName("monitored metric", self.name, known)
        if self.name.startswith(VALIDATION) and not any(name.startswith(VALIDATION) for name in known):
            error.add_note("nothing is evaluated: give fit(..., validation=...) and, for endless data, an epoch_length")
        raise error
