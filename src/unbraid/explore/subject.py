"""What the page shows of one run, computed once and ready to be sent."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from unbraid.explore.acting import Acting
from unbraid.explore.told import told
from unbraid.objects import ObjectModel
from unbraid.plots._latents import as_divergence, base, dead, favourites, order, shares, telling
from unbraid.plots._style import colours, plain
from unbraid.runs.encode import encode
from unbraid.runs.plot import Material
from unbraid.runs.run import Run
from unbraid.types import Bytes, Factor, Floats, Integers
from unbraid.view import to_float

__all__ = ["Subject"]

REACH = 3.0
"""A slider goes at least so far, in standard deviations of the prior."""
CENTRAL = (0.5, 99.5)
"""Percentiles of the codes that a slider spans where they reach further."""
FIRST = np.zeros(1, dtype=np.int64)
LISTED = 64
"""A factor of more values than this is not told value by value."""


class Subject:
    """One run, as the page sees it.

    Args:
        run: A finished run.
        samples: How many images of its world are encoded for what is said of all of them.
        title: What it is called; its folder's name by default.

    Raises:
        RunError: When the run is not finished or cannot be read.
    """

    def __init__(self, run: Run, *, samples: int = 2000, title: str | None = None) -> None:
        self.run, self.model = run, run.model
        self.title = run.path.name if title is None else title
        self._material = Material(run, samples=samples)
        self.acting = Acting(run) if hasattr(run.model, "matrices") else None

    def warmed(self) -> Subject:
        """Itself, after the work that would else be done when it is first asked for."""
        _ = self.about, self.map
        self.decode(self.codes(FIRST))  # the first of all is slow
        return self

    @cached_property
    def about(self) -> dict[str, Any]:
        """Names, latents in the order of what they carry, factors, scores: all that the page begins with."""
        codes, divergence = self._material.codes, as_divergence(self._material.divergence, self.model.latent_dim)
        factors, space = self._material.factors, self._material.space
        share, beyond = shares(codes, factors), telling(codes, factors)
        tells = favourites(codes, factors)
        still, middle = dead(codes, divergence), base(codes)
        low, high = np.percentile(codes, CENTRAL, axis=0)
        latents = [
            {
                "index": int(j),
                "nats": None if divergence is None else round(float(divergence[j]), 3),
                "low": round(min(-REACH, float(low[j])), 3),
                "high": round(max(REACH, float(high[j])), 3),
                "base": float(middle[j]),
                "dead": bool(still[j]),
                "tells": None if (found := tells[j]) is None else {"factor": found[0], "share": round(found[1], 3)},
                "shares": [None if np.isnan(value) else round(float(value), 3) for value in share[j]],
                "beyondChance": beyond[j].tolist(),
            }
            for j in order(codes, divergence)
        ]
        return told(self.run, self.title) | {
            "samples": len(codes),
            "contents": getattr(self.model, "contents", 0),
            "slots": self.model.slots if isinstance(self.model, ObjectModel) else 0,
            "actions": self.acting.about if self.acting else [],
            "latents": latents,
            "factors": [_factor(factor) for factor in space],
        }

    @cached_property
    def map(self) -> dict[str, Any]:
        """Where the sampled images lie on the two directions in which their codes vary most, with their factors."""
        codes = self._material.codes
        centred = codes - codes.mean(axis=0)
        _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
        points = centred @ directions[:2].T
        if points.shape[1] < 2:
            points = np.column_stack([points, np.zeros(len(points))])
        power = np.square(lengths)
        explained = power[:2] / max(float(power.sum()), np.finfo(float).tiny)
        return {
            "points": points.round(4).tolist(),
            "images": self._material.indices.tolist(),
            "factors": self._material.factors.tolist(),
            "codes": codes.round(4).tolist(),
            "explained": explained.round(4).tolist(),
        }

    def decode(self, codes: Floats) -> Bytes:
        """Images of codes, ``(B, latent_dim)`` to ``(B, C, H, W)``."""
        return self._material.decode(codes)

    def images(self, indices: Integers) -> Bytes:
        """Images of the world by their numbers, ``(B, C, H, W)``."""
        return self.run.world.images(indices)

    def codes(self, indices: Integers) -> Floats:
        """Their codes, ``(B, latent_dim)``."""
        return encode(self.model, self.run.world, indices)

    def codes_of(self, images: Bytes) -> Floats:
        """The codes of any images of the model's shape, ``(B, latent_dim)``."""
        import torch

        with torch.no_grad():
            found: Floats = self.model.represent(to_float(images)).double().numpy()
        return found


def _factor(factor: Factor) -> dict[str, Any]:
    values = [value if isinstance(value, str) else f"{value:.3g}" for value in factor.values]
    return {
        "name": plain(factor.name),
        "kind": factor.kind,
        "size": factor.size,
        "values": values if factor.size <= LISTED else [],
        "colours": [to_hex(colour) for colour in colours(factor)],
    }
