"""unbraid learns representations whose parts come apart, measures how far they have, and shows what each part means."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unbraid.runs.decompose import decompose as decompose
    from unbraid.runs.evaluate import evaluate as evaluate
    from unbraid.runs.run import Run as Run
    from unbraid.runs.train import train as train

__all__ = ["Run", "decompose", "evaluate", "train"]
__version__ = metadata.version("unbraid")

_HOMES = {
    "Run": "unbraid.runs.run",
    "decompose": "unbraid.runs.decompose",
    "evaluate": "unbraid.runs.evaluate",
    "train": "unbraid.runs.train",
}
_ROOMS = (
    "acting",
    "errors",
    "fit",
    "groups",
    "info",
    "masks",
    "mix",
    "mixer",
    "model",
    "models",
    "plots",
    "registry",
    "score",
    "scores",
    "types",
    "view",
    "views",
    "world",
    "worlds",
)


def __getattr__(name: str) -> Any:
    # PEP 562: `import unbraid` costs milliseconds; torch is loaded by the first thing that needs it.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return import_module(f"unbraid.{name}")
    raise AttributeError(f"module 'unbraid' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, *_ROOMS, "__version__"]
