"""Codes of factors that are changed on purpose: whole traversals of one factor, and pairs that share or change one.

Everything is represented in one call, so that a representation drawn at random is drawn once, and a latent that is dead
(:mod:`unbraid.info.alive`) over all of it is set to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from unbraid.errors import InvalidData
from unbraid.info.alive import alive
from unbraid.types import FactorSpace, Floats, Integers

__all__ = ["Pairs", "free_factors", "living", "pairs", "traversals"]

Represent = Callable[[Integers], Floats]


class Pairs(NamedTuple):
    """Codes of samples and of their crossings.

    Args:
        first: Of samples, ``(n, D)``.
        second: Of samples drawn apart from the first, ``(n, D)``.
        crossed: Of the first with one factor taken from the second, ``(F, n, D)``: with the first they share all
            factors but one, with the second that one alone.
    """

    first: Floats
    second: Floats
    crossed: Floats


def living(codes: Floats) -> Floats:
    """The codes with dead latents as 0."""
    return np.where(alive(codes), codes, 0.0)


def free_factors(space: FactorSpace, *, least: int = 1) -> Integers:
    """The columns of the factors with more than one value.

    Raises:
        InvalidData: When there are fewer than ``least``.
    """
    columns = np.flatnonzero(np.array(space.sizes) > 1)
    if len(columns) < least:
        raise InvalidData(
            f"the space has {len(columns)} factors of more than one value, but this needs at least {least}: "
            "give a world in which more varies"
        )
    return columns


def traversals(
    represent: Represent, space: FactorSpace, count: int, generator: np.random.Generator
) -> dict[int, Floats]:
    """Codes along every factor: all its values in order, the others fixed to random values.

    Args:
        represent: From factor values ``(n, F)`` to codes ``(n, D)``.
        space: The factors; those of one value are passed over.
        count: How many traversals of each factor.
        generator: Draws the values that stay.

    Returns:
        For the column of each factor, ``(count, size, D)``.
    """
    columns = free_factors(space)
    blocks = []
    for column in columns:
        block = np.repeat(space.sample(count, generator)[:, None], space.sizes[column], axis=1)
        block[:, :, column] = np.arange(space.sizes[column])
        blocks.append(block.reshape(-1, len(space.sizes)))
    codes = np.split(living(represent(np.concatenate(blocks))), np.cumsum([len(block) for block in blocks])[:-1])
    return {int(f): part.reshape(count, space.sizes[f], -1) for f, part in zip(columns, codes, strict=True)}


def pairs(represent: Represent, space: FactorSpace, count: int, generator: np.random.Generator) -> Pairs:
    """Codes of pairs of samples and of what lies between: for the factors of more than one value.

    Args:
        represent: From factor values ``(n, F)`` to codes ``(n, D)``.
        space: The factors.
        count: How many pairs n.
        generator: Draws the samples.
    """
    columns = free_factors(space)
    first, second = space.sample(count, generator), space.sample(count, generator)
    crossed = np.repeat(first[None], len(columns), axis=0)
    for place, column in enumerate(columns):
        crossed[place, :, column] = second[:, column]
    codes = living(represent(np.concatenate([first, second, *crossed])))
    parts = codes.reshape(len(columns) + 2, count, -1)
    return Pairs(parts[0], parts[1], parts[2:])
