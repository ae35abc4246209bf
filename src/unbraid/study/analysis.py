"""What the runs of a study say together.

How much of a score's variance goes with what, which scores agree, and what can be known without labels.

References:
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359, sections 5.2 to 5.5.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError
from scipy.stats import rankdata

from unbraid.errors import UnbraidError
from unbraid.runs import folder
from unbraid.scores.udr import udr
from unbraid.study.results import Row
from unbraid.study.store import Store
from unbraid.study.work import CELLS
from unbraid.types import Floats

__all__ = ["UNSUPERVISED", "agreement", "explained", "supervised", "unsupervised", "with_method", "with_udr"]

UNSUPERVISED = ("udr", "elbo", "loss.reconstruction", "kl", "totalcorrelation", "mutualinformation")
"""What is known of a run without labels; higher is not better for all of them."""

Table = list[dict[str, Any]]


def supervised(table: Table, scores: Sequence[str]) -> list[str]:
    """The scores that compare codes with factors, of those that every run has."""
    names = scores if list(scores) != ["all"] else sorted({n for row in table for n in row if "." not in n})
    skip = {*UNSUPERVISED, "loss", "seconds", "steps", "seed"}
    return [name for name in names if name not in skip and table and all(_number(row.get(name)) for row in table)]


def unsupervised(table: Table) -> list[str]:
    """What of :data:`UNSUPERVISED` every run has."""
    return [name for name in UNSUPERVISED if table and all(_number(row.get(name)) for row in table)]


def explained(values: Sequence[float], *groups: Sequence[Hashable]) -> list[float]:
    r"""How much of the variance of ``values`` goes with each grouping, each finer than the one before.

    The share that goes with the first grouping is :math:`\eta^2`, the variance of the groups' means over the whole
    variance; each further one gets what it adds, and the last entry is what is left within the finest groups: the seed.

    Args:
        values: One a run.
        groups: To which group each run belongs, coarse to fine.

    Returns:
        One share a grouping and one for the rest, together 1; all 0 where nothing varies.

    >>> explained([1.0, 1.0, 3.0, 3.0], ["a", "a", "b", "b"])
    [1.0, 0.0]
    """
    y = np.asarray(values, dtype=np.float64)
    total = float(np.square(y - y.mean()).sum())
    if total <= 0:
        return [0.0] * (len(groups) + 1)
    shares, before = [], 0.0
    key: list[tuple[Hashable, ...]] = [()] * len(y)
    for group in groups:
        key = [(*known, one) for known, one in zip(key, group, strict=True)]
        fitted = np.empty(len(y))
        for one in dict.fromkeys(key):
            members = [i for i, other in enumerate(key) if other == one]
            fitted[members] = y[members].mean()
        between = float(np.square(fitted - y.mean()).sum()) / total
        shares.append(between - before)
        before = between
    return [*shares, 1.0 - before]


def agreement(table: Table, rows: Sequence[str], columns: Sequence[str]) -> Floats:
    """Spearman's rank correlation over all runs, ``(len(rows), len(columns))``; 0 with what never varies."""
    ranks = {name: rankdata([float(row[name]) for row in table]) for name in {*rows, *columns}}
    spread = {name: rank.std() for name, rank in ranks.items()}
    found = np.zeros((len(rows), len(columns)))
    for i, a in enumerate(rows):
        for j, b in enumerate(columns):
            if spread[a] > 0 and spread[b] > 0:
                covariance = np.mean((ranks[a] - ranks[a].mean()) * (ranks[b] - ranks[b].mean()))
                found[i, j] = covariance / (spread[a] * spread[b])
    return found


def with_method(table: Table) -> Table:
    """The same with ``"method"``: the model, and those of its settings that are words and not always the same.

    Two variants of a model are two methods; two strengths of it are one.

    >>> rows = [{"model": "dipvae", "options": f"variant={v} weight={w}"} for v in ("i", "ii") for w in (1, 5)]
    >>> [row["method"] for row in with_method(rows)]
    ['dipvae i', 'dipvae i', 'dipvae ii', 'dipvae ii']
    """
    said: dict[str, list[set[str]]] = {}
    for row in table:
        said.setdefault(row["model"], []).append(set(row["options"].split()))
    common = {model: set.intersection(*settings) for model, settings in said.items()}
    found = []
    for row in table:
        own = [word.partition("=")[2] for word in row["options"].split() if word not in common[row["model"]]]
        found.append({**row, "method": " ".join([row["model"], *(word for word in own if _word(word))])})
    return found


def with_udr(found: Sequence[Row], root: str | Path) -> Table:
    """The finished runs as columns by name, with ``"udr"`` where runs of other seeds are there to compare with.

    It compares the codes that ``evaluate`` kept, which are of the same images for every run of a world.
    """
    done = [row for row in found if row.state == "done"]
    table = [row.flat() for row in done]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i, row in enumerate(table):
        alike = {k: v for k, v in row.items() if k.startswith(("world", "view", "fit")) or k in ("model", "options")}
        groups.setdefault((*alike.items(), row["steps"]), []).append(i)
    store = Store(root)
    for members in groups.values():
        if len(members) < 3:  # of two, neither is the median's
            continue
        codes = [_codes(store, done[i].cell.key) for i in members]
        if any(of is None for of in codes):
            continue
        with suppress(UnbraidError):
            result = udr([of for of in codes if of is not None])
            for number, i in enumerate(members):
                table[i]["udr"] = result.parts[f"run {number}"]
    return table


def _codes(store: Store, key: str, rows: int = 1000) -> Floats | None:
    content = store.read(f"{CELLS}/{key}/{folder.CODES}")
    if content is None:
        return None
    try:
        return np.asarray(safetensors.numpy.load(content)["codes"][:rows], dtype=np.float64)
    except (SafetensorError, KeyError):
        return None


def _word(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return True
    return False


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))
