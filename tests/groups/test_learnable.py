"""Matrices that learn to act can become what they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unbraid.errors import InvalidOption
from unbraid.groups import Blocks, Cyclic, Exponentials, Free, Product, Rotations
from unbraid.groups.learnable import REPRESENTATIONS, Learnable

GROUP = Product(Cyclic(5), Cyclic(7))
STEPS = np.array([[1.0, 0.0], [4.0, 0.0], [0.0, 1.0], [0.0, 6.0]])
TRUE = torch.from_numpy(GROUP.matrices(STEPS)).float()


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_kind_learns_the_steps_of_two_circles(name: str) -> None:
    torch.manual_seed(0)
    learnable: Learnable = REPRESENTATIONS[name](4, 4)
    assert learnable().shape == (4, 4, 4)
    before = (learnable() - TRUE).square().sum()
    optimiser = torch.optim.Adam(learnable.parameters(), 0.05)
    for _ in range(300):
        optimiser.zero_grad()
        (learnable() - TRUE).square().sum().backward()
        optimiser.step()
    assert (learnable() - TRUE).square().sum() < 1e-3 < before


@pytest.mark.parametrize("made", [lambda: Rotations(6, 8), lambda: Exponentials(3, 5)])
def test_rotations_and_exponentials_are_orthogonal_whatever_their_parameters(made) -> None:
    learnable = made()
    for parameter in learnable.parameters():
        parameter.data.normal_(std=3)
    matrices = learnable()
    assert torch.allclose(matrices @ matrices.mT, torch.eye(learnable.dimension), atol=1e-5)
    assert torch.allclose(torch.linalg.det(matrices), torch.ones(len(matrices)), atol=1e-5)


@pytest.mark.parametrize("cls", [Rotations, Blocks])
def test_actions_of_a_plane_leave_all_other_latents_alone(cls) -> None:
    matrices = cls(6, 7)()
    for action, matrix in enumerate(matrices):
        rest = [i for i in range(7) if i // 2 != action // 2]
        assert torch.equal(matrix[rest], torch.eye(7)[rest])
        assert torch.equal(matrix[:, rest], torch.eye(7)[:, rest])
        assert not torch.equal(matrix, torch.eye(7))


def test_angles_of_a_plane_begin_with_both_signs_and_away_from_zero() -> None:
    angle = Rotations(8, 8, least=0.5, most=1.0).angle.detach()
    assert (angle.sign() == torch.tensor([1.0, -1, 1, -1, 1, -1, 1, -1])).all()
    assert (angle.abs() >= 0.5).all()


@pytest.mark.parametrize(("cls", "actions", "dimension"), [(Rotations, 5, 4), (Blocks, 3, 3), (Free, 0, 4)])
def test_actions_that_cannot_be_shared_out_are_refused(cls, actions: int, dimension: int) -> None:
    with pytest.raises(InvalidOption, match=r"need at least 4|need at least 6|at least 1"):
        cls(actions, dimension)
