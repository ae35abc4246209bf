"""Critics who look at patches of images, at several sizes, and say of each whether it is real.

References:
    Wang et al., "High-resolution image synthesis and semantic manipulation with conditional GANs", CVPR 2018,
    arXiv:1711.11585 (several sizes).
    Mao et al., "Least squares generative adversarial networks", ICCV 2017, arXiv:1611.04076.
    Miyato, Kataoka, Koyama and Yoshida, "Spectral normalization for generative adversarial networks", ICLR 2018,
    arXiv:1802.05957.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.parametrizations import spectral_norm

from unbraid.nn.image import initialise

__all__ = ["ADVERSARIES", "AdversaryName", "Discriminator"]

AdversaryName = Literal["squares", "hinge"]
ADVERSARIES = ("squares", "hinge")


class Discriminator(nn.Module):
    r"""A column of convolutions 4x4 of stride 2 for each size, of which each next is half as large.

    With D the answers at all places of all sizes, sums over sizes of means over places,

    .. math:: \mathbb E (D(x) - 1)^2 + \mathbb E D(\hat x)^2 \quad\text{against}\quad \mathbb E (D(\hat x) - 1)^2

    with squares, and with the hinge

    .. math:: \mathbb E \max(0, 1 - D(x)) + \mathbb E \max(0, 1 + D(\hat x)) \quad\text{against}\quad
              -\mathbb E D(\hat x)

    Args:
        inputs: Channels of the images.
        side: The shorter side of the images, in pixels; columns that would end in less than 2x2 have fewer layers.
        width: Channels of the first layer; each next has twice as many.
        layers: How many layers a column has.
        sizes: How many columns.
        kind: ``"squares"`` or ``"hinge"``.
        spectral: Whether each layer's weights are divided by their greatest singular value.
    """

    def __init__(
        self, inputs: int, side: int, *, width: int, layers: int, sizes: int, kind: AdversaryName, spectral: bool
    ) -> None:
        super().__init__()
        self.kind = kind
        self.columns = nn.ModuleList()
        for size in range(sizes):
            count = max(1, min(layers, (side >> size).bit_length() - 2))
            channels = [inputs, *(width << i for i in range(count))]
            column: list[nn.Module] = []
            for before, after in pairwise(channels):
                column += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2)]
            self.columns.append(nn.Sequential(*column, nn.Conv2d(channels[-1], 1, 1)))
        initialise(self)
        if spectral:
            for layer in list(self.modules()):
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Answers of each column, ``(B, 1, h, w)``, to images ``(B, C, H, W)`` in 0 .. 1."""
        x, answers = 2 * x - 1, []
        for i, column in enumerate(self.columns):
            x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False) if i else x
            answers.append(column(x).float())
        return answers

    def loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """How badly it tells as many fakes from real images; what made the fakes feels no gradient."""
        total = torch.zeros((), device=real.device)
        for answer in self(torch.cat([real, fake.detach()])):
            r, f = answer.chunk(2)
            if self.kind == "squares":
                total = total + (r - 1).square().mean() + f.square().mean()
            else:
                total = total + F.relu(1 - r).mean() + F.relu(1 + f).mean()
        return total

    def doubt(self, fake: Tensor) -> Tensor:
        """How little it believes fakes: they feel a gradient of it, its own weights do not."""
        frozen = {name: parameter.detach() for name, parameter in self.named_parameters()}
        answers: list[Tensor] = functional_call(self, frozen, (fake,))
        each = [(a - 1).square().mean() if self.kind == "squares" else -a.mean() for a in answers]
        return torch.stack(each).sum()
