"""From signatures to flags: a keyword-only parameter is a flag, and its line in the docstring is the help."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

import docstring_parser
import tyro

from unbraid.errors import InvalidOption, nearest

__all__ = ["Field", "call", "fields", "parse"]

Field = tuple[str, Any, dataclasses.Field[Any]]


def fields(made: Callable[..., Any], *, without: Collection[str] = ()) -> list[Field]:
    """The parameters of a class or function as dataclass fields; positional-only ones come without a flag.

    Args:
        made: The class or function.
        without: Names to leave out.
    """
    hints = typing.get_type_hints(made.__init__ if inspect.isclass(made) else made, include_extras=True)
    helps = {p.arg_name: p.description or "" for p in docstring_parser.parse(inspect.getdoc(made) or "").params}
    found = []
    for parameter in inspect.signature(made).parameters.values():
        if parameter.name in without or parameter.kind not in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_ONLY):
            continue
        text = " ".join(helps.get(parameter.name, "").replace("``", "").split())
        kind: Any = Annotated[hints[parameter.name], tyro.conf.arg(help=text)]
        if parameter.kind is parameter.POSITIONAL_ONLY:
            kind = Annotated[kind, tyro.conf.Positional]
        default: Any = dataclasses.MISSING if parameter.default is parameter.empty else parameter.default
        member: dataclasses.Field[Any] = dataclasses.field(default=default)
        found.append((parameter.name, kind, member))
    return found


def parse(
    arguments: list[str],
    own: list[Field],
    *,
    prog: str,
    description: str,
    groups: Mapping[str, list[Field]] | None = None,
) -> Any:
    """Read flags into an object with one attribute for each field, and one for each group.

    Args:
        arguments: What was typed.
        own: Flags without a prefix.
        prog: How the command is called, for the help.
        description: What it does, for the help.
        groups: Flags that are prefixed with the group's name: ``--world.split``.

    Raises:
        InvalidOption: With a sentence, when a flag is unknown, lacks its value, or its value cannot be read.
    """
    groups = {name: members for name, members in (groups or {}).items() if members}
    nested = []
    for name, members in groups.items():
        group = dataclasses.make_dataclass(name, _required_first(members), kw_only=True)
        complete = all(member[2].default is not dataclasses.MISSING for member in members)
        nested.append((name, group, dataclasses.field(default_factory=group) if complete else dataclasses.field()))
    form = dataclasses.make_dataclass("Arguments", [*_required_first(own), *nested], kw_only=True)
    _check_flags(arguments, own, groups)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(form, args=arguments, prog=prog, description=description)
    except SystemExit as end:
        if not end.code:
            raise
        raise InvalidOption(f"{_sentence(complaint.getvalue())} (see `{prog} --help`)") from None


def call(function: Callable[..., None], arguments: list[str], *, prog: str) -> None:
    """Call a verb's function with what was typed; its signature and docstring are the whole interface."""
    text = docstring_parser.parse(inspect.getdoc(function) or "")
    given = parse(arguments, fields(function), prog=prog, description=text.description or "")
    parameters = inspect.signature(function).parameters.values()
    positional = [getattr(given, p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY]
    function(*positional, **{p.name: getattr(given, p.name) for p in parameters if p.kind is p.KEYWORD_ONLY})


def _required_first(members: list[Field]) -> list[Field]:
    return sorted(members, key=lambda member: member[2].default is not dataclasses.MISSING)


def _check_flags(arguments: list[str], own: list[Field], groups: Mapping[str, list[Field]]) -> None:
    names = [name for name, kind, _ in own] + [f"{group}.{name}" for group, some in groups.items() for name, *_ in some]
    flags = {f"--{name.replace('_', '-')}" for name in names} | {"--help"}
    switches = {f"--{'.'.join([*n.split('.')[:-1], 'no-' + n.split('.')[-1]])}".replace("_", "-") for n in names}
    for argument in arguments:
        flag = argument.partition("=")[0].replace("_", "-")
        if flag.startswith("--") and flag not in flags | switches:
            # A flag of a group is often typed without its prefix: compare with both forms.
            bare = {known.rpartition(".")[2].removeprefix("--"): known for known in sorted(flags)}
            typed = flag.rpartition(".")[2].removeprefix("--")
            close = list(dict.fromkeys(nearest(flag, flags) + [bare[name] for name in nearest(typed, bare)]))[:3]
            hint = f"did you mean {' or '.join(close)}?" if close else "see --help."
            raise InvalidOption(f"unknown option {flag}: {hint}")


def _sentence(box: str) -> str:
    """What a boxed message says before its first rule, on one line."""
    lines = [line.strip("│╭╮╰╯─ \t") for line in box.splitlines()]
    rules = [i for i, line in enumerate(box.splitlines()) if set(line.strip("│ \t")) == {"─"}]
    body = lines[1 : rules[0] if rules else len(lines)]
    return " ".join(line for line in body if line).rstrip(".") or "the arguments could not be read"
