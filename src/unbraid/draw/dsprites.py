"""The specification of dSprites: its factors, its outlines and where they are put.

The outlines and positions are measured. Of 320 published images they draw 318 without a wrong pixel and two hearts
with one.

References:
    Matthey et al., "dSprites: disentanglement testing sprites dataset", 2017.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from unbraid.draw.outline import ellipse, heart, rectangle
from unbraid.types import Factor, FactorSpace

__all__ = ["CITATION", "NEAREST", "OUTLINES", "SIZE", "SPACE", "SPAN"]

SIZE = 64
NEAREST = 16.0
SPAN = 32.0
"""A position p in [0, 1] is ``NEAREST + SPAN * p`` pixels from the left (x) or top (y) edge."""

# The published images were drawn as polygons; the square's half side, nominally 9.6, has lost its last bit to rounding.
OUTLINES = (
    rectangle(9.599, 9.599),
    ellipse(12.775, 7.22, sides=72),
    heart(0.60039, 0.66244, shift=-1.44392, sides=96),
)


def _even(name: str, start: float, stop: float, size: int, kind: Literal["ordinal", "cyclic"] = "ordinal") -> Factor:
    return Factor(name, size, kind, tuple(np.linspace(start, stop, size).tolist()))


SPACE = FactorSpace(
    [
        Factor("shape", 3, "categorical", ("square", "ellipse", "heart")),
        _even("scale", 0.5, 1.0, 6),
        _even("orientation", 0.0, 2 * np.pi, 40, "cyclic"),
        _even("x", 0.0, 1.0, 32),
        _even("y", 0.0, 1.0, 32),
    ]
)
"""Numbered as the published file is; its colour has one value and is left out."""

CITATION = """@misc{matthey2017dsprites, author = {Matthey, Loic and Higgins, Irina and Hassabis, Demis and
  Lerchner, Alexander}, title = {{dSprites}: Disentanglement Testing Sprites Dataset},
  howpublished = {github.com/google-deepmind/dsprites-dataset}, year = {2017}}"""
