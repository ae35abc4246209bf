"""Finite scalar quantisation.

References:
    Mentzer et al., "Finite scalar quantization: VQ-VAE made simple", ICLR 2024, arXiv:2309.15505.
"""

from __future__ import annotations

from torch import Tensor

from unbraid.errors import require_at_least
from unbraid.model import QuantisedModel, Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.nn.quantise import rounded
from unbraid.types import Shape
from unbraid.view import Batch

__all__ = ["FSQ"]


class FSQ(QuantisedModel):
    r"""Every latent is rounded to one of L fixed values: a quantised code of which nothing can fall out of use.

    .. math:: \mathcal L = -\log p(x \mid z), \qquad
              z_j = 2\,\frac{\operatorname{round}\big(\tfrac12 (\tanh c_j + 1)(L - 1)\big)}{L - 1} - 1

    where c is what the encoder puts out; rounding passes the gradient on as it is. The paper quantises the vectors of a
    grid with another number of levels for each coordinate, such as 8, 5, 5 and 5; here one code stands for the whole
    image and all its latents have as many levels. The paper shifts an even number of levels so that 0 is one of them;
    here they always lie evenly from -1 to 1.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        levels: L, how many values each latent has, at least 2.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> import torch
    >>> seed = torch.manual_seed(0)
    >>> FSQ((1, 32, 32), levels=3).represent(torch.rand(64, 1, 32, 32)).unique().tolist()
    [-1.0, 0.0, 1.0]
    """

    citation = """@inproceedings{mentzer2024finite,
  author = {Mentzer, Fabian and Minnen, David and Agustsson, Eirikur and Tschannen, Michael},
  title = {Finite Scalar Quantization: {VQ-VAE} Made Simple}, booktitle = {ICLR}, year = {2024}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        levels: int = 8,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        require_at_least(2, levels=levels)
        self.levels = levels

    def quantise(self, code: Tensor) -> Tensor:
        """The level nearest to the tanh of each number, ``(B, latent_dim)``, with the gradient of the tanh."""
        return rounded(code.tanh(), self.levels)

    def loss(self, batch: Batch, step: int) -> Terms:
        """Reconstruction, in nats per image."""
        return Terms(reconstruction=self.nll(batch.x, self.represent(batch.x)))
