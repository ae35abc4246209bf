"""The page of models: what each is, the command that fits it for some seconds, and what it draws afterwards."""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from _gallery import bibtex, page, picture, sign, told
from matplotlib.figure import Figure

from unbraid import registry
from unbraid.fit import make_grid
from unbraid.plots._style import MARGIN, WIDTH, Page
from unbraid.runs.plot import figures
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.seed import torch_generator
from unbraid.translation import TranslatingModel
from unbraid.view import DomainBatch, view

__all__ = ["command", "models"]

USES = ("model.py", "weak.py", "acting.py", "translation.py", "nn/*.py", "plots/*.py", "runs/train.py", "runs/plot.py")
"""What a picture depends on besides the model's own file."""
SEEN: dict[str, tuple[str, dict[str, Any], int]] = {
    "images": ("digits", {}, 120),
    "classes": ("digits", {}, 120),
    "labelled": ("digits", {}, 120),
    "pairs": ("smaller", {}, 120),
    "ranked": ("smaller", {}, 120),
    "orbits": ("flatland", {"columns": 7, "rows": 7, "radius": 7.5, "size": 32, "wrap": False}, 120),
    "domains": ("summerwinter", {"size": 32}, 30),
    "scenes": ("smaller", {"of": "scenes"}, 40),
    "environments": ("moving", {"size": 32}, 120),
}
"""The world that a model of each view is fitted to, its options, and the steps, fewer where they are dearer."""
OTHERS: tuple[str, dict[str, Any], int] = ("smaller", {}, 120)
"""The same for a view that is not named."""
CHEAP: dict[str, Any] = {"network": "patches", "latent_dim": 6, "critic_width": 100, "critic_depth": 3}
"""Options that make a fit cheap, where a model has them."""
OWN: dict[str, dict[str, Any]] = {
    "annealedvae": {"gamma": 30.0, "capacity": 10.0, "anneal": 60},
    "infovae": {"alpha": 0.9, "discrepancy": 100.0},
    "emvae": {"latent_dim": 4, "slow": 50},
    "forwardvae": {"latent_dim": 4},
    "rgrvae": {"latent_dim": 4},
    "vase": {"anneal": 60},
}
"""Those of single models, whose own would not fit so few steps, or these worlds."""
WIDE = 80
"""Characters of a line of a command."""
PLOTS = ("entities", "swaps", "repeats", "traversals", "reconstructions")
"""The first of these that suits a model is drawn."""

INTRO = """\
Every model, fitted for as many steps as its command says and no more: a matter of seconds, with the smallest network
and a few latents, so that there is something to see. **These pictures show what a model is, and not how good it is**;
for that see :doc:`the studies </generated/studies/index>`. Each command can be typed as it stands. Leave out
``--steps`` and ``--network`` for a fit in earnest, or take the settings of a paper where there is a ``--preset``.
"""


def models(folder: Path) -> str:
    """The page, in reStructuredText; its pictures are drawn into ``folder``, where they are not there already."""
    return page("models", "Models", INTRO, lambda name: _model(name, folder))


def _model(name: str, folder: Path) -> Iterator[str]:
    cls = registry.load("models", name)
    yield from told(cls)
    typed, steps = command(name), _settings(name)[3]["steps"]
    yield f"View: ``{cls.view}``. Fitted for {steps} steps. :class:`Reference <{cls.__module__}.{cls.__name__}>`."
    yield ""
    yield from picture("models", name, folder, sign(cls, USES, typed), lambda: _drawn(name))
    yield from (".. code-block:: sh", "", *_wrapped(typed), "")
    if cls.presets:
        yield from ("Presets: " + ", ".join(f"``--preset {preset}``" for preset in cls.presets) + ".", "")
    yield from bibtex(cls.citation)


def _wrapped(typed: str) -> list[str]:
    """A command in lines that the shell takes for one; a flag stays with its value."""
    kept = typed.replace(" ", "\N{NO-BREAK SPACE}").replace("\N{NO-BREAK SPACE}--", " --")
    lines = textwrap.wrap(kept, WIDE, break_on_hyphens=False, initial_indent="   ", subsequent_indent="       ")
    return [line.replace("\N{NO-BREAK SPACE}", " ") + " \\" * (line is not lines[-1]) for line in lines]


def _settings(name: str) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The world, its options, those of the model, and those of the fit."""
    cls = registry.load("models", name)
    world, options, steps = SEEN.get(cls.view, OTHERS)
    if cls.view == "domains":
        return world, options, {"average": 0.0}, {"steps": steps, "batch_size": 4, "learning_rate": 1e-3}
    chosen = CHEAP | OWN.get(name, {})
    known = registry.parameters(cls)
    fit = {"steps": steps, "batch_size": 32, "learning_rate": 2e-3}
    return world, options, {option: value for option, value in chosen.items() if option in known}, fit


def command(name: str) -> str:
    """What is typed for the fit that is drawn."""
    world, options, chosen, fit = _settings(name)
    flags = {**chosen, "steps": fit["steps"]}
    flags |= {f"fit.{option}": value for option, value in fit.items() if option != "steps"}
    flags |= {f"world.{option}": value for option, value in options.items()}
    words = [_flag(option, value) for option, value in flags.items()]
    return " ".join(["unbraid train", name, world, *words, f"--out runs/{name}"])


def _flag(option: str, value: Any) -> str:
    *group, last = option.replace("_", "-").rsplit(".", 1)
    if isinstance(value, bool):
        return "--" + ".".join([*group, last if value else f"no-{last}"])
    return f"--{option.replace('_', '-')} {value}"


def _drawn(name: str) -> Figure:
    """The picture of a short fit."""
    world, options, chosen, fit = _settings(name)
    with tempfile.TemporaryDirectory() as place:
        made = registry.made("worlds", world, options)
        run = train(name, made, out=Path(place) / name, progress=False, **fit, **chosen)
        if isinstance(run.model, TranslatingModel):
            return _translated(run)
        for plot in PLOTS:
            drawn, _ = figures(run, plots=[plot])
            if drawn:
                return drawn[plot]
    raise AssertionError(f"none of {', '.join(PLOTS)} suits {name}")


def _translated(run: Run) -> Figure:
    """Images of both domains above what a model of translation makes of them."""
    model: Any = run.model
    batch: DomainBatch = view("domains")(run.world, batch_size=10).batch(0)
    with torch.no_grad():
        style = torch.randn(10, model.style_dim, generator=torch_generator(0, "styles"))
        ways = [model.translate(x, source, style) for source, x in enumerate((batch.x, batch.other))]
    rows = torch.cat([batch.x, ways[0], batch.other, ways[1]])
    pixels = make_grid(rows, columns=10, scale=2)
    drawn = Page(WIDTH, Page.heading + pixels.shape[0] + MARGIN, "What is translated, and what becomes of it", run.name)
    drawn.picture(MARGIN, Page.heading, pixels)
    return drawn.figure
