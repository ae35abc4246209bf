"""A classifier of real handwritten digits: data, model, optimiser, criterion, metrics by name, and a callback.

1797 images of 8 x 8 pixels come with scikit-learn. Expect about 98 % of the unseen ones right after a few
seconds; the picture shows the accuracy epoch by epoch and the digits that were got wrong.
"""

from __future__ import annotations

from pathlib import Path

import torch
from _shared import figure, run, save
from sklearn.datasets import load_digits
from torch import nn

from unbraid import fit


def main(out: Path) -> dict[str, float]:
    """Fit, stop when the validation loss rises, and measure once on digits that had no say in anything."""
    torch.manual_seed(0)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x = torch.tensor(digits.images, dtype=torch.float32)[order, None] / 16
    y = torch.tensor(digits.target)[order]
    train, validation, test = (fit.Tensors(x[a:b], y[a:b]) for a, b in ((0, 1200), (1200, 1500), (1500, 1797)))

    model = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(256, 10)),
    )
    trial = fit.Trial(
        model,
        lambda parameters: torch.optim.AdamW(parameters, lr=2e-3),
        nn.CrossEntropyLoss(),
        metrics=["acc"],
        callbacks=[fit.EarlyStopping("validation_loss", patience=5)],
    )
    history = trial.fit(train, epochs=20, validation=validation)
    found = trial.evaluate(test)

    predicted = trial.predict(test).argmax(1).cpu()
    wrong = (predicted != y[1500:]).nonzero().flatten().tolist()
    drawn = figure()
    curve, pictures = drawn.subplots(1, 2)
    curve.plot([row["epoch"] for row in history], [row["acc"] for row in history], label="training")
    curve.plot([row["epoch"] for row in history], [row["validation_acc"] for row in history], label="validation")
    curve.set(xlabel="epoch", ylabel="accuracy", ylim=(0.8, 1.0), title=f"{found['acc']:.1%} of the unseen right")
    curve.legend(frameon=False)
    pictures.imshow(fit.make_grid(x[1500:][wrong], columns=4), cmap="gray")
    pictures.set(xticks=[], yticks=[], title=f"the {len(wrong)} that are wrong, of {len(predicted)}")
    save(drawn, out, "quickstart")
    return {"accuracy": found["acc"], "epochs": len(history)}


if __name__ == "__main__":
    run(main)
