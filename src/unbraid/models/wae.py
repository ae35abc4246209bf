"""The Wasserstein autoencoder, by maximum mean discrepancy.

References:
    Tolstikhin, Bousquet, Gelly and Schölkopf, "Wasserstein auto-encoders", ICLR 2018, arXiv:1711.01558, algorithm 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.info.discrepancy import KERNELS, KernelName, mean_discrepancy
from unbraid.model import AutoencodingModel, Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["WAE"]


class WAE(AutoencodingModel):
    r"""An autoencoder whose codes, all together, must look like the prior; no single one has to (WAE-MMD).

    .. math:: \mathcal L = -\log p(x \mid z) + \lambda\,\mathrm{MMD}^2(q(z), p(z)), \qquad z = f(x)

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1; far more than there are factors leave the prior unfilled.
        discrepancy: :math:`\lambda`, at least 0. The paper's 10 stands beside the squared error, which is twice the
            reconstruction of a Gaussian.
        kernel: ``"imq"`` (the paper's, at one scale; the authors' code adds up seven) or ``"rbf"``.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> WAE((1, 64, 64)).kernel
    'imq'
    """

    citation = """@inproceedings{tolstikhin2018wasserstein,
  author = {Tolstikhin, Ilya and Bousquet, Olivier and Gelly, Sylvain and Sch{\\"o}lkopf, Bernhard},
  title = {Wasserstein Auto-Encoders}, booktitle = {ICLR}, year = {2018}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        # Half of 10, for the Gaussian's half of the squared error: the settings for handwritten digits.
        "tolstikhin": {
            "latent_dim": 8,
            "discrepancy": 5.0,
            "likelihood": "gaussian",
            "batch_size": 100,
            "learning_rate": 1e-3,
        }
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        discrepancy: float = 10.0,
        kernel: KernelName = "imq",
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=1)
        require_at_least(0, discrepancy=discrepancy)
        if kernel not in KERNELS:
            raise InvalidOption(f"kernel must be one of {', '.join(KERNELS)}, but is {kernel!r}")
        self.discrepancy, self.kernel = discrepancy, kernel

    def represent(self, x: Tensor) -> Tensor:
        """The code, ``(B, latent_dim)``."""
        code: Tensor = self.encoder(x)
        return code.float()

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, in nats per image, and the discrepancy of all codes from as many of the prior."""
        z = self.represent(batch.x)
        distance = mean_discrepancy(z, torch.randn_like(z), kernel=self.kernel)
        return Terms(reconstruction=self.nll(batch.x, z), discrepancy=self.discrepancy * distance)
