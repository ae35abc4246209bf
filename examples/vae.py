"""A variational autoencoder of handwritten digits: a model that states its own loss, term by term.

A model with ``loss(batch, step)`` needs no criterion; every named term is in the history. Two latents leave a map of
all digits that can be looked at. Expect a loss some three nats below that of pixels that know nothing of each other.

References:
    D. Kingma and M. Welling, "Auto-Encoding Variational Bayes", 2014.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save
from sklearn.datasets import load_digits
from torch import Tensor, nn

from unbraid import fit


class VAE(nn.Module):
    """Encodes 64 pixels into two latents with a mean and a spread, and decodes them."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 4))
        self.decoder = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, x: Tensor) -> Tensor:
        """The latents' means."""
        return self.encoder(x)[:, :2]

    def loss(self, x: Tensor, step: int) -> dict[str, Tensor]:
        """The negative evidence lower bound, in nats an image."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        pixels = nn.functional.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        kl = (mean.square() + log_variance.exp() - log_variance - 1).sum() / 2
        return {"pixels": pixels / len(x), "kl": kl / len(x)}


def main(out: Path) -> dict[str, float]:
    """Fit, measure the bound on unseen digits, and draw the map."""
    torch.manual_seed(0)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x = torch.tensor(digits.data, dtype=torch.float32)[order] / 16
    train, test = x[:1500], x[1500:]

    model = VAE()
    trial = fit.Trial(model, lambda parameters: torch.optim.Adam(parameters, lr=1e-3), runtime=fit.Runtime("cpu"))
    trial.fit(fit.Tensors(train, batch_size=64), epochs=80)
    found = trial.evaluate(test)
    mean = train.mean(0).clamp(1e-3, 1 - 1e-3).expand_as(test)
    independent = nn.functional.binary_cross_entropy(mean, test, reduction="sum") / len(test)

    # Equal shares of the prior: the quantiles of a normal distribution.
    steps = torch.special.ndtri(torch.linspace(0.03, 0.97, 12))
    with torch.no_grad():
        grid = model.decoder(torch.cartesian_prod(-steps, steps).flip(1)).sigmoid().reshape(-1, 1, 8, 8)
    drawn = figure(9, 4.5)
    codes, pictures = drawn.subplots(1, 2)
    dots = codes.scatter(*trial.predict(test).T, c=digits.target[order[1500:]], cmap="tab10", s=12)
    codes.set(title="where unseen digits lie")
    drawn.colorbar(dots, ax=codes, ticks=range(10))
    pictures.imshow(fit.make_grid(grid, columns=12, gap=1, background=90))
    pictures.set(xticks=[], yticks=[], title="what the decoder draws there")
    save(drawn, out, "vae")
    return {"nats": found["loss"], "kl": found["kl"], "independent_pixels": float(independent)}


if __name__ == "__main__":
    run(main)
