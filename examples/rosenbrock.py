"""Function minimisation without data or model: four optimisers walk down Rosenbrock's valley.

    f(x, y) = (1 - x)^2 + 100 (y - x^2)^2

has its minimum at (1, 1), at the end of a long curved valley. ``fit.minimise`` takes a function and where to begin; a
callback of three lines keeps the path. Expect L-BFGS to arrive in a few steps and the others in many.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from _shared import figure, run, save
from torch import Tensor

from unbraid import fit
from unbraid.fit.state import MODEL, State

STEPS = 500
OPTIMISERS = {
    "gradient descent": partial(torch.optim.SGD, lr=2e-3),
    "momentum": partial(torch.optim.SGD, lr=1e-3, momentum=0.9),
    "adam": partial(torch.optim.Adam, lr=0.1),
    "lbfgs": partial(torch.optim.LBFGS, lr=1.0, max_iter=4, line_search_fn="strong_wolfe"),
}


def valley(p: Tensor) -> Tensor:
    """Rosenbrock's function of points ``(..., 2)``."""
    x, y = p.unbind(-1)
    return (1 - x).square() + 100 * (y - x.square()).square()


def main(out: Path) -> dict[str, float]:
    """Minimise by each optimiser, and draw the paths."""
    start, minimum = torch.tensor([-1.4, 1.6]), torch.ones(2)
    drawn = figure(10, 4)
    plane, curves = drawn.subplots(1, 2)
    x, y = torch.linspace(-1.8, 1.6, 200), torch.linspace(-0.7, 2.4, 200)
    heights = valley(torch.stack(torch.meshgrid(x, y, indexing="xy"), -1))
    plane.contour(x, y, heights.log10(), levels=20, cmap="Greys", linewidths=0.6)
    far = {}
    for name, optimiser in OPTIMISERS.items():
        path = [start]

        @fit.on_step
        def follow(state: State, path: list[Tensor] = path) -> None:
            path.append(state[MODEL]().detach().clone())

        steps = STEPS // 25 if name == "lbfgs" else STEPS
        found = fit.minimise(
            valley, start, optimizer=optimiser, steps=steps, callbacks=[follow], runtime=fit.Runtime("cpu")
        )
        walked = torch.stack(path)
        distances = (walked - minimum).norm(dim=1)
        (line,) = plane.plot(*walked.T, linewidth=1.2, label=f"{name}, {steps} steps")
        plane.plot(*found.parameters, "o", color=line.get_color(), markersize=4)
        curves.loglog(torch.arange(1, len(walked) + 1), distances.clamp_min(1e-7), label=name)
        far[name] = float(distances[-1])
    plane.plot(1, 1, "k*", markersize=10)
    plane.legend(frameon=False, loc="lower left", fontsize=8)
    curves.set(xlabel="step", title="distance to the minimum")
    save(drawn, out, "rosenbrock")
    return far


if __name__ == "__main__":
    run(main)
