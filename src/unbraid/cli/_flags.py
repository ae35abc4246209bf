"""From signatures to flags: a keyword-only parameter is a flag, and its line in the docstring is the help."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import re
import types
import typing
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Literal

import docstring_parser
import tyro

from unbraid.errors import InvalidOption, nearest

__all__ = ["Field", "asked", "call", "fields", "parse"]

Field = tuple[str, Any, dataclasses.Field[Any]]

NUMBERS: Mapping[type, str] = {int: "a whole number", float: "a number"}
HELP = ("-h", "--help")
_ASKED: ContextVar[dict[str, list[str]] | None] = ContextVar("asked", default=None)
TYPED = (str, int, float, bool, Path, type(None))
"""What can be typed; an option may also take an object, which only Python can give."""


def fields(
    made: Callable[..., Any],
    *,
    without: Collection[str] = (),
    only: Collection[str] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> list[Field]:
    """The parameters of a class or function as dataclass fields; positional-only ones come without a flag.

    Args:
        made: The class or function.
        without: Names to leave out.
        only: Names to take; all, where it is not given.
        defaults: What stands in place of the defaults that it has.
    """
    hints = typing.get_type_hints(made.__init__ if inspect.isclass(made) else made, include_extras=True)
    helps = {p.arg_name: p.description or "" for p in docstring_parser.parse(inspect.getdoc(made) or "").params}
    found = []
    for parameter in inspect.signature(made).parameters.values():
        if parameter.name in without or (only is not None and parameter.name not in only):
            continue
        if parameter.kind not in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_ONLY):
            continue
        default: Any = dataclasses.MISSING if parameter.default is parameter.empty else parameter.default
        default = (defaults or {}).get(parameter.name, default)
        hint = _typable(hints[parameter.name])
        positional = parameter.kind is parameter.POSITIONAL_ONLY
        shown = tyro.conf.arg(
            help=" ".join(helps.get(parameter.name, "").replace("``", "").split()),
            metavar=parameter.name.upper() if positional else _placeholder(hint, default),
            # The help says in words what no value means.
            help_behavior_hint="" if default is None or default == () else None,
        )
        kind: Any = Annotated[hint, shown]
        if positional:
            kind = Annotated[kind, tyro.conf.Positional]
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
    if (known := _ASKED.get()) is not None:
        known |= {flag: _choices(kind) for flag, (kind, _) in _by_flag(own, groups).items()}
        raise SystemExit
    nested = []
    for name, members in groups.items():
        group = dataclasses.make_dataclass(name, _required_first(members), kw_only=True)
        complete = all(member[2].default is not dataclasses.MISSING for member in members)
        nested.append((name, group, dataclasses.field(default_factory=group) if complete else dataclasses.field()))
    form = dataclasses.make_dataclass("Arguments", [*_required_first(own), *nested], kw_only=True)
    if not set(HELP) & set(arguments):
        _check_flags(arguments, own, groups, prog)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(form, args=arguments, prog=prog, description=description)
    except SystemExit as end:
        if not end.code:
            raise
        raise InvalidOption(f"{_sentence(complaint.getvalue(), own)} (see `{prog} --help`)") from None


def call(function: Callable[..., None], arguments: list[str], *, prog: str) -> None:
    """Call a verb's function with what was typed; its signature and docstring are the whole interface."""
    text = docstring_parser.parse(inspect.getdoc(function) or "")
    given = parse(arguments, fields(function), prog=prog, description=text.description or "")
    parameters = inspect.signature(function).parameters.values()
    positional = [getattr(given, p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY]
    function(*positional, **{p.name: getattr(given, p.name) for p in parameters if p.kind is p.KEYWORD_ONLY})


@contextlib.contextmanager
def asked() -> Iterator[dict[str, list[str]]]:
    """Within it no verb begins: the flags that it would read come here, each with its choices, and it ends."""
    known: dict[str, list[str]] = {}
    token = _ASKED.set(known)
    try:
        yield known
    finally:
        _ASKED.reset(token)


def _by_flag(own: list[Field], groups: Mapping[str, list[Field]]) -> dict[str, tuple[Any, dataclasses.Field[Any]]]:
    rows = own + [(f"{group}.{name}", kind, field) for group, some in groups.items() for name, kind, field in some]
    return {f"--{name.replace('_', '-')}": (kind, field) for name, kind, field in rows if not _positional(kind)}


def _choices(kind: Any) -> list[str]:
    kind = _type(kind)
    return [str(one) for one in typing.get_args(kind)] if typing.get_origin(kind) is Literal else []


def _required_first(members: list[Field]) -> list[Field]:
    return sorted(members, key=lambda member: member[2].default is not dataclasses.MISSING)


def _typable(kind: Any) -> Any:
    """A type without those members of a union that cannot be typed."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return kind
    return typing.Union[tuple(m for m in typing.get_args(kind) if not inspect.isclass(m) or m in TYPED)]  # noqa: UP007


def _placeholder(kind: Any, default: Any) -> str | None:
    """What stands for an optional value in the help: the type that is not None, and a path rather than any text."""
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return None
    members = [member for member in typing.get_args(kind) if member is not type(None)]
    member = Path if Path in members else members[0]
    if default is None and typing.get_origin(member) is tuple:
        return " ".join(part.__name__.upper() for part in typing.get_args(member))
    if member not in (Path, str, int, float):
        return None
    return member.__name__.upper() if default is None else f"{member.__name__.upper()}|None"


def _check_flags(arguments: list[str], own: list[Field], groups: Mapping[str, list[Field]], prog: str) -> None:
    """Answer what is wrong with a flag in our own words, before the parser does."""
    known = _by_flag(own, groups)
    switches = set()
    for flag, (kind, _) in known.items():
        if _type(kind) is bool:
            group, dot, name = flag.removeprefix("--").rpartition(".")
            switches |= {flag, f"--{group}{dot}no-{name}"}
    seen = set()
    for i, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        flag = flag.replace("_", "-")
        if not flag.startswith("--"):
            continue
        if flag not in known and flag not in switches:
            raise InvalidOption(f"unknown option {flag}: {_hint(flag, known, prog)}")
        if flag in seen:
            raise InvalidOption(f"{flag} is given twice: give it once, with all its values after it")
        seen.add(flag)
        if flag in switches:
            if equals:
                raise InvalidOption(f"{flag} takes no value: give it alone, or leave it out")
            continue
        if not equals:
            if i + 1 == len(arguments) or arguments[i + 1].startswith("--"):
                raise InvalidOption(f"{flag} needs a value (see `{prog} --help`)")
            value = arguments[i + 1]
        _check_value(flag, value, known[flag][0])
    for flag, (kind, field) in known.items():
        if field.default is dataclasses.MISSING and flag not in seen:
            raise InvalidOption(f"{prog} needs {flag}: {kind.__metadata__[0].help}")


def _check_value(flag: str, value: str, kind: Any) -> None:
    """Check a flag's first value, where its type is a number or a choice; None may be typed where it is allowed."""
    kind, optional = _type(kind), _type(kind) is not kind.__origin__
    if optional and value == "None":
        return
    if kind in NUMBERS:
        try:
            kind(value)
        except ValueError:
            raise InvalidOption(f"{flag} must be {NUMBERS[kind]}, but is {value!r}") from None
    elif typing.get_origin(kind) is Literal and value not in map(str, typing.get_args(kind)):
        raise InvalidOption(f"{flag} must be {' or '.join(map(str, typing.get_args(kind)))}, but is {value!r}")


def _hint(flag: str, known: Collection[str], prog: str) -> str:
    # A flag of a group is often typed without its prefix: compare with both forms.
    forms = {form: whole for whole in sorted(known) for form in (whole.rpartition(".")[2].lstrip("-"), whole[2:])}
    typed = flag.lstrip("-")
    names = nearest(typed, forms) + nearest(typed.rpartition(".")[2], forms)
    close = list(dict.fromkeys(forms[name] for name in names))[:3]
    return f"did you mean {' or '.join(close)}?" if close else f"see `{prog} --help`."


def _type(kind: Any) -> Any:
    """The type within the annotations; of an optional number, the number."""
    kind = kind.__origin__
    members = [member for member in typing.get_args(kind) if member is not type(None)]
    optional = typing.get_origin(kind) in (typing.Union, types.UnionType) and len(members) == 1
    return members[0] if optional else kind


def _positional(kind: Any) -> bool:
    return tyro.conf.Positional in kind.__metadata__


def _sentence(box: str, own: list[Field]) -> str:
    """What the parser's boxed message says before its second part, on one line; the usual ones in our own words."""
    lines = [line.strip("│╰╯ \t") for line in box.splitlines()[1:]]  # the first holds the box's title
    # Rules are of hyphens where standard output does not take box characters, and then stand below the title too.
    parts = " ".join("\0" if set(line) in ({"─"}, {"-"}) else line for line in lines if line).split("\0")
    text = next((part.strip() for part in parts if part.strip()), "the arguments could not be read").rstrip(".")
    stray = re.fullmatch(r"Unrecognized options: (.+)", text)
    if stray:
        return f"{stray[1]!r} is not expected here"
    missing = [name.upper() for name, kind, _ in own if _positional(kind)]
    return f"{' and '.join(missing)} must be given" if missing and text.startswith("Missing from") else text
