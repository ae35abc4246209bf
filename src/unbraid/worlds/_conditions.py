"""Conditions on factors, read from text: ``shape=heart,x>=0.5; scale=1``.

A comma means *and*, a semicolon *or*; ``|`` stands between values of which any will do.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidOption, nearest
from unbraid.types import Factor, FactorSpace, Floats

__all__ = ["Choice", "parsed"]

Choice: TypeAlias = npt.NDArray[np.bool_]

TEST = re.compile(r"\s*([^<>=!|]+?)\s*(<=|>=|!=|==|=|<|>)\s*([^<>=!]+?)\s*")

MANY = 12
"""With more values than these, only those like the one given are shown."""


def parsed(leave: str, space: FactorSpace) -> list[dict[int, Choice]]:
    """For each alternative, which values of each factor that it names (by column) meet it.

    Raises:
        UnknownName: When there is no such factor.
        InvalidOption: When the text cannot be read, or no value meets it.
    """
    clauses = []
    for alternative in leave.split(";") if leave.strip() else []:
        clause: dict[int, Choice] = {}
        for test in alternative.split(","):
            read = TEST.fullmatch(test)
            if not read:
                raise InvalidOption(
                    f"leave must be as 'shape=2,x>=0.5' or '...; ...', but has the part {test.strip()!r}"
                )
            name, sign, value = read.groups()
            column = space.position(name)
            both = clause.get(column, True) & _meeting(space.all[column], sign, value)
            if not both.any():
                raise InvalidOption(f"no value of {name!r} meets {alternative.strip()!r}: {_known(space.all[column])}")
            clause[column] = both
        clauses.append(clause)
    return clauses


def _meeting(factor: Factor, sign: str, text: str) -> Choice:
    """Which of a factor's values meet a comparison."""
    if sign in ("=", "==", "!="):
        equal = np.any([_equal(factor, one.strip()) for one in text.split("|")], axis=0)
        return np.asarray(~equal if sign == "!=" else equal)
    values = _numeric(factor)
    if values is None:
        raise InvalidOption(f"{factor.name!r} has values without an order, and can only be compared by = and !=")
    number = _number(text)
    if number is None:
        raise InvalidOption(f"{factor.name!r} must be compared with one number, but is with {text!r}")
    # What is equal but for rounding is equal.
    near = np.abs(values - number) <= _rounding(values)
    beyond = (values > number) & ~near if ">" in sign else (values < number) & ~near
    return np.asarray(beyond | near if "=" in sign else beyond)


def _equal(factor: Factor, text: str) -> Choice:
    """Where a factor's value is the one given: by name, by number, or by place where values have names."""
    values, number = _numeric(factor), _number(text)
    if values is not None:
        met = np.zeros(factor.size, dtype=bool) if number is None else np.abs(values - number) <= _rounding(values)
    else:
        met = np.array([str(value) == text for value in factor.values])
        if not met.any() and number is not None:
            met = np.arange(factor.size) == number
    if not met.any():
        raise InvalidOption(f"{factor.name!r} has no value {text!r}: {_known(factor, text)}")
    return np.asarray(met)


def _numeric(factor: Factor) -> Floats | None:
    """A factor's values, where all are numbers."""
    if any(isinstance(value, str) for value in factor.values):
        return None
    return np.asarray(factor.values, dtype=np.float64)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _rounding(values: Floats) -> float:
    """By how much a typed number may miss a value: a hundredth of the smallest step."""
    steps = np.diff(np.unique(values))
    return float(steps.min()) / 100 if len(steps) else 1e-9


def _known(factor: Factor, text: str = "") -> str:
    """What could have been said instead."""
    values, number = _numeric(factor), _number(text)
    if values is None:
        names = [str(value) for value in factor.values]
        few = names if len(names) <= MANY else nearest(text, names) or [*names[:MANY], "..."]
        return f"it has {', '.join(few)}"
    if number is None:
        return f"it runs from {values.min():g} to {values.max():g}"
    close = values[np.argsort(np.abs(values - number), kind="stable")[:2]]
    return f"nearest are {' and '.join(f'{value:g}' for value in np.sort(close))}"
