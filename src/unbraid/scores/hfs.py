"""Hausdorff distance from a factorised support: does every pair of latents take all combinations of its values?

References:
    Roth, Ibrahim, Akata, Vincent and Bouchacourt, "Disentanglement of correlated factors via Hausdorff factorized
    support", ICLR 2023, arXiv:2210.07347.
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.errors import require_at_least
from unbraid.score import Codes, Factors, Score, score
from unbraid.seed import numpy_generator
from unbraid.types import Floats

__all__ = ["hfs"]


@score(
    highest=math.inf,
    direction="lower",
    reference="Roth et al., ICLR 2023, arXiv:2210.07347",
    citation=r"""@inproceedings{roth2023disentanglement,
  title = {Disentanglement of Correlated Factors via {Hausdorff} Factorized Support},
  author = {Roth, Karsten and Ibrahim, Mark and Akata, Zeynep and Vincent, Pascal and Bouchacourt, Diane},
  booktitle = {International Conference on Learning Representations},
  year = {2023}
}""",
)
def hfs(codes: Codes, factors: Factors = None, *, batch: int = 64, batches: int = 16, seed: int = 0) -> Score:
    r"""How far the combinations of two latents' values lie, at worst, from the codes there are; 0 when all occur.

    .. math:: \frac{2}{D (D - 1)} \sum_{i < j} \max_{a, b} \min_k \left( (z_{a i} - z_{k i})^2 +
        (z_{b j} - z_{k j})^2 \right)

    over the codes z of a batch, averaged over batches: the squared Hausdorff distance from the support that each pair
    of latents would have if it were a product to the one it has. Unlike independence this survives factors that are
    correlated in the data, as long as every combination occurs at all; and like it, it says nothing of use.

    Latents are brought to unit spread, and the mean over pairs is taken where the paper has the sum of raw codes, so
    that the value depends neither on their unit nor on their number. It falls with the size of a batch: compare only
    what was computed alike. A dead latent is left out; with fewer than two left the value is 0.

    Args:
        codes: ``(N, D)``.
        factors: Not looked at.
        batch: How many codes are compared at once, at least 2; all there are, when they are fewer.
        batches: How many batches are drawn, at least 1.
        seed: Draws the batches; at least 0.

    Returns:
        The mean distance in units of variance, at least 0; that of the worst pair of latents as the part ``widest``.

    Raises:
        InvalidData: When the codes are not finite numbers.
        InvalidOption: When an option is out of range.

    >>> grid = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    >>> print(hfs(grid), hfs(grid[:, [0, 0]]))
    hfs 0.000 (widest 0.000) hfs 4.000 (widest 4.000)
    """
    require_at_least(2, batch=batch)
    require_at_least(1, batches=batches)
    require_at_least(0, seed=seed)
    living = codes[:, np.ptp(codes, axis=0) > 0]
    if living.shape[1] < 2:
        return Score(0.0, {"widest": 0.0})
    scaled = living / np.abs(living).max(axis=0)
    scaled = scaled / scaled.std(axis=0)
    generator = numpy_generator(seed, "batches")
    size = min(batch, len(scaled))
    rounds = batches if size < len(scaled) else 1
    far = np.mean([_far(scaled[generator.choice(len(scaled), size, replace=False)]) for _ in range(rounds)], axis=0)
    return Score(float(far.mean()), {"widest": float(far.max())})


def _far(codes: Floats) -> Floats:
    """For every pair of columns, the worst squared distance of a combination of values from the nearest row."""
    apart = (codes.T[:, :, None] - codes.T[:, None, :]) ** 2
    pairs = [(i, j) for i in range(len(apart)) for j in range(i)]
    return np.array([(apart[i][:, None] + apart[j][None]).min(axis=2).max() for i, j in pairs])
