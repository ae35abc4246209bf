"""The constants of a damped pendulum, from a noisy film of its swing: the fit differentiates through the integrator.

    angle'' = -gravity / length * sin(angle) - damping * angle'

No model and no data loader: the "model" holds four unknown numbers, the closure integrates by Runge and Kutta's method
and compares. Expect every number within a tenth of the truth, and the frequency within a hundredth, from noisy angles
alone.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save
from torch import Tensor, nn

from unbraid import fit
from unbraid.fit.state import MODEL, STEP, State

TRUTH = {"frequency": 2.0, "damping": 0.3, "angle": 2.2, "speed": 0.0}
DT, STEPS, NOISE = 0.08, 100, 0.03


class Pendulum(nn.Module):
    """A pendulum, by the square root of gravity / length, its damping, and how it starts."""

    def __init__(self, **start: float) -> None:
        super().__init__()
        for name, value in start.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(value, dtype=torch.float64)))

    def slope(self, state: Tensor) -> Tensor:
        """How fast angle and speed change."""
        angle, speed = state
        return torch.stack((speed, -self.frequency.square() * angle.sin() - self.damping * speed))

    def forward(self, steps: int = STEPS) -> Tensor:
        """The angle at every moment."""
        state, angles = torch.stack((self.angle, self.speed)), []
        for _ in range(steps):
            angles.append(state[0])
            a = self.slope(state)
            b = self.slope(state + DT / 2 * a)
            c = self.slope(state + DT / 2 * b)
            d = self.slope(state + DT * c)
            state = state + DT / 6 * (a + 2 * b + 2 * c + d)
        return torch.stack(angles)


def main(out: Path) -> dict[str, float]:
    """Watch one pendulum, fit another to it."""
    torch.manual_seed(0)
    with torch.no_grad():
        truth = Pendulum(**TRUTH)()
    seen = truth + NOISE * torch.randn_like(truth)

    pendulum = Pendulum(frequency=1.6, damping=0.05, angle=1.5, speed=0.5)
    with torch.no_grad():
        before = pendulum()

    def distance(state: State) -> Tensor:
        """The mean squared distance; early moments first, for a swing far out of step has no useful gradient."""
        shown = min(STEPS, 20 + state[STEP])
        return (state[MODEL](shown) - seen[:shown]).square().mean()

    trial = fit.Trial(
        pendulum,
        lambda parameters: torch.optim.Adam(parameters, lr=0.05),
        closure=distance,
        runtime=fit.Runtime("cpu"),
    )
    trial.fit(steps=150)

    drawn = figure()
    axes = drawn.subplots()
    time = DT * torch.arange(STEPS)
    axes.plot(time, seen, ".", color="0.6", label="seen")
    axes.plot(time, before, ":", color="C1", label="first guess")
    axes.plot(time, trial.predict([STEPS]), color="C0", label="fitted")
    axes.set(xlabel="seconds", ylabel="angle", title="a damped pendulum, fitted through its integrator")
    axes.legend(frameon=False)
    save(drawn, out, "pendulum")
    found = {name: value.item() for name, value in pendulum.named_parameters()}
    return {**found, "error": max(abs(found[name] - value) for name, value in TRUTH.items())}


if __name__ == "__main__":
    run(main)
