"""Dynamic programming made differentiable: the mean of curves that run early or late, by soft dynamic time warping.

The table of the cheapest alignment obeys R[i, j] = cost[i, j] + min(R[i-1, j], R[i, j-1], R[i-1, j-1]). With the soft
minimum -t log sum exp(-r / t) it has a gradient, so that a curve can be fitted through it. Expect a mean with two
peaks like every curve, where the plain mean of the same curves smears them; the gradient is checked by differences.

References:
    M. Cuturi and M. Blondel, "Soft-DTW: a Differentiable Loss Function for Time-Series", 2017.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save
from torch import Tensor, nn

from unbraid import fit
from unbraid.fit.state import MODEL, State

LENGTH, CURVES = 32, 12
FAR = 1e6  # infinity would make 0 times infinity out of the gradient


def soft_dtw(x: Tensor, y: Tensor, *, temperature: float) -> Tensor:
    """The soft cost of aligning curves ``(N, length)`` with others, ``(N,)``: diagonal by diagonal, all pairs at once.

    Args:
        x: Curves.
        y: As many, of the same length or another.
        temperature: Above 0; towards 0 it is the cost of the cheapest alignment.
    """
    cost = (x[:, :, None] - y[:, None, :]).square()
    n, rows, columns = cost.shape
    far = cost.new_full((n, rows + 1), FAR)
    # Row i of a diagonal is R[i, diagonal - i]; the corner before the first cell costs nothing.
    before, last = torch.cat((cost.new_zeros(n, 1), far[:, 1:]), 1), far
    index = torch.arange(1, rows + 1)
    for diagonal in range(2, rows + columns + 1):
        j = diagonal - index
        inside = (j >= 1) & (j <= columns)
        here = cost[:, index - 1, (j - 1).clamp(0, columns - 1)]
        ways = torch.stack((before[:, :-1], last[:, :-1], last[:, 1:]))
        best = -temperature * torch.logsumexp(-ways / temperature, 0)
        before, last = last, torch.cat((far[:, :1], torch.where(inside, here + best, FAR)), 1)
    return last[:, -1]


class Curve(nn.Module):
    """A curve whose every point is free."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.points = nn.Parameter(start.clone())


def main(out: Path) -> dict[str, float]:
    """Draw curves with peaks that come early or late, and fit a mean to them."""
    torch.manual_seed(0)
    pairs = torch.randn(2, 2, 6, dtype=torch.float64, requires_grad=True)
    correct = torch.autograd.gradcheck(lambda pair: soft_dtw(pair[0], pair[1], temperature=0.5), (pairs,))

    time = torch.linspace(0, 1, LENGTH)
    up, down = 0.3 + 0.12 * torch.randn(CURVES, 1), 0.7 + 0.12 * torch.randn(CURVES, 1)
    curves = torch.exp(-(((time - up) / 0.06) ** 2)) - torch.exp(-(((time - down) / 0.06) ** 2))
    curves = curves + 0.02 * torch.randn_like(curves)
    plain = curves.mean(0)

    def cost(state: State) -> Tensor:
        """The mean soft cost of aligning the curve with each of the others."""
        return soft_dtw(state[MODEL].points.expand(CURVES, -1), curves, temperature=0.1).mean()

    mean = Curve(plain)
    trial = fit.Trial(
        mean, lambda parameters: torch.optim.Adam(parameters, lr=0.05), closure=cost, runtime=fit.Runtime("cpu")
    )
    history = trial.fit(steps=100, record_every=1)

    points = mean.points.detach()
    drawn = figure()
    before, after = drawn.subplots(1, 2, sharey=True)
    for axes, middle, title in ((before, plain, "the plain mean"), (after, points, "the mean under soft alignment")):
        axes.plot(time, curves.T, color="0.85", linewidth=1)
        axes.plot(time, middle, color="C3")
        axes.set(title=title, xlabel="time")
    save(drawn, out, "alignment")
    return {
        "gradient_correct": float(correct),
        "plain_height": float(plain.max() - plain.min()),
        "height": float(points.max() - points.min()),
        "cost_before": history[0]["loss"],
        "cost": history[-1]["loss"],
    }


if __name__ == "__main__":
    run(main)
