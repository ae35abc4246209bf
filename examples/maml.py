"""Learning to learn: weights from which five gradient steps on ten points are enough to follow a new sine wave.

The closure holds the inner loop: it moves a copy of the weights for every task, and the trial differentiates through
those steps. All tasks of a batch are adapted at once by ``torch.vmap``. Expect a new wave to be followed several times
better than from weights that were fitted to all waves in the ordinary way.

References:
    C. Finn, P. Abbeel and S. Levine, "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks", 2017.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from unbraid import fit
from unbraid.fit.state import MODEL, X

POINTS, RATE = 10, 0.05


class Waves:
    """Tasks without end: sine waves of any height and phase, seen at some points and asked about at others."""

    def __init__(self, tasks: int) -> None:
        self.tasks = tasks

    def batch(self, step: int) -> Tensor:
        """Inputs and values of points, ``(tasks, 2 * POINTS, 2)``."""
        chance = torch.Generator().manual_seed(step)
        height = 0.5 + 2 * torch.rand(self.tasks, 1, generator=chance)
        phase = torch.pi * torch.rand(self.tasks, 1, generator=chance)
        x = 10 * torch.rand(self.tasks, 2 * POINTS, generator=chance) - 5
        return torch.stack((x, height * (x - phase).sin()), -1)


def adapted(model: nn.Module, seen: Tensor, steps: int) -> dict[str, Tensor]:
    """The weights after some gradient steps on one task's points, as a function of the weights before."""

    def mismatch(weights: dict[str, Tensor]) -> Tensor:
        return (functional_call(model, weights, (seen[:, :1],)) - seen[:, 1:]).square().mean()

    weights = dict(model.named_parameters())
    for _ in range(steps):
        slopes = grad(mismatch)(weights)
        weights = {name: weight - RATE * slopes[name] for name, weight in weights.items()}
    return weights


def after(model: nn.Module, tasks: Tensor, steps: int) -> Tensor:
    """The mean squared error on the second half of each task's points after steps on its first half."""

    def one(task: Tensor) -> Tensor:
        guess = functional_call(model, adapted(model, task[:POINTS], steps), (task[POINTS:, :1],))
        return (guess - task[POINTS:, 1:]).square().mean()

    return vmap(one)(tasks).mean()


def fitted(inner: int) -> nn.Module:
    """A network whose weights are good after ``inner`` steps on a task; with 0, good for all tasks together."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
    trial = fit.Trial(
        model,
        lambda parameters: torch.optim.Adam(parameters, lr=3e-3),
        closure=lambda state: after(state[MODEL], state[X], inner),
        callbacks=[fit.ClipGradients(5.0), fit.Cosine()],
        runtime=fit.Runtime("cpu"),
    )
    trial.fit(Waves(tasks=24), steps=400 if inner else 200)
    return model


def main(out: Path) -> dict[str, float]:
    """Fit both ways, and let both adapt to waves that neither has seen."""
    meta, ordinary = fitted(inner=2), fitted(inner=0)
    new = Waves(tasks=200).batch(10**6)
    errors = {name: after(model, new, 5).item() for name, model in (("meta", meta), ("ordinary", ordinary))}

    drawn = figure(10, 3.2)
    x = torch.linspace(-5, 5, 200)[:, None]
    for axes, task in zip(drawn.subplots(1, 3, sharey=True), new, strict=False):
        seen = task[:POINTS].detach()
        axes.plot(*seen.T, "k.", label="seen")
        for name, model in (("meta", meta), ("ordinary", ordinary)):
            weights = adapted(model, seen, 5)
            axes.plot(x, functional_call(model, weights, (x,)).detach(), label=f"{name}, after 5 steps")
        axes.set(xlabel="x")
    axes.legend(frameon=False, fontsize=7)
    save(drawn, out, "maml")
    return {**errors, "before": after(meta, new, 0).item()}


if __name__ == "__main__":
    run(main)
