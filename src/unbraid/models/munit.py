"""MUNIT: unsupervised image-to-image translation with many answers.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018, arXiv:1804.04732.
    Choi, Uh, Yoo and Ha, "StarGAN v2: diverse image synthesis for multiple domains", CVPR 2020, arXiv:1912.01865 (the
    term for diversity).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Terms
from unbraid.nn.discriminator import AdversaryName
from unbraid.nn.recolour import recoloured
from unbraid.nn.variety import coloured, mistinted
from unbraid.translation import AdversarialModel, apart
from unbraid.types import Shape
from unbraid.view import DomainBatch

__all__ = ["MUNIT"]

SEEN = ("grey", "colour", "jittered", "darkest")
SHARED = ("encoder", "nothing")


class MUNIT(AdversarialModel):
    r"""An image is a content, which both domains share, and a style of its own domain; translation changes the style.

    Images :math:`x_a, x_b` have contents :math:`c = E^c(x)` and styles :math:`s = E^s(x)`. With styles
    :math:`\hat s \sim N(0, I)`, :math:`x_{ab} = G_b(c_a, \hat s_b)`, and everything else for b likewise,

    .. math:: \mathcal L = \mathcal L_{GAN}(x_{ab}) + \lambda_x |G_a(c_a, s_a) - x_a|
              + \lambda_c |E^c_b(x_{ab}) - c_a| + \lambda_s |E^s_b(x_{ab}) - \hat s_b|
              + \lambda_{cyc} |G_a(E^c_b(x_{ab}), s_a) - x_a| + (a \leftrightarrow b)

    where :math:`|\cdot|` is the mean absolute difference. ``moments_weight`` adds the KL from N(0, I) of the normal
    distribution with the mean and variance of the encoded styles of a batch, without which nothing makes an encoded
    style one of those that decoders are trained on; ``borrowed`` trains them on encoded styles of other images, too;
    ``diversity_weight`` takes off the difference of two translations of an image in two styles. By itself that is paid
    for with form: with shadows around what is thin, and holes in what is not; or all is painted black and white. A
    ``diversity_limit`` mends that in one of two ways. Where contents do not see colours, only what they do not see of
    the images counts (all, where there is one channel), and at each pixel only as much as that many times what the
    least of three has of it: the two, and one in the style of a real image. Shadows beside white and white holes gain
    nothing, nor does a background that no real image has. Where contents see colours, the colours and the brightness of
    places of 4 x 4 pixels are to differ that many times as much as those of real images do, on average over a batch of
    two or more, no less and no more.

    The defaults are for small images and thousands of steps on a CPU, where with the paper's the content is lost: one
    encoder of content for both domains, which sees no colour; a content of half the image's size; and a cycle. The
    preset ``huang`` has the paper's sizes and weights. What still differs: the style's first layer is 4x4 of stride 2,
    its norms divide by a little more than the deviation, and contents do not move towards what they are compared with.

    Args:
        shape: Channels, height, width of the images, 32 to 256 pixels a side.
        style_dim: How many numbers a style has, at least 1.
        image_weight: :math:`\lambda_x`, at least 0.
        content_weight: :math:`\lambda_c`, at least 0.
        style_weight: :math:`\lambda_s`, at least 0.
        cycle_weight: :math:`\lambda_{cyc}`, at least 0; the paper has 0 for edges and 10 for streets and seasons.
        moments_weight: The weight of the moments of encoded styles, at least 0; 0 in the paper.
        diversity_weight: The weight of the difference between two styles, at least 0; 0 in the paper.
        diversity_limit: How many times what the least of three has of colour two translations need differ by at each
            pixel, at most (with 3 any hue will do); or where contents see colours, how many times what two real images
            differ by they are to differ by (1 is as much). At least 0; with 0 there is no limit, and everything counts
            (StarGAN v2).
        borrowed: What part of translations in training is in styles of other images, 0 (as in the paper) to 1.
        hues: By how many radians the hues of images are turned in training at most, either way, each by an angle of its
            own, 0 (as in the paper) to pi: styles are then learned that the domains do not have. The mean of a pixel's
            channels stays, the darkest does not; of images without three channels there is nothing to turn.
        warmup: For how many steps at first images are reconstructed only, at least 0; 0 in the paper.
        seen: What encoders of content see: ``"grey"``, ``"colour"`` (the paper), in training ``"jittered"`` colours, or
            of each pixel the ``"darkest"`` channel, which tells from white what stands before it, whatever its hue.
        shared: Whether the domains have one ``"encoder"`` of content, or ``"nothing"`` in common (the paper).
        width: Channels at full size, at least 1; the paper's 64 are for graphics cards.
        kernel: Of the layers at full size, odd; 7 in the paper.
        halvings: Between images and contents, 1 to 3; the paper has 2, for 256 pixels.
        blocks: Residual blocks in each encoder and decoder, at least 0; 4 in the paper.
        adversary: ``"squares"`` (the paper) or ``"hinge"``.
        spectral: Whether the critics' layers are divided by their greatest singular value.
        critic_width: Channels of the critics' first layer, at least 1; 64 in the paper.
        critic_depth: How many layers they have, at least 1; 4 in the paper.
        critic_sizes: At how many sizes they look, 1 to 3; 3 in the paper.
        critic_rate: Their learning rate, at least 0; 0 for the run's.
        average: What averaged weights keep in a step, from 0 to below 1.

    >>> list(MUNIT((3, 48, 40), style_dim=4).players())
    ['model', 'critic']
    """

    citation = """@inproceedings{huang2018multimodal, author = {Huang, Xun and Liu, Ming-Yu and Belongie, Serge and
  Kautz, Jan}, title = {Multimodal Unsupervised Image-to-Image Translation},
  booktitle = {European Conference on Computer Vision}, year = {2018}}"""
    timed: ClassVar[tuple[str, ...]] = ("warmup",)
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "huang": {
            "cycle_weight": 0.0, "moments_weight": 0.0, "seen": "colour", "shared": "nothing", "width": 64,
            "kernel": 7, "halvings": 2, "blocks": 4, "critic_width": 64, "critic_depth": 4, "critic_sizes": 3,
            "steps": 1_000_000, "batch_size": 1, "learning_rate": 1e-4,
        },
    }  # fmt: skip

    def __init__(
        self,
        shape: Shape,
        *,
        style_dim: int = 8,
        image_weight: float = 10.0,
        content_weight: float = 1.0,
        style_weight: float = 1.0,
        cycle_weight: float = 10.0,
        moments_weight: float = 0.1,
        diversity_weight: float = 0.0,
        diversity_limit: float = 0.0,
        borrowed: float = 0.0,
        hues: float = 0.0,
        warmup: int = 0,
        seen: Literal["grey", "colour", "jittered", "darkest"] = "grey",
        shared: Literal["encoder", "nothing"] = "encoder",
        width: int = 16,
        kernel: int = 3,
        halvings: int = 1,
        blocks: int = 2,
        adversary: AdversaryName = "squares",
        spectral: bool = False,
        critic_width: int = 32,
        critic_depth: int = 3,
        critic_sizes: int = 2,
        critic_rate: float = 0.0,
        average: float = 0.99,
    ) -> None:
        require_at_least(0, image_weight=image_weight, content_weight=content_weight, style_weight=style_weight)
        require_at_least(0, cycle_weight=cycle_weight, moments_weight=moments_weight, diversity_weight=diversity_weight)
        require_at_least(0, diversity_limit=diversity_limit, warmup=warmup)
        if not 0 <= borrowed <= 1:
            raise InvalidOption(f"borrowed must be 0 to 1, but is {borrowed}")
        if not 0 <= hues <= math.pi:
            raise InvalidOption(f"hues must be 0 to pi (3.14159) radians, but is {hues}")
        require_at_least(1, style_dim=style_dim)
        for option, value, known in (("seen", seen, SEEN), ("shared", shared, SHARED)):
            if value not in known:
                raise InvalidOption(f"{option} must be one of {', '.join(known)}, but is {value!r}")
        super().__init__(
            shape, style_dim=style_dim, width=width, kernel=kernel, halvings=halvings, blocks=blocks,
            shared=shared, seen="colour" if seen == "jittered" else seen, adversary=adversary, spectral=spectral,
            critic_width=critic_width, critic_depth=critic_depth, critic_sizes=critic_sizes, critic_rate=critic_rate,
            average=average,
        )  # fmt: skip
        self.image_weight, self.content_weight, self.style_weight = image_weight, content_weight, style_weight
        self.cycle_weight, self.moments_weight, self.diversity_weight = cycle_weight, moments_weight, diversity_weight
        self.diversity_limit, self.borrowed, self.hues = diversity_limit, borrowed, hues
        self.warmup, self.seen, self.shared = warmup, seen, shared

    def loss(self, batch: DomainBatch, step: int, player: str = "model") -> Terms:
        """As of all that have critics; in training everybody is shown the images in turned hues."""
        if self.training and self.hues:
            x, other = (recoloured(images, 0.0, self.hues).clamp(0, 1) for images in (batch.x, batch.other))
            batch = replace(batch, x=x, other=other)
        return super().loss(batch, step, player)

    def contents_of(self, images: list[Tensor], *, swapped: bool = False) -> list[Tensor]:
        """The contents of images of domains 0 and 1, or 1 and 0, in one pass if one encoder sees both."""
        images = [recoloured(x) if self.seen == "jittered" and self.training else x for x in images]
        if self.shared == "encoder":
            return list(self.content_of(torch.cat(images), 0).chunk(2))
        return [self.content_of(x, 1 - d if swapped else d) for d, x in enumerate(images)]

    def offered(self, styles: Tensor) -> Tensor:
        """Styles to translate into, ``(B, style_dim)``: drawn, or for a part of the images ``borrowed`` from others."""
        drawn = self.any_style(styles)
        if not self.borrowed:
            return drawn
        mine = torch.rand(len(styles), 1, device=styles.device) < self.borrowed
        # They do not move: encoders could otherwise make all styles one, which translations then have.
        return torch.where(mine, styles.detach().roll(1, dims=0), drawn)

    def fakes(self, batch: DomainBatch) -> list[Tensor]:
        """What the critics are shown: the images of domains 0 and 1, translated in such styles as in training."""
        if not self.borrowed:
            return super().fakes(batch)
        real = [batch.x, batch.other]
        contents = self.contents_of(real)
        return [self.drawn(contents[d], self.offered(self.style_of(real[1 - d], 1 - d)), 1 - d) for d in (0, 1)]

    def translation(self, batch: DomainBatch, step: int) -> Terms:
        """Doubt, reconstruction, and the way back of contents, styles and images, with their weights."""
        real = [batch.x, batch.other]
        contents = self.contents_of(real)
        styles = [self.style_of(x, domain) for domain, x in enumerate(real)]
        drawn = [self.offered(one) for one in styles]
        # In each domain its own images are drawn again, and those of the other translated, in one pass.
        halves = [
            self.drawn(torch.cat([contents[d], contents[1 - d]]), torch.cat([styles[d], drawn[d]]), d).chunk(2)
            for d in (0, 1)
        ]
        own, fakes = [halves[0][0], halves[1][0]], [halves[1][1], halves[0][1]]
        terms = Terms(reconstruction=self.image_weight * (apart(own[0], real[0]) + apart(own[1], real[1])))
        if self.moments_weight:
            terms["moments"] = self.moments_weight * (_strange(styles[0]) + _strange(styles[1]))
        if step < self.warmup:
            return terms
        terms["adversary"] = self.doubt(fakes)
        back = self.contents_of(fakes, swapped=True)
        if self.content_weight:
            away = [apart(b, c.detach()) for b, c in zip(back, contents, strict=True)]
            terms["content"] = self.content_weight * (away[0] + away[1])
        if self.style_weight:
            missed = [apart(self.style_of(fakes[1 - d], d), drawn[d]) for d in (0, 1)]
            terms["style"] = self.style_weight * (missed[0] + missed[1])
        if self.cycle_weight:
            again = [apart(self.drawn(back[d], styles[d], d), real[d]) for d in (0, 1)]
            terms["cycle"] = self.cycle_weight * (again[0] + again[1])
        if self.diversity_weight:
            varied = [self._varied(contents[d], fakes[d], real[1 - d], styles[1 - d], 1 - d) for d in (0, 1)]
            terms["diversity"] = -self.diversity_weight * (varied[0] + varied[1])
        return terms

    def _varied(self, content: Tensor, fake: Tensor, real: Tensor, styles: Tensor, domain: int) -> Tensor:
        """How different two translations are, as far as it counts, beside real images of the domain."""
        other = self.drawn(content, self.any_style(styles), domain)
        if not self.diversity_limit:
            return apart(fake, other)
        if self.translator.seen == "colour":
            return -mistinted(fake, other, real, self.diversity_limit)
        with torch.no_grad():
            guided = self.drawn(content, styles.roll(1, dims=0), domain)
        fake, other, guided = (self.translator.unseen(x) for x in (fake, other, guided))
        return coloured(fake, other, guided, self.diversity_limit)


def _strange(styles: Tensor) -> Tensor:
    """KL from N(0, I) of the normal distribution with the mean and variance of styles ``(B, D)``, over D, in nats."""
    mean, variance = styles.mean(dim=0), styles.var(dim=0, correction=0) + 1e-4
    return (variance + mean.square() - 1 - variance.log()).mean() / 2
