"""Translating people's own pictures with a run: in drawn styles, in those of examples, and between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from unbraid.errors import InvalidOption, require_at_least
from unbraid.files.pictures import Pictures
from unbraid.plots._draw import enlarge, tile
from unbraid.runs import folder
from unbraid.runs.restyle import domains, restyled, style_of, translator
from unbraid.runs.run import Run
from unbraid.seed import torch_generator
from unbraid.types import Bytes, Shape

__all__ = ["translate"]

MOST = 64
"""Pictures or styles at once: a grid of more is not looked at."""


def translate(
    run: Run,
    images: Sequence[str | Path],
    *,
    source: str = "a",
    examples: Sequence[str | Path] = (),
    styles: int = 8,
    between: int = 0,
    out: str | Path | None = None,
    seed: int = 0,
) -> list[Path]:
    """Translate pictures to the other domain; each translation is a PNG, and all of them stand in one grid.

    Pictures of any form and kind are taken as the model's world would have them: turned upright, the middle cut out,
    what is transparent made white, in colour or grey, in the model's size.

    Args:
        run: A run of a model that translates.
        images: Files, 1 to 64.
        source: The domain they are of: ``"a"`` or ``"b"``, or its name in the world.
        examples: Files of the other domain, whose styles are taken; where there are none, styles are drawn.
        styles: How many are drawn, 1 to 64; a model without styles has one translation.
        between: How many styles there are between one example, or drawn style, and the next, at least 0.
        out: The folder; ``figures/translations`` in the run's by default.
        seed: What drawn styles depend on, at least 0.

    Returns:
        The files, the grid first: pictures at the left, examples above, where there are some.

    Raises:
        InvalidOption: When the model does not translate, has no styles to take, or an option is out of range.
        InvalidData: When a file is not a picture that can be read.
    """
    require_at_least(0, seed=seed, between=between)
    for what, count in (("images", len(images)), ("styles", len(examples) or styles)):
        if not 1 <= count <= MOST:
            raise InvalidOption(f"{what} must be 1 to {MOST}, but are {count}")
    model = translator(run)
    if examples and not model.style_dim:
        raise InvalidOption(f"{run.name} has no styles, and so takes none from an example: leave it out")
    domain = _domain(run, source)
    x, given = _pictures(images, model.shape), _pictures(examples, model.shape) if examples else None
    if given is not None:
        codes = style_of(model, given, 1 - domain)
    elif model.style_dim:
        codes = torch.randn(styles, model.style_dim, generator=torch_generator(seed, "styles"))
    else:
        codes = torch.zeros(1, 0)
    made = restyled(model, x, domain, _filled(codes, between))
    place = run.path / folder.FIGURES / "translations" if out is None else Path(out)
    place.mkdir(parents=True, exist_ok=True)
    heading = None if given is None else (given, between)
    folder.write_picture(place / "grid.png", Image.fromarray(_grid(x, made, heading)))
    files = [place / "grid.png"]
    for number, (image, row) in enumerate(zip(images, made, strict=True), 1):
        for style, one in enumerate(row, 1):
            files.append(place / f"{number}-{Path(image).stem}-{style}.png")
            pixels = one.transpose(1, 2, 0)
            folder.write_picture(files[-1], Image.fromarray(pixels if len(one) == 3 else pixels[..., 0]))
    return files


def _pictures(files: Sequence[str | Path], shape: Shape) -> Bytes:
    """Picture files as bytes ``(N, C, H, W)`` of a model's shape.

    Raises:
        InvalidData: When one cannot be read.
    """
    channels, height, width = shape
    side = max(height, width)
    square = Pictures([Path(file).expanduser() for file in files], side, channels=channels)[np.arange(len(files))]
    top, left = (side - height) // 2, (side - width) // 2
    return square[:, :, top : top + height, left : left + width]


def _filled(styles: Tensor, between: int) -> Tensor:
    """So many styles evenly between each and the next: ``(S, D)`` to ``(S + (S - 1) between, D)``.

    >>> _filled(torch.tensor([[0.0], [3.0]]), 2).flatten()
    tensor([0., 1., 2., 3.])
    """
    if not between or len(styles) < 2:
        return styles
    shares = torch.arange(between + 1)[:, None] / (between + 1)
    steps = (styles[:-1, None] + shares * (styles[1:] - styles[:-1])[:, None]).flatten(0, 1)
    return torch.cat([steps, styles[-1:]])


def _domain(run: Run, source: str) -> int:
    known = list(dict.fromkeys(["a", "b", *domains(run)]))
    if source not in known:
        raise InvalidOption(f"source must be {', '.join(known[:-1])} or {known[-1]}, but is {source!r}")
    return known.index(source) % 2  # names stand in the order of a and b


def _grid(x: Bytes, made: Bytes, examples: tuple[Bytes, int] | None) -> Bytes:
    """Pictures at the left of their translations, below the examples of styles."""
    rows = [np.concatenate([one[None], row]) for one, row in zip(x, made, strict=True)]
    if examples is not None:
        above = np.full_like(rows[0], 255)
        above[1 :: examples[1] + 1] = examples[0]
        rows = [above, *rows]
    return tile(enlarge(np.concatenate(rows)), 1 + made.shape[1])
