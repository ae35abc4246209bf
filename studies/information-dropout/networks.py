"""Small networks of three stages, that differ in what stands between an image and what is kept of it."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from unbraid.nn.informationdropout import InformationConv2d

__all__ = ["KINDS", "STAGES", "Pool", "network"]

KINDS = ("plain", "max-pool", "dropout", "deeper", "information", "one layer")
STAGES = ("stage1", "stage2", "stage3")
WIDTH = 12


class Pool(nn.Module):
    """The mean over all places."""

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C)``."""
        return torch.mean(x, dim=(2, 3))


def network(kind: str) -> nn.Sequential:
    """Each stage halves the image: 24 to 12, 6 and 3 pixels a side, of 12, 24 and 24 channels.

    In ``information`` every stage ends in rectified units under the log-uniform prior. In ``one layer`` only the second
    ends in noise, in softplus units under the log-normal prior, each of which sees 17 pixels a side: a whole digit.
    """
    widths = (1, WIDTH, 2 * WIDTH, 2 * WIDTH)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, before, after in zip(STAGES, widths, widths[1:], strict=False):
        here = kind if kind != "one layer" else "seeing" if name == STAGES[1] else "plain"
        layers[name] = nn.Sequential(*_stage(here, before, after))
    layers["pooled"] = Pool()
    layers["logits"] = nn.Linear(widths[-1], 10)
    return nn.Sequential(layers)


def _stage(kind: str, before: int, after: int) -> list[nn.Module]:
    parts = _convolution(before, after)
    if kind in ("deeper", "seeing"):
        parts += _convolution(after, after)
    if kind == "information":
        return [*parts, InformationConv2d(after, after, stride=2, norm=True)]
    if kind == "seeing":
        return [*parts, InformationConv2d(after, after, stride=2, norm=True, prior="log-normal", max_noise=1.0)]
    if kind == "max-pool":
        return [*parts, *_convolution(after, after), nn.MaxPool2d(2)]
    parts += _convolution(after, after, stride=2)
    return [*parts, nn.Dropout(0.3)] if kind == "dropout" else parts


def _convolution(before: int, after: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
