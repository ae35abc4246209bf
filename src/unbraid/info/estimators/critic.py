r"""Mutual information by a critic that is fitted, under any of the variational bounds.

References:
    As in :mod:`unbraid.info.estimators.bounds`.
    McAllester and Stratos, "Formal limitations on the measurement of mutual information", AISTATS 2020,
    arXiv:1811.04251 (no lower bound from N samples can be trusted much beyond log N).
"""

from __future__ import annotations

import copy
import math
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.info.estimators import bounds
from unbraid.info.estimators.estimate import NEAR, Estimate, estimated, paired
from unbraid.seed import derive, torch_generator

__all__ = ["Bound", "JointCritic", "SeparableCritic", "critic_information"]

Bound: TypeAlias = Literal["infonce", "nwj", "mine", "smile"]
BOUNDS = ("infonce", "nwj", "mine", "smile")
CRITICS = ("separable", "joint")
KEEP = 0.99
"""Of MINE's moving average of the normaliser, a step."""
LOOKS = 20
"""How often the critic is judged on the samples that choose it."""


class SeparableCritic(nn.Module):
    """Scores are products of embeddings, :math:`f(x, y) = g(x) · h(y)`: a batch of B costs 2 B passes, not B².

    Args:
        columns: Of x and of y.
        width: Of two hidden layers each, at least 1.
        embedding: Numbers to multiply, at least 1.
    """

    def __init__(self, columns: tuple[int, int], *, width: int = 128, embedding: int = 32) -> None:
        super().__init__()
        self.columns, self.width, self.embedding = columns, width, embedding
        self.first, self.second = (_dense(number, width, embedding) for number in columns)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores of every x with every y, ``(B, D)`` and ``(B, E)`` to ``(B, B)``."""
        scores: Tensor = self.first(x) @ self.second(y).T
        return scores


class JointCritic(nn.Module):
    """Scores are one network's of both at once: more able than products, for B² passes a batch.

    Args:
        columns: Of x and of y.
        width: Of two hidden layers, at least 1.
    """

    def __init__(self, columns: tuple[int, int], *, width: int = 128) -> None:
        super().__init__()
        self.columns, self.width = columns, width
        self.network = _dense(sum(columns), width, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores of every x with every y, ``(B, D)`` and ``(B, E)`` to ``(B, B)``."""
        size = len(x)
        both = torch.cat([x[:, None].expand(-1, size, -1), y[None].expand(size, -1, -1)], dim=2)
        scores: Tensor = self.network(both).squeeze(2)
        return scores


def critic_information(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    bound: Bound = "infonce",
    critic: Literal["separable", "joint"] = "separable",
    batch_size: int = 128,
    steps: int = 1000,
    width: int = 128,
    learning_rate: float = 1e-3,
    clip: float = 5.0,
    seed: int = 0,
) -> Estimate:
    r"""Fit a critic on two thirds of the samples and measure the bound on the rest.

    ``infonce`` and ``nwj`` are fitted as they are measured. ``mine`` is the bound of Donsker and Varadhan, fitted by
    gradients whose normaliser is a moving average over batches, which takes off most of their bias. ``smile`` is fitted
    by :func:`~unbraid.info.estimators.bounds.jensen_shannon`. Of the samples held out one half chooses among twenty
    states of the critic, and the other is measured on, batch by batch.

    Args:
        first: ``(N,)`` or ``(N, D)``.
        second: ``(N,)`` or ``(N, E)``.
        bound: ``"infonce"``, ``"nwj"``, ``"mine"`` or ``"smile"``.
        critic: ``"separable"`` or ``"joint"``.
        batch_size: B, at least 8; N must be at least 12 B. InfoNCE is at most log B.
        steps: Of Adam, at least 1.
        width: Of the critic's hidden layers, at least 1.
        learning_rate: Above 0.
        clip: :math:`\tau` of SMILE, above 0.
        seed: Of weights, batches and the split.

    Raises:
        InvalidData: When the samples do not fit together, or are too few.
        InvalidOption: When an option is out of range.

    >>> x = np.random.default_rng(0).normal(size=(600, 1))
    >>> critic_information(x, x, batch_size=16, steps=200).value > 1
    True
    """
    require_at_least(1, steps=steps, width=width)
    require_at_least(8, batch_size=batch_size)
    require_at_least(1e-12, learning_rate=learning_rate, clip=clip)
    for name, value, known in (("bound", bound, BOUNDS), ("critic", critic, CRITICS)):
        if value not in known:
            raise InvalidOption(f"{name} must be one of {', '.join(known)}, but is {value!r}")
    pair = paired(first, second)
    count = len(pair[0])
    if count < 12 * batch_size:
        raise InvalidData(
            f"two batches of {batch_size} must be left to choose and two to measure: give {12 * batch_size} samples or "
            f"more, or a smaller batch_size; there are {count}"
        )
    generator = torch_generator(seed, "critic")
    x, y = (_standard(values) for values in pair)
    order = torch.randperm(count, generator=generator)
    fit, choose, measure = order[: count * 2 // 3], order[count * 2 // 3 : count * 5 // 6], order[count * 5 // 6 :]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "critic"))
        columns = (x.shape[1], y.shape[1])
        model = SeparableCritic(columns, width=width) if critic == "separable" else JointCritic(columns, width=width)
    optimiser = torch.optim.Adam(model.parameters(), learning_rate)
    objective = _Objective(bound, clip)
    best, kept = -math.inf, copy.deepcopy(model.state_dict())
    every = max(1, steps // LOOKS)
    for step in range(steps):
        some = fit[torch.randint(len(fit), (batch_size,), generator=generator)]
        optimiser.zero_grad()
        (-objective.fitted(model(x[some], y[some]))).backward()
        optimiser.step()
        if (step + 1) % every == 0:
            now = float(np.mean(_batches(model, x, y, choose, batch_size, objective, fitted=bound == "smile")))
            if now > best:
                best, kept = now, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    found = _batches(model, x, y, measure, batch_size, objective)
    ceiling = math.log(batch_size) if bound == "infonce" else math.inf
    return estimated(
        found,
        kind="estimate" if bound == "smile" else "lower bound",
        samples=len(measure),
        ceiling=ceiling,
        warning=_warning(bound, float(np.mean(found)), batch_size, len(measure), clip),
        settings={"bound": bound, "critic": critic, "parameters": sum(p.numel() for p in model.parameters())},
    )


class _Objective:
    """A bound as it is fitted, and as it is measured."""

    def __init__(self, bound: Bound, clip: float) -> None:
        self.bound, self.clip = bound, clip
        self.average: Tensor | None = None

    def fitted(self, scores: Tensor) -> Tensor:
        """What the critic climbs."""
        if self.bound == "smile":
            return bounds.jensen_shannon(scores)
        if self.bound != "mine":
            return self.measured(scores)
        apart = scores.diagonal().mean() - bounds.donsker_varadhan(scores)
        now = apart.detach()
        # Kept as a logarithm: scores of some tens would overflow.
        self.average = (
            now if self.average is None else torch.logaddexp(self.average + math.log(KEEP), now + math.log(1 - KEEP))
        )
        return scores.diagonal().mean() - (apart - self.average).exp()

    def measured(self, scores: Tensor) -> Tensor:
        """The bound itself."""
        if self.bound == "infonce":
            return bounds.infonce(scores)
        if self.bound == "nwj":
            return bounds.nwj(scores)
        return bounds.smile(scores, self.clip) if self.bound == "smile" else bounds.donsker_varadhan(scores)


@torch.no_grad()
def _batches(
    model: nn.Module, x: Tensor, y: Tensor, which: Tensor, size: int, objective: _Objective, *, fitted: bool = False
) -> list[float]:
    """The bound, or what the critic climbs, of every whole batch of these samples."""
    of = objective.fitted if fitted else objective.measured
    return [float(of(model(x[some], y[some]))) for some in which.split(size) if len(some) == size]


def _warning(bound: Bound, value: float, batch_size: int, measured: int, clip: float) -> str:
    if bound == "infonce" and value > NEAR * math.log(batch_size):
        return f"InfoNCE of batches of {batch_size} cannot exceed {math.log(batch_size):.2f} nats: take larger ones"
    if bound == "smile" and value > clip:
        return f"SMILE clips at {clip:g}: beyond, it is no bound and may be too great"
    if bound in ("nwj", "mine") and value > math.log(measured):
        return f"no lower bound from {measured:,} samples can be trusted beyond {math.log(measured):.2f} nats"
    return ""


def _standard(values: npt.NDArray[np.float64]) -> Tensor:
    deviation = values.std(axis=0)
    return torch.from_numpy((values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)).float()


def _dense(inputs: int, width: int, outputs: int) -> nn.Sequential:
    layers = (nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs))
    return nn.Sequential(*layers)
