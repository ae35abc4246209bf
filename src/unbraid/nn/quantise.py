r"""Quantisation: numbers and vectors become the nearest of a few, and gradients pass as if they had not.

References:
    van den Oord et al., "Neural discrete representation learning", NeurIPS 2017, arXiv:1711.00937, section 3.2.
    Mentzer et al., "Finite scalar quantization: VQ-VAE made simple", ICLR 2024, arXiv:2309.15505, section 3.1.
    Hsu et al., "Disentanglement via latent quantization", NeurIPS 2023, arXiv:2305.18378, section 3.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["nearest_value", "nearest_vector", "rounded", "straight_through"]


def straight_through(z: Tensor, quantised: Tensor) -> Tensor:
    """The quantised values, to the last bit, with the gradient of ``z``: a step is taken for a slope of 1.

    >>> import torch
    >>> z = torch.tensor([0.2], requires_grad=True)
    >>> (3 * straight_through(z, z.round())).backward()
    >>> z.grad
    tensor([3.])
    """
    # z + (quantised - z) would be off by a rounding error, and codes in training would differ from those outside it.
    return quantised.detach() + (z - z.detach())


def nearest_value(z: Tensor, values: Tensor) -> Tensor:
    """The nearest value of every number's own codebook; gradients reach the codebook, not ``z``.

    Args:
        z: ``(B, D)``.
        values: ``(D, V)``, in any order.

    Returns:
        ``(B, D)``.

    >>> import torch
    >>> nearest_value(torch.tensor([[0.4, 0.4]]), torch.tensor([[0.0, 1.0], [-1.0, 0.5]]))
    tensor([[0.0000, 0.5000]])
    """
    # By the middles between neighbours: a difference to a far z would not tell one value from the next.
    ordered = values.sort(dim=1).values
    middles = (ordered.detach()[:, 1:] + ordered.detach()[:, :-1]) / 2
    index = (z.detach()[:, :, None] > middles).sum(dim=2)
    return ordered.expand(z.shape[0], -1, -1).gather(2, index[:, :, None])[:, :, 0]


def nearest_vector(z: Tensor, vectors: Tensor) -> Tensor:
    """The nearest vector of one codebook, by Euclid's distance; gradients reach the codebook, not ``z``.

    Args:
        z: ``(..., W)``.
        vectors: ``(K, W)``.

    Returns:
        ``(..., W)``.

    >>> import torch
    >>> nearest_vector(torch.tensor([[0.9, 0.2]]), torch.tensor([[0.0, 0.0], [1.0, 0.0]]))
    tensor([[1., 0.]])
    """
    # Not by |z|^2 - 2 z.v + |v|^2, which in single precision confuses neighbours that lie far from the origin.
    index = (z.detach()[..., None, :] - vectors.detach()).square().sum(dim=-1).argmin(dim=-1)
    return vectors[index]


def rounded(z: Tensor, levels: int) -> Tensor:
    r"""The nearest of ``levels`` values evenly spaced from -1 to 1, with the gradient of ``z``.

    .. math:: 2\,\frac{\operatorname{round}\big(\tfrac12 (z + 1)(L - 1)\big)}{L - 1} - 1

    Args:
        z: Of any shape, in [-1, 1].
        levels: L, at least 2.

    >>> import torch
    >>> rounded(torch.tensor([-0.9, -0.2, 0.1, 1.0]), 3)
    tensor([-1.,  0.,  0.,  1.])
    """
    steps = levels - 1
    return straight_through(z, ((z.detach() + 1) * (steps / 2)).round() / (steps / 2) - 1)
