"""A linear support vector machine: a criterion of two lines and a penalty, which is all that it is.

The mean hinge loss max(0, 1 - y (w x + b)) plus rate / 2 |w|^2 is minimised by gradient descent with a falling rate.
Expect the line that scikit-learn's quadratic programme finds, to within half a degree.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from _shared import figure, run, save
from sklearn.svm import SVC
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from unbraid import fit

RATE = 0.01


def hinge(y_pred: Tensor, y_true: Tensor) -> Tensor:
    """How far points are on the wrong side of their margin, on average; classes are -1 and 1."""
    return (1 - y_true * y_pred.squeeze(1)).clamp_min(0).mean()


def main(out: Path) -> dict[str, float]:
    """Fit two clouds of points that overlap a little, and compare with scikit-learn."""
    torch.manual_seed(0)
    y = torch.arange(200) % 2 * 2.0 - 1
    x = torch.randn(200, 2) + y[:, None] * torch.tensor([1.5, 1.0])

    model = nn.Linear(2, 1)
    trial = fit.Trial(
        model,
        lambda parameters: torch.optim.SGD(parameters, lr=1.0),
        hinge,
        callbacks=[
            fit.L2(RATE, only=lambda name, _: name == "weight"),
            fit.Schedule(LambdaLR, lr_lambda=lambda epoch: 1 / (1 + RATE * 15 * epoch)),
        ],
        runtime=fit.Runtime("cpu"),
    )
    trial.fit([(x, y)], epochs=800)

    reference = SVC(kernel="linear", C=1 / (RATE * len(x))).fit(x.numpy(), y.numpy())
    w, b = model.weight.detach()[0].numpy(), model.bias.item()
    v = reference.coef_[0]
    turn = np.arctan2(w[0] * v[1] - w[1] * v[0], w @ v)

    drawn = figure(5, 5)
    axes = drawn.subplots()
    axes.scatter(*x.T, c=y, cmap="coolwarm", s=14)
    across = np.linspace(-5, 5, 2)
    for margin, style in ((-1, ":"), (0, "-"), (1, ":")):
        axes.plot(across, (margin - b - w[0] * across) / w[1], "k", linestyle=style)
    axes.plot(across, (-reference.intercept_[0] - v[0] * across) / v[1], "C1--", label="scikit-learn")
    axes.set(xlim=(-5, 5), ylim=(-5, 5), title="hinge loss: the line and its margins")
    axes.legend(frameon=False)
    save(drawn, out, "svm")
    return {
        "accuracy": float(np.mean(np.sign(x.numpy() @ w + b) == y.numpy())),
        "degrees_apart": float(np.degrees(abs(turn))),
        "margin_ratio": float(np.linalg.norm(w) / np.linalg.norm(v)),
    }


if __name__ == "__main__":
    run(main)
