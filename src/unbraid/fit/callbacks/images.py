"""Pictures of what a trial sees and makes, into files, films, TensorBoard, the state, or any function."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import Thinning, is_main, looking, png, write_whole
from unbraid.fit.callbacks.grid import make_grid
from unbraid.fit.state import EPOCH, METRICS, MODEL, STEP, Y_PRED, Key, State, X
from unbraid.types import Bytes

__all__ = ["CACHED", "Film", "Images", "Place", "put"]

CACHED: Key[Tensor] = Key("cached")
"""The first inputs of a trial, always the same, while :class:`Images` looks at what the model makes of them."""
Place: TypeAlias = str | Path | Key[Any] | Callable[[Bytes, State], None]
"""Where a picture goes: a file name in which ``{step}``, ``{epoch}`` and metrics are filled in, a key of the state, or
a function of the picture ``(height, width, 3)`` and the state."""
FRAMES = 200
"""Frames of a film, at most: when it is full, every second one goes."""


class Images(Callback):
    """Lays images out as one picture, at every record or every so many steps, and puts it where you like.

    Args:
        of: A key, or a function of the state, that gives images ``(N, C, H, W)`` with 1 or 3 channels.
        to: One or more places: a file name (``"images/{step:06d}.png"``; one that ends in ``.gif`` becomes a film of
            the whole trial), a key, :func:`to_tensorboard`, or any function of the picture and the state.
        count: Images at most, at least 1.
        cached: How many of the first inputs are kept for good. They are under ``CACHED`` when ``of`` is called, and
            ``of=Y_PRED`` is then the model's output for them, so that every picture shows the same inputs.
        beside: Whether each row of images has the cached inputs above it.
        inputs: Where cached inputs come from, when ``X`` is not itself a tensor of images.
        steps: A picture every so many steps, at least 1; None makes one a record.
        validation: Whether the pictures are made from the first batch of each evaluation instead.
        grid: Options of :func:`make_grid`.

    >>> pictures = Images(of=Y_PRED, to="reconstructions/{step}.png", cached=8, beside=True)
    """

    def __init__(
        self,
        of: Key[Any] | Callable[[State], Any],
        to: Place | Sequence[Place],
        *,
        count: int = 64,
        cached: int | None = None,
        beside: bool = False,
        inputs: Key[Any] | Callable[[State], Any] = X,
        steps: int | None = None,
        validation: bool = False,
        **grid: Any,
    ) -> None:
        require_at_least(1, count=count, cached=cached or 1, steps=steps or 1)
        if beside and cached is None:
            raise InvalidOption("beside shows the cached inputs: say how many with cached=")
        if cached is not None and isinstance(of, Key) and of is not Y_PRED:
            raise InvalidOption(f"with cached inputs, of must be Y_PRED or a function of the state, but is {of!r}")
        if steps is not None and validation:
            raise InvalidOption("pictures come either every so many steps or from evaluations: give only one of them")
        self.of, self.inputs, self.cached, self.beside = of, inputs, cached, beside
        self.count, self.steps, self.validation, self.grid = count, steps, validation, grid
        places = [to] if isinstance(to, (str, Path, Key)) or callable(to) else list(to)
        self.places = [Film(place) if str(place).endswith(".gif") else place for place in places]
        self._kept: Tensor | None = None
        self._due = False

    @property
    def films(self) -> list[Film]:
        """The places that are films."""
        return [place for place in self.places if isinstance(place, Film)]

    def on_start(self, state: State) -> None:
        """Begin the films of a new trial."""
        if state[STEP] == 0:
            self._kept = None
            for film in self.films:
                film.frames.begin()

    def on_sample(self, state: State) -> None:
        """Keep the first inputs."""
        if self.cached is not None and (self._kept is None or len(self._kept) < self.cached):
            found = _value(self.inputs, state)
            if not isinstance(found, Tensor):
                raise InvalidData(
                    f"the inputs to be cached are {type(found).__name__}, not a tensor: say which (inputs=)"
                )
            more = found.detach().clone()
            self._kept = (more if self._kept is None else torch.cat([self._kept, more]))[: self.cached]

    def on_record(self, state: State) -> None:
        """Make a picture of a record."""
        if self.steps is None and not self.validation:
            self.show(state)

    def on_step(self, state: State) -> None:
        """Make a picture of a step, if it is due."""
        if self.steps is not None and state[STEP] % self.steps == 0:
            self.show(state)

    def on_start_validation(self, state: State) -> None:
        """The next batch is the first of an evaluation."""
        self._due = self.validation

    def on_step_validation(self, state: State) -> None:
        """Make a picture of the first batch."""
        if self._due:
            self._due = False
            self.show(state)

    def on_end(self, state: State) -> None:
        """Write the films."""
        for film in self.films:
            film.save()

    def show(self, state: State) -> None:
        """Make a picture now and put it in its places; the model and the random generators do not notice."""
        if not is_main():
            return
        with looking(state[MODEL]), torch.no_grad():
            images = self._images(state)[: self.count]
        columns = self.grid.get("columns", 8)
        if self.beside and self._kept is not None:
            images = _interleaved(self._kept[: len(images)], images, columns)
            columns = min(columns, len(images) // 2)
        put(make_grid(images, **{**self.grid, "columns": columns}), self.places, state)

    def _images(self, state: State) -> Tensor:
        if self._kept is None:
            return torch.as_tensor(_value(self.of, state))
        state[CACHED] = self._kept
        try:
            made = state[MODEL](self._kept) if self.of is Y_PRED else _value(self.of, state)
        finally:
            del state[CACHED]
        return torch.as_tensor(made)

    def state_dict(self) -> dict[str, Any]:
        """The cached inputs and the films so far."""
        return {"kept": self._kept, "films": [film.state_dict() for film in self.films]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self._kept = state["kept"]
        for film, saved in zip(self.films, state["films"], strict=True):
            film.load_state_dict(saved)


class Film:
    """An animated GIF of the pictures that come, at most some hundreds of them; a place for pictures.

    Args:
        path: The file.
        milliseconds: How long each frame is shown, at least 20.
    """

    def __init__(self, path: Any, *, milliseconds: int = 120) -> None:
        require_at_least(20, milliseconds=milliseconds)
        self.path, self.milliseconds = Path(path), milliseconds
        # Frames are kept compressed, so that a checkpoint can hold them.
        self.frames: Thinning[Tensor] = Thinning(FRAMES)

    def __call__(self, picture: Bytes, state: State) -> None:
        """Add a frame."""
        self.frames.add(torch.frombuffer(bytearray(png(picture)), dtype=torch.uint8))

    def save(self) -> None:
        """Write the film as it is now."""
        from PIL import Image

        if not self.frames.items or not is_main():
            return
        first, *others = (Image.open(io.BytesIO(frame.numpy().tobytes())) for frame in self.frames.items)
        data = io.BytesIO()
        first.save(data, "GIF", save_all=True, append_images=others, duration=self.milliseconds, loop=0)
        write_whole(self.path, data.getvalue())

    def state_dict(self) -> dict[str, Any]:
        """The frames."""
        return self.frames.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.frames.load_state_dict(dict(state))


def put(picture: Bytes, places: Sequence[Place], state: State) -> None:
    """Put a picture in its places."""
    for place in places:
        if isinstance(place, Key):
            state[place] = picture
        elif callable(place):
            place(picture, state)
        else:
            try:
                name = str(place).format(step=state[STEP], epoch=state[EPOCH], **state[METRICS])
            except (KeyError, IndexError, ValueError) as error:
                known = ", ".join(["step", "epoch", *state[METRICS]])
                raise InvalidOption(f"cannot fill in the file name {str(place)!r} ({error}); known: {known}") from None
            write_whole(Path(name), png(picture))


def _value(of: Key[Any] | Callable[[State], Any], state: State) -> Any:
    return state[of] if isinstance(of, Key) else of(state)


def _interleaved(above: Tensor, below: Tensor, columns: int) -> Tensor:
    """Rows of ``above`` and ``below`` in turn."""
    if above.shape != below.shape:
        raise InvalidData(
            f"images beside their inputs must be shaped like them: {tuple(below.shape)}, not {tuple(above.shape)}"
        )
    columns = min(columns, len(above))
    white = torch.ones(-len(above) % columns, *above.shape[1:], device=above.device, dtype=above.dtype)
    rows = [torch.cat([part, white.to(part.dtype)]).unflatten(0, (-1, columns)) for part in (above, below)]
    return torch.stack([row.float() for row in rows], dim=1).flatten(0, 2)
