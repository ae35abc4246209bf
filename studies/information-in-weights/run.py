"""How much information about its labels a network's weights need, for labels that are real, partly wrong, or random.

``python studies/information-in-weights/run.py`` fits what ``results.jsonl`` beside this file does not hold yet, a
network a line; ``figures.py`` draws what is there and prints the tables.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from unbraid.info.generalisation import activation_bound, pac_bayes_bound
from unbraid.nn.weightnoise import NoisyLinear, weight_information

HERE = Path(__file__).parent
HIDDEN = {"wide": 64, "narrow": 24, "centred": 64}
"""Units of each of two hidden layers. But for the wide network inputs have mean 0, so that fewer weights matter."""
STEPS, RATE, WARM = 1000, 1e-2, 0.3
"""Steps of Adam on all samples at once; over what share of them the price rises."""
TESTED, DRAWS = 600, 10
BETAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
FINE = (0.1, 0.14, 0.2, 0.3)
"""Where random labels cease to be learned."""
LABELS = {"real": 0.0, "half random": 0.5, "random": 1.0}


class Setting(NamedTuple):
    """One network."""

    labels: str
    samples: int
    beta: float
    noise: str
    prior: str
    network: str
    seed: int


def groups() -> list[list[Setting]]:
    """Everything that is asked; networks of as many samples and alike in noise and prior are fitted together."""
    usual = ("gaussian", "zero", "wide")
    plain = [[Setting(name, 200, beta, *usual, seed) for name, beta in product(LABELS, BETAS)] for seed in range(3)]
    sizes = [
        [Setting(name, count, beta, *usual, seed) for name, beta in product(("random", "real"), BETAS)]
        for seed in range(3)
        for count in (100, 400)
    ]
    start = [Setting("random", 200, beta, "gaussian", "start", "wide", 0) for beta in BETAS]
    log_normal = [Setting("random", 200, beta, "log-normal", "zero", "wide", 0) for beta in BETAS]
    fine = [
        [Setting("random", 200, beta, "gaussian", prior, network, seed) for beta in FINE if beta not in left]
        for seed in range(3)
        for prior, network, left in (("zero", "wide", BETAS), ("start", "narrow", ()))
    ]
    return [plain[0], sizes[0], start, sizes[1], log_normal, *plain[1:], *sizes[2:], *fine]


def data(setting: Setting) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Digits with some labels drawn at random, and digits with their own to test on."""
    digits = load_digits()
    generator = np.random.default_rng(setting.seed)
    order = generator.permutation(len(digits.data))
    x = torch.tensor(digits.data[order] / 8 - 1, dtype=torch.float32)
    y = digits.target[order].astype(np.int64)
    wrong = generator.random(len(y)) < LABELS[setting.labels]
    learned = torch.from_numpy(np.where(wrong, generator.integers(0, 10, len(y)), y))
    count = setting.samples
    if setting.network != "wide":
        x = x - x[:count].mean(dim=0)
        x = 0.75 * x / x[:count].std()
    tested = min(TESTED, len(x) - count)
    return x[:count], learned[:count], x[-tested:], torch.from_numpy(y)[-tested:]


class Priced(nn.Module):
    """A network with its loss: cross-entropy and the price of what its weights hold."""

    def __init__(self, noise: str, prior: str, hidden: int) -> None:
        super().__init__()
        options: dict[str, Any] = {"noise": noise, "prior": prior}
        layers: list[nn.Module] = []
        for before, after in pairwise((64, hidden, hidden, 10)):
            layers += [NoisyLinear(before, after, **options), nn.ReLU()]
        self.network = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor, y: Tensor, price: Tensor) -> Tensor:
        """A scalar, in nats a sample."""
        return F.cross_entropy(self.network(x), y) + price * weight_information(self.network)


def fitted(some: list[Setting], x: Tensor, y: Tensor) -> list[nn.Sequential]:
    """All networks of a group, stacked: a step of twelve costs little more than one of three."""
    models = []
    for setting in some:
        torch.manual_seed(setting.seed)
        models.append(Priced(setting.noise, setting.prior, HIDDEN[setting.network]))
    weights, buffers = stack_module_state(models)  # type: ignore[arg-type]
    optimiser = torch.optim.Adam(weights.values(), RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    betas = torch.tensor([setting.beta for setting in some]) / x.shape[1]

    def loss(own: Any, kept: Any, *given: Tensor) -> Any:
        return functional_call(models[0], (own, kept), given)

    losses = vmap(loss, randomness="different")
    torch.manual_seed(0)
    for step in range(STEPS):
        optimiser.zero_grad()
        losses(weights, buffers, x, y, betas * min(1.0, step / (WARM * STEPS))).sum().backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        for i, model in enumerate(models):
            for name, parameter in model.named_parameters():
                parameter.copy_(weights[name][i])
    return [model.network for model in models]


def measured(setting: Setting, model: nn.Sequential, x: Tensor, y: Tensor, test_x: Tensor, test_y: Tensor) -> Any:
    """What a fitted network does, what its weights hold, and what follows from that."""
    with torch.no_grad():
        losses, wrong = zip(*[_judged(model, x, y) for _ in range(DRAWS)], strict=True)
        tests = [_judged(model, test_x, test_y)[1] for _ in range(DRAWS)]
        held = float(weight_information(model))
        each = [float(layer.information()) / layer.weight.numel() for layer in model if isinstance(layer, NoisyLinear)]
    train = float(np.mean(wrong))
    gaussian = setting.noise == "gaussian"
    return {
        **setting._asdict(),
        "train_loss": round(float(np.mean(losses)), 4),
        "train_error": round(train, 4),
        "test_error": round(float(np.mean(tests)), 4),
        "held": round(held, 2),
        "held_per_sample": round(held / len(x), 4),
        "flatness": round(_flatness(model, x, y), 4),
        "promise": round(pac_bayes_bound(train, held, len(x)), 4) if gaussian else None,
        "activations": [round(activation_bound(max(nats, 0.0)), 3) for nats in each],
    }


def _judged(model: nn.Sequential, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Cross-entropy and the share of wrong answers, with noise."""
    logits = model.train()(x)
    return float(F.cross_entropy(logits, y)), float((logits.argmax(dim=1) != y).float().mean())


def _flatness(model: nn.Sequential, x: Tensor, y: Tensor) -> float:
    r"""The logarithm of |w|^2 times the trace of the curvature: by the squared gradients of labels the model draws."""
    model.eval()
    weights = [layer.weight for layer in model if isinstance(layer, NoisyLinear)]
    trace = 0.0
    generator = torch.Generator().manual_seed(0)
    for one in x[:50].split(1):
        log_chance = model(one).log_softmax(dim=1)
        drawn = torch.multinomial(log_chance.detach().exp(), 1, generator=generator)
        slopes = torch.autograd.grad(log_chance.gather(1, drawn).sum(), weights)
        trace += sum(float(slope.square().sum()) for slope in slopes) / min(len(x), 50)
    size = sum(float(weight.detach().square().sum()) for weight in weights)
    return math.log(size * max(trace, 1e-12))


def fill(file: Path, asked: list[list[Setting]], about: str | None) -> None:
    """Fit and measure what a file does not hold yet, for as many minutes as are given."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--minutes", type=float, default=60, help="after which no further network is begun")
    options = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    done = {Setting(*(json.loads(line)[name] for name in Setting._fields)) for line in lines}
    for some in asked:
        if done.issuperset(some):
            continue
        if time.monotonic() - began > 60 * options.minutes:
            print("out of time: run it again")
            return
        start = time.process_time()
        given = [data(setting) for setting in some]
        models = fitted(some, torch.stack([one[0] for one in given]), torch.stack([one[1] for one in given]))
        rows = [measured(setting, model, *one) for setting, model, one in zip(some, models, given, strict=True)]
        seconds = round((time.process_time() - start) / len(some), 2)
        with file.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps({**row, "cpu_seconds": seconds}) + "\n" for row in rows)
        print(f"{len(some)} networks of {some[0].samples} samples, {seconds:.1f} CPU s each", flush=True)


if __name__ == "__main__":
    fill(HERE / "results.jsonl", groups(), __doc__)
