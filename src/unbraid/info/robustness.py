"""What a classifier makes of damaged samples: noise, parts hidden, steps against it; and how to read that.

References:
    Goodfellow et al., "Explaining and harnessing adversarial examples", ICLR 2015, arXiv:1412.6572.
    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018, arXiv:1706.06083.
    Marcu, Pruegel-Bennett, "On the effects of artificial data modification", ICML 2022, arXiv:2110.13968.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from unbraid.errors import InvalidData, require_at_least
from unbraid.types import Floats, Integers

__all__ = ["accuracy", "adversarial", "interference", "iocclusion"]

Classifier = Callable[[Tensor], Tensor]
"""From samples to logits ``(N, classes)``; a model at rest (``model.eval()``)."""


def accuracy(classify: Classifier, x: Tensor, y: Tensor, *, batch_size: int = 500) -> float:
    """The share of samples whose label has the highest logit, in [0, 1].

    >>> accuracy(lambda x: x, torch.eye(3), torch.tensor([0, 1, 0]))
    0.6666666666666666
    """
    require_at_least(1, batch_size=batch_size)
    with torch.no_grad():
        parts = zip(x.split(batch_size), y.split(batch_size), strict=True)
        right = sum(int((classify(some).argmax(1) == labels).sum()) for some, labels in parts)
    return right / len(x)


def adversarial(
    classify: Classifier,
    x: Tensor,
    y: Tensor,
    *,
    strength: float,
    steps: int = 1,
    bounds: tuple[float, float] = (0.0, 1.0),
    batch_size: int = 500,
) -> Tensor:
    r"""Samples moved against the classifier, by the sign of its loss's gradient.

    .. math:: x_{t+1} = \Pi\big(x_t + \eta\, \mathrm{sign}\, \nabla_x \ell(f(x_t), y)\big)

    with steps :math:`\eta` of the whole strength when there is one (FGSM), of 2.5 / steps of it otherwise (PGD without
    a random start), back into the cube of the strength around x and into the bounds.

    Args:
        classify: From samples to logits.
        x: ``(N, ...)``.
        y: ``(N,)``.
        strength: How far each number may move, at least 0.
        steps: At least 1.
        bounds: What numbers may be.
        batch_size: How many at a time.

    Returns:
        ``(N, ...)``.
    """
    require_at_least(0, strength=strength)
    require_at_least(1, steps=steps, batch_size=batch_size)
    length = strength if steps == 1 else 2.5 * strength / steps
    found = []
    for start, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
        moved = start
        for _ in range(steps):
            moved = moved.detach().requires_grad_()
            (slope,) = torch.autograd.grad(F.cross_entropy(classify(moved), labels, reduction="sum"), moved)
            moved = (moved.detach() + length * slope.sign()).clamp(start - strength, start + strength).clamp(*bounds)
        found.append(moved)
    return torch.cat(found)


def iocclusion(train: float, test: float, hidden_train: float, hidden_test: float) -> float:
    r"""How the gap between training and test changes when parts are hidden; lower is more robust.

    .. math:: \Big| \frac{A^p_{train} - A^p_{test}}{A_{train} - A_{test}} \Big|

    Plain accuracy on hidden parts favours a model that was trained with holes of the same kind. This ratio does not;
    but a model that has learned its training samples by heart has a large denominator, and so looks robust.

    Args:
        train: Accuracy on training samples.
        test: On test samples.
        hidden_train: On training samples of which a share p is hidden.
        hidden_test: On test samples likewise.

    Raises:
        InvalidData: When there is no gap to compare with.

    >>> round(iocclusion(1.0, 0.9, 0.6, 0.55), 6)
    0.5
    """
    if train == test:
        raise InvalidData(f"training and test accuracy are both {train}: there is no gap to compare with")
    return abs((hidden_train - hidden_test) / (train - test))


def interference(clean: Integers, damaged: Integers, labels: Integers, classes: int) -> float:
    r"""How much the damage itself is taken for a class: the data interference index of one model, 0 or more.

    With h the distribution of the wrong predictions over classes, and :math:`d = \max(h_{damaged} - h_{clean}, 0)\,
    C`, it is :math:`(d_c / \sum d)\, d_c` for the class c whose d is greatest: how many times more often that class is
    wrongly seen than if mistakes were spread evenly, weighed by its share of what is gained. Here d is not in percent.

    Args:
        clean: Predictions of samples as they are, ``(N,)``.
        damaged: Of the damaged ones, ``(N,)``.
        labels: ``(N,)``.
        classes: How many, C.

    >>> y = np.array([0, 1, 2, 3])
    >>> interference(np.array([1, 2, 3, 0]), np.array([1, 2, 1, 1]), y, 4) > 0
    True
    """

    def mistakes(predicted: Integers) -> Floats:
        wrong: Floats = np.bincount(predicted[predicted != labels], minlength=classes).astype(np.float64)
        return wrong / max(float(wrong.sum()), 1.0)

    gained = np.maximum(mistakes(damaged) - mistakes(clean), 0) * classes
    return float(gained.max() ** 2 / gained.sum()) if gained.sum() > 0 else 0.0
