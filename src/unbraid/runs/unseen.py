"""What is known of a model without labels: its loss on images, pairs or groups that it is not fitted to.

References:
    Locatello, Poole, Rätsch, Schölkopf, Bachem and Tschannen, "Weakly-supervised disentanglement without
    compromises", ICML 2020, arXiv:2002.02886, section 5.4.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from unbraid.model import Model

__all__ = ["UNSEEN", "terms", "unseen"]

UNSEEN = 1_000_003
"""The seed of batches that no run is fitted to: the same for all runs, so that these can be compared."""


def terms(model: Model, batch: Any, step: int) -> dict[str, float]:
    """Every term of the loss of a model's first player as ``loss.<term>``, and their sum as ``loss``, in nats.

    Args:
        model: The model.
        batch: What it is shown.
        step: At which a schedule of the model is looked up.
    """
    players = list(model.players())
    found = model.loss(batch, step, *([players[0]] if len(players) > 1 else []))
    return {f"loss.{name}": float(value) for name, value in found.items()} | {"loss": float(found.total())}


def unseen(model: Model, batches: Iterable[Any], step: int) -> dict[str, float]:
    """The mean of every term of the loss over some batches, with the same noise whoever asks.

    Of models of pairs these are the weakly-supervised reconstruction and bound: runs are chosen by them without labels.

    Args:
        model: The model; it is asked as it is, in training or evaluating.
        batches: At least one, all of one size.
        step: At which a schedule of the model is looked up.
    """
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        rows = [terms(model, batch, step) for batch in batches]
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}
