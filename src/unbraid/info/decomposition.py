r"""What the KL term of a VAE is made of, with every image's posterior as a component of the aggregate.

.. math:: \mathbb E_x \mathrm{KL}(q(z \mid x) \,\|\, p(z)) = I(x; z)
          + \mathrm{KL}\Big(q(z) \,\Big\|\, \prod_j q(z_j)\Big) + \sum_j \mathrm{KL}(q(z_j) \,\|\, p(z_j)),
          \qquad q(z) = \tfrac1N \sum_n q(z \mid x_n)

References:
    Hoffman and Johnson, "ELBO surgery: yet another way to carve up the variational evidence lower bound", NeurIPS
    workshop 2016.
    Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, arXiv:1802.04942,
    section 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import InvalidData, require_at_least
from unbraid.seed import torch_generator
from unbraid.types import Floats

__all__ = ["Decomposition", "decompose"]

PAIRS = 2**17
"""Pairs of a sample and a component at once: a megabyte, which stays in the processor's cache."""
LOG_TWO_PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Decomposition:
    """The KL of a VAE and its three parts, in nats, over N images.

    Args:
        mutual_information: I(x; z): how much the code tells of which image it is; at most log N.
        total_correlation: How much latents share: 0 where the aggregate is the product of its marginals.
        dimension_wise: How far each latent's marginal is from the prior, ``(D,)``.
        latent_information: I(x; z_j), how much each latent tells alone, ``(D,)``; each one's KL is this and its
            dimension-wise part.
        kl: What the three parts sum to, by the same samples.
        closed_form: The same, without sampling.
        samples: N, the number of images, each of them a component of the aggregate.
        errors: Standard errors of ``mutual_information``, ``total_correlation``, ``dimension_wise`` (its sum) and
            ``kl``, from the spread over images.
    """

    mutual_information: float
    total_correlation: float
    dimension_wise: Floats
    latent_information: Floats
    kl: float
    closed_form: float
    samples: int
    errors: Mapping[str, float]

    @property
    def ceiling(self) -> float:
        """What the mutual information cannot exceed: log N."""
        return math.log(self.samples)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(self).items()
        }


def decompose(mean: Any, log_variance: Any, *, draws: int = 1, seed: int = 0) -> Decomposition:
    r"""Take the KL of diagonal Gaussian posteriors to the standard normal apart, in nats.

    .. math:: I = \mathbb E \log \frac{q(z \mid x)}{q(z)}, \quad TC = \mathbb E \log \frac{q(z)}{\prod_j q(z_j)}, \quad
              \mathbb E \log \frac{q(z_j)}{p(z_j)}

    The aggregate is that of all N posteriors, not of a minibatch; the expectations are over samples of each. For images
    that are a whole world nothing else is estimated. For a part of one, the mutual information is a lower bound, which
    comes near log N where a code tells nearly every image from the others; total correlation then takes what it misses.
    The work grows as N² D: 10,000 images of ten latents take some seconds.

    Args:
        mean: Of every image's posterior, ``(N, D)``.
        log_variance: Likewise, in the logarithm of squared units.
        draws: Samples of each posterior, at least 1.
        seed: What they depend on, at least 0.

    Raises:
        InvalidData: When the arrays do not fit together or are not finite.
        InvalidOption: When an option is out of range.

    >>> apart = decompose(np.array([[-9.0], [9.0]]), np.zeros((2, 1)))
    >>> round(apart.mutual_information, 4), round(apart.ceiling, 4)
    (0.6931, 0.6931)
    """
    require_at_least(1, draws=draws)
    mean, log_variance = _checked(mean, log_variance)
    count, latents = mean.shape
    generator = torch_generator(seed, "decomposition")
    deviation = (0.5 * log_variance).exp()
    total = torch.zeros(count, 2 + 2 * latents, dtype=torch.float64)
    for _ in range(draws):
        z = mean + deviation * torch.randn(count, latents, dtype=torch.float64, generator=generator)
        own = -0.5 * (((z - mean) / deviation).square() + log_variance + LOG_TWO_PI)
        joint, each = _aggregate(z, mean, log_variance)
        prior = -0.5 * (z.square() + LOG_TWO_PI)
        parts = (own.sum(dim=1) - joint)[:, None], (joint - each.sum(dim=1))[:, None], each - prior, own - each
        total += torch.cat(parts, dim=1) / draws
    means = total.mean(dim=0).numpy()
    dimension_wise = means[2 : 2 + latents]
    shown = torch.stack([total[:, 0], total[:, 1], total[:, 2 : 2 + latents].sum(dim=1)], dim=1)
    spread = torch.cat([shown, shown.sum(dim=1, keepdim=True)], dim=1).std(dim=0) / math.sqrt(count)
    names = ("mutual_information", "total_correlation", "dimension_wise", "kl")
    return Decomposition(
        mutual_information=float(means[0]),
        total_correlation=float(means[1]),
        dimension_wise=dimension_wise,
        latent_information=means[2 + latents :],
        kl=float(means[0] + means[1] + dimension_wise.sum()),
        closed_form=float(0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1).mean()),
        samples=count,
        errors=dict(zip(names, spread.tolist(), strict=True)),
    )


def _aggregate(z: Tensor, mean: Tensor, log_variance: Tensor) -> tuple[Tensor, Tensor]:
    """The log density of the aggregate, ``(N,)``, and of its marginals, ``(N, D)``, at a sample of each component.

    Squares of differences are exact where posteriors are narrow; multiplied out for a matrix product they would cancel.
    A latent's densities are summed beside the peak of its narrowest component: a sample's own component is among them,
    so that the sum cannot vanish.
    """
    count, latents = mean.shape
    narrowest = log_variance.min(dim=0).values
    heights = (0.5 * (narrowest - log_variance)).exp().T.contiguous()
    scale = (math.sqrt(0.5) * (-0.5 * log_variance).exp()).T.contiguous()
    centre, across = mean.T.contiguous(), z.T.contiguous()
    whole = -0.5 * log_variance.sum(dim=1)
    joint, each = torch.empty(count, dtype=torch.float64), torch.empty(count, latents, dtype=torch.float64)
    rows = max(1, PAIRS // count)
    for start in range(0, count, rows):
        part = slice(start, min(start + rows, count))
        density = whole.repeat(part.stop - start, 1)
        distance = torch.empty_like(density)
        for j in range(latents):
            torch.sub(across[j, part, None], centre[j], out=distance)
            distance.mul_(scale[j]).square_()
            density.sub_(distance)
            each[part, j] = distance.neg_().exp_() @ heights[j]
        joint[part] = density.logsumexp(dim=1)
    joint -= math.log(count) + 0.5 * latents * LOG_TWO_PI
    return joint, each.log() - math.log(count) - 0.5 * (LOG_TWO_PI + narrowest)


def _checked(mean: Any, log_variance: Any) -> tuple[Tensor, Tensor]:
    found = [torch.as_tensor(value).detach().cpu().double() for value in (mean, log_variance)]
    if found[0].ndim != 2 or found[0].shape != found[1].shape or len(found[0]) < 2 or found[0].shape[1] < 1:
        shapes = " and ".join(str(tuple(value.shape)) for value in found)
        raise InvalidData(f"means and log variances must both be (images, latents), 2 and 1 at least, but are {shapes}")
    if not all(bool(value.isfinite().all()) for value in found):
        raise InvalidData("means and log variances must be finite numbers: look for a training that has diverged")
    return found[0], found[1]
