"""Total correlation: how far are the latents from independent, were they Gaussian? It needs no factors.

References:
    Watanabe, "Information theoretical analysis of multivariate correlation", IBM Journal of Research and Development 4,
    1960.
    Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations",
    ICML 2019, arXiv:1811.12359 (the Gaussian form and the Wasserstein correlation).
"""

from __future__ import annotations

import math

import numpy as np

from unbraid.score import Codes, Factors, Score, score

__all__ = ["totalcorrelation"]


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
def totalcorrelation(codes: Codes, factors: Factors = None) -> Score:
    r"""The total correlation of a Gaussian with the covariance of the codes, in nats, 0 when no two correlate.

    With :math:`\Sigma` the covariance and :math:`\Delta` its diagonal,

    .. math:: \mathrm{TC} = \tfrac12 \left( \log \det \Delta - \log \det \Sigma \right), \qquad
        W = 2 \, \mathrm{tr} \, \Sigma - 2 \, \mathrm{tr} \left( \Delta^{1/2} \Sigma \Delta^{1/2} \right)^{1/2}

    The part ``wasserstein`` is W, the squared Wasserstein distance to the Gaussian with the same margins and no
    correlation, in the codes' unit squared; ``wasserstein_normalised`` is W / tr Sigma, at most 2.

    Codes can be independent and useless: on noise all three are 0. A dead latent is left out. A latent that is a linear
    combination of others makes the total correlation infinite; it is cut off where double precision ends, at about 18
    nats for each such latent.

    Args:
        codes: ``(N, D)``.
        factors: Not looked at.

    Returns:
        The total correlation, at least 0; the parts ``wasserstein`` and ``wasserstein_normalised``.

    Raises:
        InvalidData: When the codes are not finite numbers, or a single sample.

    >>> codes = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    >>> print(totalcorrelation(codes))
    totalcorrelation 0.000 (wasserstein 0.000, wasserstein_normalised 0.000)
    """
    living = codes[:, np.ptp(codes, axis=0) > 0]
    if living.shape[1] < 2:
        return Score(0.0, {"wasserstein": 0.0, "wasserstein_normalised": 0.0})
    # Numbers near the ends of the range have no squares: W is found in the unit of the greatest deviation.
    unit = np.abs(living - living.mean(axis=0)).max()
    covariance = np.cov(living / unit, rowvar=False)
    deviation = np.sqrt(np.diag(covariance))
    scaled = living / living.std(axis=0)
    strengths = np.linalg.eigvalsh(np.corrcoef(scaled, rowvar=False))
    correlation = max(-0.5 * float(np.log(strengths.clip(min=np.finfo(np.float64).eps)).sum()), 0.0) + 0.0
    roots = np.sqrt(np.linalg.eigvalsh(covariance * np.outer(deviation, deviation)).clip(min=0.0))
    distance = max(2.0 * float(np.trace(covariance)) - 2.0 * float(roots.sum()), 0.0) + 0.0
    parts = {"wasserstein": distance * unit**2, "wasserstein_normalised": distance / float(np.trace(covariance))}
    return Score(correlation, {name: float(part) for name, part in parts.items()})
