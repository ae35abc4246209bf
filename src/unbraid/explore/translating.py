"""What the page shows of a run that translates: images of two domains, and styles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from unbraid import registry
from unbraid.explore.subject import REACH
from unbraid.explore.told import told
from unbraid.runs.restyle import domains, restyled, style_of, translator
from unbraid.runs.run import Run
from unbraid.types import Bytes, Floats
from unbraid.view import to_bytes
from unbraid.views.domains import Domains

__all__ = ["Translating", "Wanted"]

EXAMPLES = 24
"""Images of each domain that the page has at hand."""


class Translating:
    """One run that translates, as the page sees it.

    Args:
        run: A finished run.
        title: What it is called; its folder's name by default.

    Raises:
        InvalidOption: When it does not translate.
        RunError: When the run is not finished or cannot be read.
    """

    def __init__(self, run: Run, *, title: str | None = None) -> None:
        self.run, self.model = run, translator(run)
        self.title = run.path.name if title is None else title

    def warmed(self) -> Translating:
        """Itself, after the work that would else be done when it is first asked for."""
        _ = self.about
        return self

    @cached_property
    def examples(self) -> tuple[Bytes, Bytes]:
        """Some images of each domain, ``(N, C, H, W)``, as training was shown them."""
        options = dict(self.run.config["view"]["options"])
        if isinstance(other := options.get("other"), dict):
            options["other"] = registry.made("worlds", other["name"], other["options"])
        batch = Domains(self.run.world, batch_size=EXAMPLES, **options).batch(0)
        return to_bytes(batch.x), to_bytes(batch.other)

    @cached_property
    def about(self) -> dict[str, Any]:
        """Names, styles of the examples, scores: all that the page begins with."""
        styles = [self.style(images, domain) for domain, images in enumerate(self.examples)]
        reach = [np.maximum(REACH, np.abs(found).max(axis=0)) for found in styles]
        return told(self.run, self.title) | {
            "domains": domains(self.run),
            "styles": [found.round(4).tolist() for found in styles],
            "reach": [found.round(2).tolist() for found in reach],
        }

    def style(self, images: Bytes, domain: int) -> Floats:
        """The styles of images of a domain, ``(N, style_dim)``."""
        return np.asarray(style_of(self.model, images, domain).double().numpy())


@dataclass(frozen=True)
class Wanted:
    """An image that is to be translated; whoever wants the same image is answered together.

    Args:
        by: The run that translates.
        pixels: The image's bytes, channel by channel.
        domain: The domain that it is of.
    """

    by: Translating
    pixels: bytes
    domain: int

    def decode(self, styles: Floats) -> Bytes:
        """The image in styles of the other domain, ``(S, style_dim)`` to ``(S, C, H, W)``."""
        image = np.frombuffer(self.pixels, dtype=np.uint8).reshape(1, *self.by.model.shape).copy()
        made: Bytes = restyled(self.by.model, image, self.domain, torch.from_numpy(styles).float())[0]
        return made
