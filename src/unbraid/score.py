"""What a score is: a function of codes and factors (or of a :class:`Sampler`) that gives a :class:`Score`.

A score never sees a model. Every one declares its range, its direction, what it needs and where it comes from with the
decorator :func:`score`, which also checks the arrays it is given.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, ParamSpec

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["Declaration", "Sampler", "Score", "as_codes", "as_factors", "score"]

P = ParamSpec("P")


@dataclass(frozen=True)
class Score:
    """The result of a score.

    Args:
        value: The headline number.
        parts: Named numbers it is made of (per factor, or other readings).
        matrix: What it was computed from, latents x factors, or None.
        settings: Every setting, sample size and seed that the value depends on.
        name: Which score it is.
    """

    value: float
    parts: Mapping[str, float] = field(default_factory=dict)
    matrix: Floats | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in self.parts.items())
        return f"{self.name} {self.value:.3f}" + (f" ({parts})" if parts else "")

    def to_dict(self) -> dict[str, Any]:
        """The score as plain numbers, lists and text, ready for JSON."""
        matrix = None if self.matrix is None else self.matrix.tolist()
        return {"value": self.value, "parts": dict(self.parts), "matrix": matrix, "settings": dict(self.settings)}


@dataclass(frozen=True)
class Sampler:
    """What a score that intervenes may ask: codes for any factor values.

    Args:
        space: The factors.
        represent: Any function from factor values ``(n, F)`` to codes ``(n, D)``.
    """

    space: FactorSpace
    represent: Callable[[Integers], Floats]


@dataclass(frozen=True)
class Declaration:
    """What a score says of itself.

    Args:
        lowest: The least possible value.
        highest: The greatest possible value.
        direction: Whether ``"higher"`` or ``"lower"`` is better.
        needs: ``"codes"`` for ``(codes, factors)``, ``"sampler"`` for a :class:`Sampler`.
        reference: Where it was published.
        citation: BibTeX of that.
    """

    lowest: float
    highest: float
    direction: Literal["higher", "lower"]
    needs: Literal["codes", "sampler"]
    reference: str
    citation: str = ""


def score(
    *,
    lowest: float = 0.0,
    highest: float = 1.0,
    direction: Literal["higher", "lower"] = "higher",
    needs: Literal["codes", "sampler"] = "codes",
    reference: str,
    citation: str = "",
) -> Callable[[Callable[P, Score]], Callable[P, Score]]:
    """Declare a function to be a score; the arguments are those of :class:`Declaration`.

    The decorated function receives checked arrays (float64 codes ``(N, D)``, int64 factors ``(N, F)``), and its result
    carries its name and every keyword setting, defaults included.
    """

    def declare(function: Callable[P, Score]) -> Callable[P, Score]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> Score:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            given = bound.arguments
            settings: dict[str, Any] = {}
            if needs == "codes":
                given["codes"], given["factors"] = _checked_pair(given["codes"], given["factors"], "the codes")
                settings["samples"] = len(given["codes"])
            if given.get("test") is not None:
                test_codes, test_factors = given["test"]
                given["test"] = _checked_pair(test_codes, test_factors, "the test codes")
                settings["test_samples"] = len(given["test"][0])
            settings |= {k: v for k, v in given.items() if k not in ("codes", "factors", "test", "sampler")}
            result = function(*bound.args, **bound.kwargs)
            return Score(result.value, result.parts, result.matrix, settings | dict(result.settings), function.__name__)

        checked.declaration = Declaration(lowest, highest, direction, needs, reference, citation)  # type: ignore[attr-defined]
        return checked

    return declare


def as_codes(codes: Any, what: str = "codes") -> Floats:
    """Codes as float64 ``(N, D)`` from numpy, torch or nested lists.

    Raises:
        InvalidData: When they are not two-dimensional, are empty, or hold NaN or infinity.
    """
    array = np.asarray(codes.detach().cpu() if hasattr(codes, "detach") else codes, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise InvalidData(f"{what} must be (samples, latents), both at least 1, but have shape {array.shape}")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(axis=1).sum())
        raise InvalidData(f"{what} must be finite, but {bad} of {len(array)} rows hold NaN or infinity")
    return array


def as_factors(factors: Any, what: str = "factors") -> Integers:
    """Factors as int64 ``(N, F)`` from numpy, torch or nested lists.

    Raises:
        InvalidData: When they are not two-dimensional, are empty, or hold anything but whole numbers.
    """
    array: npt.NDArray[Any] = np.asarray(factors.detach().cpu() if hasattr(factors, "detach") else factors)
    if array.ndim != 2 or 0 in array.shape:
        raise InvalidData(f"{what} must be (samples, factors), both at least 1, but have shape {array.shape}")
    whole = np.asarray(array, dtype=np.int64) if np.isfinite(array.astype(np.float64)).all() else None
    if whole is None or not np.array_equal(whole, array):
        raise InvalidData(f"{what} must be whole numbers (value indices): bin continuous factors first")
    return whole


def _checked_pair(codes: Any, factors: Any, what: str) -> tuple[Floats, Integers]:
    codes, factors = as_codes(codes, what), as_factors(factors, what.replace("codes", "factors"))
    if len(codes) != len(factors):
        raise InvalidData(
            f"{what} have {len(codes)} rows but the factors {len(factors)}: they must describe the same samples"
        )
    return codes, factors
