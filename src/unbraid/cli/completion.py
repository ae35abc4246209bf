"""Print what makes a shell complete unbraid's commands."""

from __future__ import annotations

import contextlib
import io
from importlib import import_module
from typing import Literal

from unbraid import registry
from unbraid.cli import _flags
from unbraid.cli.list import SHELVES
from unbraid.cli.main import verbs
from unbraid.errors import UnbraidError

__all__ = ["completion", "main", "words"]

SCRIPTS = {
    "bash": r"""_unbraid() {
    local IFS=$'\n'
    local words
    words=$(unbraid completion --words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _unbraid unbraid""",
    "zsh": r"""_unbraid() {
    local -a found
    found=(${(f)"$(unbraid completion --words "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    compadd -a found || _files
}
compdef _unbraid unbraid""",
    "fish": "complete -c unbraid -a '(unbraid completion --words (commandline -opc)[2..-1] (commandline -ct))'",
}
NAMED = {
    "train": ("models", "worlds"), "show": ("worlds",), "fetch": ("worlds",), "list": ("",), "completion": ("",),
}  # fmt: skip
"""The shelves from which a verb's first words are."""
ONE_OF = {"list": SHELVES, "completion": tuple(SCRIPTS)}
VALUES = {"--scores": "scores", "--plots": "plots", "--of": "models"}
"""Options whose values are names from a shelf."""


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print what makes a shell complete unbraid's commands: eval "$(unbraid completion bash)" in its start file.

    Args:
        shell: bash, zsh or fish.
    """
    print(SCRIPTS[shell])


def words(typed: list[str]) -> list[str]:
    """What may stand in place of the last word typed; nothing where a file or folder is expected.

    Args:
        typed: The words after ``unbraid``; the last is what is there so far of the one to complete, perhaps empty.
    """
    *before, last = typed or [""]
    known = verbs()
    if not before:
        return list(known)
    verb, given = before[0], before[1:]
    if verb not in known:
        return []
    shelves = NAMED.get(verb, ())
    if len(given) < len(shelves):
        return list(ONE_OF.get(verb) or registry.names(shelves[len(given)]))
    flag = next((word for word in reversed(given) if word.startswith("--")), "")
    if not last.startswith("-") and flag in VALUES:
        return [*registry.names(VALUES[flag]), *(["all"] if flag == "--scores" else [])]
    flags = _known(verb, given)  # last: a verb may load torch to say them
    if not last.startswith("-") and given[-1:] == [flag]:
        return flags.get(flag, [])
    return sorted(flags) if last.startswith("-") else []


def _known(verb: str, given: list[str]) -> dict[str, list[str]]:
    """The flags of a verb after the words given, each with its choices."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), _flags.asked() as known:
            import_module(f"unbraid.cli.{verb}").main([word for word in given if not word.startswith("-")])
    except (UnbraidError, SystemExit):
        pass
    return known


def main(arguments: list[str]) -> None:
    """``unbraid completion bash|zsh|fish``; ``--words ...`` is how the shells ask."""
    if arguments[:1] == ["--words"]:
        print("\n".join(words(arguments[1:])))
        return
    _flags.call(completion, arguments, prog="unbraid completion")
