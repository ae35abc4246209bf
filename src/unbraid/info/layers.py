"""What the layers of a network keep of its input, and how alike two representations are.

References:
    Harris et al., "FMix: enhancing mixed sample data augmentation", 2020, arXiv:2002.12047 (information by depth, there
    with a critic for each layer).
    Kornblith et al., "Similarity of neural network representations revisited", ICML 2019, arXiv:1905.00414 (CKA).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from unbraid.errors import InvalidData, UnknownName, require_at_least
from unbraid.seed import numpy_generator
from unbraid.types import Floats

__all__ = ["cka", "class_activation", "features", "linear_information"]

STILL = 0.05
"""A unit that varies by less than this share of what the liveliest does is not scaled up to the others."""


def features(model: nn.Module, layers: Sequence[str], x: Tensor, *, batch_size: int = 500) -> dict[str, Tensor]:
    """What layers give for samples, each flattened to ``(N, D)``; the model should be at rest.

    Args:
        model: Any.
        layers: Names as in ``model.named_modules()``.
        x: ``(N, ...)``.
        batch_size: How many at a time.

    Raises:
        UnknownName: When there is no such layer.

    >>> features(nn.Sequential(nn.Linear(3, 4)), ["0"], torch.zeros(5, 3))["0"].shape
    torch.Size([5, 4])
    """
    modules = dict(model.named_modules())
    found: dict[str, list[Tensor]] = {name: [] for name in layers}
    handles = []
    try:
        for name in layers:
            if name not in modules:
                raise UnknownName("layer", name, modules)
            keep = found[name]
            handles.append(
                modules[name].register_forward_hook(lambda _, __, out, keep=keep: keep.append(out.detach().flatten(1)))
            )
        with torch.no_grad():
            for part in x.split(batch_size):
                model(part)
    finally:
        for handle in handles:
            handle.remove()
    return {name: torch.cat(parts) for name, parts in found.items()}


def linear_information(
    features: Floats, inputs: Floats, *, components: int = 64, projections: int = 512, seed: int = 0
) -> tuple[float, float]:
    r"""What a layer tells of the input to a linear reader, in nats, with a standard error.

    .. math:: -\frac12 \sum_j \log (1 - R^2_j)

    with the held-out :math:`R^2` of each of the input's first principal components, read by ridge regression (with the
    penalty that generalised cross-validation finds best) from a random projection of the layer. It is the information
    between Gaussians, a lower bound on what a better reader finds; the information itself is infinite for a network
    without noise, and says nothing.

    Three quarters of the samples are for the fit. The error is that of the held-out mean squares, sample by sample.

    Args:
        features: ``(N, D)``.
        inputs: ``(N, P)``.
        components: Of the input, at least 1.
        projections: Wider layers are projected to so many numbers, at least 1.
        seed: Of the projection and the split.

    Returns:
        The information and its standard error.

    Raises:
        InvalidData: When rows do not fit together or are too few.
    """
    require_at_least(1, components=components, projections=projections)
    if len(features) != len(inputs) or len(features) < 8:
        raise InvalidData(
            f"features and inputs must have 8 rows or more each, but are {features.shape}, {inputs.shape}"
        )
    generator = numpy_generator(seed, "linear information")
    order = generator.permutation(len(features))
    fit, held = order[: len(order) * 3 // 4], order[len(order) * 3 // 4 :]
    centred = inputs - inputs[fit].mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred[fit], full_matrices=False)
    real = int((sizes > sizes[0] * 1e-6).sum())
    scores = centred @ axes[: min(components, real)].T
    scores = scores / scores[fit].std(axis=0)
    x = features - features[fit].mean(axis=0)
    # A unit that hardly varies among the samples of the fit may among the others, and would drown all that they say.
    spread = x[fit].std(axis=0)
    x = x / np.maximum(spread, max(STILL * spread.max(initial=0.0), 1e-8))
    if x.shape[1] > projections:
        x = x @ generator.normal(size=(x.shape[1], projections)) / np.sqrt(x.shape[1])
    error = (scores[held] - x[held] @ _ridge(x[fit], scores[fit])) ** 2
    share = np.minimum(error.mean(axis=0) / scores[held].var(axis=0), 1.0)
    known = share < 1
    each = -0.5 * (error / error.mean(axis=0))[:, known].sum(axis=1)
    return float(-0.5 * np.log(share).sum()), float(each.std() / np.sqrt(len(held)))


def _ridge(x: Floats, y: Floats) -> Floats:
    """Weights for each column of ``y``, with the penalty that generalised cross-validation finds best for it."""
    left, sizes, axes = np.linalg.svd(x, full_matrices=False)
    real = sizes > max(sizes[0], 1e-6) * 1e-6
    left, sizes, axes = left[:, real], sizes[real], axes[real]
    told = left.T @ y
    penalties = np.mean(sizes**2) * 10.0 ** np.arange(-4, 5)[:, None] if real.any() else np.ones((1, 1))
    shrunk = sizes**2 / (sizes**2 + penalties)
    rest = (y**2).sum(axis=0) - (told**2).sum(axis=0)
    left_over = rest + ((1 - shrunk[..., None]) ** 2 * told**2).sum(axis=1)
    best = (left_over / (1 - shrunk.sum(axis=1) / len(x))[:, None] ** 2).argmin(axis=0)
    weights: Floats = axes.T @ (shrunk[best].T / sizes[:, None] * told)
    return weights


def cka(first: Floats, second: Floats) -> float:
    r"""How alike two representations of the same samples are, up to turns and scale, in [0, 1]: linear CKA.

    .. math:: \frac{\| X^\top Y \|^2_F}{\| X^\top X \|_F\, \| Y^\top Y \|_F}

    with columns of mean 0.

    Args:
        first: X, ``(N, D)``.
        second: Y, ``(N, E)``.

    Raises:
        InvalidData: When they are not of as many samples, or one is constant.

    >>> codes = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(cka(codes, -2 * codes[:, ::-1] + 1), 6)
    1.0
    """
    if len(first) != len(second):
        raise InvalidData(
            f"two representations of the same samples are compared, but there are {len(first)}, {len(second)}"
        )
    x, y = first - first.mean(axis=0), second - second.mean(axis=0)
    size = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    if size == 0:
        raise InvalidData("a representation that is the same for every sample is like nothing: give one that varies")
    return float(np.linalg.norm(x.T @ y) ** 2 / size)


def class_activation(model: nn.Module, layer: str, x: Tensor, y: Tensor) -> Tensor:
    r"""Where a layer speaks for a label, by Grad-CAM.

    .. math:: \mathrm{relu}\Big(\sum_c \bar g_c\, a_c\Big)

    with :math:`\bar g_c` the mean over all places of :math:`\partial f_y / \partial a_c`.

    Args:
        model: From samples to logits.
        layer: A name as in ``model.named_modules()``, of what gives ``(N, C, ...)``.
        x: ``(N, ...)``.
        y: ``(N,)``.

    Returns:
        ``(N, ...)``, at least 0, at the layer's resolution.

    References:
        Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", ICCV 2017.

    Raises:
        UnknownName: When there is no such layer.
    """
    modules = dict(model.named_modules())
    if layer not in modules:
        raise UnknownName("layer", layer, modules)
    kept: list[Tensor] = []
    handle = modules[layer].register_forward_hook(lambda _, __, out: kept.append(out))
    try:
        with torch.enable_grad():
            logits = model(x.detach().requires_grad_())
    finally:
        handle.remove()
    (slope,) = torch.autograd.grad(logits.gather(1, y[:, None]).sum(), kept[0])
    weight = slope.flatten(2).mean(2).reshape(*slope.shape[:2], *[1] * (slope.ndim - 2))
    return (weight * kept[0]).sum(1).clamp_min(0).detach()
