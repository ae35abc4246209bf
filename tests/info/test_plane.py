"""The information plane: Gaussian channels, its ceiling, and what a trial notes of it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from unbraid.errors import InvalidData
from unbraid.fit import Note, Tensors, Trial
from unbraid.info.plane import InformationPlane, plane_point


def test_a_gaussian_channel_tells_less_than_its_capacity_and_most_of_it() -> None:
    z = torch.randn(2000, 1, generator=torch.Generator().manual_seed(0))
    found, _ = plane_point(z, torch.zeros(2000, dtype=torch.long), noise=0.3)
    capacity = 0.5 * math.log(1 + 1 / 0.09)
    assert 0.7 * capacity < found < capacity


def test_separate_points_tell_which_they_are_and_their_class() -> None:
    points = torch.arange(60.0)[:, None]
    told, right = plane_point(points, torch.arange(60) // 20, noise=1e-3)
    assert told == pytest.approx(math.log(60), abs=1e-9)
    assert right == pytest.approx(math.log(3), abs=1e-9)
    assert plane_point(points, torch.arange(60) // 20, noise=100)[0] < 1e-3
    assert plane_point(torch.ones(60, 2), torch.arange(60) // 20) == (0.0, 0.0)
    scaled = plane_point(1000 * points + 7, torch.arange(60) // 20, noise=0.2)
    assert scaled == pytest.approx(plane_point(points, torch.arange(60) // 20, noise=0.2), abs=1e-9)
    with pytest.raises(InvalidData, match="do not fit"):
        plane_point(points, torch.zeros(3, dtype=torch.long))


def test_a_trial_notes_where_its_layers_stand() -> None:
    torch.manual_seed(0)
    x = torch.randn(200, 4)
    y = (x[:, 0] > 0).long()
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    note = Note(InformationPlane(model, ["1", "2"], x, y))
    trial = Trial(model, criterion=nn.CrossEntropyLoss(), callbacks=[note])
    history = trial.fit(Tensors(x, y, batch_size=50), epochs=40)
    first, last = history[0], history[-1]
    assert last["I(2; y)"] > first["I(2; y)"] + 0.05
    assert all(0 <= row[f"I({name}; y)"] <= row[f"I(x; {name})"] <= math.log(200) for row in history for name in "12")
