"""A page for every study that is recorded: its own README, with its pictures."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

__all__ = ["reproduced"]

STUDIES = Path(__file__).parent.parent / "studies"
PICTURE = re.compile(r"\[[^\]]*\]\(([^):]+\.png)\)")
"""What is shown, or linked to."""

INTRO = """\
# Published results, repeated

Each page tells a question, the command that answers it on a small machine, and what was found there, beside what was
published where there are figures to compare. The records stand in `studies/`, and a page is written by its own command.

```{toctree}
:maxdepth: 1

%s
```
"""


def reproduced(folder: Path) -> None:
    """Write the pages and their index into ``folder``; what did not change is not touched."""
    pages = sorted(STUDIES.glob("*/README.md"))
    for page in pages:
        text, name = page.read_text("utf-8"), page.parent.name
        for target in PICTURE.findall(text):
            place = folder / name / target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(page.parent / target, place)
        _write(folder / name / "index.md", text)
    _write(folder / "index.md", INTRO % "\n".join(f"{page.parent.name}/index" for page in pages))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")
