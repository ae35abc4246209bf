"""The page that helps to choose a score shows all of them, and what it shows is what they say today."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from unbraid import registry
from unbraid.info.representations import REPRESENTATIONS

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "choose-a-score.md").read_text("utf-8")
RECORD = json.loads((DOCS / "scores.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def picture() -> ModuleType:
    return load("_picture")


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(DOCS))


def test_every_score_is_recorded_shown_once_and_explained(picture: ModuleType) -> None:
    shown = [score for scores in picture.GROUPS.values() for score in scores.split()]
    explained = re.findall(r"^\| `(\w+)` \| \S.* \| \S.* \|$", PAGE, flags=re.MULTILINE)
    assert sorted(shown) == sorted(explained) == sorted(RECORD) == list(registry.names("scores"))
    assert all(list(values) == list(REPRESENTATIONS) == list(picture.ROWS) for values in RECORD.values())


def test_the_groups_of_the_picture_are_the_headings_of_the_page(picture: ModuleType) -> None:
    headings = [heading.lower() for heading in re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)]
    assert set(picture.GROUPS) < set(headings)


@pytest.mark.parametrize("of", ["perfect", "rotated", "merged"])
@pytest.mark.parametrize("score", ["mig", "mcc", "modularity", "omes", "totalcorrelation", "udr"])
def test_the_record_holds_what_is_measured(score: str, of: str) -> None:
    assert RECORD[score][of] == pytest.approx(load("_scores").value(score, of), rel=1e-4, abs=1e-6)


def test_colours_go_from_the_worst_to_the_best_and_flaws_that_are_not_seen_are_found(picture: ModuleType) -> None:
    values = {"perfect": 0.5, "merged": 0.49, "random": 3.0, "permuted": 0.4}
    shades = picture.shade(values, "lower")
    assert (shades["permuted"], shades["random"]) == (1.0, 0.0)
    assert [of for of in values if picture.blind(of, shades)] == ["merged"]
    assert {"dci", "nk", "omes"} <= set(picture.unblind(DOCS / "scores.json"))
    assert not {"mig", "betavae_score", "totalcorrelation"} & set(picture.unblind(DOCS / "scores.json"))


def test_the_picture_is_drawn(picture: ModuleType, tmp_path: Path) -> None:
    picture.draw(DOCS / "scores.json", tmp_path / "scores.png")
    with Image.open(tmp_path / "scores.png") as drawn:
        assert drawn.width > 1500
        assert len(drawn.convert("RGB").resize((500, 500)).getcolors(500 * 500)) > 100


def test_the_code_of_the_page_runs() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(block, "docs/choose-a-score.md", "exec"), {})
