"""What a classifier thinks each class looks like: activation maximisation.

References:
    K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks: visualising image classification models
    and saliency maps", ICLR workshop 2014.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks._shared import is_main, looking
from unbraid.fit.callbacks.grid import make_grid
from unbraid.fit.callbacks.images import Place, put
from unbraid.fit.state import DEVICE, EPOCH, MODEL, STEP, Key, State
from unbraid.seed import derive

__all__ = ["APPEARANCE", "ClassAppearance", "maximise"]

APPEARANCE: Key[Tensor] = Key("appearance")
"""One image for each class, as :class:`ClassAppearance` last found them: ``(classes, C, H, W)``."""


class ClassAppearance(Callback):
    r"""Finds for each class an image that the model is most sure of, at the end and, if you like, every few epochs.

    .. math:: \arg\max_x \; s_c(x) - \lambda \lVert x \rVert_2^2

    Gradient ascent from faint noise, with the image shifted a little at random before every step, so that what is found
    does not hang on single pixels. Neither the model, its gradients nor the random generators change.

    Args:
        shape: Of an image, ``(C, H, W)``.
        classes: How many, or which.
        to: Where the picture goes, as for :class:`Images`; the images themselves are under ``APPEARANCE``.
        steps: Of the ascent, at least 1.
        rate: How far a step goes, in the units of a pixel, above 0.
        decay: The weight :math:`\lambda` of the L2 penalty, at least 0.
        jitter: Pixels that the image is shifted at most, at least 0.
        epochs: Also every so many epochs, at least 1; None only at the end.
        scores: A function of model and images that gives scores ``(B, classes)``; the model itself by default.
        seed: What noise and shifts depend on.
        stretch: How values are made visible, as for :func:`make_grid`.
        columns: Images in a row.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        classes: int | Sequence[int],
        to: Place | Sequence[Place] = (),
        *,
        steps: int = 128,
        rate: float = 0.05,
        decay: float = 0.01,
        jitter: int = 1,
        epochs: int | None = None,
        scores: Callable[[nn.Module, Tensor], Tensor] | None = None,
        seed: int = 0,
        stretch: Literal["no", "all", "each"] = "each",
        columns: int = 5,
    ) -> None:
        require_at_least(1, steps=steps, epochs=epochs or 1)
        require_at_least(0, rate=rate, decay=decay, jitter=jitter)
        self.shape, self.classes = shape, list(range(classes)) if isinstance(classes, int) else list(classes)
        self.places = [to] if isinstance(to, (str, Path, Key)) or callable(to) else list(to)
        self.steps, self.rate, self.decay, self.jitter, self.epochs = steps, rate, decay, jitter, epochs
        self.scores, self.seed, self.stretch, self.columns = scores, seed, stretch, columns
        self._done_at = -1

    def on_start(self, state: State) -> None:
        """Begin."""
        self._done_at = -1

    def on_end_epoch(self, state: State) -> None:
        """Look every few epochs."""
        if self.epochs is not None and state[EPOCH] % self.epochs == 0:
            self.show(state)

    def on_exception(self, state: State) -> None:
        """Nothing is looked at after a failure."""
        self._done_at = state[STEP]

    def on_end(self, state: State) -> None:
        """Look at what was learned."""
        if self._done_at != state[STEP]:
            self.show(state)

    def show(self, state: State) -> None:
        """Find the images now, and put the picture in its places."""
        self._done_at = state[STEP]
        if not is_main():
            return
        scores, model = self.scores or (lambda model, x: model(x)), state[MODEL]
        with looking(model):
            torch.manual_seed(derive(self.seed, "appearance", state[STEP]))
            found = maximise(
                lambda x: scores(model, x),
                self.shape,
                self.classes,
                steps=self.steps,
                rate=self.rate,
                decay=self.decay,
                jitter=self.jitter,
                device=state[DEVICE],
            )
        state[APPEARANCE] = found
        if self.places:
            put(make_grid(found, columns=self.columns, stretch=self.stretch), self.places, state)


def maximise(
    scores: Callable[[Tensor], Tensor],
    shape: tuple[int, int, int],
    classes: Sequence[int],
    *,
    steps: int,
    rate: float,
    decay: float,
    jitter: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Images ``(len(classes), *shape)`` for which the score of each one's class is high; arguments as for the callback.

    Draws from torch's global generator; no parameter's gradient is touched.
    """
    wanted = torch.tensor(list(classes), device=device)
    images = 0.01 * torch.randn(len(wanted), *shape).to(device)
    with torch.enable_grad():
        for _ in range(steps):
            down, right = torch.randint(-jitter, jitter + 1, (2,)).tolist()
            moved = images.roll((down, right), (-2, -1)).requires_grad_()
            values = scores(moved)
            if values.ndim != 2 or values.shape[1] <= int(wanted.max()):
                raise InvalidData(
                    f"scores must be (images, classes) with classes up to {int(wanted.max())}, but have shape "
                    f"{tuple(values.shape)}"
                )
            aim = values.gather(1, wanted[:, None]).sum() - decay * moved.square().sum()
            (gradient,) = torch.autograd.grad(aim, moved)
            # By its size each image moves alike, whatever the scale of the scores.
            size = gradient.square().mean((1, 2, 3), keepdim=True).sqrt().clamp(min=torch.finfo(gradient.dtype).tiny)
            images = (moved.detach() + rate * gradient / size).roll((-down, -right), (-2, -1))
    return images
