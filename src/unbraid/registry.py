"""Names from the file system: ``models/betavae.py`` holds ``BetaVAE`` and is ``betavae`` everywhere.

A shelf is a folder of the package (``models``, ``scores``, ``worlds``, ``plots``) plus whatever other installed
packages add to it by entry points in the group ``unbraid.<shelf>``, each named as its class or function in small
letters. What a shelf has of its own cannot be replaced. Nothing is imported until it is asked for.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from unbraid.errors import InvalidOption, UnbraidError, UnknownName, nearest

__all__ = [
    "Options",
    "Shelf",
    "check",
    "load",
    "made",
    "mapping",
    "name_of",
    "names",
    "options",
    "parameters",
    "plain",
    "summary",
    "told",
]

WORDS = {"True": True, "False": False, "None": None}


class Options(Protocol):
    """A mapping from names of options to plain values."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and values."""
        ...


def _folder(shelf: str) -> Path:
    return Path(__file__).parent / shelf


@cache
def _added(shelf: str) -> dict[str, metadata.EntryPoint]:
    points = {point.name: point for point in metadata.entry_points(group=f"unbraid.{shelf}")}
    return {name: point for name, point in points.items() if name not in _own(shelf)}


@cache
def _own(shelf: str) -> frozenset[str]:
    return frozenset(file.stem for file in _folder(shelf).glob("*.py") if not file.stem.startswith("_"))


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


def told(shelf: str, name: str) -> str:
    """The summary, or nothing where ``name`` is on no shelf, as of a model of one's own."""
    return summary(shelf, name) if name in names(shelf) else ""


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


def made(shelf: str, name: str, options: Mapping[str, Any], *arguments: Any) -> Any:
    """The thing called ``name`` on a shelf, made with some options.

    Args:
        shelf: The shelf.
        name: What is made.
        options: Its keyword-only options.
        *arguments: What it needs besides.

    Raises:
        UnknownName: When there is no such thing.
        InvalidOption: When it has no such option, lacks one it needs, or cannot be made with them.
    """
    cls, what = load(shelf, name), shelf.removesuffix("s")
    known = parameters(cls)
    for option in options:
        if option not in known:
            close = nearest(option, known)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known) or 'none'}."
            raise InvalidOption(f"the {what} {name} has no option {option!r}: {hint}")
    needed = [p for p, parameter in known.items() if parameter.default is parameter.empty and p not in options]
    if needed:
        raise InvalidOption(f"the {what} {name} needs {', '.join(needed)}: give it in of_options, as {needed[0]}=...")
    try:
        return cls(*arguments, **options)
    except UnbraidError:
        raise
    except (TypeError, ValueError) as error:  # an option that is no number, where one is needed
        raise InvalidOption(f"the {what} {name} cannot be made with {dict(options)} ({error})") from None


def mapping(options: str | Options) -> dict[str, Any]:
    """Options as a mapping, whether given as one, as ``"size=32,split=test"``, or as JSON.

    Raises:
        InvalidOption: When the text cannot be read.

    >>> mapping("size=32,split=test")
    {'size': 32, 'split': 'test'}
    """
    if not isinstance(options, str):
        return dict(options.items())
    if options.lstrip().startswith("{"):
        try:
            read = json.loads(options)
        except ValueError as error:
            raise InvalidOption(f"of_options begins as JSON but cannot be read ({error}): {options!r}") from None
        return dict(read)
    found: dict[str, Any] = {}
    for part in options.split(",") if options.strip() else []:
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise InvalidOption(f"of_options must be as 'size=32,split=test', or JSON, but has the part {part!r}")
        if name in found:
            raise InvalidOption(f"of_options has {name} twice: {options!r}")
        found[name.replace("-", "_")] = _value(value)
    return found


def _value(text: str) -> Any:
    """A number, yes or no, or nothing, if the text is one; a text in quotes is only ever a text."""
    if text in WORDS:
        return WORDS[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they come out of JSON again.

    Raises:
        InvalidOption: When one of them is none that JSON has.
    """
    try:
        read: dict[str, Any] = json.loads(json.dumps(dict(options), default=os.fspath))
    except TypeError as error:
        raise InvalidOption(
            f"of_options must be text, numbers, yes or no, or lists of these ({error}); a world of another kind can be "
            "made first and given as `of`"
        ) from None
    return read


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
