"""Kills a command at every moment at which it changes a file, and tells what each death left behind; a program.

It is given a folder to begin from, a new one to work in, and JSON: for every name a stride s and the words of a
command, which may hold ``{}``, the folder that it works in. For n = 1, 1 + s, 1 + 2 s ... the first folder is copied,
the command begun in a process of its own, and that process killed as it is about to change its n-th file
(``before``), or when it has written a few bytes to it (``within``). Then the command is given again. What is printed is
JSON: for every name and moment the kind of death, what was changed, how the second command ended and what it said, and
the files that differ from those of a command that nobody killed.
"""

from __future__ import annotations

import contextlib
import filecmp
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"}
FEW = 20
"""Bytes that are written before a death within a file."""
WARM = ("torch._dynamo", "unbraid.cli.main", "unbraid.runs.evaluate", "unbraid.runs.train")
"""What takes longest to load, loaded once before anything is forked. Of the rest, the first of all commands tells."""


def watch(root: Path, moment: int, way: str) -> None:
    """Have this process killed at its ``moment``-th change of a file below ``root``."""
    seen = 0

    def hook(event: str, given: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = event == "open" and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not (writes or (event in CHANGES and way == "before")) or not isinstance(given[0], str | os.PathLike):
            return
        path = Path(given[0])
        if root not in path.parents:
            return
        seen += 1
        if seen != moment:
            return
        sys.__stderr__.write(f"{event} {path.relative_to(root)}\n")
        sys.__stderr__.flush()
        if way == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        # A file that grows beyond the limit ends the process within its write.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        limit = FEW + (path.stat().st_size if path.exists() else 0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    sys.addaudithook(hook)


def run(words: list[str], root: Path, said: Path, death: tuple[int, str] | None = None, loaded: Any = None) -> int:
    """Run a command in a process of its own: its exit status, negative for a signal; ``loaded`` tells its modules."""
    child = os.fork()
    if child == 0:
        status = 1
        with said.open("w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        try:
            if death:
                watch(root, *death)
            importlib.import_module("unbraid.cli.main").main([word.replace("{}", str(root)) for word in words])
            status = 0
            if loaded:
                loaded.write_text("\n".join(sys.modules))
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def files(root: Path) -> set[str]:
    """Every file below a folder, but locks, which stay where they are."""
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and p.name != ".lock"}


def deaths(begin: Path, base: Path, stride: int, words: list[str]) -> list[dict[str, Any]]:
    """Every death of one command, and what came of it."""

    def fresh(name: str) -> Path:
        return Path(shutil.copytree(begin, base / name / "work"))

    whole, said, loaded, found = fresh("whole"), base / "said.txt", base / "loaded.txt", []
    if status := run(words, whole, said, loaded=loaded):
        raise SystemExit(f"{' '.join(words)} ended with {status}: {said.read_text()}")
    for name in loaded.read_text().splitlines():
        with contextlib.suppress(Exception):  # not everything there was imported under its name
            importlib.import_module(name)
    for way in ("before", "within"):
        for moment in range(1, 10_000, stride):
            root = fresh(f"{way}-{moment}")
            status = run(words, root, said, (moment, way))
            if status == 0:
                break
            changed = said.read_text().splitlines()[-1]
            again = run(words, root, said)
            gone, new = files(whole) - files(root), files(root) - files(whole)
            other = {f for f in files(whole) & files(root) if not filecmp.cmp(whole / f, root / f, shallow=False)}
            about = {"way": way, "moment": moment, "status": status, "changed": changed, "again": again}
            differ = {"missing": sorted(gone), "left": sorted(new), "other": sorted(other)}
            found.append({**about, "said": said.read_text()[-400:], **differ})
            shutil.rmtree(root.parent)
    return found


def main() -> None:
    """Kill, and tell."""
    begin, place, commands = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    for name in WARM:
        importlib.import_module(name)
    print(json.dumps({name: deaths(begin, place / name, *given) for name, given in commands.items()}))


if __name__ == "__main__":
    main()
