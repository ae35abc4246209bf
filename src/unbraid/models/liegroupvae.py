"""The commutative Lie group VAE: a code says how far to go along each of some generators of a group of matrices.

References:
    Zhu, Xu and Tao, "Commutative Lie group VAE for disentanglement learning", ICML 2021, arXiv:2106.03375.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Terms, VariationalModel
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.image import checked_codes
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NETWORKS, NetworkName
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["LieGroupVAE"]

INITIAL, WIDTH = 0.001, 256
"""The spread of the generators' entries at first, and the width of the layer between matrices and codes."""
FARTHEST = 12.0
"""The norm of what is exponentiated, at most: beyond, its exponential would soon overflow."""


class LieGroupVAE(VariationalModel):
    r"""A VAE that draws images from a matrix, the exponential of generators, of which no two shall follow each other.

    Codes t are coordinates of a group element, from whose entries the image is decoded,

    .. math:: g(t) = \exp\Big(\sum_i t_i A_i\Big)

    and :math:`q(t \mid x)` is read from a matrix :math:`\hat g(x)` that the encoder makes of the image. If all
    :math:`A_i A_j = 0`, the generators commute, g is the product of what each does alone, and no second derivative of
    it mixes two codes:

    .. math:: \mathcal L = -\mathbb E \log p(x \mid g) + \beta\, \mathrm{KL}(q(t \mid x) \,\|\, p(t))
              + \rho\, \| \hat g(x) - g(t) \|^2 + \eta \operatorname*{mean}_{i \ne j} \| A_i A_j \|^2
              + \kappa \operatorname*{mean}_{i \ne j} \| A_i A_j - A_j A_i \|^2

    A share of the images is decoded from :math:`\hat g(x)` in place of g(t), so that matrices mean something before
    codes do. It sees single images, and is told of no action: a contrast to models in which actions are matrices. Here
    what is exponentiated has a norm of 12 at most, where any code shall be decoded.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, each with a generator, at least 1.
        size: Rows of the matrices, at least 2; 10 is the paper's for dSprites.
        beta: The weight of the KL, at least 0.
        agreement: The weight of how far the encoder's matrix is from the code's, at least 0.
        hessian: The weight of products of two generators, at least 0; 40 is the paper's for dSprites.
        commutator: The weight of their commutators, at least 0; in the authors' program it is 0.
        direct: The share of images that are decoded from the encoder's matrix, at least 0 and at most 1.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> LieGroupVAE((1, 32, 32), size=4).element(torch.zeros(2, 10))[0].tolist() == torch.eye(4).tolist()
    True
    """

    citation = """@inproceedings{zhu2021commutative, author = {Zhu, Xinqi and Xu, Chang and Tao, Dacheng},
  title = {Commutative {Lie} Group {VAE} for Disentanglement Learning},
  booktitle = {International Conference on Machine Learning}, year = {2021}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        size: int = 10,
        beta: float = 1.0,
        agreement: float = 0.1,
        hessian: float = 40.0,
        commutator: float = 0.0,
        direct: float = 0.2,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(2, size=size)
        require_at_least(0, beta=beta, agreement=agreement, hessian=hessian, commutator=commutator, direct=direct)
        if direct > 1:
            raise InvalidOption(f"direct must be a share of at most 1, but is {direct}")
        self.size, self.beta, self.agreement = size, beta, agreement
        self.hessian, self.commutator, self.direct = hessian, commutator, direct
        self.encoder = NETWORKS[network].encoder(shape, size**2)
        self.reader = nn.Sequential(nn.Linear(size**2, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2 * latent_dim))
        self.generators = nn.Parameter(INITIAL * torch.randn(latent_dim, size, size))
        self.decoder = NETWORKS[network].decoder(size**2, shape)

    def encode(self, x: Tensor) -> Gaussian:
        """The posterior q(t|x)."""
        return self._read(self.encoder(x))

    def element(self, z: Tensor) -> Tensor:
        """The matrix of each code, ``(B, latent_dim)`` to ``(B, size, size)``."""
        z = checked_codes(z, self.latent_dim)
        with torch.autocast(z.device.type, enabled=False):
            along = torch.einsum("bi,ijk->bjk", z.float(), self.generators)
            length = along.flatten(1).norm(dim=1)[:, None, None]
            made: Tensor = torch.linalg.matrix_exp(along * (FARTHEST / length.clamp_min(FARTHEST)))
        return made

    def decode(self, z: Tensor) -> Tensor:
        """The mean image of each code: ``(B, latent_dim)`` to ``(B, C, H, W)`` in ``[0, 1]``."""
        return super().decode(self.element(z).flatten(1))

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, KL, how far the two matrices are apart, and what generators do to each other."""
        seen = self.encoder(batch.x).float()
        q = self._read(seen)
        made = self.element(q.rsample()).flatten(1)
        drawn = torch.where(torch.rand(len(made), 1, device=made.device) < self.direct, seen, made)
        products, others = self._products(), ~torch.eye(self.latent_dim, dtype=torch.bool, device=made.device)
        pairs = max(1, int(others.sum()))
        terms = Terms(
            reconstruction=self.nll(batch.x, drawn),
            kl=self.beta * q.kl(),
            agreement=self.agreement * (seen - made).square().sum(dim=1).mean(),
            hessian=self.hessian * products[others].square().sum() / pairs,
        )
        if self.commutator:
            mixed = products - products.transpose(0, 1)
            terms["commutator"] = self.commutator * mixed.square().sum() / pairs
        return terms

    def _read(self, matrix: Tensor) -> Gaussian:
        return Gaussian(*self.reader(matrix).chunk(2, dim=1))

    def _products(self) -> Tensor:
        """Of every two generators, ``(latent_dim, latent_dim, size, size)``."""
        with torch.autocast(self.generators.device.type, enabled=False):
            return torch.einsum("iab,jbc->ijac", self.generators, self.generators)
