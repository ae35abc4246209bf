"""CycleGAN: two translators that undo each other.

References:
    Zhu, Park, Isola and Efros, "Unpaired image-to-image translation using cycle-consistent adversarial networks",
    ICCV 2017, arXiv:1703.10593.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.model import Terms
from unbraid.nn.discriminator import AdversaryName
from unbraid.nn.image import checked_codes
from unbraid.translation import AdversarialModel, apart
from unbraid.types import Shape
from unbraid.view import DomainBatch

__all__ = ["CycleGAN"]


class CycleGAN(AdversarialModel):
    r"""A translator each way; what one has made the other turns back, and an image of the target stays what it is.

    With :math:`F = G_b \circ E_a` to domain b and :math:`H = G_a \circ E_b` to domain a,

    .. math:: \mathcal L = \mathcal L_{GAN}(F(x_a)) + \lambda |H(F(x_a)) - x_a| + \lambda_{id} |H(x_a) - x_a|
              + (a \leftrightarrow b)

    where :math:`|\cdot|` is the mean absolute difference. The code of an image is its translation, pixel by pixel, and
    decoding is translating back: there is neither content nor style apart. Critics are shown translations as they are
    made, without the paper's history of the last fifty.

    Args:
        shape: Channels, height, width of the images, 32 to 256 pixels a side.
        cycle_weight: :math:`\lambda`, at least 0.
        identity_weight: :math:`\lambda_{id}`, at least 0; the paper has 5 for paintings and else 0.
        width: Channels at full size, at least 1; 64 in the paper.
        kernel: Of the layers at full size, odd; 7 in the paper.
        halvings: Between images and contents, 1 to 3; 2 in the paper, for 256 pixels.
        blocks: Residual blocks in each encoder and decoder, at least 0; together 9 in the paper.
        adversary: ``"squares"`` (the paper) or ``"hinge"``.
        spectral: Whether the critics' layers are divided by their greatest singular value.
        critic_width: Channels of the critics' first layer, at least 1; 64 in the paper.
        critic_depth: How many layers they have, at least 1; 3 in the paper, and one of stride 1.
        critic_sizes: At how many sizes they look, 1 to 3; 1 in the paper.
        critic_rate: Their learning rate, at least 0; 0 for the run's.
        average: What averaged weights keep in a step, from 0 to below 1.

    >>> list(CycleGAN((3, 48, 40)).players())
    ['model', 'critic']
    """

    citation = """@inproceedings{zhu2017unpaired,
  author = {Zhu, Jun-Yan and Park, Taesung and Isola, Phillip and Efros, Alexei A.},
  title = {Unpaired Image-to-Image Translation Using Cycle-Consistent Adversarial Networks}, booktitle = {ICCV},
  year = {2017}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "zhu": {
            "width": 64, "kernel": 7, "halvings": 2, "blocks": 4, "critic_width": 64, "critic_depth": 4,
            "critic_sizes": 1, "steps": 200_000, "batch_size": 1, "learning_rate": 2e-4,
        },
    }  # fmt: skip

    def __init__(
        self,
        shape: Shape,
        *,
        cycle_weight: float = 10.0,
        identity_weight: float = 0.0,
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
        require_at_least(0, cycle_weight=cycle_weight, identity_weight=identity_weight)
        super().__init__(
            shape, style_dim=0, width=width, kernel=kernel, halvings=halvings, blocks=blocks, shared="nothing",
            seen="colour", adversary=adversary, spectral=spectral, critic_width=critic_width, critic_depth=critic_depth,
            critic_sizes=critic_sizes, critic_rate=critic_rate, average=average,
        )  # fmt: skip
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight
        self.latent_dim = math.prod(shape)

    def represent(self, x: Tensor) -> Tensor:
        """The translation of images of domain 0, ``(B, latent_dim)``."""
        return self.translate(x, 0).flatten(1)

    def decode(self, z: Tensor) -> Tensor:
        """What a translation is turned back to, ``(B, C, H, W)`` in 0 .. 1.

        Raises:
            InvalidData: When the codes have another shape.
        """
        return self.translate(checked_codes(z, self.latent_dim).unflatten(1, self.shape), 1)

    def translation(self, batch: DomainBatch, step: int) -> Terms:
        """Doubt, and the ways back with their weight."""
        real = (batch.x, batch.other)
        fakes = self.fakes(batch)
        again = [apart(self.translate(fakes[d], 1 - d), real[d]) for d in (0, 1)]
        terms = Terms(adversary=self.doubt(fakes), cycle=self.cycle_weight * (again[0] + again[1]))
        if self.identity_weight:
            same = [apart(self.translate(real[d], 1 - d), real[d]) for d in (0, 1)]
            terms["identity"] = self.identity_weight * (same[0] + same[1])
        return terms
