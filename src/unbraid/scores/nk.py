"""Neuron knockout: how much of each factor is lost with the one latent that knows it best?

References:
    Mahon, Shah and Lukasiewicz, "Correcting flaws in common disentanglement metrics", TMLR 2024, arXiv:2304.02335.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.forest import Reader, answer
from unbraid.info.neurons import aligned
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.seed import numpy_generator

__all__ = ["nk"]


@score(
    reference="Mahon et al., TMLR 2024, arXiv:2304.02335",
    citation=r"""@article{mahon2024correcting,
  title = {Correcting Flaws in Common Disentanglement Metrics},
  author = {Mahon, Louis and Sha, Lei and Lukasiewicz, Thomas},
  journal = {Transactions on Machine Learning Research},
  year = {2024}
}""",
)
def nk(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    predictor: Reader = "forest",
    train: int = 1000,
    seed: int = 0,
) -> Score:
    r"""Neuron knockout: by how much the accuracy on a factor falls when its own latent is taken away.

    .. math:: \frac1F \sum_f \max \left( 0, \; P(\hat y_f(z) = v_f) - P(\hat y_f(z_{\setminus \pi(f)}) = v_f) \right)

    with the latents :math:`\pi(f)` matched to factors as for single-neuron classification. A factor that can be read
    from other latents as well loses nothing, however well its own latent knows it; that is what single-neuron
    classification cannot see. One latent a factor has 1 less chance.

    A factor with a single value in the samples learned from is left out and named in ``settings["constant_factors"]``;
    a factor for which no latent is left loses nothing. The reference trains networks; :mod:`unbraid.info.forest` says
    what stands for them here.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out.
        predictor: ``"forest"`` for randomised trees, ``"lightgbm"`` or ``"original"`` for boosted ones,
            ``"logistic"`` for logistic regression.
        train: From how many of the samples at most a predictor learns, at least 2.
        seed: Draws the samples held out, and is that of the predictor; at least 0.

    Returns:
        The mean fall in [0, 1]; that of each factor, and the mean accuracy of all latents, ``accuracy``, as parts.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.random.default_rng(0).integers(0, 4, size=(600, 2))
    >>> float(nk(factors, factors)) > 0.6, float(nk(np.hstack([factors, factors]), factors))
    (True, 0.0)
    """
    require_at_least(2, train=train)
    require_at_least(0, seed=seed)
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)
    own, _ = aligned(codes, factors[:, columns])
    chosen = numpy_generator(seed, "learned").permutation(len(codes))[:train]
    learned, values = codes[chosen], factors[chosen]
    falls, whole = np.zeros(len(columns)), np.zeros(len(columns))
    for place, f in enumerate(columns):
        named = answer(learned, values[:, f], test_codes, predictor=predictor, seed=seed)
        whole[place] = np.mean(named == test_factors[:, f])
        if place in own:
            # A latent set to 0 is as good as gone, and leaves something to learn from when it was the only one.
            keep = np.arange(codes.shape[1]) != own[place]
            named = answer(learned * keep, values[:, f], test_codes * keep, predictor=predictor, seed=seed)
            falls[place] = max(0.0, whole[place] - float(np.mean(named == test_factors[:, f])))
    parts = {str(column): float(fall) for column, fall in zip(columns, falls, strict=True)}
    parts["accuracy"] = float(whole.mean())
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    return Score(float(falls.mean()), parts, None, settings)
