"""The identifiable VAE.

References:
    Khemakhem, Kingma, Monti and Hyvärinen, "Variational autoencoders and nonlinear ICA: a unifying framework",
    AISTATS 2020, arXiv:1907.04809.
    Zhou and Wei, "Learning identifiable and interpretable latent models of high-dimensional neural activity using
    pi-VAE", NeurIPS 2020, arXiv:2011.04798, whose posterior this is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, require_at_least
from unbraid.model import AutoencodingModel, Terms
from unbraid.nn.aggregate import multiplied
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import GroupBatch

__all__ = ["IVAE"]


class IVAE(AutoencodingModel):
    r"""A VAE whose prior depends on the class: where classes differ enough, its latents can be told apart.

    .. math:: p(z \mid u) = \mathcal N(m_u, \operatorname{diag}(s_u^2)), \qquad
              \mathcal L = -\mathbb E_{q(z \mid x, u)} \log p(x \mid z) + \mathrm{KL}(q(z \mid x, u) \,\|\, p(z \mid u))

    Given the class u latents are independent, and with as many different classes as twice the latents plus one they
    are known up to their order and a function of each by itself. Means and variances of every class are learned as they
    are, where the paper has a network of u. The posterior is the prior's product with what the encoder reads in the
    image, :math:`q(z \mid x, u) \propto g(z \mid x)\, p(z \mid u)`, as in pi-VAE, so that an image without a class has
    a code too: the mean of g.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        segments: How many classes the world may have, at least 1; with 1 the model is told nothing.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Attributes:
        prior_mean: :math:`m_u`, ``(segments, latent_dim)``.
        prior_log_variance: :math:`\log s_u^2`, likewise.

    >>> IVAE((1, 64, 64), segments=40).prior_mean.shape
    torch.Size([40, 10])
    """

    view = "classes"
    citation = """@inproceedings{khemakhem2020variational,
  author = {Khemakhem, Ilyes and Kingma, Diederik P. and Monti, Ricardo Pio and Hyv{\\"a}rinen, Aapo},
  title = {Variational Autoencoders and Nonlinear {ICA}: A Unifying Framework}, booktitle = {AISTATS}, year = {2020}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        segments: int = 64,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=2)
        require_at_least(1, segments=segments)
        self.segments = segments
        self.prior_mean = nn.Parameter(torch.zeros(segments, latent_dim))
        self.prior_log_variance = nn.Parameter(torch.zeros(segments, latent_dim))

    def encode(self, x: Tensor) -> Gaussian:
        """What the image says of its code, g(z|x), before its class is known."""
        return Gaussian(*self.encoder(x).chunk(2, dim=1))

    def represent(self, x: Tensor) -> Tensor:
        """The mean of what the image says, ``(B, latent_dim)``."""
        return self.encode(x).mean

    def prior(self, label: Tensor) -> Gaussian:
        """p(z|u) for classes ``(B,)``.

        Raises:
            InvalidData: When there are more classes than segments.
        """
        if self.segments == 1:
            label = torch.zeros_like(label)
        elif label.max() >= self.segments:
            raise InvalidData(f"the world has a class {int(label.max())}, but segments is {self.segments}: give more")
        return Gaussian(self.prior_mean[label], self.prior_log_variance[label])

    def loss(self, batch: GroupBatch, step: int) -> Terms:
        """Reconstruction, and the KL to the prior of the class, in nats per image."""
        x = batch.x.flatten(0, 1)
        prior = self.prior(batch.label.repeat_interleave(batch.x.shape[1]))
        seen = self.encode(x)
        both = Gaussian(
            torch.stack([seen.mean, prior.mean], dim=1), torch.stack([seen.log_variance, prior.log_variance], dim=1)
        )
        q = multiplied(both, harmonic=False)
        return Terms(
            reconstruction=self.nll(x, q.rsample()),
            kl=q.divergences_from(prior).sum(dim=1).mean(),
        )
