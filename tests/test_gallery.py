"""The page of worlds: a picture for those that draw, how to get the files of those that read, and figures that fit."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from unbraid import registry

ROOT = Path(__file__).parent.parent
READ = json.loads((ROOT / "studies" / "visibility" / "results.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def gallery() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "_gallery.py"))


def test_a_drawn_world_has_a_picture_that_is_drawn_once(gallery: dict[str, Any], tmp_path: Path) -> None:
    page = "\n".join(gallery["_world"]("flatland", tmp_path, {}))
    [picture] = tmp_path.iterdir()
    assert f".. image:: {picture.name}" in page
    assert "x\n     - cyclic\n     - 4, 12, 20, 28, 36, 44, 52, 60" in page
    drawn = picture.stat().st_mtime_ns
    assert "\n".join(gallery["_world"]("flatland", tmp_path, {})) == page
    assert picture.stat().st_mtime_ns == drawn


def test_a_picture_of_an_older_world_is_removed(gallery: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "flatland-0123.png").write_bytes(b"")
    list(gallery["_world"]("flatland", tmp_path, {}))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_world_that_reads_files_says_how_to_get_them(gallery: dict[str, Any], tmp_path: Path) -> None:
    page = "\n".join(gallery["_world"]("shapes3d", tmp_path, {}))
    assert "unbraid fetch shapes3d" in page
    assert "Apache-2.0" in page
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("title", READ)
def test_what_was_read_is_of_a_world_and_its_factors(title: str) -> None:
    found = READ[title]
    made = registry.load("worlds", found["world"])
    assert set(found["options"]) <= set(registry.parameters(made))
    names = [one["factor"] for one in found["read"]]
    assert len(set(names)) == len(names)
    assert all(one["value"] <= 1 for one in found["read"])
