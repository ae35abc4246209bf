r"""Usable information: what readers of a stated capacity can find out about labels.

References:
    Xu, Zhao, Song, Stewart and Ermon, "A theory of usable information under computational constraints", ICLR 2020,
    arXiv:2002.10689.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.info.estimators.estimate import Estimate, estimated
from unbraid.seed import derive, torch_generator

__all__ = ["Reader", "usable_information"]

Reader: TypeAlias = Literal["linear", "mlp"] | Callable[[tuple[int, ...], int], nn.Module]
"""A family of readers: ``"linear"``, ``"mlp"``, or a function of the shape of one code and the number of classes that
makes a network from codes to logits."""

BATCH = 128


def usable_information(
    codes: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    test: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    reader: Reader = "mlp",
    width: int = 64,
    epochs: int = 30,
    learning_rate: float = 2e-3,
    seed: int = 0,
) -> Estimate:
    r"""What a reader of some family finds out about labels from codes it has not seen: a lower bound of I(z; y).

    .. math:: I_{\mathcal V}(z \to y) = \inf_{q \in \mathcal V} \mathbb E[-\log q(y)]
              - \inf_{q \in \mathcal V} \mathbb E[-\log q(y \mid z)]

    Unlike the information itself it is finite for codes without noise, and can be made greater by computation: the
    family belongs to the number, and its parameters are in the settings. A fifth of the samples to learn from chooses
    the epoch; the rest are learned from. Codes that tell nothing give about 0, or a little less.

    Args:
        codes: ``(N, ...)``, of more than two dimensions only for a reader of one's own.
        labels: Whole numbers, ``(N,)``.
        test: Codes and labels to be measured on; a third of the samples by default.
        reader: ``"linear"``, ``"mlp"`` (two hidden layers), or a function that makes a network.
        width: Of the hidden layers of ``"mlp"``, at least 1.
        epochs: At most, at least 1.
        learning_rate: Of Adam, above 0.
        seed: Of weights, batches and the split.

    Raises:
        InvalidData: When codes and labels do not fit together, or are too few.
        InvalidOption: When an option is out of range.

    >>> labels = np.arange(300) % 3
    >>> usable_information(labels[:, None] * 1.0, labels, reader="mlp").value > 0.9  # of log 3 = 1.0986
    True
    """
    require_at_least(1, width=width, epochs=epochs)
    require_at_least(1e-12, learning_rate=learning_rate)
    if not callable(reader) and reader not in ("linear", "mlp"):
        raise InvalidOption(f"reader must be linear, mlp or a function that makes a network, but is {reader!r}")
    generator = torch_generator(seed, "usable")
    z, y = _checked(codes, labels)
    if test is None:
        order = torch.randperm(len(z), generator=generator)
        held, rest = order[: len(z) // 3], order[len(z) // 3 :]
        (test_z, test_y), (z, y) = (z[held], y[held]), (z[rest], y[rest])
    else:
        test_z, test_y = _checked(*test)
    classes = int(max(y.max(), test_y.max())) + 1
    mean, deviation = z.mean(dim=0), z.std(dim=0)
    z, test_z = ((part - mean) / torch.where(deviation > 1e-6, deviation, 1.0) for part in (z, test_z))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "usable"))
        shape = tuple(z.shape[1:])
        model = reader(shape, classes) if callable(reader) else _dense(shape, classes, reader, width)
        _learn(model, z, y, epochs, learning_rate, generator)
    # What is known without codes: how frequent the labels are, each counted once more than it was seen.
    frequency = torch.bincount(y, minlength=classes).double() + 1
    blind = -(frequency / frequency.sum()).log()[test_y]
    with torch.no_grad():
        found = torch.cat([model(part) for part in test_z.split(1000)]).double().log_softmax(dim=1)
    terms = (blind + found.gather(1, test_y[:, None]).squeeze(1)).numpy()
    settings = {
        "reader": reader if isinstance(reader, str) else type(model).__name__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "error": float((found.argmax(dim=1) != test_y).double().mean()),
    }
    return estimated(terms, kind="lower bound", ceiling=float(blind.mean()), settings=settings)


def _learn(
    model: nn.Module, z: Tensor, y: Tensor, epochs: int, learning_rate: float, generator: torch.Generator
) -> None:
    """Fit, and go back to the epoch that the samples set apart like best."""
    order = torch.randperm(len(z), generator=generator)
    choose, fit = order[: len(z) // 5], order[len(z) // 5 :]
    optimiser = torch.optim.Adam(model.parameters(), learning_rate)
    best, kept, worse = math.inf, dict[str, Any](copy.deepcopy(model.state_dict())), 0
    for _ in range(epochs):
        model.train()
        for some in fit[torch.randperm(len(fit), generator=generator)].split(BATCH):
            if len(some) < 2:
                continue  # a layer that norms by the batch cannot
            optimiser.zero_grad()
            F.cross_entropy(model(z[some]), y[some]).backward()
            optimiser.step()
        model.eval()
        with torch.no_grad():
            now = float(F.cross_entropy(model(z[choose]), y[choose]))
        worse = 0 if now < best else worse + 1
        if now < best:
            best, kept = now, copy.deepcopy(model.state_dict())
        if worse == 5:
            break
    model.load_state_dict(kept)
    model.eval()


def _dense(shape: tuple[int, ...], classes: int, reader: str, width: int) -> nn.Module:
    if len(shape) != 1:
        raise InvalidData(f"the reader {reader} takes codes (N, D), but one code is of shape {shape}: flatten them")
    if reader == "linear":
        return nn.Linear(shape[0], classes)
    hidden = (nn.Linear(shape[0], width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
    return nn.Sequential(*hidden, nn.Linear(width, classes))


def _checked(codes: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Tensor, Tensor]:
    z = codes.detach() if isinstance(codes, Tensor) else torch.from_numpy(np.asarray(codes))
    y = labels.detach() if isinstance(labels, Tensor) else torch.from_numpy(np.asarray(labels))
    if z.ndim < 2 or y.ndim != 1 or len(z) != len(y) or len(z) < 30 or y.is_floating_point() or int(y.min()) < 0:
        raise InvalidData(
            "codes must be (N, ...) and labels whole numbers (N,) from 0, of the same 30 samples or more, but are "
            f"{tuple(z.shape)} and {tuple(y.shape)}, {y.dtype}"
        )
    if not bool(z.isfinite().all()):
        raise InvalidData("codes must be finite numbers, but some are infinite or not numbers")
    return z.float(), y.long()
