"""The documentation's settings, and the pages that are made from the shelves."""

from __future__ import annotations

import sys
from pathlib import Path

import unbraid
from unbraid import registry

project = "unbraid"
author = copyright = "The unbraid developers"
version = release = unbraid.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_nb", "_mathml"]
html_math_renderer = "mathml"
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"unbraid {version}"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
myst_enable_extensions = ["dollarmath", "colon_fence", "substitution"]
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
# A chapter's runs are not kept, and what it writes to stderr is a fault of the chapter.
nb_execution_in_temp = True
nb_output_stderr = "error"
nb_merge_streams = True

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
SOURCE = Path(unbraid.__file__).parent
CONTRACTS = ("model", "weak", "acting", "translation", "objects", "score", "world", "view", "mixer")
SHELVES = ("models", "scores", "worlds", "views", "mix", "plots")
ROOMS = ("runs", "study", "files", "fit", "info", "groups", "masks", "nn")
FOUNDATIONS = ("registry", "seed", "types", "errors")


def page(title: str, intro: str, modules: list[str]) -> str:
    """One page: a title, a paragraph, and every module in turn."""
    parts = [title, "=" * len(title), "", intro, ""]
    for module in modules:
        heading = module.removeprefix("unbraid.")
        parts += [
            heading,
            "-" * len(heading),
            "",
            f".. automodule:: {module}",
            "   :members:",
            "   :show-inheritance:",
            "",
        ]
    return "\n".join(parts)


# What it holds is documented where it is defined: shown twice, every reference to it would be ambiguous.
DOORS = {Path("fit/metric")}


def public(room: str) -> list[str]:
    """The modules of a package whose names have no leading underscore; a door that shows others' names is left out."""
    files = sorted((SOURCE / room).rglob("*.py"))
    paths = [file.relative_to(SOURCE).with_suffix("") for file in files]
    return [
        "unbraid." + ".".join(path.parts)
        for path in paths
        if not any(part.startswith("_") for part in path.parts) and path not in DOORS
    ]


def overview(shelf: str) -> str:
    """A list of what stands on a shelf, each with its own first line."""
    return "\n".join(f"* ``{name}``: {registry.summary(shelf, name)}" for name in registry.names(shelf))


def write(name: str, text: str) -> None:
    """Write a page only when it differs, so that an unchanged one is not built again."""
    file = HERE / "generated" / f"{name}.rst"
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")


write(
    "contracts",
    page(
        "Contracts",
        "What models of each kind, scores, worlds, views and mixers are.",
        [f"unbraid.{c}" for c in CONTRACTS],
    ),
)
write("foundations", page("Foundations", "Names, seeds, types and errors.", [f"unbraid.{f}" for f in FOUNDATIONS]))
for shelf in filter(registry.names, SHELVES):
    modules = [f"unbraid.{shelf}.{file}" for file in registry.names(shelf) if (SOURCE / shelf / f"{file}.py").exists()]
    write(shelf, page(shelf.capitalize(), overview(shelf), modules))
for room in ROOMS:
    if modules := public(room):
        write(
            room,
            page(f"unbraid.{room}", (__import__(f"unbraid.{room}", fromlist=["_"]).__doc__ or "").strip(), modules),
        )

from _examples import found  # noqa: E402  this folder is no package
from _gallery import digest  # noqa: E402
from _gallery_mix import mixers  # noqa: E402
from _gallery_models import models  # noqa: E402
from _gallery_scores import scores  # noqa: E402
from _gallery_worlds import worlds  # noqa: E402
from _mixing import draw as draw_mixing  # noqa: E402
from _picture import draw, unblind  # noqa: E402
from _reproduced import reproduced  # noqa: E402

for name, gallery in {"models": models, "worlds": worlds, "scores": scores, "mix": mixers}.items():
    write(f"gallery/{name}", gallery(HERE / "generated" / "gallery" / name))
reproduced(HERE / "generated" / "studies")

(HERE / "generated" / "scores").mkdir(exist_ok=True)
draw(HERE / "scores.json", HERE / "generated" / "scores" / "scores.png")
draw_mixing(HERE / "generated" / "mix")
myst_substitutions = {"unblind": ", ".join(f"`{score}`" for score in unblind(HERE / "scores.json"))}
proof = found("impossibility", HERE / "generated" / "impossibility", uses=("scores/dci.py", "scores/mig.py"))
myst_substitutions |= {name: f"{number:.3g}" for name, number in proof.items()}

# Cells are kept by their text alone unless told otherwise; what they compute depends on the code below them too.
COMPUTES = (
    "*.py",
    *(f"{room}/**/*.py" for room in ("models", "nn", "worlds", "draw", "views", "scores", "info", "runs")),
)
nb_execution_cache_path = str(HERE / "_build" / f"cells-{digest(COMPUTES)}")
