"""The quantised-latent autoencoder.

References:
    Hsu et al., "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from unbraid.errors import require_at_least
from unbraid.model import QuantisedModel, Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.quantise import nearest_value, straight_through
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["QLAE"]


class QLAE(QuantisedModel):
    r"""Every latent takes one of a few learned values of its own, and the weights are pulled hard towards 0.

    With the encoder's answer :math:`c`, its nearest values :math:`z_j \in V_j`, and :math:`\bar c`, :math:`\bar z` held
    fixed,

    .. math:: \mathcal L = -\log p(x \mid z) + P \Big( \lambda_q\,\frac1D \sum_j (\bar c_j - z_j)^2
              + \lambda_c\,\frac1D \sum_j (c_j - \bar z_j)^2 \Big)

    The decoder's gradient passes straight through to :math:`c`; the first term of the two moves the values, the second
    the encoder. The paper weighs means over pixels and latents, and so do the options here: P counts the pixels of an
    image in all channels, D the latents.

    A decoder that can afford neither large weights nor to tell many combinations of values apart must use a value for
    the same purpose everywhere. The decay is that of AdamW, and spares biases and values; an optimiser that adds decay
    to the gradient, such as Adam, does something else with it. The paper also clips gradients, which is left to the
    trial, and takes twice as many latents as factors.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: D, how many latents, at least 1.
        values: How many values each latent has, at least 2; they start evenly spaced in [-0.5, 0.5].
        quantisation: The weight :math:`\lambda_q`, at least 0.
        commitment: The weight :math:`\lambda_c`, at least 0.
        weight_decay: By which share of itself, times the learning rate, a weight shrinks each step; at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> QLAE((1, 32, 32), latent_dim=4, values=6).codebook.shape
    torch.Size([4, 6])
    """

    citation = """@inproceedings{hsu2023disentanglement,
  author = {Hsu, Kyle and Dorrell, Will and Whittington, James C. R. and Wu, Jiajun and Finn, Chelsea},
  title = {Disentanglement via Latent Quantization}, booktitle = {NeurIPS}, year = {2023}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "hsu": {
            "latent_dim": 12,
            "quantisation": 0.001,
            "commitment": 0.001,
            "network": "modulated",
            "learning_rate": 1e-3,
            "batch_size": 128,
            "steps": 200_000,
        }
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        values: int = 10,
        quantisation: float = 0.01,
        commitment: float = 0.01,
        weight_decay: float = 0.1,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(2, values=values)
        require_at_least(0, quantisation=quantisation, commitment=commitment, weight_decay=weight_decay)
        self.values, self.quantisation, self.commitment = values, quantisation, commitment
        self.weight_decay = weight_decay
        self.codebook = nn.Parameter(torch.linspace(-0.5, 0.5, values).repeat(latent_dim, 1))

    def quantise(self, code: Tensor) -> Tensor:
        """The nearest value of each latent, ``(B, latent_dim)``."""
        return nearest_value(code, self.codebook)

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, and the two weighted distances between answers and values, in nats per image."""
        code = self.encode(batch.x)
        value = self.quantise(code)
        pixels = math.prod(self.shape)
        return Terms(
            reconstruction=self.nll(batch.x, straight_through(code, value)),
            quantisation=self.quantisation * pixels * (code.detach() - value).square().mean(),
            commitment=self.commitment * pixels * (code - value.detach()).square().mean(),
        )

    def players(self) -> dict[str, list[dict[str, Any]]]:
        """One player, whose weights decay and whose biases and values do not."""
        weights = [p for p in (*self.encoder.parameters(), *self.decoder.parameters()) if p.ndim > 1]
        decayed = {id(p) for p in weights}
        others = [p for p in self.parameters() if id(p) not in decayed]
        return {"model": [{"params": weights, "weight_decay": self.weight_decay}, {"params": others}]}
