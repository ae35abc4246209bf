"""A residual network of eight layers, in one, two or three dimensions."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["network", "predict"]

KINDS = {1: (nn.Conv1d, nn.BatchNorm1d), 2: (nn.Conv2d, nn.BatchNorm2d), 3: (nn.Conv3d, nn.BatchNorm3d)}


class Block(nn.Module):
    """Two convolutions and what goes past them."""

    def __init__(self, dimensions: int, before: int, after: int, stride: int) -> None:
        super().__init__()
        conv, norm = KINDS[dimensions]
        self.first = conv(before, after, 3, stride, 1, bias=False)
        self.second = conv(after, after, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([norm(after), norm(after)])
        straight = before == after and stride == 1
        self.past = (
            nn.Identity() if straight else nn.Sequential(conv(before, after, 1, stride, bias=False), norm(after))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Features of half the size, or of the same."""
        hidden = F.relu(self.norms[0](self.first(x)))
        return F.relu(self.norms[1](self.second(hidden)) + self.past(x))


class Pool(nn.Module):
    """The mean over all places."""

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, ...)`` to ``(B, C)``."""
        return x.flatten(2).mean(2)


def network(dimensions: int, classes: int, *, width: int = 8) -> nn.Sequential:
    """A stem of stride 2, three blocks, a mean over places, and a linear layer, each by its name."""
    conv, norm = KINDS[dimensions]
    stem = nn.Sequential(conv(1, width, 3, 2, 1, bias=False), norm(width), nn.ReLU())
    blocks = [Block(dimensions, width, width, 1), Block(dimensions, width, 2 * width, 2)]
    blocks.append(Block(dimensions, 2 * width, 4 * width, 2))
    layers = {"stem": stem, **{f"block{i + 1}": block for i, block in enumerate(blocks)}}
    return nn.Sequential(OrderedDict({**layers, "pooled": Pool(), "logits": nn.Linear(4 * width, classes)}))


def predict(model: nn.Module, x: Tensor) -> Tensor:
    """The logits of many samples, by a model at rest."""
    model.eval()
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(500)])
