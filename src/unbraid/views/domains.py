"""Two heaps of images and no pairs: what translation between domains learns from.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from unbraid import registry
from unbraid.draw.hashing import uniforms
from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Integers
from unbraid.view import DomainBatch, View, shown
from unbraid.views._lookup import TRIES, Lookup
from unbraid.world import World

__all__ = ["Domains"]


class Domains(View):
    """Images of two domains, drawn independently of one another, so that no pair is ever given away.

    The domains are the two values of a factor, or two worlds. Where a content exists in both (a garment and its
    outline), ``disjoint`` gives every content to one of the domains: half of them, chosen by the seed, are only ever
    seen in the first, the others only in the second. Contents are known where the worlds draw every combination of
    (the same) factors: all factors but the domain make the content; and where worlds have ``content(indices)``, a
    number that an image shares with its counterpart and with nothing else. In other worlds there are no counterparts.

    Args:
        world: The world.
        batch_size: Images of each domain in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.
        factor: The factor of two values that tells the domain; not used where there is a second world.
        other: The world that is the second domain, or its name.
        disjoint: Whether a content is seen in one of the domains only.

    Raises:
        UnknownName: When there is no such world.
        InvalidOption: When the world has no such factor or it has not two values, or shapes differ.

    >>> from unbraid.worlds.sprites import Sprites
    >>> batch = Domains(Sprites(), batch_size=8, other="sprites").batch(0)
    >>> batch.x.shape, batch.other.shape
    (torch.Size([8, 1, 64, 64]), torch.Size([8, 1, 64, 64]))
    """

    def __init__(
        self,
        world: World,
        *,
        batch_size: int = 64,
        seed: int = 0,
        factor: str = "domain",
        other: str | World | None = None,
        disjoint: bool = True,
    ) -> None:
        super().__init__(world, batch_size=batch_size, seed=seed)
        self.factor, self.other, self.disjoint = factor, other, disjoint
        second = _made(other) if isinstance(other, str) else world if other is None else other
        self._column = None if other is not None else _column(world, factor)
        if tuple(second.shape) != tuple(world.shape):
            raise InvalidOption(
                f"the images of two domains need one shape, but theirs are {world.shape} and {second.shape}"
            )
        self._worlds: tuple[World, World] = (world, second)
        numbered = all(hasattr(one, "content") for one in self._worlds)
        drawn = all(Lookup(one).whole for one in self._worlds) and world.space == second.space
        self._shared = disjoint and (numbered or drawn)

    def batch(self, step: int) -> DomainBatch:
        """``batch_size`` images of each domain."""
        generator = self.generator(step)
        first, second = (self._drawn(domain, generator) for domain in (0, 1))
        one, two = self._worlds
        if one is two:  # both at once: half of what drawing takes is to begin
            x, other = self.show(np.stack([first, second]))
        else:
            x, other = shown(one, first), shown(two, second)
        return DomainBatch(x, other, torch.from_numpy(first), torch.from_numpy(second), len(self.world))

    def _drawn(self, domain: int, generator: np.random.Generator) -> Integers:
        """``batch_size`` numbers of one domain, as its world draws them."""
        world, found = self._worlds[domain], np.empty(0, dtype=np.int64)
        for _ in range(TRIES):
            drawn = world.sample(4 * self.batch_size, generator)
            found = np.concatenate([found, drawn[self._belongs(domain, drawn)]])
            if len(found) >= self.batch_size:
                return found[: self.batch_size]
        raise InvalidData(
            f"domain {domain} of {type(world).__name__} is almost empty: only {len(found):,} images of it came in "
            f"{4 * TRIES * self.batch_size:,} draws; with few contents, disjoint=False may help"
        )

    def _belongs(self, domain: int, index: Integers) -> npt.NDArray[np.bool_]:
        """Which images may be seen in a domain."""
        world: Any = self._worlds[domain]
        factors = world.factors(index)
        kept = np.ones(len(index), dtype=bool)
        if self._column is not None:
            kept = factors[:, self._column] == domain
            factors[:, self._column] = 0
        if self._shared:
            content = world.content(index) if hasattr(world, "content") else world.space.index(factors)
            half = uniforms(content, 1, seed=self.seed, purpose="domains")[:, 0] < 0.5
            kept &= half == bool(domain)
        return kept


def _column(world: World, factor: str) -> int:
    if factor not in world.space.names or world.space[factor].size != 2:
        two = [one.name for one in world.space if one.size == 2]
        raise InvalidOption(
            f"domains need a factor of two values, which {factor!r} of {world.space} is not: "
            f"{'choose factor among ' + ', '.join(two) + ', or ' if two else ''}give a second world as other"
        )
    return world.space.position(factor)


def _made(name: str) -> World:
    cls = registry.load("worlds", name)
    needed = [p for p, parameter in registry.parameters(cls).items() if parameter.default is parameter.empty]
    if needed:
        raise InvalidOption(f"the world {name} needs {', '.join(needed)}: make it yourself and give it as other")
    made: World = cls()
    return made
