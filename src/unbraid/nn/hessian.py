"""How much of a decoder's curvature mixes latents: its second derivatives off the diagonal, by finite differences.

References:
    Peebles et al., "The Hessian penalty", ECCV 2020, arXiv:2008.10599 (the estimate).
    Hsu et al., "Tripod: three complementary inductive biases for disentangled representation learning", ICML 2024,
    arXiv:2404.10282, section 3.3 (divided by the whole).
"""

from __future__ import annotations

from contextlib import suppress

import torch
from torch import Tensor, nn

__all__ = ["hidden", "mixed_curvature"]

ROUNDING = 1e-6
"""Below this a mean square of second differences is what single precision has left over."""


class _Enough(Exception):
    """Everything that is looked for has been seen."""


def hidden(network: nn.Module, z: Tensor) -> list[Tensor]:
    """What every layer of weights of a network is given, except the first: its hidden activations.

    Args:
        network: Any, of linear layers and convolutions, the one that acts last registered last.
        z: ``(B, D)``.

    Returns:
        Each ``(B, ...)``, in the order in which they come about.

    >>> [tuple(h.shape) for h in hidden(nn.Sequential(nn.Linear(2, 5), nn.ReLU(), nn.Linear(5, 1)), torch.ones(3, 2))]
    [(3, 5)]
    """
    seen: dict[int, Tensor] = {id(z): z}
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]

    def look(layer: nn.Module, given: tuple[Tensor]) -> None:
        seen.setdefault(id(given[0]), given[0])
        if layer is layers[-1]:
            raise _Enough  # what the last layer makes of it, nobody asks for: of a decoder, the largest maps of all

    handles = [layer.register_forward_pre_hook(look) for layer in layers]
    try:
        with suppress(_Enough):
            network(z)
    finally:
        for handle in handles:
            handle.remove()
    return list(seen.values())[1:]


def mixed_curvature(network: nn.Module, z: Tensor, scale: Tensor, *, epsilon: float, directions: int) -> Tensor:
    r"""The share of a network's second derivatives that lies off the diagonal, summed over its hidden layers.

    The second difference of an activation in a direction of random signs varies from direction to direction by twice
    the sum of squares off the diagonal of its Hessian; in a direction of standard normal numbers by twice the sum of
    all squares. The ratio of the two does not fall when the network merely makes its activations smaller.

    Each is a mean over activations and over the batch. The authors' programs divide image by image: with two
    directions, and rectifiers that bend here and there, the divisor of an image is now and then next to nothing.

    Args:
        network: From codes, of linear layers and convolutions.
        z: ``(B, D)``.
        scale: The length of a step in every latent, ``(D,)``.
        epsilon: By which the steps are shortened.
        directions: How many of each kind, at least 2.

    Returns:
        A scalar: 0 when no two latents work together, about 1 a layer when they all do.
    """
    # Half precision would leave nothing of a second difference.
    with torch.autocast(z.device.type, enabled=False):
        normal = torch.randn(2, directions, *z.shape, device=z.device)
        signs, normal = normal[0].sign(), normal[1]
        steps = epsilon * scale * torch.cat((signs, normal))
        points = torch.cat((z[None], z + steps, z - steps))
        total = z.new_zeros(())
        for h in hidden(network, points.flatten(0, 1)):
            here, there, back = h.unflatten(0, (-1, len(z))).flatten(2).split((1, 2 * directions, 2 * directions))
            second = (there - 2 * here + back) / epsilon**2
            mixed, whole = (half.var(dim=0, correction=0).mean() for half in second.chunk(2))
            total = total + mixed / (whole + ROUNDING)
    return total
