"""Several images of one class: the supervision of class and content.

References:
    Jha, Anand, Singh and Veeravasarapu, "Disentangling factors of variation with cycle-consistent variational
    auto-encoders", ECCV 2018.
    Bouchacourt, Tomioka and Nowozin, "Multi-level variational autoencoder", AAAI 2018.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch

from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import FactorSpace, Integers
from unbraid.view import GroupBatch, View
from unbraid.views._lookup import Lookup, columns, names
from unbraid.world import World

__all__ = ["Classes"]


class Classes(View):
    """Groups of images that share their class and nothing else.

    The first image of a group is drawn as the world has them, the others likewise among those of its class; with
    replacement, so that a small class may show one image twice.

    Args:
        world: The world.
        batch_size: Groups in a batch, at least 1.
        seed: What the draw depends on besides the step, at least 0.
        factors: The factors that together are the class; by default the world's ``identity`` where it names some,
            else the factor called ``class`` or ``identity``, else the first categorical one.
        group: Images in a group, at least 1.
        balanced: Whether every class is as likely as any other, rather than as frequent as in the world.

    Attributes:
        classes: The factors that together are the class.

    Raises:
        UnknownName: When the world has no such factor.
        InvalidOption: When an option is out of range, or the world has no categorical factor and none is named.

    >>> from unbraid.worlds.digits import Digits
    >>> batch = Classes(Digits(), batch_size=8, group=3).batch(0)
    >>> batch.x.shape, batch.label.shape
    (torch.Size([8, 3, 1, 32, 32]), torch.Size([8]))
    """

    def __init__(
        self,
        world: World,
        *,
        batch_size: int = 64,
        seed: int = 0,
        factors: tuple[str, ...] = (),
        group: int = 2,
        balanced: bool = False,
    ) -> None:
        super().__init__(world, batch_size=batch_size, seed=seed)
        require_at_least(1, group=group)
        self.factors, self.group, self.balanced = names(factors), group, balanced
        chosen = columns(world.space, self.factors or _identity(world), "a class")
        self.classes = FactorSpace([world.space.all[column] for column in chosen])
        self._lookup = Lookup(world)

    def batch(self, step: int) -> GroupBatch:
        """``batch_size`` groups."""
        generator = self.generator(step)
        if self.balanced:
            label = generator.choice(self._drawn, self.batch_size)
            index = self._alike(label, self.group, generator)
        else:
            first = self.world.sample(self.batch_size, generator)
            label = self._lookup.keys(self.classes, first)
            index = np.column_stack([first, self._alike(label, self.group - 1, generator)])
        return GroupBatch(self.show(index), torch.from_numpy(index), torch.from_numpy(label), len(self.world))

    @cached_property
    def _drawn(self) -> Integers:
        return self._lookup.drawn(self.classes)

    def _alike(self, label: Integers, count: int, generator: np.random.Generator) -> Integers:
        """``count`` images of each class, ``(B, count)``."""
        return self._lookup.alike(self.classes, label.repeat(count), generator).reshape(len(label), count)


def _identity(world: World) -> tuple[str, ...]:
    """The factors that are the class where none is named."""
    said = getattr(world, "identity", ())
    if said and not isinstance(said, bool):  # of CelebA it is the option whether there is a factor of that name
        return names(said)
    for name in ("class", "identity"):
        if name in world.space.names:
            return (name,)
    found = [factor.name for factor in world.space if factor.kind == "categorical" and factor.size > 1]
    if not found:
        raise InvalidOption(
            f"no factor of {world.space} is a class: name one in factors ({', '.join(world.space.names)})"
        )
    return (found[0],)
