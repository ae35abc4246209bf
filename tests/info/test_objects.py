"""Masks against masks, against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from unbraid.errors import InvalidData
from unbraid.info.objects import adjusted_rand, overlaps, owners, paired

GENERATOR = torch.Generator().manual_seed(0)
LABELS = torch.randint(0, 4, (20, 8, 8), generator=GENERATOR)
TRUTH = torch.nn.functional.one_hot(LABELS, 4).permute(0, 3, 1, 2)[:, 1:].bool()
"""Three objects, and a background."""
SAID = torch.where(torch.rand(20, 8, 8, generator=GENERATOR) < 0.6, LABELS, torch.randint(0, 4, (20, 8, 8)))
FOUND = torch.nn.functional.one_hot(SAID, 4).permute(0, 3, 1, 2)[:, 1:].bool()


def test_the_index_is_the_usual_one_over_the_pixels_of_objects() -> None:
    for index, said, labels in zip(adjusted_rand(FOUND, TRUTH), SAID, LABELS, strict=True):
        assert float(index) == pytest.approx(adjusted_rand_score(labels[labels > 0], said[labels > 0]), abs=1e-5)


def test_the_index_does_not_know_the_order_of_entities_and_is_one_for_the_truth() -> None:
    assert torch.allclose(adjusted_rand(FOUND.flip(1), TRUTH), adjusted_rand(FOUND, TRUTH))
    assert torch.equal(adjusted_rand(TRUTH.flip(1), TRUTH), torch.ones(20))


def test_one_object_found_as_one_is_right_found_as_two_is_not_and_none_has_no_number() -> None:
    one = torch.ones(1, 1, 2, 2, dtype=torch.bool)
    halves = torch.tensor([[[1, 1], [0, 0]], [[0, 0], [1, 1]]], dtype=torch.bool)[None]
    assert adjusted_rand(one, one).tolist() == [1]
    assert adjusted_rand(halves, one).tolist() == [0]
    assert adjusted_rand(one, ~one).isnan().all()


def test_a_pixel_belongs_to_the_greatest_mask_or_to_nobody() -> None:
    masks = torch.tensor([[[0.2, 0.0, 0.5]], [[0.3, 0.0, 0.1]]])[None]
    assert owners(masks).int().tolist() == [[[[0, 0, 1]], [[1, 0, 0]]]]


def test_overlaps_are_those_of_sets() -> None:
    found, truth = (x[3, 1].flatten().numpy() for x in (FOUND, TRUTH))
    expected = (found & truth).sum() / (found | truth).sum()
    assert float(overlaps(FOUND, TRUTH)[3, 1, 1]) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(4, 3), (2, 4), (3, 3)])
def test_pairings_are_the_best_there_are(shape: tuple[int, int]) -> None:
    matrix = torch.rand(30, *shape, generator=GENERATOR)
    entity, kept = paired(matrix)
    for one, which, values in zip(matrix.numpy(), entity, kept, strict=True):
        rows, columns = linear_sum_assignment(one, maximize=True)
        assert float(values.sum()) == pytest.approx(one[rows, columns].sum(), rel=1e-5)
        used = which[which >= 0].tolist()
        assert len(set(used)) == len(used) == min(shape)
        assert np.allclose(values[which >= 0], one[used, np.flatnonzero(which >= 0)])


def test_what_meets_nothing_has_no_partner_and_too_many_are_refused() -> None:
    assert paired(torch.zeros(1, 2, 2))[0].tolist() == [[-1, -1]]
    with pytest.raises(InvalidData, match="at most 6"):
        paired(torch.zeros(1, 7, 2))
