"""What models share that translate between two domains: contents and styles; and critics, where they have them."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Model, Terms
from unbraid.nn.averaged import Averaged
from unbraid.nn.discriminator import ADVERSARIES, AdversaryName, Discriminator
from unbraid.nn.image import checked_codes, checked_images, require_sides
from unbraid.nn.translator import Seen, Sharing, Translator
from unbraid.types import Shape
from unbraid.view import DomainBatch

__all__ = ["AdversarialModel", "TranslatingModel", "apart"]

LEAST, MOST = 32, 256
"""Pixels a side."""
BETAS = (0.5, 0.999)
"""How Adam forgets, as all three papers have it."""


def apart(first: Tensor, second: Tensor) -> Tensor:
    """How far two tensors of one shape are apart: the mean absolute difference, over everything."""
    return (first.float() - second.float()).abs().mean()


class TranslatingModel(Model):
    """What an image shows, its content, and how it looks, its style, in each of two domains; and images of these.

    Domains are numbered 0 and 1. A code, as scores and plots see it, is of an image of domain 0.

    Args:
        shape: Channels, height, width of the images, 32 to 256 pixels a side.
        style_dim: How many numbers a style has; 0 for none.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    Attributes:
        content_shape: Of the map that is a content: channels, height, width.
    """

    view: ClassVar[str] = "domains"
    content_shape: Shape

    def __init__(self, shape: Shape, *, style_dim: int) -> None:
        super().__init__()
        require_sides(shape, LEAST, MOST)
        require_at_least(0, style_dim=style_dim)
        self.shape, self.style_dim = shape, style_dim

    @abstractmethod
    def content_of(self, x: Tensor, domain: int) -> Tensor:
        """What images of a domain show, ``(B, C, H, W)`` in 0 .. 1 to ``(B, *content_shape)``.

        Raises:
            InvalidData: When the images have another shape, or are not floating-point numbers.
        """

    @abstractmethod
    def style_of(self, x: Tensor, domain: int) -> Tensor:
        """How images of a domain look, ``(B, C, H, W)`` in 0 .. 1 to ``(B, style_dim)``; raises as ``content_of``."""

    @abstractmethod
    def drawn(self, content: Tensor, style: Tensor, domain: int) -> Tensor:
        """Images of a domain with these contents and styles, ``(B, C, H, W)`` in 0 .. 1."""

    def translate(self, x: Tensor, source: int, style: Tensor | None = None) -> Tensor:
        """Images of one domain as the other would have them, in styles that are given or else drawn.

        Args:
            x: Images of the domain ``source``, ``(B, C, H, W)`` in 0 .. 1.
            source: 0 or 1.
            style: Of the other domain, ``(B, style_dim)``.
        """
        style = self.any_style(x) if style is None else style
        return self.drawn(self.content_of(x, source), style, 1 - source)

    def any_style(self, x: Tensor) -> Tensor:
        """As many styles as there are images, drawn from N(0, I): ``(B, style_dim)``."""
        return torch.randn(len(x), self.style_dim, device=x.device)

    def represent(self, x: Tensor) -> Tensor:
        """The content of images of domain 0, then their style, ``(B, latent_dim)``."""
        return torch.cat([self.content_of(x, 0).flatten(1), self.style_of(x, 0)], dim=1)

    def decode(self, z: Tensor) -> Tensor:
        """The image of domain 0 of each code, ``(B, C, H, W)`` in 0 .. 1.

        Raises:
            InvalidData: When the codes have another shape.
        """
        content, style = checked_codes(z, self.latent_dim).split(
            [self.latent_dim - self.style_dim, self.style_dim], dim=1
        )
        return self.drawn(content.unflatten(1, self.content_shape), style, 0)


class AdversarialModel(TranslatingModel):
    r"""An encoder and a decoder for each of two domains, and a critic of each domain's images.

    In evaluation all images are drawn with averages of the weights.

    Where published losses are means over pixels and over a code's numbers, they are so here.

    Args:
        shape: Channels, height, width of the images, 32 to 256 pixels a side.
        style_dim: How many numbers a style has; 0 for none.
        width: Channels of encoders and decoders at full size, at least 1.
        kernel: Of the layers at full size, odd.
        halvings: Between images and the map that is their content, 1 to 3.
        blocks: Residual blocks of each, at least 0.
        shared: What the two encoders share.
        seen: What encoders of content see: ``"colour"``, or ``"grey"`` or the ``"darkest"`` channel of each pixel.
        adversary: ``"squares"`` or ``"hinge"``.
        spectral: Whether the critics' layers are divided by their greatest singular value.
        critic_width: Channels of the critics' first layer, at least 1.
        critic_depth: How many layers they have, at least 1.
        critic_sizes: At how many sizes they look, 1 to 3.
        critic_rate: Their learning rate, at least 0; 0 for the run's.
        average: What the averaged weights keep in a step, from 0 (they are the newest) to below 1.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        style_dim: int,
        width: int,
        kernel: int,
        halvings: int,
        blocks: int,
        shared: Sharing,
        seen: Seen,
        adversary: AdversaryName,
        spectral: bool,
        critic_width: int,
        critic_depth: int,
        critic_sizes: int,
        critic_rate: float,
        average: float,
    ) -> None:
        super().__init__(shape, style_dim=style_dim)
        require_at_least(0, blocks=blocks, critic_rate=critic_rate)
        require_at_least(1, width=width, critic_width=critic_width, critic_depth=critic_depth)
        if not 1 <= halvings <= 3 or not 1 <= critic_sizes <= 3:
            raise InvalidOption(f"halvings and critic_sizes must be 1 to 3, but are {halvings} and {critic_sizes}")
        if kernel < 1 or not kernel % 2:
            raise InvalidOption(f"kernel must be odd and at least 1, but is {kernel}")
        if adversary not in ADVERSARIES:
            raise InvalidOption(f"adversary must be one of {', '.join(ADVERSARIES)}, but is {adversary!r}")
        self.width, self.kernel, self.halvings, self.blocks = width, kernel, halvings, blocks
        self.adversary, self.spectral, self.critic_rate, self.average = adversary, spectral, critic_rate, average
        self.critic_width, self.critic_depth, self.critic_sizes = critic_width, critic_depth, critic_sizes
        self.translator = Translator(
            shape, width=width, kernel=kernel, halvings=halvings, blocks=blocks, style=style_dim, shared=shared,
            seen=seen,
        )  # fmt: skip
        self.critics = nn.ModuleList(
            Discriminator(
                shape[0], min(shape[1:]), width=critic_width, layers=critic_depth, sizes=critic_sizes, kind=adversary,
                spectral=spectral,
            )
            for _ in range(2)
        )  # fmt: skip
        self.averaged = Averaged(self.translator, average)
        self.content_shape = self.translator.content_shape
        self.latent_dim = math.prod(self.content_shape) + style_dim

    def content_of(self, x: Tensor, domain: int) -> Tensor:
        """What images of a domain show, as an encoder tells it."""
        return self._do("content", checked_images(x, self.shape), domain).float()

    def style_of(self, x: Tensor, domain: int) -> Tensor:
        """How images of a domain look, as an encoder tells it."""
        return self._do("style", checked_images(x, self.shape), domain)

    def drawn(self, content: Tensor, style: Tensor, domain: int) -> Tensor:
        """Images of a domain with these contents and styles, by its decoder."""
        return self._do("draw", content, style, domain)

    def loss(self, batch: DomainBatch, step: int, player: str = "model") -> Terms:
        """Of the model: :meth:`translation`; of the critics: how badly they tell."""
        if player == "critic":
            with torch.no_grad():
                fakes = self.fakes(batch)
            # What is made of an image of domain 0 is judged in domain 1.
            losses = [self.critic(1 - d).loss((batch.other, batch.x)[d], fakes[d]) for d in (0, 1)]
            return Terms(critic=losses[0] + losses[1])
        if self.training:
            self.averaged.follow(self.translator, step)
        return self.translation(batch, step)

    def fakes(self, batch: DomainBatch) -> list[Tensor]:
        """What the critics are shown: the images of domains 0 and 1, translated."""
        return [self.translate(x, domain) for domain, x in enumerate((batch.x, batch.other))]

    @abstractmethod
    def translation(self, batch: DomainBatch, step: int) -> Terms:
        """The terms of the loss of encoders and decoders."""

    def doubt(self, fakes: list[Tensor]) -> Tensor:
        """How little the critics believe what is made of domains 0 and 1."""
        return self.critic(1).doubt(fakes[0]) + self.critic(0).doubt(fakes[1])

    def critic(self, domain: int) -> Discriminator:
        """Who tells real images of a domain from those that are made."""
        critic = self.critics[domain]
        assert isinstance(critic, Discriminator)  # a list of modules does not say so
        return critic

    def players(self) -> dict[str, dict[str, Any]]:
        """Encoders and decoders, then the critics."""
        critic: dict[str, Any] = {"params": list(self.critics.parameters()), "betas": BETAS}
        if self.critic_rate:
            critic["lr"] = self.critic_rate
        return {"model": {"params": list(self.translator.parameters()), "betas": BETAS}, "critic": critic}

    def _do(self, task: str, *given: Any) -> Tensor:
        done: Tensor = self.translator(task, *given) if self.training else self.averaged(self.translator, task, *given)
        return done
