"""Synthetic representations whose virtue is known: what a score says of them says what the score measures.

References:
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (a rotation of the latents that leaves the model of the data as it was).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from unbraid.seed import numpy_generator
from unbraid.types import Floats, Integers

__all__ = ["REPRESENTATIONS", "representation"]

LATENTS = 10
"""Latents of every representation of up to ten factors; those that carry nothing have a spread of 0.01."""

Maker = Callable[[Floats, np.random.Generator], Floats]


def representation(name: str, factors: Integers, *, sizes: Sequence[int] | None = None, seed: int = 0) -> Floats:
    """A synthetic representation of some factors.

    Args:
        name: One of :data:`REPRESENTATIONS`.
        factors: Value indices, ``(N, F)``.
        sizes: How many values each factor has. Factors are brought to mean 0 and spread 1 as if uniform over those,
            so that a row's code depends on that row and on the noise alone; without sizes as they are in the samples.
        seed: Of its randomness, at least 0.

    Returns:
        Codes, ``(N, max(10, F + 1))``.

    Raises:
        KeyError: When there is none of that name.

    >>> representation("perfect", np.array([[0], [1]])).shape
    (2, 10)
    """
    if sizes is None:
        centre, spread = factors.mean(axis=0), factors.std(axis=0)
    else:
        values = np.asarray(sizes, dtype=np.float64)
        centre, spread = (values - 1) / 2, np.sqrt((values**2 - 1) / 12)
    sources = (factors - centre) / np.where(spread > 0, spread, 1)
    return REPRESENTATIONS[name](sources, numpy_generator(seed, f"representation {name}"))


def _filled(carrying: Floats, generator: np.random.Generator, factors: int) -> Floats:
    """Latents that carry nothing besides those that carry something."""
    latents = max(LATENTS, factors + 1)
    return np.hstack([carrying, 0.01 * generator.standard_normal((len(carrying), max(0, latents - carrying.shape[1])))])


def _perfect(sources: Floats, generator: np.random.Generator) -> Floats:
    return _filled(sources, generator, sources.shape[1])


def _permuted(sources: Floats, generator: np.random.Generator) -> Floats:
    latents = max(LATENTS, sources.shape[1] + 1)
    # Before the noise, whose length would decide about the order.
    signs, order = generator.choice([-1.0, 1.0], latents), generator.permutation(latents)
    return np.asarray((_perfect(sources, generator) * signs)[:, order])


def _warped(sources: Floats, generator: np.random.Generator) -> Floats:
    return _perfect(np.sinh(1.5 * sources), generator)


def _noisy(sources: Floats, generator: np.random.Generator) -> Floats:
    count, width = len(sources), max(LATENTS, sources.shape[1] + 1) - sources.shape[1]
    noisy = sources + 0.5 * generator.standard_normal(sources.shape)
    return np.hstack([noisy, generator.standard_normal((count, width))])


def _periodic(sources: Floats, generator: np.random.Generator) -> Floats:
    """The factor of most values on a circle, as its cosine and sine; the others one latent each."""
    turning = int(np.argmax([len(np.unique(column)) for column in sources.T]))
    values, inverse = np.unique(sources[:, turning], return_inverse=True)
    angle = 2 * np.pi * inverse / len(values)
    circle = np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _filled(np.hstack([np.delete(sources, turning, axis=1), circle]), generator, sources.shape[1])


def _duplicated(sources: Floats, generator: np.random.Generator) -> Floats:
    return _filled(np.hstack([sources, sources[:, -1:]]), generator, sources.shape[1])


def _merged(sources: Floats, generator: np.random.Generator) -> Floats:
    """The first two factors in one latent, from which both can be read."""
    if sources.shape[1] < 2:
        return _perfect(sources, generator)
    steps = [np.unique(column, return_inverse=True)[1] for column in sources.T[:2]]
    together = steps[0] * (steps[1].max() + 1.0) + steps[1]
    # By how many values there are and not by how often each is here, so that a row's code is its own.
    count = (steps[0].max() + 1.0) * (steps[1].max() + 1.0)
    together = (together - (count - 1) / 2) / np.sqrt(max(count**2 - 1, 1.0) / 12)
    return _filled(np.hstack([together[:, None], sources[:, 2:]]), generator, sources.shape[1])


def _rotated(sources: Floats, generator: np.random.Generator) -> Floats:
    """Neighbouring factors turned into one another by 45 degrees, two by two; an odd last one stays."""
    codes = sources.copy()
    for first in range(0, sources.shape[1] - 1, 2):
        a, b = sources[:, first], sources[:, first + 1]
        codes[:, first], codes[:, first + 1] = (a + b) / np.sqrt(2), (a - b) / np.sqrt(2)
    return _filled(codes, generator, sources.shape[1])


def _mixed(sources: Floats, generator: np.random.Generator) -> Floats:
    latents = max(LATENTS, sources.shape[1] + 1)
    mixture = generator.standard_normal((sources.shape[1], latents)) / np.sqrt(sources.shape[1])
    return np.asarray(sources @ mixture + 0.1 * generator.standard_normal((len(sources), latents)))


def _random(sources: Floats, generator: np.random.Generator) -> Floats:
    return generator.standard_normal((len(sources), max(LATENTS, sources.shape[1] + 1)))


def _dead(sources: Floats, generator: np.random.Generator) -> Floats:
    """The last three factors one latent each, every other latent exactly 0."""
    codes = np.zeros((len(sources), max(LATENTS, sources.shape[1] + 1)))
    codes[:, : min(3, sources.shape[1])] = sources[:, -3:]
    return codes


def _all_dead(sources: Floats, generator: np.random.Generator) -> Floats:
    return np.zeros((len(sources), max(LATENTS, sources.shape[1] + 1)))


REPRESENTATIONS: Mapping[str, Maker] = {
    "perfect": _perfect,
    "permuted": _permuted,
    "warped": _warped,
    "periodic": _periodic,
    "duplicated": _duplicated,
    "merged": _merged,
    "noisy": _noisy,
    "rotated": _rotated,
    "mixed": _mixed,
    "dead": _dead,
    "all dead": _all_dead,
    "random": _random,
}
"""By name, from the best to none at all: one latent a factor (perfect; permuted and flipped; warped by sinh), a circle
for the factor of most values, one factor twice, two factors in one latent, noise of half the spread, pairs turned by 45
degrees, a random linear mixture, three latents alive, none alive, pure noise."""
