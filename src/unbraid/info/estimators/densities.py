r"""Mutual information by densities that are fitted: Barber and Agakov's bound, and differences of entropies.

References:
    Barber and Agakov, "The IM algorithm: a variational approach to information maximization", NIPS 2003.
    McAllester and Stratos, "Formal limitations on the measurement of mutual information", AISTATS 2020,
    arXiv:1811.04251 (differences of entropies).
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, require_at_least
from unbraid.info.estimators.estimate import Estimate, estimated, paired
from unbraid.seed import derive, torch_generator
from unbraid.types import Floats, Integers

__all__ = ["MixtureHead", "barber_agakov", "difference_of_entropies"]

BATCH, LOOKS = 128, 20


class MixtureHead(nn.Module):
    r"""A density of y given x: a mixture of diagonal Gaussians whose parameters a network gives.

    Args:
        inputs: Columns of x.
        outputs: Columns of y.
        components: Of the mixture, at least 1.
        width: Of two hidden layers, at least 1.
    """

    def __init__(self, inputs: int, outputs: int, *, components: int = 1, width: int = 64) -> None:
        super().__init__()
        self.inputs, self.outputs, self.components, self.width = inputs, outputs, components, width
        numbers = components * (2 * outputs + 1)
        layers = (nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.network = nn.Sequential(*layers, nn.Linear(width, numbers))
        # What a straight line can tell need not be learned by bends.
        self.straight = nn.Linear(inputs, numbers)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The log density of every y given its x, in nats: ``(B, D)`` and ``(B, E)`` to ``(B,)``."""
        numbers = self.network(x) + self.straight(x)
        weight, rest = numbers[:, : self.components], numbers[:, self.components :]
        mean, scale = rest.unflatten(1, (self.components, 2 * self.outputs)).chunk(2, dim=2)
        scale = scale.clamp(-7, 7)
        each = -0.5 * ((y[:, None] - mean) * (-scale).exp()).square() - scale - 0.5 * math.log(2 * math.pi)
        density: Tensor = (each.sum(dim=2) + weight.log_softmax(dim=1)).logsumexp(dim=1)
        return density


def barber_agakov(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    entropy: float,
    components: int = 1,
    width: int = 64,
    steps: int = 1000,
    learning_rate: float = 1e-2,
    seed: int = 0,
) -> Estimate:
    r"""A lower bound of I(x; y) by a density of y given x, where the entropy of y is known.

    .. math:: I(x; y) \ge H(y) + \mathbb E \log q(y \mid x)

    Args:
        first: x, ``(N,)`` or ``(N, D)``.
        second: y, continuous, ``(N,)`` or ``(N, E)``.
        entropy: The differential entropy of y, in nats.
        components: Of the mixture of Gaussians that q is, at least 1.
        width: Of the network's hidden layers, at least 1.
        steps: Of Adam, at least 1.
        learning_rate: Above 0.
        seed: Of weights, batches and the split.

    Raises:
        InvalidData: When the samples do not fit together, or there are fewer than 60.
        InvalidOption: When an option is out of range.
    """
    x, y = paired(first, second, least=60)
    given, _, parameters = _surprise(x, y, components, width, steps, learning_rate, seed)
    about = {"components": components, "parameters": parameters}
    return estimated(entropy - given, kind="lower bound", settings=about)


def difference_of_entropies(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    components: int = 1,
    width: int = 64,
    steps: int = 1000,
    learning_rate: float = 1e-2,
    seed: int = 0,
) -> Estimate:
    r"""I(x; y) as the difference of two cross-entropies: of y alone, and of y given x.

    .. math:: I(x; y) \approx \min_q \mathbb E[-\log q(y)] - \min_q \mathbb E[-\log q(y \mid x)]

    Each is an upper bound of its entropy; their difference bounds nothing, but does not saturate either. Of y alone the
    density is a mixture of Gaussians with full covariances, by scikit-learn. Two thirds of the samples are fitted to, a
    sixth chooses when to stop, a sixth is measured on.

    Args:
        first: x, ``(N,)`` or ``(N, D)``.
        second: y, continuous, ``(N,)`` or ``(N, E)``.
        components: Of the mixtures of Gaussians, at least 1.
        width: Of the network's hidden layers, at least 1.
        steps: Of Adam, at least 1.
        learning_rate: Above 0.
        seed: Of weights, batches and the split.

    Raises:
        InvalidData: When the samples do not fit together, or there are fewer than 60.
        InvalidOption: When an option is out of range.

    >>> x = np.random.default_rng(0).normal(size=(600, 2))
    >>> abs(difference_of_entropies(x[:, :1], x.sum(axis=1), steps=300).value - 0.5 * math.log(2)) < 0.2
    True
    """
    x, y = paired(first, second, least=60)
    given, measure, parameters = _surprise(x, y, components, width, steps, learning_rate, seed)
    rest = np.delete(np.arange(len(y)), measure)
    alone = _surprise_alone(y[rest], y[measure], components, seed)
    return estimated(alone - given, settings={"components": components, "parameters": parameters})


def _surprise(
    x: Floats, y: Floats, components: int, width: int, steps: int, learning_rate: float, seed: int
) -> tuple[Floats, Integers, int]:
    """-log q(y|x) of samples that nothing was fitted to, which ones they are, and how many parameters q has."""
    require_at_least(1, components=components, width=width, steps=steps)
    require_at_least(1e-12, learning_rate=learning_rate)
    deviation = y.std(axis=0)
    if not (deviation > 0).all():
        raise InvalidData("a constant has no density: leave out the columns of the second that do not vary")
    generator = torch_generator(seed, "densities")
    order = torch.randperm(len(x), generator=generator)
    fit, choose, measure = order.tensor_split([len(x) * 2 // 3, len(x) * 5 // 6])
    spread = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    inputs, target = (
        torch.from_numpy(values).float() for values in ((x - x.mean(axis=0)) / spread, (y - y.mean(axis=0)) / deviation)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "densities"))
        model = MixtureHead(x.shape[1], y.shape[1], components=components, width=width)
    optimiser = torch.optim.Adam(model.parameters(), learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    best, kept = -math.inf, dict[str, Any](copy.deepcopy(model.state_dict()))
    for step in range(steps):
        some = fit[torch.randint(len(fit), (BATCH,), generator=generator)]
        optimiser.zero_grad()
        (-model(inputs[some], target[some]).mean()).backward()
        optimiser.step()
        schedule.step()
        if (step + 1) % max(1, steps // LOOKS) == 0:
            with torch.no_grad():
                now = float(model(inputs[choose], target[choose]).mean())
            if now > best:
                best, kept = now, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    with torch.no_grad():
        found = -model(inputs[measure], target[measure]).double().numpy()
    count = sum(p.numel() for p in model.parameters())
    return found + float(np.log(deviation).sum()), measure.numpy(), count


def _surprise_alone(y: Floats, test_y: Floats, components: int, seed: int) -> Floats:
    """-log q(y) of samples that the density was not fitted to."""
    from sklearn.mixture import GaussianMixture

    mean, deviation = y.mean(axis=0), y.std(axis=0)
    mixture = GaussianMixture(components, n_init=3 if components > 1 else 1, random_state=seed)
    mixture.fit((y - mean) / deviation)
    found: Floats = -mixture.score_samples((test_y - mean) / deviation) + np.log(deviation).sum()
    return found
