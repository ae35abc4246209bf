"""``unbraid VERB ...``: finds the verb, and turns what goes wrong into a sentence."""

from __future__ import annotations

import ast
import errno
import os
import sys
from importlib import import_module
from pathlib import Path

from unbraid.errors import UnbraidError, UnknownName

__all__ = ["main", "verbs"]

REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR, errno.ENOTDIR)
"""What a file or folder may be that was given, and no fault of ours."""

SPINS = ("GOMP_SPINCOUNT", "2000")
"""How often a thread of GNU's OpenMP that waits for the others looks before it sleeps.

Its own 300,000 are meant for cores that do nothing else. Beside a busy process two threads on two cores wait most of
the time for one that has no core, and a training of small operations all but stands still.
"""
USAGE = """usage: unbraid VERB [ARGUMENTS]

Learn representations whose parts come apart, measure how far they have, and see what each part means.

verbs:
{verbs}

`unbraid VERB --help` tells more; `unbraid --version` the version.
A first try: unbraid train betavae sprites --steps 1000 --out runs/first
"""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line.

    Exits with 0 when all went well, with 2 and a sentence on standard error when something given could not be used, and
    with 130 when interrupted.

    Args:
        arguments: Those after the program's name; by default the process's own.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(*SPINS)  # before torch is imported, which reads it then
    try:
        try:
            _dispatch(arguments)
        finally:
            sys.stdout.flush()  # what is still held back must fail here, not while Python ends
    except UnbraidError as error:
        print(f"unbraid: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        again = (
            "; nothing is lost, the same command continues"
            if arguments[:1] in (["train"], ["demo"], ["fetch"], ["study"])
            else ""
        )
        print(f"unbraid: interrupted{again}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `unbraid list models | head -1`
        # Nobody reads any more: Python's own last flush must find somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f" for {error.filename}" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            print(f"unbraid: no room is left{where}: make some, and give the same command again", file=sys.stderr)
        elif error.errno in REFUSED and error.filename:
            print(f"unbraid: {error.filename} cannot be used ({error.strerror}): choose another", file=sys.stderr)
        else:
            raise
        sys.exit(2)


def verbs() -> dict[str, str]:
    """Every verb, with the first line of what it says of itself; nothing is imported for it."""
    texts = {name: ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "" for name, file in _files().items()}
    return {name: text.partition("\n")[0] for name, text in texts.items()}


def _files() -> dict[str, Path]:
    """Where every verb is."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return {file.stem: file for file in files if file.stem != "main" and file.stem[0] != "_"}


def _dispatch(arguments: list[str]) -> None:
    known = _files()
    verb = arguments[0] if arguments else "--help"
    if verb in ("-h", "--help", "help"):
        print(USAGE.format(verbs="\n".join(f"  {name:<10} {text}" for name, text in verbs().items())), end="")
    elif verb == "--version":
        from unbraid import __version__

        print(f"unbraid {__version__}")
    elif verb not in known:
        raise UnknownName("verb", verb, known)
    else:
        import_module(f"unbraid.cli.{verb}").main(arguments[1:])
