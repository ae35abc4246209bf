"""Runs every benchmark in turn and writes ``benchmarks/RESULTS.md``: the machine, and what each of them printed.

``make bench`` runs it; ``python benchmarks/_all.py fit worlds`` runs only those named and keeps the others' sections.
Each script takes turns between what it compares, within one process or with processes in turn, and shows the spread.
What other packages need is installed into folders of its own under ``runs/peers``, not into the environment.
"""

from __future__ import annotations

import ast
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import torch

HERE = Path(__file__).parent
PAGE = HERE / "RESULTS.md"
HEAD = """\
# Benchmarks, all in one

`make bench` writes this page; the pages beside it say what the figures mean. Ratios are of what took turns in one run.
"""


def scripts() -> list[str]:
    """Those that compare something, by name."""
    return sorted(file.stem for file in HERE.glob("[!_]*.py"))


def known() -> dict[str, str]:
    """The sections that the page has."""
    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    return {part.split("\n", 1)[0].strip("`"): part for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]}


def section(name: str) -> str:
    """Run one, showing what it prints as it does; its section of the page."""
    about = (ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text("utf-8"))) or "").partition("\n")[0]
    began, load, lines = time.perf_counter(), os.getloadavg()[0], []
    with subprocess.Popen(
        [sys.executable, str(HERE / f"{name}.py")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE.parent,
        env=os.environ | {"COLUMNS": "150"},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    if process.returncode:
        raise SystemExit(f"benchmarks/{name}.py ended with {process.returncode}: its section is left as it was")
    printed = "\n".join(lines).strip("\n")
    when = datetime.now(UTC).date().isoformat()
    took = f"{when}, {time.perf_counter() - began:.0f} s, load before {load:.1f}"
    return f"`{name}`\n\n{about} ({took}; {machine()})\n\n```text\n{printed}\n```"


def machine() -> str:
    """What it ran on."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}"
    )


def main() -> None:
    """Run those that are named, or all, and write the page after each."""
    wanted = sys.argv[1:] or scripts()
    if strange := sorted(set(wanted) - set(scripts())):
        raise SystemExit(f"there is no benchmark {', '.join(strange)}: choose among {', '.join(scripts())}")
    for name in wanted:
        print(f"== benchmarks/{name}.py", flush=True)
        sections = known() | {name: section(name)}
        body = "\n\n".join(f"## {sections[one].rstrip()}" for one in sorted(sections))
        PAGE.write_text(f"{HEAD}\n{body}\n", "utf-8")


if __name__ == "__main__":
    main()
