"""Names from the file system: ``models/betavae.py`` holds ``BetaVAE`` and is ``betavae`` everywhere.

A shelf is a folder of the package (``models``, ``scores``, ``worlds``, ``plots``) plus whatever other installed
packages add to it by entry points in the group ``unbraid.<shelf>``, each named as its class or function in small
letters. What a shelf has of its own cannot be replaced. Nothing is imported until it is asked for.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from unbraid.errors import UnbraidError, UnknownName

__all__ = ["Shelf", "check", "load", "name_of", "names", "options", "parameters", "summary"]


def _folder(shelf: str) -> Path:
    return Path(__file__).parent / shelf


@cache
def _added(shelf: str) -> dict[str, metadata.EntryPoint]:
    points = {point.name: point for point in metadata.entry_points(group=f"unbraid.{shelf}")}
    return {name: point for name, point in points.items() if name not in _own(shelf)}


def _own(shelf: str) -> set[str]:
    return {file.stem for file in _folder(shelf).glob("*.py") if not file.stem.startswith("_")}


def names(shelf: str) -> tuple[str, ...]:
    """Everything on a shelf, sorted: one name a file, and the entry points of other packages.

    >>> "betavae" in names("models")
    True
    """
    return tuple(sorted(_own(shelf) | set(_added(shelf))))


def check(shelf: str, name: str) -> None:
    """Make sure that ``name`` is on a shelf, without importing it.

    Raises:
        UnknownName: When it is not, with the nearest names.
    """
    if name not in names(shelf):
        raise UnknownName(shelf.removesuffix("s"), name, names(shelf))


def load(shelf: str, name: str) -> Any:
    """The class or function called ``name`` on a shelf.

    Raises:
        UnknownName: When there is none, with the nearest names.
        UnbraidError: When it comes from another package and cannot be imported, or is not called ``name``.
    """
    check(shelf, name)
    if name in _added(shelf):
        return _loaded(_added(shelf)[name])
    module = import_module(f"unbraid.{shelf}.{name}")
    return next(value for key, value in vars(module).items() if key.lower() == name)


def _loaded(point: metadata.EntryPoint) -> Any:
    package = point.dist.name if point.dist else "another package"
    try:
        made = point.load()
    except (ImportError, AttributeError) as error:
        raise UnbraidError(f"{point.name}, which {package} adds, cannot be loaded ({error})") from error
    if made.__name__.lower() != point.name:
        raise UnbraidError(
            f"{package} adds {made.__name__} as {point.name!r}: its entry point must be called {made.__name__.lower()}"
        )
    return made


def summary(shelf: str, name: str) -> str:
    """The first line of what ``name`` says of itself, read without importing it where it is our own file."""
    if name not in _own(shelf):
        try:
            text = inspect.getdoc(load(shelf, name)) or ""
        except UnknownName:
            raise
        except UnbraidError as error:  # a list must not fail for one package that is broken
            text = str(error)
    else:
        body = ast.parse((_folder(shelf) / f"{name}.py").read_text("utf-8")).body
        kinds = (ast.ClassDef, ast.FunctionDef)
        node = next(node for node in body if isinstance(node, kinds) and node.name.lower() == name)
        text = ast.get_docstring(node) or ""
    return text.partition("\n")[0]


def name_of(shelf: str, instance: object) -> str | None:
    """The registered name of an object's class, or None when it is not on the shelf."""
    name = type(instance).__name__.lower()
    return name if name in names(shelf) and load(shelf, name) is type(instance) else None


def parameters(made: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The keyword-only parameters of a class or function: they *are* its configuration."""
    return {p.name: p for p in inspect.signature(made).parameters.values() if p.kind is p.KEYWORD_ONLY}


def options(instance: object) -> dict[str, Any]:
    """The keyword-only options an object was made with.

    By convention every keyword-only argument of a model's or world's ``__init__`` is kept as an attribute of the same
    name; a shelf-wide test holds it.
    """
    return {name: getattr(instance, name) for name in parameters(type(instance))}


class Shelf(ModuleType):
    """A package that shows what its files hold.

    ``unbraid.scores.mig`` is the function, ``unbraid.models.BetaVAE`` the class. A package becomes one by
    ``sys.modules[__name__].__class__ = Shelf``; its files are then imported when first asked for.
    """

    def __getattr__(self, attribute: str) -> Any:
        shelf = self.__name__.rpartition(".")[2]
        if attribute.startswith("_") or attribute.lower() not in names(shelf):
            raise AttributeError(f"module {self.__name__!r} has no attribute {attribute!r}")
        try:
            value = load(shelf, attribute.lower())
        except UnbraidError as error:
            raise AttributeError(str(error)) from error
        if value.__name__ != attribute:
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {attribute!r}; did you mean {value.__name__}?"
            )
        return value

    def __setattr__(self, attribute: str, value: Any) -> None:
        # Python binds every imported file in its package; a file named after its function would hide it.
        if isinstance(value, ModuleType) and attribute in vars(value):
            value = vars(value)[attribute]
        super().__setattr__(attribute, value)

    def __dir__(self) -> list[str]:
        shelf = self.__name__.rpartition(".")[2]
        found = []
        for name in names(shelf):
            with suppress(UnbraidError):
                found.append(load(shelf, name).__name__)
        return found
