"""Codes of a world's images under a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit.memory import memory_kept
from unbraid.model import Model, VariationalModel
from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Floats, Integers
from unbraid.view import to_bytes, to_float
from unbraid.views._lookup import names
from unbraid.world import World

__all__ = [
    "abilities",
    "check_shape",
    "choose",
    "decoder",
    "device_of",
    "divergence",
    "encode",
    "posteriors",
    "represented",
]

CHUNK = 64
"""Images at once: the working set of convolutions then stays in the cache; of 256 at once each takes twice as long."""


def check_shape(model: Model, world: World) -> None:
    """Make sure that a model takes a world's images.

    Raises:
        InvalidOption: When their shapes differ.
    """
    if tuple(model.shape) != tuple(world.shape):
        raise InvalidOption(
            f"the model takes images of shape {tuple(model.shape)}, but the world's are {tuple(world.shape)}"
        )


def choose(world: World, samples: int, seed: int) -> Integers:
    """Numbers of ``samples`` different images, as the world is measured; all of them where it has no more."""
    return world.measured(samples, numpy_generator(seed, "evaluate"))


def encode(model: Model, world: World, indices: Integers) -> Floats:
    """The codes of the given images, ``(N, latent_dim)``."""
    return _over(lambda x: model.represent(x), model, world, indices)


def represented(model: Model, world: World) -> Callable[[Integers], Floats]:
    """From factor values ``(n, F)`` to codes of their images, ``(n, latent_dim)``; what is missing is a sentence."""

    def represent(values: Integers) -> Floats:
        try:
            indices = world.index(values)
        except InvalidData as error:
            raise InvalidData(
                f"it moves single factors and so asks for images of any combination, which this world does not "
                f"have ({error}): measure on a world that has them all, with evaluate(run, world)"
            ) from None
        return encode(model, world, indices)

    return represent


def abilities(
    model: Model, world: World, fitted: World | None = None, *, view: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What :class:`~unbraid.score.Sampler` may hold besides codes: what the model can do, and images, in 0 .. 1.

    Args:
        model: The model.
        world: On which it is measured.
        fitted: To which it was fitted; where that is a part of the world, it is told what was seen.
        view: What a run keeps of its view; of one with actions it is told what they move.
    """
    shown = decoder(model)
    able: dict[str, Any] = {
        "images": lambda values: world.images(world.index(values)) / 255,
        "decode": lambda codes: shown(codes) / 255,
    }
    acting: Any = model
    if hasattr(model, "matrices"):
        able["matrices"] = acting.matrices().detach().double().cpu().numpy()
    if hasattr(model, "infer"):

        def infer(before: Integers, after: Integers) -> Integers:
            pair = [to_float(world.images(world.index(values))).to(device_of(model)) for values in (before, after)]
            with torch.no_grad():
                return np.asarray(acting.infer(*pair).cpu().numpy(), dtype=np.int64)

        able["infer"] = infer
    if fitted is not None and fitted.space == world.space and len(fitted) < len(world):
        known = np.unique(fitted.space.index(fitted.factors(np.arange(len(fitted)))))
        able["seen"] = lambda values: np.isin(world.space.index(values), known)
    if view is not None and view["name"] == "orbits":
        moving, mirrored = (names(view["options"].get(name, ())) for name in ("factors", "mirrored"))
        if {*moving, *mirrored} <= set(world.space.names):
            able |= {"moving": moving, "mirrored": mirrored}
    return able


def posteriors(model: VariationalModel, world: World, indices: Integers) -> tuple[Floats, Floats]:
    """Means and log variances of the posteriors of the given images, each ``(N, latent_dim)``."""

    def both(x: torch.Tensor) -> torch.Tensor:
        q = model.encode(x)
        return torch.cat([q.mean, q.log_variance], dim=1)

    mean, log_variance = np.split(_over(both, model, world, indices), 2, axis=1)
    return mean, log_variance


def divergence(model: Model, world: World, indices: Integers) -> Floats | None:
    """The mean KL of every latent over the given images, ``(latent_dim,)`` in nats; None for models without one."""
    first = model.divergence(to_float(world.images(indices[:1])).to(device_of(model)))
    if first is None:
        return None

    def known(x: torch.Tensor) -> torch.Tensor:
        found = model.divergence(x)
        assert found is not None  # the first image had one
        return found

    means: Floats = _over(known, model, world, indices).mean(axis=0)
    return means


def decoder(model: Model) -> Callable[[Floats], Bytes]:
    """The function from codes ``(B, latent_dim)`` to images ``(B, C, H, W)`` as unsigned bytes."""

    def decode(codes: Floats) -> Bytes:
        with torch.no_grad(), memory_kept():
            z = torch.as_tensor(codes, dtype=torch.float32, device=device_of(model))
            images = torch.cat([model.decode(part) for part in z.split(CHUNK)])
        return to_bytes(images)

    return decode


def _over(function: Callable[[torch.Tensor], torch.Tensor], model: Model, world: World, indices: Integers) -> Floats:
    was_training = model.training
    model.eval()
    device = device_of(model)
    with torch.no_grad(), memory_kept():
        parts = [
            function(to_float(world.images(indices[i : i + CHUNK])).to(device)).double().cpu().numpy()
            for i in range(0, len(indices), CHUNK)
        ]
    model.train(was_training)
    return np.concatenate(parts)


def device_of(model: Model) -> torch.device:
    """Where a model is."""
    return next(model.parameters()).device
