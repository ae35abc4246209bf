"""How a run computes its steps: as written, as fast as this machine is known to, or as fast as it turns out to."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import torch

from unbraid.fit import Runtime, Trial
from unbraid.fit.data import kept_randomness
from unbraid.fit.runtime import Precision
from unbraid.fit.state import STEP
from unbraid.model import Model
from unbraid.view import View

__all__ = ["SPEEDS", "Speed", "Way", "choose", "fastest", "measured"]

Speed = Literal["exact", "fast", "auto"]
SPEEDS: tuple[Speed, ...] = ("exact", "fast", "auto")

SECONDS = 3.0
"""For how long ``auto`` measures, but for the last round."""
ROUNDS = 8
"""How many times it lets each way take a step, at most; the first is not counted."""
GAIN = 1.05
"""By what factor a way must be faster than the exact one to be worth other roundings."""


@dataclass(frozen=True)
class Way:
    """A way of computing a step; all of them compute the same, but for rounding.

    Args:
        precision: The numbers of the forward pass and its gradients, by autocast; weights stay in float32.
        channels_last: Whether images lie in memory pixel by pixel, not channel by channel.
        fused: Whether Adam moves each parameter in one pass over memory.

    >>> print(Way("bfloat16", channels_last=True, fused=True))
    bfloat16, channels last
    """

    precision: Precision = "float32"
    channels_last: bool = False
    fused: bool = False

    def trial(self, model: Model, learning_rate: float, device: torch.device, **options: Any) -> Trial:
        """A trial that computes in this way, with Adam; weights decay, apart from the gradient, where a model says."""
        # On a CPU PyTorch takes the loop over parameters by itself; all of them at once gives the same bits sooner.
        how: dict[str, Any] = {"fused": True} if self.fused else {"foreach": True} if device.type == "cpu" else {}
        return Trial(
            model,
            lambda group: torch.optim.AdamW(group, lr=learning_rate, weight_decay=0.0, **how),
            runtime=Runtime(device, precision=self.precision, channels_last=self.channels_last),
            **options,
        )

    def __str__(self) -> str:
        return self.precision + (", channels last" if self.channels_last else "")


def choose(
    speed: Speed, precision: Precision | None, device: torch.device, model: Model, stream: View, learning_rate: float
) -> tuple[Way, dict[str, float]]:
    """The way in which a new run computes, and what was measured for it: way to milliseconds a step.

    Args:
        speed: ``"exact"``, ``"fast"`` or ``"auto"``.
        precision: The precision that was asked for, which is then kept; None leaves it to the speed.
        device: Where it computes.
        model: The model; it stays as it is.
        stream: What the model sees.
        learning_rate: Of Adam.
    """
    exact, fast = Way(precision or "float32"), fastest(device, precision)
    if speed == "exact":
        return exact, {}
    if speed == "fast":
        return fast, {}
    ways = dict.fromkeys((exact, Way(exact.precision, channels_last=True, fused=True), fast))
    spent = measured(tuple(ways), model, stream, learning_rate, device)
    best = min(spent, key=lambda way: spent[way])
    found = {str(way): round(1000 * seconds, 2) for way, seconds in spent.items()}
    return best if spent[exact] > GAIN * spent[best] else exact, found


def fastest(device: torch.device, precision: Precision | None = None) -> Way:
    """The way that is known to be fast on a device.

    bfloat16 is taken where the hardware multiplies it: on a processor without instructions for it, a step takes many
    times as long.
    """
    fused = device.type in ("cpu", "cuda")
    return Way(precision or ("bfloat16" if _multiplies_bfloat16(device) else "float32"), True, fused)


def measured(
    ways: Sequence[Way], model: Model, stream: View, learning_rate: float, device: torch.device
) -> dict[Way, float]:
    """Seconds that a step takes in each way: the shortest of a few, taken in turn so that a busy machine slows all.

    On a CPU they are seconds of computing, which others' work does not lengthen. Copies of the model are trained; the
    model, the stream and every random generator are left as they were.
    """
    batches = [stream.batch(step) for step in range(2)]
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    shortest = dict.fromkeys(ways, math.inf)
    with kept_randomness():
        trials = {way: way.trial(deepcopy(model), learning_rate, device, metrics=None) for way in ways}
        began = time.monotonic()
        for count in range(ROUNDS):
            for way, trial in trials.items():
                start = clock()
                trial.fit(batches, steps=trial.state[STEP] + 1)
                next(trial.model.parameters()).detach().cpu()  # waits for a device that works on its own
                if count:  # the first step prepares kernels and memory
                    shortest[way] = min(shortest[way], clock() - start)
            if count and time.monotonic() - began > SECONDS:
                break
    return shortest


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
