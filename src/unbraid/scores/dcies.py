"""DCI-ES: how small a predictor suffices to read each factor, and how many latents there are for it.

References:
    Eastwood, Nicolicioiu, von Kügelgen, Kekić, Träuble, Dittadi and Schölkopf, "DCI-ES: an extended disentanglement
    framework with connections to identifiability", ICLR 2023, arXiv:2210.00364.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import require_at_least
from unbraid.info.depths import errors_by_depth
from unbraid.score import Codes, Factors, Score, hold_out, score, varying
from unbraid.types import Floats

__all__ = ["dcies"]


@score(
    lowest=-1.0,
    reference="Eastwood et al., ICLR 2023, arXiv:2210.00364",
    citation=r"""@inproceedings{eastwood2023dcies,
  title = {{DCI-ES}: An Extended Disentanglement Framework with Connections to Identifiability},
  author = {Eastwood, Cian and Nicolicioiu, Andrei Liviu and von K{\"u}gelgen, Julius and Keki{\'c}, Armin
    and Tr{\"a}uble, Frederik and Dittadi, Andrea and Sch{\"o}lkopf, Bernhard},
  booktitle = {International Conference on Learning Representations},
  year = {2023}
}""",
)
def dcies(
    codes: Codes,
    factors: Factors,
    *,
    test: tuple[Codes, Factors] | None = None,
    depth: int = 12,
    seed: int = 0,
) -> Score:
    r"""The E and S of DCI-ES: explicitness, the ease of reading each factor, and size, factors for each latent.

    The loss of probes of growing capacity, decision trees of depth 0 to K, is a falling curve
    :math:`\ell_0 \ge \dots \ge \ell_K`: the share of test samples named wrongly, as a share of what naming the
    commonest value would get wrong, never more than at a smaller depth. With the area between the curve and a floor,

    .. math:: E = \frac1F \sum_f \left( 1 - \frac2K \sum_{k=1}^{K} \left( \tfrac{\ell_{k-1} + \ell_k}{2} -
        \ell^\ast \right) \right)

    1 when the smallest probe does all, 0 when the loss falls evenly, -1 when no probe gets anywhere. The paper's
    floor :math:`\ell^\ast` is the least loss that the probes reach, so that noise, whose curve is flat, is perfectly
    explicit; that form is the part ``explicitness``. The value takes the floor 0. The paper has three families of
    probes, of which forests of bounded depth come nearest to the single trees here, which cost a hundredth.

    A factor with a single value in the samples learned from is left out and named in ``settings["constant_factors"]``;
    a latent that does not vary is no part of the size.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        test: Codes ``(M, D)`` and factors ``(M, F)`` to judge by; by default a third is held out.
        depth: The greatest depth K, at least 1.
        seed: Draws the samples held out, and decides between equally good splits; at least 0.

    Returns:
        The mean in [-1, 1]; that of each factor, ``explicitness`` with the paper's floor, ``informativeness`` (1 less
        the least loss) and ``size`` (factors over latents that vary, 0 when none does) as parts.

    Raises:
        InvalidData: When the arrays do not fit together, are too few, or no factor varies.
        InvalidOption: When ``depth`` is below 1.

    >>> factors = np.random.default_rng(0).integers(0, 2, size=(300, 2))
    >>> print(dcies(factors, factors))
    dcies 0.917 (0 0.917, 1 0.917, explicitness 0.917, informativeness 1.000, size 1.000)
    """
    require_at_least(1, depth=depth)
    require_at_least(0, seed=seed)
    codes, factors, test_codes, test_factors = hold_out(codes, factors, test, seed=seed)
    columns = varying(factors)
    curves = np.stack(
        [
            _curve(errors_by_depth(codes, factors[:, f], test_codes, test_factors[:, f], depth=depth, seed=seed))
            for f in columns
        ]
    )
    area = ((curves[:, :-1] + curves[:, 1:]) / 2).mean(axis=1)
    each = 1.0 - 2.0 * area
    alive = int((np.ptp(codes, axis=0) > 0).sum())
    parts = {str(column): float(value) for column, value in zip(columns, each, strict=True)}
    parts["explicitness"] = float((each + 2.0 * curves[:, -1]).mean())
    parts["informativeness"] = float(1.0 - curves[:, -1].mean())
    parts["size"] = len(columns) / alive if alive else 0.0
    settings = {
        "train_samples": len(codes),
        "test_samples": len(test_codes),
        "constant_factors": np.setdiff1d(np.arange(factors.shape[1]), columns).tolist(),
    }
    return Score(float(each.mean()), parts, None, settings)


def _curve(errors: Floats) -> Floats:
    """Errors by capacity as shares of the first, each the least so far; all 1 when the first is 0 already."""
    return np.minimum.accumulate(errors) / errors[0] if errors[0] > 0 else np.ones_like(errors)
