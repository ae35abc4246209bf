"""Two domains' encoders and decoders, with what they have in common.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018, arXiv:1804.04732.
    Liu, Breuel and Kautz, "Unsupervised image-to-image translation networks", NeurIPS 2017, arXiv:1703.00848 (what is
    shared in the middle).
"""

from __future__ import annotations

from typing import Any, Literal

from torch import Tensor, nn

from unbraid.nn.content import ContentEncoder, RoundAbout, plain
from unbraid.nn.image import continued, initialise
from unbraid.nn.styled import StyledDecoder, StyleEncoder
from unbraid.types import Shape

__all__ = ["Seen", "Sharing", "Translator"]

Sharing = Literal["nothing", "middle", "encoder"]
Seen = Literal["colour", "grey", "darkest"]


class Translator(nn.Module):
    """For each of two domains an encoder of content, one of style, and a decoder.

    Images of any size are taken: they are continued at the right and below until they can be halved, and what is drawn
    there is cut off again.

    Args:
        shape: Of the images.
        width: Channels at full size.
        kernel: Of the layers at full size, odd.
        halvings: Between the image and the map that is its content.
        blocks: Residual blocks in each encoder of content and each decoder.
        style: How many numbers a style has; 0 for no styles.
        shared: ``"nothing"``; the ``"middle"``, which is the residual blocks, where there are no styles; or all of the
            ``"encoder"`` of content.
        seen: What encoders of content see of an image: ``"colour"``, or of each pixel one number, the mean of its
            channels (``"grey"``) or the least of them (``"darkest"``).
    """

    def __init__(
        self,
        shape: Shape,
        *,
        width: int,
        kernel: int,
        halvings: int,
        blocks: int,
        style: int,
        shared: Sharing,
        seen: Seen,
    ) -> None:
        super().__init__()
        self.size, self.halvings, self.seen = shape[1:], halvings, seen
        channels = width << halvings
        self.content_shape: Shape = (channels, -(-shape[1] >> halvings), -(-shape[2] >> halvings))

        def middle() -> nn.Sequential:
            made = nn.Sequential(*(RoundAbout(channels, plain) for _ in range(blocks)))
            initialise(made)
            return made

        # What is shared stands in a list once, for weights that stand twice cannot be saved.
        encoders, bodies = (2 if shared != "encoder" else 1), (2 if shared == "nothing" else 1)
        inputs, deep = shape[0] if seen == "colour" else 1, max(3, halvings + 1)
        self.encoders = nn.ModuleList(ContentEncoder(inputs, width, kernel, halvings) for _ in range(encoders))
        self.bodies = nn.ModuleList(middle() for _ in range(bodies))
        self.styles = nn.ModuleList(StyleEncoder(shape[0], width, deep, style) for _ in range(2 if style else 0))
        self.middle = middle() if shared == "middle" else nn.Sequential()
        own = 0 if shared == "middle" else blocks
        self.decoders = nn.ModuleList(StyledDecoder(shape[0], width, kernel, halvings, own, style) for _ in range(2))

    def forward(self, task: str, *given: Any) -> Tensor:
        """One of the tasks below, by its name."""
        done: Tensor = getattr(self, task)(*given)
        return done

    def content(self, x: Tensor, domain: int) -> Tensor:
        """What images of a domain show: ``(B, C, H, W)`` in 0 .. 1 to ``(B, channels, h, w)``."""
        encoder, body = (parts[domain % len(parts)] for parts in (self.encoders, self.bodies))
        content: Tensor = body(encoder(continued(2 * self._seen(x) - 1, 1 << self.halvings)))
        return content

    def unseen(self, x: Tensor) -> Tensor:
        """What is left of images without what encoders of content see of each pixel; all, where they see all."""
        return x if self.seen == "colour" or x.shape[1] == 1 else x - self._seen(x)

    def style(self, x: Tensor, domain: int) -> Tensor:
        """How images of a domain look: ``(B, C, H, W)`` in 0 .. 1 to ``(B, style)``, of no numbers without styles."""
        if not len(self.styles):
            return x.new_zeros(len(x), 0)
        style: Tensor = self.styles[domain](2 * x - 1)
        return style.float()

    def draw(self, content: Tensor, style: Tensor, domain: int) -> Tensor:
        """Images of a domain: ``(B, channels, h, w)`` and ``(B, style)`` to ``(B, C, H, W)`` in 0 .. 1."""
        image: Tensor = self.decoders[domain](self.middle(content), style)
        return image[..., : self.size[0], : self.size[1]]

    def _seen(self, x: Tensor) -> Tensor:
        if self.seen == "colour":
            return x
        return x.mean(dim=1, keepdim=True) if self.seen == "grey" else x.amin(dim=1, keepdim=True)
