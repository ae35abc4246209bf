"""The slot attention autoencoder.

References:
    Locatello, Weissenborn, Unterthiner, Mahendran, Heigold, Uszkoreit, Dosovitskiy and Kipf, "Object-centric learning
    with slot attention", NeurIPS 2020, arXiv:2006.15055.
    Biza, van Steenkiste, Sajjadi, Elsayed, Mahendran and Kipf, "Invariant slot attention: object discovery with
    slot-centric reference frames", ICML 2023, arXiv:2302.04973.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.objects import owners
from unbraid.model import Terms
from unbraid.nn.broadcast import BroadcastRenderer, middles
from unbraid.nn.image import checked_images, halvings, initialise
from unbraid.nn.likelihood import gaussian_nll
from unbraid.nn.slots import FRAME
from unbraid.nn.slots import SlotAttention as Attention
from unbraid.objects import Layers, ObjectModel
from unbraid.types import Shape
from unbraid.view import SceneBatch

__all__ = ["SlotAttention"]

CELLS = 8
"""Slots take from a map of so many places a side, and are drawn from one."""
BRIGHT, LEAST = 0.25, 0.012
"""A slot stands for an object when more than so many of the image's pixels are its own and not dark."""
FRAMES = ("own", "shared")
GRADIENTS = ("full", "implicit")
BEGUN = 0.15
"""The size of frames as they begin; their middles are on a circle half way out."""
WHOLE = 0.5
"""The size of the frame that slots share, in which the image is from -1 to 1."""


class SlotAttention(ObjectModel):
    r"""An autoencoder through slots that compete for the parts of an image.

    .. math:: -\log p(x) \text{ of } \hat x = \sum_n m_n c_n, \qquad m = \operatorname{softmax}_{\text{slots}}(d(s)),
              \qquad s = \operatorname{attention}(f(x), s^0)

    Slots begin at a learned mean with noise about it. Each is drawn by the same decoder from a map of copies of itself,
    and the masks are a softmax over slots, so that what no object covers must be some slot's too: a slot stands for an
    object when it owns pixels that are not dark.

    Where a place is, is seen from the slot's own frame, its middle and size, as in invariant slot attention: then
    nothing of where an object is has to be learned by the decoder. They are the last three numbers of a slot's code.
    With ``frames="shared"`` (the paper) all slots see places alike, and are told apart by their noise alone.

    Slots are the same each time an image is looked at when the model is not trained: noise and frames are kept.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        slots: How many there are, at least 1; one more than there may be objects.
        slot_dim: How many numbers a slot has, at least 1; 64 in the paper.
        iterations: How often slots change, at least 1.
        frames: Whether slots have their ``"own"`` frames, or one is ``"shared"`` (the paper).
        gradient: ``"full"`` (the paper), or ``"implicit"``, of the last change only.
        deviation: The standard deviation of pixels, above 0.
        channels: Of the first convolution, at least 1; later ones have twice as many.
        layer_width: Of the hidden layers of the decoder, at least 1.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> SlotAttention((3, 32, 32), slots=4, slot_dim=13).represent(torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 64])
    """

    citation = """@inproceedings{locatello2020object, author = {Locatello, Francesco and Weissenborn, Dirk and
  Unterthiner, Thomas and Mahendran, Aravindh and Heigold, Georg and Uszkoreit, Jakob and Dosovitskiy, Alexey and
  Kipf, Thomas}, title = {Object-Centric Learning with Slot Attention}, booktitle = {Advances in Neural Information
  Processing Systems}, volume = {33}, year = {2020}}"""
    noise: Tensor

    def __init__(
        self,
        shape: Shape,
        *,
        slots: int = 4,
        slot_dim: int = 32,
        iterations: int = 3,
        frames: Literal["own", "shared"] = "own",
        gradient: Literal["full", "implicit"] = "full",
        deviation: float = 0.1,
        channels: int = 16,
        layer_width: int = 64,
    ) -> None:
        halved = halvings(shape)
        require_at_least(1, slots=slots, slot_dim=slot_dim, iterations=iterations)
        require_at_least(1, channels=channels, layer_width=layer_width)
        for option, value, known in (("frames", frames, FRAMES), ("gradient", gradient, GRADIENTS)):
            if value not in known:
                raise InvalidOption(f"{option} must be one of {', '.join(known)}, but is {value!r}")
        if not 0 < deviation < math.inf:
            raise InvalidOption(f"deviation must be a finite number above 0, but is {deviation}")
        super().__init__(shape, slots=slots, entity_dim=slot_dim + (FRAME if frames == "own" else 0))
        self.slot_dim, self.iterations, self.frames, self.gradient = slot_dim, iterations, frames, gradient
        self.deviation, self.channels, self.layer_width = deviation, channels, layer_width
        wide = [shape[0], channels, *[2 * channels] * (halved - 2)]
        down = [nn.Sequential(nn.Conv2d(a, b, 5, 2, 2), nn.ReLU()) for a, b in pairwise(wide)]
        self.encoder = nn.Sequential(*down, nn.Conv2d(wide[-1], wide[-1], 3, 1, 1), nn.ReLU())
        initialise(self.encoder)
        self.features = nn.Sequential(
            nn.LayerNorm(wide[-1]), nn.Linear(wide[-1], slot_dim), nn.ReLU(), nn.Linear(slot_dim, slot_dim)
        )
        self.attention = Attention(
            slot_dim, slot_dim, iterations, framed=frames == "own", implicit=gradient == "implicit"
        )
        self.decoder = BroadcastRenderer(slot_dim, shape[0] + 1, CELLS, shape[1] // CELLS, layer_width)
        self.mean = nn.Parameter(0.3 * torch.randn(slot_dim))
        self.log_deviation = nn.Parameter(torch.full((slot_dim,), -0.5))
        self.register_buffer("noise", torch.randn(slots, slot_dim))

    def attend(self, x: Tensor, noise: Tensor, turn: Tensor) -> Tensor:
        """Entities that began with noise ``(B, slots, slot_dim)``, on a circle turned by angles ``(B,)``."""
        seen = self.encoder(checked_images(x, self.shape)).flatten(2).transpose(1, 2)
        begun = self.mean + self.log_deviation.exp() * noise
        places = middles(CELLS).to(x)
        slots, frames = self.attention(self.features(seen), places, begun, self._begun(turn))
        return torch.cat([slots, frames], dim=2)[..., : self.entity_dim].float()

    def entities(self, x: Tensor) -> Tensor:
        """Slots and their frames, without chance: ``(B, slots, entity_dim)``."""
        return self.attend(x, self.noise.expand(len(x), -1, -1), x.new_zeros(len(x)))

    def layers(self, entities: Tensor) -> Layers:
        """What slots look like, ``(B, slots, entity_dim)``."""
        drawn = self._drawn(entities)
        pictures, masks = drawn[:, :, :-1].clamp(0, 1), drawn[:, :, -1].softmax(dim=1)
        bright = owners(masks) & (pictures.amax(dim=2) > BRIGHT)
        return Layers(pictures, masks, bright.float().mean(dim=(2, 3)) > LEAST)

    def compose(self, layers: Layers, kept: Tensor) -> Tensor:
        """The pictures weighted by the masks, on black where a slot is not kept; ``(B, C, H, W)``."""
        return (layers.pictures * (layers.masks * kept[:, :, None, None])[:, :, None]).sum(dim=1)

    def loss(self, batch: SceneBatch, step: int) -> Terms:
        """Reconstruction."""
        x = batch.x
        noise = torch.randn(len(x), self.slots, self.slot_dim, device=x.device)
        drawn = self._drawn(self.attend(x, noise, 2 * math.pi * torch.rand(len(x), device=x.device)))
        # Not cut off at black: what is below would never come up again.
        image = (drawn[:, :, :-1] * drawn[:, :, -1:].softmax(dim=1)).sum(dim=1)
        return Terms(reconstruction=gaussian_nll(x, image, self.deviation).mean())

    def _drawn(self, entities: Tensor) -> Tensor:
        """Colours, and last the logit of the mask, of every pixel: ``(B, slots, C + 1, H, W)``."""
        frames = entities[..., self.slot_dim :] if self.frames == "own" else self._begun(entities[:, 0, 0])
        drawn: Tensor = self.decoder(entities[..., : self.slot_dim], frames)
        return drawn

    def _begun(self, turn: Tensor) -> Tensor:
        """Frames on a circle turned by angles ``(B,)``, or the one that all share: ``(B, slots, 3)``."""
        if self.frames == "shared":
            return turn.new_tensor([0, 0, WHOLE]).expand(len(turn), self.slots, -1)
        angle = turn[:, None] + 2 * math.pi / self.slots * torch.arange(self.slots, device=turn.device)
        return torch.stack([angle.cos() / 2, angle.sin() / 2, torch.full_like(angle, BEGUN)], dim=2)
