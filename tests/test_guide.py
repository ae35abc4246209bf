"""The guide to fitting runs as it stands, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "fit.md").read_text("utf-8")


def test_the_guide_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    assert len(blocks) >= 7
    names: dict[str, object] = {"__name__": "guide"}
    for number, block in enumerate(blocks):
        exec(compile(block, f"docs/fit.md, block {number}", "exec"), names)


def test_the_examples_that_the_guide_names_exist() -> None:
    named = re.findall(r"`(examples/\w+\.py)`", GUIDE)
    assert named
    assert all((ROOT / name).exists() for name in named)
