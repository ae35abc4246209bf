"""Data changed on its way into the model: smoothed labels, and parts of images cut out.

Nothing is ever written into the data itself, and every choice comes from torch's global generator, which a checkpoint
holds. Only training is changed, never an evaluation.

References:
    C. Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016 (label smoothing).
    T. DeVries, G. W. Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
    Z. Zhong et al., "Random erasing data augmentation", AAAI 2020.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.mixing import Mixed
from unbraid.fit.callbacks.targets import Targets
from unbraid.fit.state import Y_TRUE, State, X

__all__ = ["Cutout", "LabelSmoothing", "RandomErase", "boxes"]


class LabelSmoothing(Targets):
    r"""Gives every class a little probability: :math:`(1 - \varepsilon)\, \mathrm{onehot}(y) + \varepsilon / C`.

    The criterion sees probabilities ``(N, C)``, metrics the labels as they were. List it after :class:`Mixing`.

    Args:
        classes: How many there are, C, at least 2.
        epsilon: How much is given away, 0 .. 1.
    """

    def __init__(self, classes: int, *, epsilon: float = 0.1) -> None:
        require_at_least(2, classes=classes)
        _require_share(epsilon=epsilon)
        self.classes, self.epsilon = classes, epsilon

    def on_sample(self, state: State) -> None:
        """Smooth the labels."""
        target = state[Y_TRUE]
        if isinstance(target, Mixed):
            smoothed = Mixed(self._smooth(target.first), self._smooth(target.second), target.weight)
            self.change(state, smoothed, target)
        else:
            self.change(state, self._smooth(target), target)

    def _smooth(self, target: Tensor) -> Tensor:
        if not isinstance(target, Tensor):
            raise InvalidData(f"label smoothing needs a tensor of labels or probabilities, but got {type(target)}")
        if not target.is_floating_point():
            target = F.one_hot(target, self.classes).movedim(-1, 1).to(torch.get_default_dtype())
        return target * (1 - self.epsilon) + self.epsilon / self.classes


class Cutout(Callback):
    """Blanks square holes in the images of every training batch; a hole may reach over the border.

    Args:
        size: The side of a hole in pixels, at least 1.
        holes: In every image, at least 1.
        fill: The value of the holes.
    """

    def __init__(self, size: int, *, holes: int = 1, fill: float = 0.0) -> None:
        require_at_least(1, size=size, holes=holes)
        self.size, self.holes, self.fill = size, holes, fill

    def on_sample(self, state: State) -> None:
        """Cut the holes."""
        images = _images(state, "Cutout")
        (n, height, width), device = (images.shape[0], *images.shape[-2:]), images.device
        for _ in range(self.holes):
            top = torch.randint(0, height, (n,), device=device) - self.size // 2
            left = torch.randint(0, width, (n,), device=device) - self.size // 2
            hole = boxes(top, left, top + self.size, left + self.size, height, width)
            images = torch.where(hole, torch.tensor(self.fill, dtype=images.dtype, device=device), images)
        state[X] = images


class RandomErase(Callback):
    """Overwrites a rectangle of noise in some of the images of every training batch.

    Args:
        probability: That an image is changed, 0 .. 1.
        area: The smallest and the largest rectangle, as shares of the image, above 0 and at most 1.
        aspect: The flattest and the tallest, as height over width, above 0.
        noise: The noise's lowest and highest value; it is uniform between them. By default 0 .. 1, or all bytes.
    """

    def __init__(
        self,
        *,
        probability: float = 0.5,
        area: tuple[float, float] = (0.02, 0.4),
        aspect: tuple[float, float] = (0.3, 3.3),
        noise: tuple[float, float] | None = None,
    ) -> None:
        _require_share(probability=probability)
        if not (0 < area[0] <= area[1] <= 1 and 0 < aspect[0] <= aspect[1]):
            raise InvalidOption(
                f"area and aspect are (lowest, highest), above 0, area at most 1, but are {area}, {aspect}"
            )
        self.probability, self.area, self.aspect, self.noise = probability, area, aspect, noise

    def on_sample(self, state: State) -> None:
        """Erase rectangles."""
        images = _images(state, "RandomErase")
        (n, height, width), device = (images.shape[0], *images.shape[-2:]), images.device
        chosen, share, shape, down, right = torch.rand(5, n, device=device)
        pixels = (self.area[0] + share * (self.area[1] - self.area[0])) * height * width
        low, high = math.log(self.aspect[0]), math.log(self.aspect[1])
        ratio = (low + shape * (high - low)).exp()
        tall = (pixels * ratio).sqrt().round().clamp(1, height)
        wide = (pixels / tall).round().clamp(1, width)
        top, left = (down * (height - tall + 1)).floor(), (right * (width - wide + 1)).floor()
        hole = boxes(top, left, top + tall, left + wide, height, width)
        hole = hole & (chosen < self.probability).view(-1, 1, 1, 1)
        lowest, highest = self.noise or ((0.0, 1.0) if images.is_floating_point() else (0.0, 256.0))
        noise = lowest + (highest - lowest) * torch.rand(images.shape, device=device)
        state[X] = torch.where(hole, noise.to(images.dtype), images)


def boxes(top: Tensor, left: Tensor, bottom: Tensor, right: Tensor, height: int, width: int) -> Tensor:
    """Which pixels lie in a box: four tensors ``(N,)``, the last two exclusive, to ``(N, 1, height, width)``.

    >>> boxes(*torch.tensor([[0], [1], [1], [3]]), 2, 4).int().tolist()
    [[[[0, 1, 1, 0], [0, 0, 0, 0]]]]
    """
    rows = torch.arange(height, device=top.device)
    columns = torch.arange(width, device=top.device)
    down = (rows >= top[:, None]) & (rows < bottom[:, None])
    across = (columns >= left[:, None]) & (columns < right[:, None])
    return (down[:, :, None] & across[:, None, :])[:, None]


def _images(state: State, name: str) -> Tensor:
    images = state[X]
    if not isinstance(images, Tensor) or images.ndim != 4:
        what = tuple(images.shape) if isinstance(images, Tensor) else type(images).__name__
        raise InvalidData(f"{name} changes images (N, C, H, W) under X, but found {what}")
    return images


def _require_share(**options: float) -> None:
    for name, value in options.items():
        if not 0 <= value <= 1:
            raise InvalidOption(f"{name} must lie in 0 .. 1, but is {value}")
