"""Judges: they learn what is to be seen, and nothing else."""

from __future__ import annotations

import pytest
import torch

from unbraid.nn.judge import Answers, Judge, explained, reader


def fitted(x: torch.Tensor, label: torch.Tensor, style: torch.Tensor) -> Judge:
    torch.manual_seed(0)
    network = reader(x.shape[1], 3 + style.shape[1], width=32)
    return Judge(network, x, label, style, classes=3, steps=300, generator=torch.Generator().manual_seed(0))


def test_a_judge_reads_class_and_style_where_they_are_and_only_there() -> None:
    generator = torch.Generator().manual_seed(1)
    label = torch.randint(0, 3, (1200,), generator=generator)
    style = torch.stack([50 + 10 * torch.randn(1200, generator=generator), torch.randn(1200, generator=generator)], 1)
    x = torch.stack([label.float() - 1, (style[:, 0] - 50) / 10, torch.randn(1200, generator=generator)], dim=1)
    said = fitted(x[:800], label[:800], style[:800])(x[800:])
    assert said.accuracy(label[800:]) > 0.97
    told = explained(said.style, style[800:])
    assert told[0] > 0.95
    assert told[1] < 0.2
    blind = fitted(x[:800, 2:], label[:800], style[:800, :0])(x[800:, 2:])
    assert blind.accuracy(label[800:]) < 0.5
    assert blind.style.shape == (400, 0)


def test_a_judge_has_learned_when_it_is_made() -> None:
    judge = fitted(torch.randn(40, 2), torch.arange(40) % 3, torch.randn(40, 1))
    assert not any(p.requires_grad for p in judge.network.parameters())


def test_what_is_explained_is_1_for_the_truth_and_0_for_the_mean() -> None:
    truth = torch.tensor([[1.0, 0.0], [3.0, 1.0], [2.0, 5.0]])
    assert explained(truth, truth).tolist() == [1, 1]
    assert explained(truth.mean(dim=0).expand(3, 2), truth).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_accuracy_counts_what_is_right() -> None:
    assert Answers(torch.tensor([0, 1, 2, 2]), torch.zeros(4, 0)).accuracy(torch.tensor([0, 1, 2, 0])) == 0.75
