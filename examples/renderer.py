"""A differentiable renderer: where are these shapes, how large, how turned, what colour? The image is given.

A pixel is covered to the degree sigmoid(-signed distance / softness): soft edges, so that a shape feels what is beside
it. They are soft at first and harden, which leads shapes over longer ways. Expect the picture to be matched to within
a grey level or two, and every centre to a tenth of a pixel.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save
from torch import Tensor, nn

from unbraid import fit
from unbraid.fit.state import STEP, State

SIZE, STEPS = 48, 400
AXIS = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
PIXELS = torch.stack(torch.meshgrid(AXIS, AXIS, indexing="xy"), -1)


class Scene(nn.Module):
    """A disc in front of a box in front of grey; lengths are in half pictures, angles in radians."""

    def __init__(self, centre: Tensor, size: Tensor, angle: Tensor, colour: Tensor) -> None:
        super().__init__()
        self.centre, self.size = nn.Parameter(centre), nn.Parameter(size)
        self.angle, self.colour = nn.Parameter(angle), nn.Parameter(colour)

    def forward(self, softness: float) -> Tensor:
        """The picture, ``(SIZE, SIZE, 3)``."""
        box, disc = PIXELS - self.centre[0], PIXELS - self.centre[1]
        cos, sin = self.angle.cos(), self.angle.sin()
        turned = torch.stack((box[..., 0] * cos + box[..., 1] * sin, box[..., 1] * cos - box[..., 0] * sin), -1)
        beyond = turned.abs() - self.size[:2]
        outside = (beyond.clamp_min(0).square().sum(-1) + 1e-12).sqrt()
        distances = (outside + beyond.amax(-1).clamp_max(0), disc.norm(dim=-1) - self.size[2])
        picture = torch.full((SIZE, SIZE, 3), 0.5)
        for distance, colour in zip(distances, self.colour, strict=True):
            cover = torch.sigmoid(-distance / softness)[..., None]
            picture = (1 - cover) * picture + cover * colour
        return picture


def scene(*numbers: list[float] | list[list[float]]) -> Scene:
    """A scene by its numbers."""
    centre, size, angle, colour = (torch.tensor(number) for number in numbers)
    return Scene(centre, size, angle.squeeze(), colour)


def main(out: Path) -> dict[str, float]:
    """Draw a scene, forget its numbers, find them again."""
    truth = scene([[-0.35, 0.25], [0.4, -0.3]], [0.4, 0.2, 0.3], [0.6], [[0.1, 0.3, 0.8], [0.9, 0.5, 0.1]])
    guess = scene([[0.0, 0.1], [0.1, -0.1]], [0.3, 0.3, 0.2], [0.2], [[0.3, 0.3, 0.5], [0.6, 0.5, 0.4]])
    with torch.no_grad():
        first = guess(0.02)

    def softness(step: int) -> float:
        """From 0.2 of a half picture down to 0.02, where most edges are one pixel wide."""
        return 0.2 * 0.1 ** min(step / (STEPS / 2), 1.0)

    def mismatch(state: State) -> Tensor:
        """The mean squared distance from the target, seen as softly as the guess."""
        soft = softness(state[STEP])
        with torch.no_grad():
            target = truth(soft)
        return (guess(soft) - target).square().mean()

    film = []

    @fit.on_step
    @fit.every(50)
    def watch(state: State) -> None:
        """Keep a picture now and then."""
        with torch.no_grad():
            film.append(guess(0.02))

    fit.Trial(
        guess,
        lambda parameters: torch.optim.Adam(parameters, lr=0.02),
        closure=mismatch,
        callbacks=[watch, fit.Cosine()],
        runtime=fit.Runtime("cpu"),
    ).fit(steps=STEPS)

    with torch.no_grad():
        target = truth(0.02)
    pictures = {"guess": first, **{f"step {50 * (i + 1)}": film[i] for i in (0, 1, 3, 7)}, "target": target}
    drawn = figure(10, 2.2)
    for axes, (name, picture) in zip(drawn.subplots(1, len(pictures)), pictures.items(), strict=True):
        axes.imshow(picture.clamp(0, 1).numpy())
        axes.set(xticks=[], yticks=[], title=name)
    save(drawn, out, "renderer")
    return {
        "pixels_off_centre": float((guess.centre - truth.centre).detach().norm(dim=1).max() * SIZE / 2),
        "grey_levels_off": float((film[-1] - target).abs().mean() * 255),
    }


if __name__ == "__main__":
    run(main)
