"""The pages of recorded studies: all of them, with the pictures that they show."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_recorded_study_has_its_page_and_pictures(tmp_path: Path) -> None:
    made = runpy.run_path(str(ROOT / "docs" / "_reproduced.py"))
    made["reproduced"](tmp_path)
    names = sorted(page.parent.name for page in (ROOT / "studies").glob("*/README.md"))
    assert {"bottleneck", "impossibility", "sprites"} <= set(names)
    index = (tmp_path / "index.md").read_text("utf-8")
    for name in names:
        page = tmp_path / name / "index.md"
        assert f"\n{name}/index\n" in index
        pictures = made["PICTURE"].findall(page.read_text("utf-8"))
        assert all((page.parent / picture).stat().st_size > 0 for picture in pictures)
    assert (tmp_path / "impossibility" / "spread.png").exists()


def test_pictures_of_studies_that_other_pages_show_are_there(tmp_path: Path) -> None:
    runpy.run_path(str(ROOT / "docs" / "_reproduced.py"))["reproduced"](tmp_path)
    shown = [
        target
        for page in [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/guide/*.md")]
        for target in re.findall(r"generated/studies/([^)\s]+\.png)", page.read_text("utf-8"))
    ]
    assert len(shown) > 5
    assert [target for target in shown if not (tmp_path / target).exists()] == []


def test_a_page_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    reproduced = runpy.run_path(str(ROOT / "docs" / "_reproduced.py"))["reproduced"]
    reproduced(tmp_path)
    times = {page: page.stat().st_mtime_ns for page in tmp_path.rglob("*") if page.is_file()}
    reproduced(tmp_path)
    assert times == {page: page.stat().st_mtime_ns for page in times}
