"""What a score is: a function of codes and factors (or of a :class:`Sampler`) that gives a :class:`Score`.

A score never sees a model. Every one declares its range, its direction, what it needs and where it comes from with the
decorator :func:`score`, which also checks the arrays it is given.

Two rules hold for every score. A dead latent (:mod:`unbraid.info.alive`) carries nothing: it is seen as 0, weighs
nothing and is named in ``settings["dead_latents"]``. A factor with a single value has nothing to be known: it is left
out and named in ``settings["constant_factors"]``. Neither ever gives NaN.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, ParamSpec, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from unbraid.errors import InvalidData
from unbraid.info.alive import alive
from unbraid.seed import numpy_generator
from unbraid.types import FactorSpace, Floats, Integers

__all__ = [
    "Codes",
    "Declaration",
    "Factors",
    "Pool",
    "Sampler",
    "Score",
    "Scorer",
    "as_codes",
    "as_factors",
    "hold_out",
    "score",
    "varying",
]

P = ParamSpec("P")

ARRAYS = ("codes", "factors", "test", "sampler", "divergences")
"""The arguments of scores that are data, not settings."""

Codes: TypeAlias = Any
"""Codes as a score accepts them: numbers ``(N, D)`` in numpy, torch or nested lists; its body sees float64 arrays."""
Factors: TypeAlias = Any
"""Factors as a score accepts them: value indices ``(N, F)``, likewise; its body sees int64 arrays."""


@dataclass(frozen=True)
class Score:
    """The result of a score.

    Args:
        value: The headline number.
        parts: Named numbers it is made of; the part of one factor is called by its column, ``"0"``, ``"1"``, ...
        matrix: What it was computed from, latents x factors, or None.
        settings: Every setting, sample size and seed that the value depends on.
        name: Which score it is.
        bounds: What the same score with the same settings says of codes that are known to be good or bad, by name
            (``"random"``, ``"rotated"``, ``"perfect"``); empty when nobody asked.
        interval: Between which two numbers the value lay in 95 % of the repeated measurements; None without repeats.
    """

    value: float
    parts: Mapping[str, float] = field(default_factory=dict)
    matrix: Floats | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    bounds: Mapping[str, float] = field(default_factory=dict)
    interval: tuple[float, float] | None = None

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in self.parts.items())
        return f"{self.name} {self.value:.3f}" + (f" ({parts})" if parts else "")

    def named(self, factors: Sequence[str]) -> Score:
        """The same score with the parts of single factors called by the factors' names.

        >>> Score(0.5, {"0": 0.25, "1": 0.75}, name="mig").named(["shape", "scale"]).parts
        {'shape': 0.25, 'scale': 0.75}
        """
        names = {str(column): name for column, name in enumerate(factors)}
        return replace(self, parts={names.get(part, part): value for part, value in self.parts.items()})

    def to_dict(self) -> dict[str, Any]:
        """The score as plain numbers, lists and text, ready for JSON."""
        matrix = None if self.matrix is None else self.matrix.tolist()
        plain = {"value": self.value, "parts": dict(self.parts), "matrix": matrix, "settings": dict(self.settings)}
        if self.bounds:
            plain["bounds"] = dict(self.bounds)
        if self.interval is not None:
            plain["interval"] = list(self.interval)
        return plain


@dataclass(frozen=True)
class Sampler:
    """What a score that intervenes may ask: codes for any factor values.

    Args:
        space: The factors.
        represent: Any function from factor values ``(n, F)`` to codes ``(n, D)``.
        matrices: What a model that acts on its codes does to them, a matrix for each of its actions, ``(A, D, D)``.
        infer: Which action such a model takes to lead from the first factor values to the second, ``(n, F)`` twice to
            ``(n,)``.
        images: From factor values ``(n, F)`` to images ``(n, C, H, W)``, where there are some.
        decode: From codes ``(n, D)`` to images, where there is a decoder.
        seen: Which factor values the model was fitted to, ``(n, F)`` to bools ``(n,)``, where it was not to all. Scores
            of actions then fit matrices where a state and all that a step leads to were seen, and judge them on steps
            from the other states.
        moving: The factors that the actions step which the model has seen, where it has; else all that can. Scores of
            actions are of these unless they are asked for others.
        mirrored: Those that such actions mirror too.
    """

    space: FactorSpace
    represent: Callable[[Integers], Floats]
    matrices: Floats | None = field(default=None, kw_only=True)
    infer: Callable[[Integers, Integers], Integers] | None = field(default=None, kw_only=True)
    images: Callable[[Integers], npt.NDArray[Any]] | None = field(default=None, kw_only=True)
    decode: Callable[[Floats], npt.NDArray[Any]] | None = field(default=None, kw_only=True)
    seen: Callable[[Integers], npt.NDArray[np.bool_]] | None = field(default=None, kw_only=True)
    moving: tuple[str, ...] = field(default=(), kw_only=True)
    mirrored: tuple[str, ...] = field(default=(), kw_only=True)

    def codes(self, count: int, generator: np.random.Generator) -> Floats:
        """Codes of ``count`` samples, ``(count, D)``."""
        return as_codes(self.represent(self.space.sample(count, generator)), "the sampler's codes")

    def alike(self, columns: Integers, size: int, generator: np.random.Generator) -> Floats:
        """Codes of groups that share one factor and differ in all others at random.

        Args:
            columns: Which factor each group shares, ``(n,)``.
            size: Samples in a group.
            generator: Draws the values.

        Returns:
            ``(n, size, D)``.
        """
        groups, rows = len(columns), np.arange(len(columns))
        values = self.space.sample(groups * size, generator).reshape(groups, size, -1)
        values[rows, :, columns] = values[rows, :1, columns]
        codes = as_codes(self.represent(values.reshape(groups * size, -1)), "the sampler's codes")
        return codes.reshape(groups, size, -1)


@dataclass(frozen=True)
class Pool(Sampler):
    """A sampler that draws from codes at hand, for collected images and to encode nothing twice.

    Groups that share a factor are drawn, with replacement, from the samples at hand that share it: with ten thousand of
    them scores agree with those that draw from the whole world within their own spread. Single samples of given factors
    are still asked of ``represent``.

    Args:
        space: The factors.
        represent: As for :class:`Sampler`.
        pool: The codes at hand, ``(N, D)``.
        factors: Their factors, ``(N, F)``.
    """

    pool: Floats
    factors: Integers

    def codes(self, count: int, generator: np.random.Generator) -> Floats:
        """Codes of ``count`` samples, ``(count, D)``."""
        return np.take(self.pool, generator.integers(0, len(self.pool), count), axis=0)

    def alike(self, columns: Integers, size: int, generator: np.random.Generator) -> Floats:
        """Codes of groups that share one factor, as of :meth:`Sampler.alike`; values of a single sample are left out.

        Raises:
            InvalidData: When no value of a factor has two samples.
        """
        rows = np.empty((len(columns), size), dtype=np.int64)
        for column in np.unique(columns).tolist():
            order, starts, counts = self._alike[column]
            several = np.flatnonzero(counts > 1)
            if len(several) == 0:
                name = self.space.names[column]
                raise InvalidData(f"no two of the {len(self.pool)} samples share a value of factor {name}: give more")
            groups = np.flatnonzero(columns == column)
            value = generator.choice(several, len(groups))[:, None]
            rows[groups] = np.take(order, starts[value] + generator.integers(0, counts[value], (len(groups), size)))
        return np.take(self.pool, rows, axis=0)  # by an index it takes five times as long

    @cached_property
    def _alike(self) -> list[tuple[Integers, Integers, Integers]]:
        """For each factor the samples in the order of its values, where each value begins, and how often it occurs."""
        tables = []
        for column in self.factors.T:
            counts = np.unique(column, return_counts=True)[1]
            tables.append((np.argsort(column, kind="stable"), np.cumsum(counts) - counts, counts))
        return tables


@dataclass(frozen=True)
class Declaration:
    """What a score says of itself.

    Args:
        lowest: The least possible value.
        highest: The greatest possible value.
        direction: Whether ``"higher"`` or ``"lower"`` is better.
        needs: ``"codes"`` for ``(codes, factors)``, ``"sampler"`` for a :class:`Sampler`, ``"runs"`` for a list of
            codes of the same samples by several models.
        reference: Where it was published.
        citation: BibTeX of that.
    """

    lowest: float
    highest: float
    direction: Literal["higher", "lower"]
    needs: Literal["codes", "sampler", "runs"]
    reference: str
    citation: str = ""


class Scorer(Protocol[P]):
    """A declared score: the function as it was written, and what it says of itself."""

    declaration: Declaration
    __name__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Score:
        """Compute the score."""


def score(
    *,
    lowest: float = 0.0,
    highest: float = 1.0,
    direction: Literal["higher", "lower"] = "higher",
    needs: Literal["codes", "sampler", "runs"] = "codes",
    reference: str,
    citation: str = "",
) -> Callable[[Callable[P, Score]], Scorer[P]]:
    """Declare a function to be a score; the arguments are those of :class:`Declaration`.

    The decorated function receives checked arrays (float64 codes ``(N, D)``, int64 factors ``(N, F)``, and the same for
    ``test``) in which dead latents are 0, and its result carries its name and every keyword setting, defaults included.
    A score that looks at codes alone has None as the default of its factors.
    """

    def declare(function: Callable[P, Score]) -> Scorer[P]:
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
                given["test"] = _checked_test(given["test"], given["codes"], given["factors"])
                settings["test_samples"] = len(given["test"][0])
            if needs == "codes":
                settings["dead_latents"] = _without_dead(given)
            settings |= {k: v for k, v in given.items() if k not in ARRAYS}
            result = function(*bound.args, **bound.kwargs)
            return replace(result, settings=settings | dict(result.settings), name=function.__name__)

        declared = cast("Scorer[P]", checked)
        declared.declaration = Declaration(lowest, highest, direction, needs, reference, citation)
        return declared

    return declare


def hold_out(
    codes: Floats, factors: Integers, test: tuple[Floats, Integers] | None, *, seed: int
) -> tuple[Floats, Integers, Floats, Integers]:
    """What to fit a predictor on and what to judge it by: codes, factors, test codes, test factors.

    Without ``test``, a third of the samples (rounded down), drawn by the seed, is held out.

    Raises:
        InvalidData: When there are too few samples to hold any out.
    """
    if test is not None:
        return codes, factors, *test
    held = len(codes) // 3
    if held == 0:
        raise InvalidData(
            f"a third of the samples is held out for testing, which takes at least 3, but there are {len(codes)}: "
            "give more, or test=(codes, factors)"
        )
    order = numpy_generator(seed, "hold out").permutation(len(codes))
    kept, tested = order[held:], order[:held]
    return codes[kept], factors[kept], codes[tested], factors[tested]


def varying(factors: Integers) -> Integers:
    """The columns of the factors that take more than one value: nothing can be learned or said of the others.

    Raises:
        InvalidData: When there is none.
    """
    columns = np.flatnonzero(factors.min(axis=0) < factors.max(axis=0))
    if len(columns) == 0:
        raise InvalidData(
            f"every factor has one value in the {len(factors)} samples learned from: there is nothing to measure; "
            "give samples in which a factor varies"
        )
    return columns


def as_codes(codes: Any, what: str = "codes") -> Floats:
    """Codes as float64 ``(N, D)`` from numpy, torch or nested lists.

    Raises:
        InvalidData: When they are not two-dimensional, are empty, or hold NaN, infinity or numbers beyond 1e100.
    """
    array = np.asarray(codes.detach().cpu() if hasattr(codes, "detach") else codes, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise InvalidData(f"{what} must be (samples, latents), both at least 1, but have shape {array.shape}")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(axis=1).sum())
        raise InvalidData(f"{what} must be finite, but {bad} of {len(array)} rows hold NaN or infinity")
    if np.abs(array).max() > 1e100:
        raise InvalidData(f"{what} must be at most 1e100 in size for their squares to be finite: scale them down")
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


def _without_dead(given: dict[str, Any]) -> list[int]:
    """Set dead latents to 0, in the test samples too, and say which they are."""
    living = alive(given["codes"])
    if not living.all():
        given["codes"] = np.where(living, given["codes"], 0.0)
        if given.get("test") is not None:
            given["test"] = np.where(living, given["test"][0], 0.0), given["test"][1]
    return np.flatnonzero(~living).tolist()


def _checked_pair(codes: Any, factors: Any, what: str) -> tuple[Floats, Any]:
    codes = as_codes(codes, what)
    if factors is None:
        return codes, None
    factors = as_factors(factors, what.replace("codes", "factors"))
    if len(codes) != len(factors):
        raise InvalidData(
            f"{what} have {len(codes)} rows but the factors {len(factors)}: they must describe the same samples"
        )
    return codes, factors


def _checked_test(test: Any, codes: Floats, factors: Integers) -> tuple[Floats, Integers]:
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise InvalidData(f"test must be a pair (codes, factors), but is of type {type(test).__name__}")
    test_codes, test_factors = _checked_pair(test[0], test[1], "the test codes")
    for what, given, expected in (("latents", test_codes, codes), ("factors", test_factors, factors)):
        if given.shape[1] != expected.shape[1]:
            raise InvalidData(f"test has {given.shape[1]} {what}, but what is learned from has {expected.shape[1]}")
    return test_codes, test_factors
