"""Total AUROC difference: is each factor detected by one latent, and by no other?

References:
    Yeats, Liu, Womble and Li, "NashAE: disentangling representations through adversarial covariance minimization",
    ECCV 2022, arXiv:2209.10677.
"""

from __future__ import annotations

import numpy as np

from unbraid.errors import InvalidOption
from unbraid.info.discrete import entropy, mutual_information
from unbraid.info.importance import gaps
from unbraid.info.ranking import concordance
from unbraid.score import Codes, Factors, Score, score, varying

__all__ = ["tad"]


@score(
    reference="Yeats et al., ECCV 2022, arXiv:2209.10677",
    citation=r"""@inproceedings{yeats2022nashae,
  title = {NashAE: Disentangling Representations through Adversarial Covariance Minimization},
  author = {Yeats, Eric and Liu, Frank and Womble, David and Li, Hai},
  booktitle = {European Conference on Computer Vision},
  year = {2022}
}""",
)
def tad(codes: Codes, factors: Factors, *, captured: float = 0.75, redundant: float = 0.2) -> Score:
    r"""Total AUROC difference: by how much the latent that detects a factor best beats the second best.

    With A the area under the ROC curve of a latent as a detector of an attribute, in the better direction, over the
    attributes f whose best is at least ``captured``:

    .. math:: \mathrm{TAD} = \sum_f \left( A_{(1) f} - A_{(2) f} \right), \qquad \mathrm{value} = \frac{2}{F}
        \mathrm{TAD}

    The paper has attributes of two values, and reports the sum, which depends on how many there are; the value here is
    1 when every factor has a latent to itself and all others are at chance. For factors of more values, whose order is
    taken to mean something, the area becomes the share of pairs in order. As in the paper, a factor that another factor
    tells more than the share ``redundant`` of is left out of the sum; it is named in ``settings["redundant_factors"]``,
    and one with a single value in ``settings["constant_factors"]``. With a single latent the second best is chance.

    Args:
        codes: ``(N, D)``.
        factors: Value indices, ``(N, F)``.
        captured: The least area for a factor to count, in [0.5, 1].
        redundant: The most that another factor may tell of one, as a share of its entropy, in [0, 1]; 1 keeps all.

    Returns:
        The value in [0, 1]; the difference of each factor, the sum as ``total`` and the number of factors captured as
        ``captured`` in the parts; the areas, latents x factors, as the matrix, 0.5 where nothing varies.

    Raises:
        InvalidData: When the arrays do not fit together, or no factor varies.
        InvalidOption: When an option is out of range.

    >>> factors = np.stack(np.meshgrid(np.arange(2), np.arange(2)), axis=-1).reshape(-1, 2)
    >>> print(tad(factors, factors))
    tad 1.000 (0 0.500, 1 0.500, total 1.000, captured 2.000)
    """
    if not 0.5 <= captured <= 1 or not 0 <= redundant <= 1:
        raise InvalidOption(
            f"captured must lie in [0.5, 1] and redundant in [0, 1], but are {captured} and {redundant}"
        )
    columns = varying(factors)
    area = concordance(codes, factors[:, columns])
    told = mutual_information(factors[:, columns], factors[:, columns]) / entropy(factors)[columns]
    np.fill_diagonal(told, 0.0)
    own = told.max(axis=0) <= redundant
    counted = own & (area.max(axis=0) >= captured)
    ahead = np.where(counted, gaps(area - 0.5), 0.0)
    parts = {str(column): float(difference) for column, difference in zip(columns, ahead, strict=True)}
    parts |= {"total": float(ahead.sum()), "captured": float(counted.sum())}
    matrix = np.full((codes.shape[1], factors.shape[1]), 0.5)
    matrix[:, columns] = area
    constant = np.setdiff1d(np.arange(factors.shape[1]), columns).tolist()
    settings = {"constant_factors": constant, "redundant_factors": columns[~own].tolist()}
    return Score(float(np.clip(2.0 * ahead.sum() / max(int(own.sum()), 1), 0.0, 1.0)), parts, matrix, settings)
