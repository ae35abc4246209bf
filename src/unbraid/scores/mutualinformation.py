"""The mutual information of latents with one another. It needs no factors.

References:
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359.
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.discrete import discretise, mutual_information
from unbraid.score import Codes, Factors, Score, score

__all__ = ["mutualinformation"]


@score(
    highest=math.inf,
    direction="lower",
    reference="Locatello et al., ICML 2019, arXiv:1811.12359",
    citation=r"""@inproceedings{locatello2019challenging,
  title = {Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations},
  author = {Locatello, Francesco and Bauer, Stefan and Lucic, Mario and R{\"a}tsch, Gunnar and Gelly, Sylvain and
    Sch{\"o}lkopf, Bernhard and Bachem, Olivier},
  booktitle = {International Conference on Machine Learning},
  year = {2019}
}""",
)
def mutualinformation(codes: Codes, factors: Factors = None, *, bins: int = 20, count_dead: bool = False) -> Score:
    r"""What two latents share on average, in nats; 0 when any two are independent, and for a single latent.

    .. math:: \frac{1}{D (D - 1)} \sum_{d \ne d'} I(z_d; z_{d'})

    with latents in bins of equal width. Independent latents share a little by chance, about
    :math:`(\text{bins} - 1)^2 / 2N`.

    Args:
        codes: ``(N, D)``.
        factors: Not looked at.
        bins: How many bins a latent is cut into, at least 2.
        count_dead: Whether pairs with a dead latent count as 0 in the mean, as in the reference, rather than not at
            all.

    Returns:
        The mean information, from 0 to log(bins).

    Raises:
        InvalidData: When the codes are not finite numbers.
        InvalidOption: When ``bins`` is below 2.

    >>> codes = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    >>> print(mutualinformation(codes))  # log 2
    mutualinformation 0.693
    """
    require_at_least(2, bins=bins)
    counted = codes if count_dead else codes[:, np.ptp(codes, axis=0) > 0]
    latents = counted.shape[1]
    if latents < 2:
        return Score(0.0)
    cut = discretise(counted, bins)
    # Each pair once; it is as much one way as the other.
    pairs = [mutual_information(cut[:, d : d + 1], cut[:, d + 1 :]).sum() for d in range(latents - 1)]
    return Score(2.0 * float(np.sum(pairs)) / (latents * (latents - 1)))
