"""What a run keeps of its training besides the loss: nats of latents, the loss on what it is not fitted to, a film."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unbraid.errors import require_at_least
from unbraid.fit import Film, Note
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import looking
from unbraid.fit.state import HISTORY, STEP, STEPS, State
from unbraid.model import Model
from unbraid.plots._history import KL, SIGN
from unbraid.runs.encode import choose, decoder, device_of
from unbraid.runs.unseen import unseen
from unbraid.seed import derive
from unbraid.types import Bytes
from unbraid.view import to_float
from unbraid.world import World

__all__ = ["Filming", "Symptoms", "held_out", "nats"]

LOOKED_AT = 64
"""Images that are looked at, always the same: some percent of a step's work."""
APART = 10
"""Steps between two notes, at least: what they cost then stays below two percent."""
SHOWN, LATENTS = 9, 12
"""Images in a row of a film, and latents at most."""


def nats(model: Model, world: World, *, seed: int) -> Note:
    """A callback that notes the mean KL of every latent of a model in the history, where a model has one.

    Args:
        model: The model that is fitted.
        world: Where the images come from that are looked at.
        seed: Which.
    """
    look = to_float(_chosen(world, LOOKED_AT, seed))

    def of(state: State) -> Mapping[str, float]:
        found = model.divergence(look.to(device_of(model)))
        return {} if found is None else {f"{KL}{j}": value for j, value in enumerate(found.mean(dim=0).tolist())}

    return Note(of, apart=APART)


def held_out(model: Model, batch: Any) -> Note:
    """A callback that notes the terms of the loss on a batch that no step is fitted to, as ``held_out_loss`` and so on.

    Args:
        model: The model that is fitted.
        batch: The batch, always the same, as is the noise.
    """

    def of(state: State) -> Mapping[str, float]:
        found = unseen(model, [batch.to(device_of(model))], state[STEP])
        return {f"held_out_{name.removeprefix('loss.')}": value for name, value in found.items()}

    return Note(of, apart=APART)


class Symptoms(Callback):
    """Notes at every record what a model knows of its training going wrong, and says once what it makes of it.

    Args:
        model: The model that is fitted.
        batch: What it is asked about, always the same.
        say: Called with each sentence, once.
    """

    def __init__(self, model: Model, batch: Any, say: Callable[[str], None]) -> None:
        self.model, self.batch, self.say = model, batch, say
        self._said: set[str] = set()

    def on_record(self, state: State) -> None:
        """Look, note and perhaps speak."""
        with looking(self.model), torch.no_grad():
            found = self.model.symptoms(self.batch.to(device_of(self.model)))
        state[HISTORY][-1].update({f"{SIGN}{name}": value for name, value in found.items()})
        for sentence in self.model.diagnosis(found):
            what = sentence.partition(":")[0]
            if what not in self._said:
                self._said.add(what)
                self.say(f"at step {state[STEP]:,} {sentence}")


class Filming(Callback):
    """Films what a model makes of some images and what its latents do, from before the first step to the last.

    The latents are moved from -2 to 2 around the code of the first image, or where no KL is known over two standard
    deviations of the codes. A run that is continued continues its film.

    Args:
        model: The model that is fitted.
        world: Where the images come from.
        path: The film, a GIF.
        frames: How many moments, at least 1.
        seed: Which images.
    """

    def __init__(self, model: Model, world: World, path: Path, *, frames: int, seed: int) -> None:
        require_at_least(1, frames=frames)
        self.model, self.frames = model, frames
        self.film = Film(path)
        self._look = _chosen(world, LOOKED_AT, seed)

    def on_start(self, state: State) -> None:
        """Show the model as it is before the first step."""
        if state[STEP] == 0:
            self.film.frames.begin()
            self._shoot(state)

    def on_step(self, state: State) -> None:
        """Show the model, at some moments, the last of which is the end."""
        step, steps = state[STEP], state[STEPS] or 1
        if step * self.frames // steps > (step - 1) * self.frames // steps:
            self._shoot(state)

    def on_end(self, state: State) -> None:
        """Write the film."""
        self.film.save()

    def state_dict(self) -> dict[str, Any]:
        """The film so far."""
        return self.film.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the film."""
        self.film.load_state_dict(state)

    def _shoot(self, state: State) -> None:
        with looking(self.model), torch.no_grad():
            self.film(self._picture((state[STEP], state[STEPS] or 1)), state)

    def _picture(self, progress: tuple[int, int]) -> Bytes:
        model, look = self.model, to_float(self._look).to(device_of(self.model))
        codes, found = model.represent(look).double().cpu().numpy(), model.divergence(look)
        count = min(LATENTS, codes.shape[1])
        known = None if found is None else found.mean(dim=0)[:count].double().cpu().numpy()
        middle, reach = (codes.mean(axis=0), codes.std(axis=0)) if known is None else (0 * codes[0], 1 + 0 * codes[0])
        moved = np.tile(codes[0], (count, SHOWN, 1))
        for j in range(count):
            moved[j, :, j] = middle[j] + reach[j] * np.linspace(-2, 2, SHOWN)
        decode = decoder(model)
        rows = decode(moved.reshape(-1, codes.shape[1]))
        rows = rows.reshape(count, SHOWN, *rows.shape[1:])
        from unbraid.plots._frame import frame  # matplotlib takes a second, and most runs are not filmed

        return frame(progress, self._look[:SHOWN], decode(codes[:SHOWN]), rows, known)


def _chosen(world: World, count: int, seed: int) -> Bytes:
    """Some images; never fewer, in a small world some of them twice."""
    return world.images(np.resize(choose(world, count, derive(seed, "watch")), count))
