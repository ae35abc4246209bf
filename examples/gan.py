"""A generative adversarial network on eight islands in the plane: two players who take turns in every step.

The model names its players and gives each its own loss; the trial keeps their gradients apart. Nothing is subclassed
but ``nn.Module``. Expect, after some ten seconds, samples on all eight islands, and few between them.

References:
    I. Goodfellow et al., "Generative Adversarial Nets", 2014; L. Mescheder et al., "Which Training Methods for GANs do
    actually Converge?", 2018 (the penalty).
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import torch
from _shared import figure, run, save
from torch import Tensor, nn

from unbraid import fit

SPREAD = 0.1
ANGLES = torch.arange(8) * torch.pi / 4
CENTRES = 2 * torch.stack((ANGLES.cos(), ANGLES.sin()), 1)


class Islands:
    """An endless stream: any object with ``batch(step)`` is one."""

    def batch(self, step: int) -> Tensor:
        """The points of a step, which are the same whenever they are asked for."""
        chance = torch.Generator().manual_seed(step)
        centres = CENTRES[torch.randint(8, (256,), generator=chance)]
        return centres + SPREAD * torch.randn(256, 2, generator=chance)


def network(*widths: int) -> nn.Sequential:
    """Linear layers with leaky rectifiers between them."""
    layers = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1])


class GAN(nn.Module):
    """A generator and a discriminator, each with its own parameters and its own loss."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = network(8, 96, 96, 2), network(2, 96, 96, 1)

    def players(self) -> dict[str, list[nn.Parameter]]:
        """Who takes turns, in this order."""
        return {name: list(part.parameters()) for name, part in self.named_children()}

    def sample(self, count: int) -> Tensor:
        """Points that the generator makes up."""
        return self.generator(torch.randn(count, 8))

    def loss(self, real: Tensor, step: int, player: str) -> dict[str, Tensor]:
        """What a player wants to be small."""
        softplus = nn.functional.softplus
        if player == "generator":
            return {"fooling": softplus(-self.discriminator(self.sample(len(real)))).mean()}
        fake, real = self.sample(len(real)).detach(), real.requires_grad_()
        verdict = self.discriminator(real)
        (slope,) = torch.autograd.grad(verdict.sum(), real, create_graph=True)
        told_apart = softplus(self.discriminator(fake)).mean() + softplus(-verdict).mean()
        return {"told_apart": told_apart, "penalty": 0.05 * slope.square().sum(1).mean()}


def main(out: Path) -> dict[str, float]:
    """Let the two play, and count the islands that samples land on."""
    torch.manual_seed(0)
    model = GAN()
    average = fit.EMA(0.995)
    trial = fit.Trial(
        model,
        lambda parameters: torch.optim.Adam(parameters, lr=2e-3, betas=(0.0, 0.99)),
        callbacks=[average],
        runtime=fit.Runtime("cpu"),
    )
    history = trial.fit(Islands(), steps=2500)

    with torch.no_grad(), average.swap(model):
        points = model.sample(2000)
    distance, nearest = torch.cdist(points, CENTRES).min(1)
    near = distance < 4 * SPREAD
    shares = torch.bincount(nearest[near], minlength=8) / len(points)
    drawn = figure()
    plane, curves = drawn.subplots(1, 2)
    plane.scatter(*Islands().batch(0).T, s=6, c="0.7", label="real")
    plane.scatter(*points[:500].T, s=4, label="generated")
    plane.set(aspect="equal", title=f"{near.float().mean():.0%} near an island")
    plane.legend(frameon=False)
    for name in ("fooling", "told_apart"):
        curves.plot([row["step"] for row in history], [row[name] for row in history], label=name)
    curves.set(xlabel="step", title="what each player wants to be small")
    curves.legend(frameon=False)
    save(drawn, out, "gan")
    return {"islands": int((shares > 0.04).sum()), "near": float(near.float().mean())}


if __name__ == "__main__":
    run(main)
