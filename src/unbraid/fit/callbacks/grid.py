"""Images side by side, as one picture."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.types import Bytes

__all__ = ["make_grid"]


def make_grid(
    images: Any,
    *,
    columns: int = 8,
    gap: int = 2,
    background: int = 255,
    scale: int = 1,
    stretch: Literal["no", "all", "each"] = "no",
) -> Bytes:
    """Lay images out in rows, left to right; what is left of the last row is background.

    Args:
        images: ``(N, C, H, W)`` with 1 or 3 channels, or ``(N, H, W)``; real numbers 0 .. 1, or unsigned bytes.
        columns: Images in a row, at least 1.
        gap: Pixels between two images, at least 0.
        background: The grey between them, 0 .. 255.
        scale: How many pixels wide each of their pixels is drawn, at least 1.
        stretch: Whether values are stretched over 0 .. 1: ``"all"`` images together, ``"each"`` by itself, or not.

    Returns:
        One picture of unsigned bytes, ``(height, width, 3)``.

    Raises:
        InvalidData: When these are no images.

    >>> make_grid(torch.zeros(5, 1, 8, 8), columns=3).shape
    (18, 28, 3)
    """
    require_at_least(1, columns=columns, scale=scale)
    require_at_least(0, gap=gap)
    if stretch not in ("no", "all", "each"):
        raise InvalidOption(f"stretch must be no, all or each, but is {stretch!r}")
    pixels = _pixels(images, stretch)
    pixels = pixels.repeat(scale, axis=1).repeat(scale, axis=2)
    count, height, width, _ = pixels.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height + gap, width + gap, 3), background, dtype=np.uint8)
    sheet[:count, :height, :width] = pixels
    sheet = sheet.reshape(rows, columns, height + gap, width + gap, 3).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + gap), columns * (width + gap), 3)
    return np.ascontiguousarray(sheet[: sheet.shape[0] - gap, : sheet.shape[1] - gap])


def _pixels(images: Any, stretch: str) -> Bytes:
    """Any images as unsigned bytes ``(N, H, W, 3)``."""
    values = torch.as_tensor(images).detach().cpu()
    shape = tuple(values.shape)
    values = values[:, None] if values.ndim == 3 else values
    if values.ndim != 4 or 0 in values.shape or values.shape[1] not in (1, 3):
        raise InvalidData(f"images must be (N, 1 or 3 channels, H, W) or (N, H, W), but have shape {shape}")
    unit = values / 255 if values.dtype == torch.uint8 else values.float()
    unit = unit.nan_to_num(nan=0.0)
    if stretch != "no":
        axes = (0, 1, 2, 3) if stretch == "all" else (1, 2, 3)
        low, high = unit.amin(axes, keepdim=True), unit.amax(axes, keepdim=True)
        unit = (unit - low) / (high - low).clamp(min=torch.finfo(unit.dtype).tiny)
    whole: Tensor = (unit.clamp(0, 1) * 255).round().to(torch.uint8).expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    return np.asarray(whole.contiguous().numpy())
