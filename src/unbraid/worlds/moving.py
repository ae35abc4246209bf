"""Moving, pictures of one kind after another that wander over a canvas.

References:
    Achille, Eccles, Matthey, Burgess, Watters, Lerchner and Higgins, "Life-long disentangled representation learning
    with cross-domain latent homologies", NeurIPS 2018, arXiv:1808.06508.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from unbraid import registry
from unbraid.draw.handwritten import Handwritten
from unbraid.draw.hashing import integers
from unbraid.draw.letters import CAPITAL, letters
from unbraid.draw.place import Tiles
from unbraid.errors import InvalidOption, require_at_least
from unbraid.types import Bytes, Factor, FactorSpace, numbers
from unbraid.world import World

__all__ = ["Moving"]

KINDS = ("letters", "digits", "fashion")
INVERTED = "inverted "
TEXT = "ABCDEFGHJK"
POSITIONS = 12
PART = 0.55
"""The side of a picture, in parts of the image's."""


class Moving(World):
    """One picture on black, somewhere; which kind of picture, and whether all is inverted, is the environment.

    The factors are ``environment``, ``class`` 10, ``x`` 12 and ``y`` 12 (the middle of the picture). Which of the
    pictures of its class an image shows is a nuisance: a function of the image's number and ``seed``.

    Args:
        environments: Of ``letters`` (A to K without I, in the fonts that come with matplotlib), ``digits`` (that come
            with scikit-learn), ``fashion`` (Fashion-MNIST, which must be there) and each of them ``inverted``, such as
            ``inverted digits``.
        size: Height and width in pixels, at least 16.
        folder: Where the files of Fashion-MNIST are, if not where Debian puts them.
        split: Of digits and garments: ``"train"`` or ``"test"``.
        seed: What the choice of pictures depends on besides the image's number, at least 0.

    Raises:
        InvalidOption: When an option is out of range.
        InvalidData: When Fashion-MNIST is asked for and is not there.

    >>> world = Moving()
    >>> world.space["environment"].values
    ('letters', 'digits', 'inverted letters')
    """

    citation = """@inproceedings{achille2018lifelong, author = {Achille, Alessandro and Eccles, Tom and Matthey, Loic
  and Burgess, Christopher P. and Watters, Nick and Lerchner, Alexander and Higgins, Irina}, title = {Life-Long
  Disentangled Representation Learning with Cross-Domain Latent Homologies}, booktitle = {Advances in Neural
  Information Processing Systems}, volume = {31}, year = {2018}}"""

    def __init__(
        self,
        *,
        environments: tuple[str, ...] = ("letters", "digits", "inverted letters"),
        size: int = 32,
        folder: str | None = None,
        split: Literal["train", "test"] = "train",
        seed: int = 0,
    ) -> None:
        require_at_least(16, size=size)
        require_at_least(0, seed=seed)
        kinds = [name.removeprefix(INVERTED) for name in environments]
        if not environments or not set(kinds) <= set(KINDS) or len(set(environments)) < len(environments):
            known = ", ".join(KINDS)
            raise InvalidOption(f"environments must be some of {known}, or inverted ones, but are {environments}")
        if split not in ("train", "test"):
            raise InvalidOption(f"split must be train or test, but is {split!r}")
        self.environments, self.size, self.folder, self.split, self.seed = environments, size, folder, split, seed
        self.shape = (1, size, size)
        middles = tuple(np.linspace(PART / 2, 1 - PART / 2, POSITIONS).round(9).tolist())
        self.space = FactorSpace(
            [
                Factor("environment", len(environments), "categorical", environments),
                Factor("class", 10, "categorical"),
                Factor("x", POSITIONS, "ordinal", middles),
                Factor("y", POSITIONS, "ordinal", middles),
            ]
        )
        made = {kind: self._pictures(kind) for kind in set(kinds)}
        self._kinds = [made[kind] for kind in kinds]
        self._inverted = np.array([name.startswith(INVERTED) for name in environments])
        self._middles = np.asarray(middles) * size

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, 1, size, size)``, unsigned bytes 0 .. 255."""
        index = numbers(indices)
        environment, label, x, y = self.factors(index).T
        images = np.zeros((len(index), *self.shape), dtype=np.uint8)
        for number, (tiles, members, side) in enumerate(self._kinds):
            rows = np.flatnonzero(environment == number)
            counts = np.array([len(some) for some in members])[label[rows]]
            drawn = integers(index[rows], 1, counts[:, None], seed=self.seed, purpose="pictures")[:, 0]
            which = np.array([members[k][n] for k, n in zip(label[rows], drawn, strict=True)], dtype=np.int64)
            if len(rows):
                places = self._middles[x[rows]], self._middles[y[rows]]
                images[rows, 0] = tiles.place(which, PART * self.size / side, *places, self.size)
        return np.where(self._inverted[environment][:, None, None, None], 255 - images, images)

    def _pictures(self, kind: str) -> tuple[Tiles, list[npt.NDArray[np.int64]], int]:
        """Pictures, the numbers of those of each class, and how many of their pixels are to be as wide as ``PART``."""
        if kind == "letters":
            drawn = letters(TEXT)
            pictures, label = drawn.reshape(-1, *drawn.shape[2:]), np.arange(10).repeat(drawn.shape[1])
            side = round(1.25 * CAPITAL)
        elif kind == "digits":
            digits = Handwritten(self.split)
            numbers = [digits.picture(k, np.arange(digits.counts[k])) for k in range(10)]
            return Tiles(digits.pictures), numbers, digits.pictures.shape[1]
        else:
            fashion = registry.load("worlds", "fashionmnist")(folder=self.folder, split=self.split)
            all_of_them = np.arange(len(fashion))
            pictures, label = fashion.images(all_of_them)[:, 0], fashion.factors(all_of_them)[:, 0]
            side = 28
        return Tiles(pictures), [np.flatnonzero(label == k) for k in range(10)], side
