"""Random fields whose energy falls with frequency: thresholded, they are blobs.

References:
    Harris et al., "FMix: enhancing mixed sample data augmentation", 2020, arXiv:2002.12047.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, get_args

import torch
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least

__all__ = ["BAND", "Spectrum", "evaluate", "fields", "published"]

Spectrum = Literal["isotropic", "reference"]

BAND = 12
"""Up to how many waves across an axis a steep spectrum is drawn: with a decay of 3 all others together move one pixel
in a thousand across a threshold, and cost ten times as much."""
STEEP = 2.0
"""The decay from which on the waves beyond the band do not matter."""


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
    require_at_least(0, decay=decay)
    if spectrum not in get_args(Spectrum):
        raise InvalidOption(f"spectrum must be isotropic or reference, but is {spectrum!r}")
    if not shape or min(shape) < 1:
        raise InvalidOption(f"a field has one axis or more, all of at least 1 pixel, but shape is {tuple(shape)}")
    device = torch.device(device or "cpu")
    if spectrum == "reference":
        normal = torch.randn((count, *_reference_sizes(shape), 2), generator=generator, device=device)
        return published(normal, shape, decay=decay)
    # A compiled function would keep what a cache holds for ever, and says so.
    make = _waves.__wrapped__ if torch.compiler.is_compiling() else _waves
    amplitudes, bases = make(tuple(shape), float(decay), device)
    field = torch.randn((count, *amplitudes.shape), generator=generator, device=device) * amplitudes
    for axis, basis in enumerate(bases):
        if axis == len(shape) - 1:
            return (field.reshape(-1, basis.shape[1]) @ basis.T).reshape(count, *shape)
        rows = count * math.prod(shape[:axis])
        field = basis @ field.reshape(rows, basis.shape[1], -1)
    raise AssertionError("a shape has a last axis")


@lru_cache(maxsize=64)
def _waves(shape: tuple[int, ...], decay: float, device: torch.device) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The amplitude of every product of waves, and for each axis the waves themselves, ``(pixels, waves)``."""
    square = torch.zeros(())
    bases = []
    for axis, pixels in enumerate(shape):
        highest = pixels // 2 if decay < STEEP else min(BAND, pixels // 2)
        k = torch.arange(1, highest + 1, dtype=torch.float64)
        angle = 2 * math.pi * torch.outer(torch.arange(pixels, dtype=torch.float64) / pixels, k)
        cosines, sines = math.sqrt(2) * angle.cos(), math.sqrt(2) * angle.sin()
        if 2 * highest == pixels:  # the fastest wave of an even axis has no sine, and its cosine is +-1
            cosines[:, -1] /= math.sqrt(2)
            sines = sines[:, :-1]
        waves = torch.cat([torch.ones(pixels, 1), cosines, sines], dim=1)
        frequency = torch.cat([torch.zeros(1), k, k[: sines.shape[1]]]) / pixels
        square = square + frequency.square().reshape([-1 if d == axis else 1 for d in range(len(shape))])
        bases.append(waves.to(device, torch.float32))
    # In units of the slowest wave, so that steep spectra stay within float32.
    amplitudes = (square.sqrt() * max(shape)).clamp_min(1.0) ** -decay
    amplitudes.view(-1)[0] = 0.0
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
    spectrum = normal * (frequency**-decay)[..., None].to(normal.device)
    dims = tuple(range(-len(shape), 0))
    field: Tensor = torch.fft.irfftn(torch.complex(spectrum[:, 0], spectrum[:, 1]), s=tuple(shape), dim=dims)
    return field
