"""YAML whose every value remembers its line, so that what is wrong can be pointed at. Nothing in it is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from unbraid.errors import InvalidData

__all__ = ["Marked", "read"]

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")
"""YAML 1.1 takes 1e-3 for text, because it has no point."""
DEPTH = 20
PLAIN = ("map", "seq", "str", "int", "float", "bool", "null")
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Marked:
    """What a file says, and where.

    Args:
        value: Mappings, lists, text, numbers, truth values and None.
        lines: The line, from 1, of everything in it, by the keys and places that lead there.
    """

    value: Any
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, *place: str | int) -> int:
        """The line of what stands at a place, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(text: str, name: str) -> Marked:
    r"""Read YAML.

    Args:
        text: The file's content.
        name: The file's name, for messages.

    Raises:
        InvalidData: When it is not YAML, names a key twice, or holds aliases or tags.

    >>> found = read("steps: 10\nmodels: [vae]", "a.yaml")
    >>> found.value, found.line("models", 0)
    ({'steps': 10, 'models': ['vae']}, 2)
    """
    loader = yaml.SafeLoader(text)
    try:
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH:
                raise InvalidData(f"{name}, line {event.start_mark.line + 1}: more than {DEPTH} lists within lists")
            if isinstance(event, yaml.AliasEvent):  # a few lines of them can stand for gigabytes
                raise InvalidData(f"{name}, line {event.start_mark.line + 1}: aliases (*{event.anchor}) are not read")
        node = loader.get_single_node()
        lines: dict[Place, int] = {}
        value = None if node is None else _value(node, (), lines, loader, name)
    except (yaml.YAMLError, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise InvalidData(f"{name}{where} is not YAML: {problem}") from None
    finally:
        loader.dispose()
    return Marked(value, lines)


def _value(node: yaml.Node, place: Place, lines: dict[Place, int], loader: yaml.SafeLoader, name: str) -> Any:
    lines[place] = node.start_mark.line + 1
    if node.tag.rpartition(":")[2] not in PLAIN or not node.tag.startswith("tag:yaml.org,2002:"):
        raise InvalidData(f"{name}, line {lines[place]}: tags ({node.tag}) are not read")
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key, value in _pairs(node, name):
            if key in made:
                raise InvalidData(f"{name}, line {value.start_mark.line + 1}: {key!r} is given twice")
            made[key] = _value(value, (*place, key), lines, loader, name)
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, (*place, i), lines, loader, name) for i, one in enumerate(node.value)]
    value = loader.construct_object(node)
    if isinstance(value, str) and node.style is None and NUMBER.fullmatch(value):
        return float(value)
    return value


def _pairs(node: yaml.MappingNode, name: str) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise InvalidData(f"{name}, line {key.start_mark.line + 1}: a key must be a name")
        yield str(key.value), value
