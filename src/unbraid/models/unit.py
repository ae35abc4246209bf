"""UNIT: unsupervised image-to-image translation by a latent space that two domains share.

References:
    Liu, Breuel and Kautz, "Unsupervised image-to-image translation networks", NeurIPS 2017, arXiv:1703.00848.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.model import Terms
from unbraid.nn.discriminator import AdversaryName
from unbraid.translation import AdversarialModel, apart
from unbraid.types import Shape
from unbraid.view import DomainBatch

__all__ = ["UNIT"]


class UNIT(AdversarialModel):
    r"""Two VAEs whose codes are maps in a space that they share: translation is encoding in one, decoding in the other.

    An image :math:`x_a` has the posterior :math:`N(c_a, I)` with :math:`c_a = E_a(x_a)`; with
    :math:`x_{ab} = G_b(c_a + \epsilon)` and everything else for b likewise,

    .. math:: \mathcal L = \mathcal L_{GAN}(x_{ab}) + \lambda_x |G_a(c_a + \epsilon) - x_a|
              + \lambda_{cyc} |G_a(E_b(x_{ab}) + \epsilon) - x_a| + \lambda_{kl} \big(\overline{c_a^2}
              + \overline{E_b(x_{ab})^2}\big) + (a \leftrightarrow b)

    where bars and :math:`|\cdot|` are means. The residual blocks, the last of the encoders and the first of the
    decoders, are the same for both domains. There is no style: an image has one translation. The weights are those of
    the authors' later programs, and so are squares in place of the paper's logarithms.

    Args:
        shape: Channels, height, width of the images, 32 to 256 pixels a side.
        image_weight: :math:`\lambda_x`, at least 0.
        cycle_weight: :math:`\lambda_{cyc}`, at least 0.
        kl_weight: :math:`\lambda_{kl}`, at least 0.
        width: Channels at full size, at least 1; 64 in the paper.
        kernel: Of the layers at full size, odd; 7 in the paper.
        halvings: Between images and contents, 1 to 3; 2 in the paper, for 256 pixels.
        blocks: Residual blocks in each encoder and decoder, at least 0; 4 in the paper.
        adversary: ``"squares"`` (the paper) or ``"hinge"``.
        spectral: Whether the critics' layers are divided by their greatest singular value.
        critic_width: Channels of the critics' first layer, at least 1; 64 in the paper.
        critic_depth: How many layers they have, at least 1; 4 in the paper.
        critic_sizes: At how many sizes they look, 1 to 3; 3 in the paper.
        critic_rate: Their learning rate, at least 0; 0 for the run's.
        average: What averaged weights keep in a step, from 0 to below 1.

    >>> list(UNIT((3, 48, 40)).players())
    ['model', 'critic']
    """

    citation = """@inproceedings{liu2017unsupervised, author = {Liu, Ming-Yu and Breuel, Thomas and Kautz, Jan},
  title = {Unsupervised Image-to-Image Translation Networks}, booktitle = {NeurIPS}, year = {2017}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "liu": {
            "width": 64, "kernel": 7, "halvings": 2, "blocks": 4, "critic_width": 64, "critic_depth": 4,
            "critic_sizes": 3, "steps": 1_000_000, "batch_size": 1, "learning_rate": 1e-4,
        },
    }  # fmt: skip

    def __init__(
        self,
        shape: Shape,
        *,
        image_weight: float = 10.0,
        cycle_weight: float = 10.0,
        kl_weight: float = 0.01,
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
        require_at_least(0, image_weight=image_weight, cycle_weight=cycle_weight, kl_weight=kl_weight)
        super().__init__(
            shape, style_dim=0, width=width, kernel=kernel, halvings=halvings, blocks=blocks, shared="middle",
            seen="colour", adversary=adversary, spectral=spectral, critic_width=critic_width, critic_depth=critic_depth,
            critic_sizes=critic_sizes, critic_rate=critic_rate, average=average,
        )  # fmt: skip
        self.image_weight, self.cycle_weight, self.kl_weight = image_weight, cycle_weight, kl_weight

    def fakes(self, batch: DomainBatch) -> list[Tensor]:
        """Translations of samples of the posteriors."""
        return [self._sampled(self.content_of(x, d), 1 - d) for d, x in enumerate((batch.x, batch.other))]

    def translation(self, batch: DomainBatch, step: int) -> Terms:
        """Doubt, and reconstruction, cycle and KL with their weights."""
        real = (batch.x, batch.other)
        contents = [self.content_of(x, d) for d, x in enumerate(real)]
        fakes = [self._sampled(contents[d], 1 - d) for d in (0, 1)]
        back = [self.content_of(fakes[d], 1 - d) for d in (0, 1)]
        own = [apart(self._sampled(contents[d], d), real[d]) for d in (0, 1)]
        again = [apart(self._sampled(back[d], d), real[d]) for d in (0, 1)]
        size = torch.stack([c.square().mean() for c in (*contents, *back)]).sum()
        return Terms(
            adversary=self.doubt(fakes),
            reconstruction=self.image_weight * (own[0] + own[1]),
            cycle=self.cycle_weight * (again[0] + again[1]),
            kl=self.kl_weight * size,
        )

    def _sampled(self, content: Tensor, domain: int) -> Tensor:
        """An image of a sample of the posterior."""
        return self.drawn(content + torch.randn_like(content), content.new_zeros(len(content), 0), domain)
