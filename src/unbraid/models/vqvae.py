"""The VQ-VAE.

References:
    van den Oord et al., "Neural discrete representation learning", NeurIPS 2017, arXiv:1711.00937.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import QuantisedModel, Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.quantise import nearest_vector, straight_through
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["VQVAE"]


class VQVAE(QuantisedModel):
    r"""The code is a row of vectors, each the nearest of one learned codebook (eq. 3).

    With the encoder's answer c, the codebook's vectors z nearest to its parts, and :math:`\bar c`, :math:`\bar z` held
    fixed,

    .. math:: \mathcal L = -\log p(x \mid z) + \|\bar c - z\|^2 + \beta\,\|c - \bar z\|^2

    The decoder's gradient passes straight through to c. In the paper the vectors lie on a grid over the image and a
    second model learns how they follow each other. Here, as for every model of this shelf, one code of ``latent_dim``
    numbers stands for the whole image: it is cut into vectors of ``width`` numbers, and an image can be any
    ``codewords ** (latent_dim / width)`` things. The codebook learns by gradient, as in equation 3, not by the moving
    averages of the paper's appendix. Nothing gives a single number of the code a meaning of its own: this is what
    quantised scalars (:mod:`~unbraid.models.qlae`) are to be seen against.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers a code has, at least 1; a multiple of ``width``.
        width: How many numbers each vector has, at least 1.
        codewords: How many vectors the codebook has, at least 2; they start standard normal.
        commitment: The weight :math:`\beta`, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the code cannot be cut, or an option is out of range.

    >>> VQVAE((1, 32, 32), latent_dim=12, width=3).codebook.shape
    torch.Size([512, 3])
    """

    citation = """@inproceedings{oord2017neural,
  author = {van den Oord, A{\\"a}ron and Vinyals, Oriol and Kavukcuoglu, Koray},
  title = {Neural Discrete Representation Learning}, booktitle = {NeurIPS}, year = {2017}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        width: int = 2,
        codewords: int = 512,
        commitment: float = 0.25,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(1, width=width)
        require_at_least(2, codewords=codewords)
        require_at_least(0, commitment=commitment)
        if latent_dim % width:
            raise InvalidOption(
                f"latent_dim must be a multiple of width, but {latent_dim} numbers do not cut into vectors of {width}"
            )
        self.width, self.codewords, self.commitment = width, codewords, commitment
        self.codebook = nn.Parameter(torch.randn(codewords, width))

    def quantise(self, code: Tensor) -> Tensor:
        """The nearest vectors of the codebook in a row, ``(B, latent_dim)``."""
        return nearest_vector(code.unflatten(1, (-1, self.width)), self.codebook).flatten(1)

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, and the squared distances between answers and codebook, in nats per image."""
        code = self.encode(batch.x)
        value = self.quantise(code)
        return Terms(
            reconstruction=self.nll(batch.x, straight_through(code, value)),
            quantisation=(code.detach() - value).square().sum(dim=1).mean(),
            commitment=self.commitment * (code - value.detach()).square().sum(dim=1).mean(),
        )
