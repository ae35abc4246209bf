"""Tripod.

References:
    Hsu et al., "Tripod: three complementary inductive biases for disentangled representation learning", ICML 2024,
    arXiv:2404.10282.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.info.kernel import kernel_multi_information
from unbraid.model import QuantisedModel, Terms
from unbraid.nn.hessian import mixed_curvature
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.quantise import rounded
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["Tripod"]


class Tripod(QuantisedModel):
    r"""Stands on three legs: latents of few values, that know little of each other, and do not work together.

    .. math:: \mathcal L = -\log p(x \mid z) + P \Big( \lambda_I\, \hat I(z_1; \ldots; z_D)
              + \lambda_H \sum_l \frac{\sum_{j \ne k} (\partial_j \partial_k h_l)^2}
              {\sum_{j, k} (\partial_j \partial_k h_l)^2} \Big)

    The latents are the encoder's answers through tanh, rounded to fixed values, with the gradient of the tanh.
    :math:`\hat I` is judged by kernels over the batch (:func:`~unbraid.info.kernel.kernel_multi_information`), the last
    term by finite differences of the decoder's hidden activations :math:`h_l`
    (:func:`~unbraid.nn.hessian.mixed_curvature`), which draws every image ``1 + 4 * directions`` times over. Weights
    are the paper's, where reconstruction is a mean over pixels; P counts the pixels of an image in all channels.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: D, how many latents, at least 1.
        levels: How many values each latent has, evenly from -1 to 1; at least 2.
        multi_information: The weight :math:`\lambda_I`, at least 0; the paper's for 3D Shapes.
        hessian: The weight :math:`\lambda_H`, at least 0; the paper's for 3D Shapes.
        epsilon: The step of the finite differences in standard deviations of each latent, above 0.
        directions: How many random directions of each of two kinds, at least 2.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> Tripod((1, 32, 32), hessian=0.0).levels
    12
    """

    citation = """@inproceedings{hsu2024tripod,
  author = {Hsu, Kyle and Hamid, Jubayer Ibn and Burns, Kaylee and Finn, Chelsea and Wu, Jiajun},
  title = {Tripod: Three Complementary Inductive Biases for Disentangled Representation Learning},
  booktitle = {ICML}, year = {2024}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "hsu": {
            "latent_dim": 12,
            "network": "modulated",
            "learning_rate": 2e-4,
            "batch_size": 64,
            "steps": 250_000,
        }
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        levels: int = 12,
        multi_information: float = 1e-4,
        hessian: float = 1e-2,
        epsilon: float = 0.1,
        directions: int = 2,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(2, levels=levels, directions=directions)
        require_at_least(0, multi_information=multi_information, hessian=hessian)
        require_at_least(1e-3, epsilon=epsilon)
        self.levels, self.multi_information, self.hessian = levels, multi_information, hessian
        self.epsilon, self.directions = epsilon, directions

    def quantise(self, code: Tensor) -> Tensor:
        """The level nearest to the tanh of each number, ``(B, latent_dim)``, with the gradient of the tanh."""
        return rounded(code.tanh(), self.levels)

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, and the two weighted penalties, in nats per image."""
        code = self.encode(batch.x)
        z = self.quantise(code)
        spread = code.tanh().std(dim=0, correction=0) + 1e-6
        pixels = math.prod(self.shape)
        terms = Terms(reconstruction=self.nll(batch.x, z))
        if self.multi_information:
            terms["multi_information"] = self.multi_information * pixels * kernel_multi_information(z, spread)
        if self.hessian:
            curvature = mixed_curvature(self.decoder, z, spread, epsilon=self.epsilon, directions=self.directions)
            terms["hessian"] = self.hessian * pixels * curvature
        return terms
