"""Smoothed labels and holes in images: how much is changed, where, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import State
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.augment import Cutout, LabelSmoothing, RandomErase
from unbraid.fit.state import TRAINING, Y_TRUE, X


def sampled(callback: Callback, x: Tensor, y: Any = None) -> State:
    state = State({X: x, Y_TRUE: y, TRAINING: True})
    callback.on_sample(state)
    return state


def test_labels_are_smoothed_to_probabilities() -> None:
    target = sampled(LabelSmoothing(4, epsilon=0.2), torch.rand(2, 1, 8, 8), torch.tensor([0, 2]))[Y_TRUE]
    assert torch.allclose(target, torch.tensor([[0.85, 0.05, 0.05, 0.05], [0.05, 0.05, 0.85, 0.05]]))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.2)
    scores = torch.randn(2, 4)
    assert torch.isclose(F.cross_entropy(scores, target), criterion(scores, torch.tensor([0, 2])))
    dense = sampled(LabelSmoothing(3), torch.rand(2, 1, 8, 8), torch.zeros(2, 5, 6, dtype=torch.long))[Y_TRUE]
    assert dense.shape == (2, 3, 5, 6)


@given(size=st.integers(1, 12), seed=st.integers(0, 1000))
def test_cutout_blanks_one_square_clipped_at_the_border(size: int, seed: int) -> None:
    torch.manual_seed(seed)
    images = torch.rand(16, 3, 8, 10) + 1
    out = sampled(Cutout(size, fill=-1.0), images)[X]
    hole = (out == -1).all(1)
    assert torch.equal(hole, (out == -1).any(1)), "the same in every channel"
    assert torch.equal(out[~hole[:, None].expand_as(out)], images[~hole[:, None].expand_as(out)])
    rows, columns = hole.any(2).sum(1), hole.any(1).sum(1)
    assert torch.equal(rows * columns, hole.sum((1, 2))), "a rectangle"
    assert int(rows.max()) <= min(size, 8)
    assert int(columns.max()) <= min(size, 10)
    # The centre is a pixel of the image: at least a quarter of the hole falls into it.
    assert int(rows.min()) >= min(size // 2, 4)


def test_cutout_makes_as_many_holes_as_asked_all_over_the_image() -> None:
    images = torch.ones(4000, 1, 8, 8)
    once, twice = (sampled(Cutout(1, holes=n), images)[X] for n in (1, 2))
    assert int((once == 0).sum()) == 4000
    assert 1.9 * 4000 < int((twice == 0).sum()) <= 2 * 4000
    share = (once == 0).float().mean((0, 1)) * 64
    assert 0.5 < float(share.min()) < float(share.max()) < 1.6


@given(seed=st.integers(0, 1000))
def test_random_erase_overwrites_a_rectangle_of_the_asked_size(seed: int) -> None:
    torch.manual_seed(seed)
    images = torch.full((64, 2, 20, 30), 5.0)
    out = sampled(RandomErase(probability=1.0, area=(0.1, 0.2), aspect=(0.5, 2.0)), images)[X]
    hole = (out != 5).all(1)
    assert torch.equal(hole, (out != 5).any(1))
    rows, columns = hole.any(2).sum(1), hole.any(1).sum(1)
    assert torch.equal(rows * columns, hole.sum((1, 2)))
    share = hole.float().mean((1, 2))
    assert 0.08 < float(share.min()) <= float(share.max()) < 0.22, "up to whole pixels"
    ratio = rows / columns
    assert 0.4 < float(ratio.min()) <= float(ratio.max()) < 2.4
    noise = out[hole[:, None].expand_as(out)]
    assert 0 <= float(noise.min()) < 0.05
    assert 0.95 < float(noise.max()) <= 1


def test_random_erase_leaves_the_other_images_and_fills_bytes_with_bytes() -> None:
    images = torch.full((2000, 1, 8, 8), 7, dtype=torch.uint8)
    out = sampled(RandomErase(probability=0.25), images)[X]
    assert out.dtype == torch.uint8
    assert int(out.max()) > 240
    assert 400 < int((out != 7).any(3).any(2).any(1).sum()) < 600


@pytest.mark.parametrize("callback", [Cutout(2), RandomErase()])
def test_what_is_no_batch_of_images_is_named(callback: Callback) -> None:
    with pytest.raises(InvalidData, match=r"changes images \(N, C, H, W\)"):
        sampled(callback, torch.zeros(3, 4))


def test_shares_outside_zero_to_one_are_refused() -> None:
    with pytest.raises(InvalidOption, match=r"epsilon must lie in 0 \.\. 1"):
        LabelSmoothing(10, epsilon=1.5)
    with pytest.raises(InvalidOption, match="area and aspect"):
        RandomErase(area=(0.5, 0.1))
