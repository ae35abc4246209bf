"""Random fields whose energy falls with frequency: thresholded, they are blobs.

References:
    Harris et al., "FMix: enhancing mixed sample data augmentation", 2020, arXiv:2002.12047.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.once import once

__all__ = ["REST", "Spectrum", "evaluate", "fields", "noise", "published", "waves"]

Spectrum = Literal["isotropic", "reference"]

REST = 1e-4
"""How much of a field's energy at most is in the fastest waves, which are left out: with a decay of 3 and in two
dimensions all but eight waves across an axis. They would move two pixels in a thousand across a threshold."""


def fields(
    count: int,
    shape: Sequence[int],
    *,
    decay: float = 3.0,
    spectrum: Spectrum = "isotropic",
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    r"""Periodic Gaussian fields whose waves of frequency f have amplitudes that fall as :math:`f^{-\delta}`.

    .. math:: g(p) = \sum_k \max(|f_k|, 1 / \max_d n_d)^{-\delta}\, \epsilon_k\, \phi_k(p),\quad \epsilon_k \sim N(0, 1)

    with products of sines and cosines of whole periods, of one norm, for :math:`\phi_k`, and the frequency
    :math:`f_k = (k_1 / n_1, k_2 / n_2, \dots)` in waves a pixel. The constant wave is left out. In real numbers the
    sum is one small matrix product an axis, and no direction is preferred.

    Args:
        count: How many, B.
        shape: Pixels along each axis, at least one axis.
        decay: :math:`\delta`, at least 0.
        spectrum: ``"reference"`` for the fields of the published program, as :func:`published` explains.
        generator: Where the normal numbers come from; the global one by default.
        device: Where the fields are made.

    Returns:
        ``(B, *shape)``, float32; only the order of a field's values means something, not their scale.

    >>> fields(2, (8, 9), generator=torch.Generator().manual_seed(0)).shape
    torch.Size([2, 8, 9])
    """
    normal = noise(count, shape, decay=decay, spectrum=spectrum, generator=generator, device=device)
    return waves(normal, shape, decay=decay, spectrum=spectrum)


def noise(
    count: int,
    shape: Sequence[int],
    *,
    decay: float = 3.0,
    spectrum: Spectrum = "isotropic",
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """The random amplitudes of fields, from which :func:`waves` makes them; arguments as for :func:`fields`."""
    require_at_least(0, decay=decay)
    if spectrum not in get_args(Spectrum):
        raise InvalidOption(f"spectrum must be isotropic or reference, but is {spectrum!r}")
    if not shape or min(shape) < 1:
        raise InvalidOption(f"a field has one axis or more, all of at least 1 pixel, but shape is {tuple(shape)}")
    if spectrum == "reference":
        return torch.randn((count, *_reference_sizes(shape), 2), generator=generator, device=device)
    sizes = tuple(_waves_of(n, decay, len(shape)) for n in shape)
    normal = torch.randn((count, *sizes), generator=generator, device=device)
    return normal.mul_(_made(shape, decay, normal.device)[0])


def waves(amplitudes: Tensor, shape: Sequence[int], *, decay: float = 3.0, spectrum: Spectrum = "isotropic") -> Tensor:
    """The fields that :func:`noise` stands for; any part of its rows gives those fields."""
    if spectrum == "reference":
        return published(amplitudes, shape, decay=decay)
    _, bases = _made(shape, decay, amplitudes.device)
    # The last axis first: it alone is one product for the whole batch, and is a small one while the others are waves.
    field = amplitudes.flatten(0, -2) @ bases[-1]
    for axis in reversed(range(len(shape) - 1)):
        basis = bases[axis]
        done = math.prod(shape[axis + 1 :])
        field = basis @ field.reshape(len(amplitudes) * math.prod(amplitudes.shape[1 : axis + 1]), basis.shape[1], done)
    return field.reshape(len(amplitudes), *shape)


def _made(shape: Sequence[int], decay: float, device: torch.device) -> tuple[Tensor, tuple[Tensor, ...]]:
    return _bases(tuple(shape), float(decay), device)


def _highest(pixels: int, decay: float, dimensions: int) -> int:
    r"""How many waves across an axis are drawn.

    Beyond k of them lies less than :math:`\int_{|q| > k + 1/2} |q|^{-2 \delta} dq = S (k + \frac12)^{-s} / s`, with the
    surface S of the unit sphere and :math:`s = 2 \delta - D`; the 2 D slowest waves have an energy of 1 each.
    """
    slope = 2 * decay - dimensions
    if slope <= 0:
        return pixels // 2
    surface = 2 * math.pi ** (dimensions / 2) / math.gamma(dimensions / 2)
    farthest = math.log(surface / (2 * dimensions * slope * REST)) / slope
    return min(pixels // 2, math.ceil(math.exp(min(farthest, 30)) - 0.5))


def _waves_of(pixels: int, decay: float, dimensions: int) -> int:
    """How many waves an axis has: a constant, and cosines and sines but for the sine of the fastest of an even axis."""
    highest = _highest(pixels, decay, dimensions)
    return 1 + 2 * highest - (2 * highest == pixels)


@once(64)
def _bases(shape: tuple[int, ...], decay: float, device: torch.device) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The amplitude of every product of waves, and each axis's waves, ``(pixels, waves)``; the last are transposed."""
    square = torch.zeros(())
    bases = []
    for axis, pixels in enumerate(shape):
        highest = _highest(pixels, decay, len(shape))
        k = torch.arange(1, highest + 1, dtype=torch.float64)
        angle = 2 * math.pi * torch.outer(torch.arange(pixels, dtype=torch.float64) / pixels, k)
        cosines, sines = math.sqrt(2) * angle.cos(), math.sqrt(2) * angle.sin()
        if 2 * highest == pixels:  # the fastest wave of an even axis has no sine, and its cosine is +-1
            cosines[:, -1] /= math.sqrt(2)
            sines = sines[:, :-1]
        columns = torch.cat([torch.ones(pixels, 1), cosines, sines], dim=1)
        frequency = torch.cat([torch.zeros(1), k, k[: sines.shape[1]]]) / pixels
        square = square + frequency.square().reshape([-1 if d == axis else 1 for d in range(len(shape))])
        bases.append(columns.to(device, torch.float32))
    # In units of the slowest wave, so that steep spectra stay within float32.
    amplitudes = (square.sqrt() * max(shape)).clamp_min(1.0) ** -decay
    amplitudes.view(-1)[0] = 0.0
    bases[-1] = bases[-1].T.contiguous()
    return amplitudes.to(device, torch.float32), tuple(bases)


def evaluate(points: Tensor, *, decay: float = 3.0, band: int = 4, generator: torch.Generator | None = None) -> Tensor:
    r"""One random field for each set of points, at the points themselves rather than on a grid.

    .. math:: g(p) = \sum_{0 < \max_d |k_d| \le K} |k|^{-\delta} \big(a_k \cos 2\pi k p + b_k \sin 2\pi k p\big)

    Args:
        points: In the unit cube, ``(B, N, D)``; the field repeats outside it.
        decay: :math:`\delta`, at least 0.
        band: K, at least 1.
        generator: Where the normal numbers come from; the global one by default.

    Returns:
        ``(B, N)``.

    >>> evaluate(torch.rand(2, 5, 3)).shape
    torch.Size([2, 5])
    """
    require_at_least(0, decay=decay)
    require_at_least(1, band=band)
    axis = torch.arange(-band, band + 1, device=points.device, dtype=points.dtype)
    waves = torch.cartesian_prod(*[axis] * points.shape[-1]).reshape(-1, points.shape[-1])
    waves = waves[len(waves) // 2 + 1 :]  # of k and -k, which are one wave, the latter; 0 is in the middle
    normal = torch.randn((2, len(points), 1, len(waves)), generator=generator, device=points.device, dtype=points.dtype)
    angle = 2 * math.pi * points @ waves.T
    amplitudes = waves.square().sum(1) ** (-decay / 2)
    return torch.sum((normal[0] * angle.cos() + normal[1] * angle.sin()) * amplitudes, dim=-1)


def _reference_sizes(shape: Sequence[int]) -> tuple[int, ...]:
    """The shape of the frequencies in the published program, where the axes of a volume change places."""
    if len(shape) == 1:
        return (shape[0],)
    half = shape[1] // 2 + 1 + shape[1] % 2
    if len(shape) == 2:
        return shape[0], half
    if len(shape) == 3:
        return shape[0], shape[2], half
    raise InvalidOption(f"the published program has 1, 2 or 3 dimensions, but shape is {tuple(shape)}")


def published(normal: Tensor, shape: Sequence[int], *, decay: float = 3.0) -> Tensor:
    """The fields that the published program makes of given normal numbers, with all that is wrong in it.

    It takes the first two *frequencies* of the first axis for the real and the imaginary part, and the two parts for
    the first two frequencies of the last axis. What comes out waves once at most along the last axis: in one dimension
    a single cosine, in two dimensions stripes that are never horizontal. Results that were published with it need it.

    Args:
        normal: ``(B, *frequencies, 2)``, as the program draws them.
        shape: One to three axes.
        decay: The power, at least 0.

    Returns:
        ``(B, *shape)``.
    """
    axes: list[Tensor] = [torch.fft.fftfreq(shape[0])]
    sizes = _reference_sizes(shape)
    if len(shape) == 3:
        axes.append(torch.fft.fftfreq(shape[2]))
    if len(shape) > 1:
        axes.append(torch.fft.fftfreq(shape[1])[: sizes[-1]])
    grid = torch.meshgrid(*axes, indexing="ij")
    frequency = torch.stack(grid).square().sum(0).sqrt().clamp_min(1 / max(shape))
    if not len(normal):  # of nothing there is no transform
        return normal.new_empty(0, *shape)
    spectrum = normal * (frequency**-decay)[..., None].to(normal.device)
    dims = tuple(range(-len(shape), 0))
    field: Tensor = torch.fft.irfftn(torch.complex(spectrum[:, 0], spectrum[:, 1]), s=tuple(shape), dim=dims)
    return field
