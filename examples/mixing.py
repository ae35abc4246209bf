"""What mixed samples do to a classifier that sees few: the same network with and without FMix, as a callback.

Two hundred of scikit-learn's digits to learn from, the others to be asked about, whole and with a quarter blanked.
Expect FMix to cost nothing on whole digits and to gain several points on blanked ones, since every digit that it shows
has a part missing; the picture shows what it makes of digits, and both accuracies.

References:
    Harris et al., "FMix: enhancing mixed sample data augmentation", 2020, arXiv:2002.12047.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save
from sklearn.datasets import load_digits
from torch import Tensor, nn

from unbraid import fit
from unbraid.mix import FMix

SEEN = 200


def fitted(x: Tensor, y: Tensor, mixer: FMix | None) -> nn.Module:
    """A small network, after sixty rounds through the digits."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 10)),
    )
    trial = fit.Trial(
        model,
        lambda parameters: torch.optim.AdamW(parameters, lr=3e-3),
        fit.mixed_loss(nn.CrossEntropyLoss(reduction="none")) if mixer else nn.CrossEntropyLoss(),
        callbacks=[mixer] if mixer else [],
    )
    trial.fit(fit.Tensors(x, y, batch_size=50), epochs=60)
    return model.cpu().eval()


def blanked(x: Tensor) -> Tensor:
    """The digits without a quarter: a corner for each in turn."""
    x = x.clone()
    for corner in range(4):
        down, across = 4 * (corner // 2), 4 * (corner % 2)
        x[corner::4, :, down : down + 4, across : across + 4] = 0
    return x


def main(out: Path) -> dict[str, float]:
    """Fit both and ask them about whole and blanked digits."""
    torch.manual_seed(0)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x = torch.tensor(digits.images, dtype=torch.float32)[order, None] / 16
    y = torch.tensor(digits.target)[order]
    mixer = FMix(alpha=1)
    found = {}
    for name, mixing in (("plain", None), ("fmix", mixer)):
        model = fitted(x[:SEEN], y[:SEEN], mixing)
        for kind, shown in (("whole", x[SEEN:]), ("blanked", blanked(x[SEEN:]))):
            with torch.no_grad():
                found[f"{name}, {kind}"] = float((model(shown).argmax(1) == y[SEEN:]).float().mean())

    drawn = figure()
    pictures, bars = drawn.subplots(1, 2)
    mixture = mixer.draw(x[:16])
    pictures.imshow(fit.make_grid(mixture.apply(x[:16]), columns=4), cmap="gray")
    pictures.set(xticks=[], yticks=[], title="what FMix shows")
    for i, kind in enumerate(("whole", "blanked")):
        for j, name in enumerate(("plain", "fmix")):
            value = found[f"{name}, {kind}"]
            bars.bar(i + 0.4 * j, value, 0.38, color=f"C{j}", label=name if i == 0 else None)
            bars.text(i + 0.4 * j, value, f"{value:.1%}", ha="center", va="bottom")
    bars.set(
        xticks=[0.2, 1.2],
        xticklabels=["whole", "a quarter blank"],
        ylim=(0.5, 1.05),
        ylabel="accuracy on unseen digits",
    )
    bars.legend(frameon=False, loc="upper right")
    save(drawn, out, "mixing")
    return found


if __name__ == "__main__":
    run(main)
