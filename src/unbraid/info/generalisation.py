r"""What the information in weights says of samples that were never seen, and of activations.

References:
    McAllester, "A PAC-Bayesian tutorial with a dropout bound", 2013, arXiv:1307.2118.
    Maurer, "A note on the PAC Bayesian theorem", 2004, arXiv:cs/0411099 (the constant).
    Achille and Soatto, "Emergence of invariance and disentanglement in deep representations", JMLR 19(50), 2018,
    arXiv:1706.01350, section 5.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import rel_entr

from unbraid.errors import InvalidOption, require_at_least

__all__ = ["activation_bound", "pac_bayes_bound"]


def pac_bayes_bound(error: float, information: float, samples: int, *, confidence: float = 0.95) -> float:
    r"""The greatest test error that is consistent with a training error and what the weights hold.

    .. math:: \mathrm{kl}(\hat e \,\|\, e) \le \frac{\mathrm{KL}(q(w) \,\|\, p(w)) + \log (2 \sqrt N / \delta)}{N}

    for errors that are expectations over noisy weights, under a prior that does not depend on the data.

    Args:
        error: :math:`\hat e`, the share of wrong answers on the training samples, 0 .. 1.
        information: KL(q || p), in nats, at least 0.
        samples: N, at least 1.
        confidence: :math:`1 - \delta`, above 0 and below 1.

    Returns:
        The bound, from ``error`` to 1.

    >>> round(pac_bayes_bound(0.02, 500.0, 10_000), 3)
    0.1
    """
    require_at_least(0, error=error, information=information)
    require_at_least(1, samples=samples)
    if error > 1 or not 0 < confidence < 1:
        raise InvalidOption(f"error must lie in 0 .. 1 and confidence between, but they are {error}, {confidence}")
    budget = (information + math.log(2 * math.sqrt(samples) / (1 - confidence))) / samples

    def excess(rate: float) -> float:
        return float(rel_entr(error, rate) + rel_entr(1 - error, 1 - rate)) - budget

    top = 1 - 1e-12
    return 1.0 if error >= top or excess(top) <= 0 else float(brentq(excess, error, top))


def activation_bound(information_per_weight: float) -> float:
    r"""The most that a unit of a layer can tell, by what each of its weights holds of the data, in nats.

    .. math:: \frac{I(x; z) + \mathrm{TC}(z)}{\dim z} \le g(\alpha) + 1, \qquad
              g(\alpha) = -\tfrac12 \log (1 - e^{-\alpha}), \qquad \alpha = e^{-I(w; \mathcal D) / \dim w}

    for one layer :math:`z = W x` with log-normal noise; g alone is what is there at the least. Weights that hold little
    let little through, whatever the input: an invariant representation follows from few bits in the weights.

    Args:
        information_per_weight: :math:`I(w; \mathcal D) / \dim w`, in nats, at least 0.

    >>> [round(activation_bound(nats), 2) for nats in (0.0, 1.0, 3.0)]
    [1.23, 1.59, 2.51]
    """
    require_at_least(0, information_per_weight=information_per_weight)
    return float(-0.5 * np.log(-np.expm1(-math.exp(-information_per_weight)))) + 1
