r"""The information plane: what a layer tells of its input against what it tells of the label, as training goes on.

A layer without noise tells infinitely much of its input, and what bins find of it is how finely they are cut. Here the
layer is given noise of a stated strength, so that both amounts exist; they are those of the noisy layer and of nothing
else.

References:
    Shwartz-Ziv and Tishby, "Opening the black box of deep neural networks via information", 2017, arXiv:1703.00810.
    Kolchinsky and Tracey, "Estimating mixture entropy with pairwise distances", Entropy 19, 2017, arXiv:1706.02419.
    Goldfeld et al., "Estimating information flow in deep neural networks", ICML 2019, arXiv:1810.05728 (why noise).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, require_at_least
from unbraid.info.layers import features

__all__ = ["InformationPlane", "plane_point"]


def plane_point(codes: Tensor, labels: Tensor, *, noise: float = 0.1) -> tuple[float, float]:
    r"""What a layer with noise tells of its input and of the label, both bounded from below, in nats.

    .. math:: I(x; z) \ge -\frac1N \sum_n \log \frac1N \sum_m e^{-\|z_n - z_m\|^2 / 8 \sigma^2}

    for Gaussian noise of spread :math:`\sigma`; the information about the label is the same less its mean over the
    samples of each class, which is an estimate and no bound. :math:`\sigma` is a share of the root mean square of all
    the layer's centred activations, so that scale does not matter.

    Args:
        codes: ``(N, D)``.
        labels: Whole numbers from 0, ``(N,)``.
        noise: That share, at least 1e-6.

    Returns:
        I(x; z), at most log N, and I(z; y).

    Raises:
        InvalidData: When codes and labels do not fit together.

    >>> plane_point(torch.tensor([[0.0], [0.0], [1.0], [1.0]]), torch.tensor([0, 1, 0, 1]), noise=0.01)
    (0.6931471805599453, 0.0)
    """
    require_at_least(1e-6, noise=noise)
    if codes.ndim != 2 or labels.shape != codes.shape[:1] or len(codes) < 2:
        raise InvalidData(f"codes (N, D) and labels (N,) do not fit: they are {tuple(codes.shape)}, {labels.shape}")
    z = codes.double() - codes.double().mean(dim=0)
    size = z.square().mean().sqrt()
    if size == 0:
        return 0.0, 0.0
    near = -(torch.cdist(z, z) / (noise * size)).square() / 8
    of_input = _told(near)
    of_class = sum(
        float((labels == label).double().mean()) * _told(near[labels == label][:, labels == label])
        for label in labels.unique()
    )
    return of_input, max(of_input - of_class, 0.0)


def _told(near: Tensor) -> float:
    return float(math.log(len(near)) - near.logsumexp(dim=1).mean())


class InformationPlane:
    """Where layers stand in the information plane: a function of the state of a trial, for :class:`unbraid.fit.Note`.

    Args:
        model: What is fitted, or any network.
        layers: Names as in ``model.named_modules()``.
        x: Samples, always the same, ``(N, ...)``; some hundreds, since the work grows as N².
        y: Their labels, ``(N,)``.
        noise: As a share of a layer's spread, at least 1e-6.

    >>> from unbraid.fit import Note
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> note = Note(InformationPlane(model, ["1"], torch.randn(50, 3), torch.arange(50) % 2))
    """

    def __init__(self, model: nn.Module, layers: Sequence[str], x: Tensor, y: Tensor, *, noise: float = 0.1) -> None:
        require_at_least(1e-6, noise=noise)
        self.model, self.layers, self.x, self.y, self.noise = model, list(layers), x, y, noise

    def __call__(self, state: Any = None) -> Mapping[str, float]:
        """``I(x; layer)`` and ``I(layer; y)`` of every layer, in nats."""
        found = features(self.model, self.layers, self.x)
        row = {}
        for name, codes in found.items():
            row[f"I(x; {name})"], row[f"I({name}; y)"] = plane_point(codes, self.y, noise=self.noise)
        return row
