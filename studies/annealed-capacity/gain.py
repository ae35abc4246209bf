"""What a fourth latent could gain on sprites of 32 x 32 pixels: nats of the best picture that knows only some factors.

The best picture of images that are alike in what is known is their mean; what it costs is the cross-entropy between the
two, summed over pixels. ``python studies/annealed-capacity/gain.py`` takes two seconds.
"""

from __future__ import annotations

import numpy as np

from unbraid.types import Floats
from unbraid.worlds.smaller import Smaller

KNOWN = ("", "scale", "scale, shape", "scale, orientation", "scale, shape, orientation")
"""Besides the place."""
AXES = ("shape", "scale", "orientation")
LEFT = {"all": slice(None), "less than a quarter turn": np.s_[:, :, :10], "ellipses": np.s_[1:2]}
"""Of the images by shape, scale and orientation."""


def cost(images: Floats, known: str) -> float:
    """The mean cross-entropy of images, ``(shape, scale, orientation, pixels)``, under the mean of those alike."""
    unknown = tuple(i for i, name in enumerate(AXES) if name not in known)
    mean = images.mean(axis=unknown, keepdims=True).clip(1e-6, 1 - 1e-6)
    return float(-(images * np.log(mean) + (1 - images) * np.log1p(-mean)).sum(axis=-1).mean())


def main() -> None:
    """Print a row for what is known, a column for each choice of sprites, all in the middle."""
    world = Smaller(of="sprites", side=32)
    factors = np.stack(np.meshgrid(*(np.arange(world.space[name].size) for name in AXES), [15], [15], indexing="ij"))
    images = world.images(world.index(factors.reshape(5, -1).T)).reshape(*factors.shape[1:4], -1) / 255
    print("| known besides the place |", " | ".join(LEFT), "|")
    print("| --- |" + " --- |" * len(LEFT))
    for known in KNOWN:
        print(
            f"| {known or 'nothing'} |", " | ".join(f"{cost(images[kept], known):.1f}" for kept in LEFT.values()), "|"
        )


if __name__ == "__main__":
    main()
