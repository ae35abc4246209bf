"""The page: complete in itself, and nothing in it is taken for markup."""

from __future__ import annotations

import base64
import io
import re

import pytest
from matplotlib.figure import Figure
from PIL import Image

from unbraid.report.page import Section, Table, render


@pytest.fixture(scope="module")
def page() -> str:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1])
    table = Table(("name", "value", "count"), [("<b>", 0.5, 1200), ("b", 0.25, 3)])
    section = Section("A & B", ["1 < 2"], [table], {'a "figure"': figure}, ["unbraid train vae digits > log"])
    return render("<title>", "Lead.", [section])


def test_nothing_is_fetched_and_nothing_executes(page: str) -> None:
    assert "http" not in page
    assert "<script" not in page
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]*)"', page))


def test_text_is_never_taken_for_markup(page: str) -> None:
    assert "<b>" not in page
    assert "<title>&lt;title&gt;</title>" in page
    for text in ("A &amp; B", "1 &lt; 2", "&lt;b&gt;", "digits &gt; log", "a &quot;figure&quot;"):
        assert text in page


def test_numbers_are_set_to_the_right_and_thousands_are_parted(page: str) -> None:
    assert '<td class="number">0.500</td><td class="number">1,200</td>' in page
    assert "<td>&lt;b&gt;</td>" in page


def test_a_figure_is_embedded_at_twice_the_screens_resolution(page: str) -> None:
    (data,) = re.findall(r"base64,([^\"]*)", page)
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (400, 200)
