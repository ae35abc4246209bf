"""Any model of unbraid in an ordinary PyTorch loop: no trial, no callback, nothing of ``unbraid.fit``.

A model is an ``nn.Module`` that states its loss and names the view it must see the world in; the batch at a step is a
function of that step. Expect a beta-VAE on sprites to fall to a fifth of its first loss within five seconds; the
picture shows images above and their still blurred reconstructions below.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save

from unbraid import registry
from unbraid.view import to_float, view


def main(out: Path, model_name: str = "betavae", steps: int = 60) -> dict[str, float]:
    """Fit the model called ``model_name`` to sprites."""
    torch.manual_seed(0)
    world = registry.load("worlds", "sprites")()
    model = registry.load("models", model_name)(world.shape)
    batches = view(model.view)(world, batch_size=32)
    # Some players ask for settings of their own; a decay of weights is meant as AdamW has it.
    players = {name: [group] if isinstance(group, dict) else group for name, group in model.players().items()}
    optimisers = {name: torch.optim.AdamW(group, lr=1e-3, weight_decay=0.0) for name, group in players.items()}
    losses = []
    for step in range(steps):
        losses.append(0.0)
        for name, optimiser in optimisers.items():
            player = (name,) if len(optimisers) > 1 else ()
            terms = model.loss(batches.batch(step), step, *player)
            optimiser.zero_grad()
            terms.total().backward()
            optimiser.step()
            losses[-1] += terms.total().item()

    model.eval()
    x = to_float(world.images(torch.arange(0, len(world), len(world) // 10)[:10].numpy()))
    with torch.no_grad():
        pictures = torch.cat((x, model.decode(model.represent(x))))
    drawn = figure(9, 4)
    curve, shown = drawn.subplots(1, 2)
    curve.semilogy(losses)
    curve.set(xlabel="step", title="loss, in nats an image")
    rows = [torch.cat(list(row), -1) for row in pictures.chunk(2)]
    shown.imshow(torch.cat(rows, -2).movedim(0, -1).squeeze(-1).numpy(), cmap="gray", aspect="equal")
    shown.set(xticks=[], yticks=[], title="images, and what became of them")
    save(drawn, out, "plain_loop")
    return {"first": sum(losses[:5]) / 5, "last": sum(losses[-5:]) / 5}


if __name__ == "__main__":
    run(main)
