"""Why nothing unsupervised can find the factors: two models alike in all that can be judged without labels.

A disc at position (x, y), both normally distributed, is drawn by a decoder g(z). Its model has a prior N(0, I), the
posterior N(m(image), s^2 I) and a code for each coordinate. Turn the latents by an angle, z' = R z: the decoder
g(R' z') and the posterior R m(image) make a model with the same prior, whose evidence bound is the same for every image
(the prior does not see rotations, and what the encoder turns the decoder turns back). Expect the bound to be flat in
the angle while DCI falls from 1 to about a half after 9 degrees, and DCI and MIG to nothing at 45 degrees, where both
codes speak of both coordinates, and rise again: the data cannot tell which of these models is the disentangled one.

Locatello et al., "Challenging common assumptions in the unsupervised learning of disentangled representations", ICML
2019, theorem 1.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from _shared import figure, run, save
from torch import Tensor

from unbraid.nn.gaussian import Gaussian
from unbraid.scores.dci import dci
from unbraid.scores.mig import mig

PIXELS, SPREAD, NOISE, POSTERIOR = 24, 3.0, 0.1, 0.02
COUNT, VALUES = 2000, 10
GRID = torch.arange(PIXELS) + 0.5


def draw(z: Tensor) -> Tensor:
    """The decoder g: ``(B, 2)`` to ``(B, P, P)``, a soft disc around the middle plus ``SPREAD z``."""
    x, y = (PIXELS / 2 + SPREAD * z).unbind(1)
    squared = (GRID - x[:, None]).square()[:, None, :] + (GRID - y[:, None]).square()[:, :, None]
    return torch.sigmoid(6 - squared)


def place(images: Tensor) -> Tensor:
    """The encoder's mean m: ``(B, P, P)`` to ``(B, 2)``, where the centre of mass is."""
    weight = images.sum((1, 2))
    centre = torch.stack([(images.sum(1) * GRID).sum(1), (images.sum(2) * GRID).sum(1)], 1) / weight[:, None]
    return (centre - PIXELS / 2) / SPREAD


def turned(degrees: float) -> Tensor:
    """R, the rotation by an angle."""
    angle = math.radians(degrees)
    return torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def bound(images: Tensor, rotation: Tensor, noise: Tensor) -> Tensor:
    """The evidence lower bound of the model turned by R, for every image, in nats: ``(B,)``."""
    mean = place(images) @ rotation.T
    posterior = Gaussian(mean, torch.full_like(mean, 2 * math.log(POSTERIOR)))
    z = mean + POSTERIOR * noise
    decoded = Gaussian(draw(z @ rotation), torch.full_like(images, 2 * math.log(NOISE)))
    return decoded.log_prob(images).sum((1, 2)) - posterior.divergences().sum(1)


def main(out: Path) -> dict[str, float]:
    """Turn the model from 0 to 90 degrees; measure what can be seen without labels, and what cannot."""
    torch.manual_seed(0)
    z = torch.randn(COUNT, 2).clamp(-2.5, 2.5)
    images, noise = draw(z), torch.randn(COUNT, 2)
    factors = (VALUES * torch.special.ndtr(z)).long()
    angles = range(0, 91, 9)
    rows = []
    for degrees in angles:
        rotation = turned(degrees)
        codes = place(images) @ rotation.T
        # The noise is turned with the model: a sample of the turned posterior is the turned sample.
        rows.append(
            (bound(images, rotation, noise @ rotation.T), float(dci(codes, factors)), float(mig(codes, factors)))
        )
    bounds = torch.stack([row[0] for row in rows])
    drawn = figure(11, 3.4)
    left, right = drawn.subplots(1, 2, width_ratios=[1.2, 1])
    left.plot(angles, [row[1] for row in rows], label="DCI disentanglement")
    left.plot(angles, [row[2] for row in rows], label="MIG")
    left.plot(angles, (bounds.mean(1) / bounds[0].mean()).numpy(), "k--", label="evidence bound, beside that at 0")
    left.set(xlabel="rotation of the latents, degrees", ylim=(-0.05, 1.1), xticks=range(0, 91, 9))
    left.legend(frameon=False, fontsize=8)
    strip = torch.linspace(-2, 2, 7)
    shown = []
    for degrees in (0, 45):
        for latent in range(2):
            path = torch.zeros(7, 2)
            path[:, latent] = strip
            framed = torch.nn.functional.pad(draw(path @ turned(degrees)), (1, 1, 1, 1), value=0.4)
            shown.append(torch.cat(list(framed), 1))
    right.imshow(torch.cat(shown).numpy(), cmap="gray")
    rows_of = [f"{degrees} degrees, latent {latent + 1}" for degrees in (0, 45) for latent in range(2)]
    right.set(xticks=[], yticks=[(PIXELS + 2) * (i + 0.5) for i in range(4)], yticklabels=rows_of)
    save(drawn, out, "impossibility")
    at = list(angles).index(45)
    return {
        "largest_difference_of_bounds": float((bounds - bounds[0]).abs().max()),
        "bound": float(bounds[0].mean()),
        "dci": rows[0][1],
        "dci_at_9_degrees": rows[1][1],
        "dci_turned": rows[at][1],
        "mig": rows[0][2],
        "mig_turned": rows[at][2],
    }


if __name__ == "__main__":
    run(main)
