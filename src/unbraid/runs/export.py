"""A run as a folder to share: weights, what they are, how they came about, and a card that says what they are worth."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from unbraid import registry
from unbraid.runs import folder
from unbraid.runs.cite import cite
from unbraid.runs.plot import figures
from unbraid.runs.run import Run

__all__ = ["card", "export"]

CARD = "README.md"
KEPT = (folder.RUN, folder.MODEL, folder.HISTORY, folder.SCORES, folder.INFORMATION)
PICTURES = ("traversals", "reconstructions", "information")


def export(run: Run | str | Path, out: str | Path) -> list[Path]:
    """Write a run as a folder that can be shared as it is, in the layout of model hubs.

    The folder is a run: :meth:`unbraid.Run.load` reads it back, and ``unbraid explore`` shows it. Its ``README.md`` is
    a model card: what it is, its scores, pictures, exact settings and versions, and whom to cite. Weights are
    safetensors: nothing in the folder executes.

    Args:
        run: A finished run, or its folder.
        out: A folder that is new or empty.

    Returns:
        The files.

    Raises:
        RunError: When the run is not finished or cannot be read, or the folder holds something or cannot be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    target = Path(out)
    _ = run.model  # a run that is not finished, or damaged, is refused before anything is written
    with folder.whole(target) as staged:
        (staged / folder.FIGURES).mkdir()
        drawn, _ = figures(run)
        kept = [name for name in KEPT if (run.path / name).is_file()]
        for name in kept:
            shutil.copyfile(run.path / name, staged / name)
        shown = {name: f"{folder.FIGURES}/{name}.png" for name in PICTURES if name in drawn}
        for name, file in shown.items():
            folder.write_picture(staged / file, drawn[name])
        folder.write_bytes(staged / CARD, card(run, list(shown)).encode())
    return [target / name for name in (CARD, *kept, *shown.values())]


def card(run: Run, pictures: list[str]) -> str:
    """The model card, Markdown with a head that hubs read.

    Args:
        run: A finished run.
        pictures: Names of the pictures that lie in ``figures``.
    """
    config = run.config
    model, world = config["model"], config["world"]
    settings = {"seed": config["seed"], "steps": config["steps"], **config["fit"]}
    settings = {name: value for name, value in settings.items() if value is not None}
    made = ", ".join(f"{name} {version}" for name, version in config.get("versions", {}).items())
    parts = [
        "---",
        "library_name: unbraid",
        "pipeline_tag: feature-extraction",
        f"tags: [disentanglement, representation-learning, {model['name']}, {world['name']}]",
        "---",
        "",
        f"# {run.name}",
        "",
        *_paragraph(registry.told("models", model["name"])),
        f"Trained on the world `{world['name']}`, images of {' x '.join(str(side) for side in config['shape'])}. "
        + registry.told("worlds", world["name"]),
        "",
        "```python",
        "import unbraid",
        "",
        'run = unbraid.Run.load("this folder")',
        "images = unbraid.view.to_float(run.world.images([0, 1, 2]))",
        "codes = run.model.represent(images)",
        "```",
        "",
        *_section("Scores", _scores(run.scores)),
        *(line for name in pictures for line in (f"![{name}]({folder.FIGURES}/{name}.png)", "")),
        *_section(
            "How it was made",
            [
                *_settings("model", model["options"]),
                *_settings("world", world["options"]),
                *_settings("view", config.get("view", {}).get("options", {})),
                *_settings("training", settings),
                *([f"* made with: {made}"] if made else []),
            ],
        ),
        *_section("Cite", ["```bibtex", cite(run), "```"]),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _paragraph(text: str) -> list[str]:
    return [text, ""] if text else []


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""] if lines else []


def _settings(what: str, options: dict[str, Any]) -> list[str]:
    told = ", ".join(f"`{name}` {value}" for name, value in options.items())
    return [f"* {what}: {told}"] if told else []


def _scores(scores: dict[str, Any]) -> list[str]:
    if not scores:
        return []
    lines = ["| score | value | what it says |", "| --- | --- | --- |"]
    return lines + [
        f"| {name} | {kept['value']:.3f} | {registry.told('scores', name)} |" for name, kept in scores.items()
    ]
