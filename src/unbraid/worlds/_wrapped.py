"""What the worlds that are made of another world share: how it is named, made and asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from unbraid import registry
from unbraid.errors import InvalidOption, UnbraidError, nearest
from unbraid.seed import numpy_generator
from unbraid.types import Bytes, Integers
from unbraid.world import World

__all__ = ["Options", "Wrapped"]

WORDS = {"True": True, "False": False, "None": None}
INDEXED = ("masks", "count", "content", "slots")
"""What some worlds can tell of images by their numbers."""
ALIKE = ("relevant", "identity", "pose", "shared", "styles")
"""What some worlds can tell of their factors."""


class Options(Protocol):
    """A mapping from names of options to plain values."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names and values."""
        ...


class Wrapped(World):
    """A world made of another one, of which it changes something.

    Args:
        of: The other world's name, or the world itself.
        of_options: Its options, where a name is given: a mapping, or text: ``"size=32,split=test"`` or JSON.

    Attributes:
        world: The other world.

    Raises:
        UnknownName: When there is no such world.
        InvalidOption: When it has no such option or needs one, or the options cannot be read or written as text.
    """

    def __init__(self, of: str | World, of_options: str | Options) -> None:
        given = _mapping(of_options)
        if isinstance(of, World):
            if given:
                raise InvalidOption(f"{type(of).__name__} is made already: of_options can only be given with its name")
            name = registry.name_of("worlds", of)
            # A world that is on no shelf is known by its name alone, as in a run.
            self.world, self.of = of, name or type(of).__name__
            self.of_options: str | Options = _plain(registry.options(of)) if name else {}
        else:
            plain = _plain(given)
            self.world, self.of = _made(of, plain), of
            self.of_options = of_options if isinstance(of_options, str) else plain
        self.space, self.shape = self.world.space, self.world.shape

    def images(self, indices: npt.ArrayLike) -> Bytes:
        """The images with the given numbers: ``(B,)`` to ``(B, C, H, W)``, unsigned bytes 0 .. 255."""
        return self.world.images(self._inner(indices))

    def factors(self, indices: npt.ArrayLike) -> Integers:
        """The factor values of the given images: ``(B,)`` to ``(B, F)``."""
        return self.world.factors(self._inner(indices))

    def index(self, factors: npt.ArrayLike) -> Integers:
        """The numbers of images with the given factor values: ``(B, F)`` to ``(B,)``."""
        return self.world.index(factors)

    def __len__(self) -> int:
        """The number of images."""
        return len(self.world)

    def __getattr__(self, name: str) -> Any:
        if name in ALIKE:
            return getattr(self.world, name)
        if name in INDEXED:
            told: Callable[[Integers], Any] = getattr(self.world, name)
            return lambda indices: told(self._inner(indices))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _inner(self, indices: npt.ArrayLike) -> Integers:
        """The numbers that images have in the other world."""
        return np.asarray(indices, dtype=np.int64)

    @property
    def _whole(self) -> bool:
        """Whether the other world has every combination once."""
        if len(self.world) != len(self.space):
            return False
        some = numpy_generator(0, "whole").integers(0, len(self.world), 64)
        return np.array_equal(self.space.index(self.world.factors(some)), some)

    @classmethod
    def citations(cls, options: Mapping[str, Any]) -> list[str]:
        """BibTeX of what is done to the other world, and of all that it stands on."""
        given = {name: parameter.default for name, parameter in registry.parameters(cls).items()} | dict(options)
        if given["of"] not in registry.names("worlds"):
            return [cls.citation]
        inner: type[World] = registry.load("worlds", given["of"])
        return [cls.citation, *inner.citations(_mapping(given["of_options"]))]


def _made(name: str, options: Mapping[str, Any]) -> World:
    cls = registry.load("worlds", name)
    known = registry.parameters(cls)
    for option in options:
        if option not in known:
            close = nearest(option, known)
            hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known) or 'none'}."
            raise InvalidOption(f"the world {name} has no option {option!r}: {hint}")
    needed = [p for p, parameter in known.items() if parameter.default is parameter.empty and p not in options]
    if needed:
        raise InvalidOption(f"the world {name} needs {', '.join(needed)}: give it in of_options, as {needed[0]}=...")
    try:
        made: World = cls(**options)
    except UnbraidError:
        raise
    except (TypeError, ValueError) as error:  # an option that is no number, where one is needed
        raise InvalidOption(f"the world {name} cannot be made with {dict(options)} ({error})") from None
    return made


def _mapping(options: str | Options) -> dict[str, Any]:
    """Options as a mapping, whatever they were given as."""
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


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they come out of JSON again."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(options), default=os.fspath))
    except TypeError as error:
        raise InvalidOption(
            f"of_options must be text, numbers, yes or no, or lists of these ({error}); a world of another kind can be "
            "made first and given as `of`"
        ) from None
    return plain
