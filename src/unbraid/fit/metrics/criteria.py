"""What a criterion says about its predictions and targets, so that a metric need not be told again."""

from __future__ import annotations

import functools
from typing import Any, Literal, TypeAlias

from torch import nn

__all__ = ["Kind", "ignored", "kind", "threshold"]

Kind: TypeAlias = Literal["classes", "logits", "probabilities", "squares", "distances"]
"""One output a class; logits or probabilities of yes; numbers whose squared error or distance counts."""

F = nn.functional
_MODULES: tuple[tuple[type[nn.Module], Kind], ...] = (
    (nn.CrossEntropyLoss, "classes"),
    (nn.NLLLoss, "classes"),
    (nn.MultiMarginLoss, "classes"),
    (nn.BCEWithLogitsLoss, "logits"),
    (nn.BCELoss, "probabilities"),
    (nn.MSELoss, "squares"),
    (nn.L1Loss, "distances"),
)
_FUNCTIONS: dict[Any, Kind] = {
    F.cross_entropy: "classes",
    F.nll_loss: "classes",
    F.multi_margin_loss: "classes",
    F.binary_cross_entropy_with_logits: "logits",
    F.binary_cross_entropy: "probabilities",
    F.mse_loss: "squares",
    F.l1_loss: "distances",
}


def kind(criterion: Any) -> Kind | None:
    """What kind of predictions a criterion of PyTorch compares; None for any other.

    >>> kind(nn.BCEWithLogitsLoss()), kind(F.cross_entropy), kind(print)
    ('logits', 'classes', None)
    """
    function = _bare(criterion)
    for module, found in _MODULES:
        if isinstance(function, module):
            return found
    try:
        return _FUNCTIONS.get(function)
    except TypeError:  # a criterion that cannot be hashed
        return None


def ignored(criterion: Any) -> int | None:
    """The target that a criterion leaves out (``ignore_index``), or None.

    >>> ignored(nn.CrossEntropyLoss(ignore_index=0)), ignored(F.nll_loss), ignored(nn.MSELoss())
    (0, -100, None)
    """
    if isinstance(criterion, functools.partial) and "ignore_index" in criterion.keywords:
        return int(criterion.keywords["ignore_index"])
    function = _bare(criterion)
    if function in (F.cross_entropy, F.nll_loss):
        return -100
    found = getattr(function, "ignore_index", None)
    return int(found) if isinstance(found, int) else None


def threshold(criterion: Any) -> float:
    """Above what an output means yes: 0 for logits, else 0.5."""
    return 0.0 if kind(criterion) == "logits" else 0.5


def _bare(criterion: Any) -> Any:
    while isinstance(criterion, functools.partial):
        criterion = criterion.func
    for within in ("_orig_mod", "__wrapped__"):  # of torch.compile, of functools.wraps
        criterion = getattr(criterion, within, criterion)
    return criterion
