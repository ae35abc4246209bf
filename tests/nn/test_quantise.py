"""Quantisation against loops over every number."""

from __future__ import annotations

import pytest
import torch

from unbraid.nn.quantise import nearest_value, nearest_vector, rounded, straight_through


def test_what_passes_straight_through_is_quantised_to_the_last_bit_and_keeps_the_gradient() -> None:
    z = torch.randn(50, 3, requires_grad=True)
    quantised = torch.randn(50, 3, requires_grad=True)
    passed = straight_through(z, quantised)
    assert torch.equal(passed, quantised)
    weights = torch.randn(50, 3)
    (weights * passed).sum().backward()
    assert torch.equal(z.grad, weights)  # type: ignore[arg-type]
    assert quantised.grad is None


def test_the_nearest_value_is_found_in_each_latents_own_codebook_in_any_order() -> None:
    z, values = torch.randn(40, 3), torch.randn(3, 5)
    expected = [[min(values[j].tolist(), key=lambda v, n=n: abs(v - n)) for j, n in enumerate(row)] for row in z]
    assert torch.equal(nearest_value(z, values), torch.tensor(expected))


def test_the_nearest_vector_is_found_near_and_far_from_the_origin() -> None:
    z, vectors = torch.randn(6, 4, 2), torch.randn(7, 2)
    for shift in (0.0, 1000.0):
        far, moved = z + shift, vectors + shift
        expected = [
            [min(moved, key=lambda v, p=p: float((v.double() - p.double()).norm())) for p in row] for row in far
        ]
        assert torch.equal(nearest_vector(far, moved), torch.stack([torch.stack(row) for row in expected]))


def test_a_codebook_feels_only_the_values_that_were_taken_and_the_input_feels_nothing() -> None:
    z = torch.tensor([[0.1, 0.9], [0.2, 0.8]], requires_grad=True)
    values = torch.tensor([[0.0, 1.0], [0.0, 1.0]], requires_grad=True)
    nearest_value(z, values).sum().backward()
    assert torch.equal(values.grad, torch.tensor([[2.0, 0.0], [0.0, 2.0]]))  # type: ignore[arg-type]
    assert z.grad is None


@pytest.mark.parametrize("levels", [2, 3, 8, 11])
def test_rounded_numbers_are_the_nearest_of_evenly_spaced_levels_from_minus_one_to_one(levels: int) -> None:
    grid = torch.linspace(-1, 1, levels)
    z = torch.linspace(-1, 1, 998).requires_grad_()
    answer = rounded(z, levels)
    assert answer.unique().tolist() == pytest.approx(grid.tolist(), abs=1e-6)
    assert answer.min() == -1
    assert answer.max() == 1
    assert (answer - z).abs().max() <= 1 / (levels - 1) + 1e-6
    answer.sum().backward()
    assert torch.equal(z.grad, torch.ones(998))  # type: ignore[arg-type]
