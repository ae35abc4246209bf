"""The page in a real browser, where there is one."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import sync_playwright

from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.serve import _listening
from unbraid.explore.studied import Studied
from unbraid.explore.subject import Subject

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 120_000  # milliseconds until a busy machine is believed to hang
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no browser: install Debian's chromium"),
]


@pytest.fixture(scope="module")
def address(subject: Subject, study: Path) -> Iterator[str]:
    """The page, served as it is by the command."""
    gallery = Gallery([subject, subject], [Studied(study)], samples=100)
    with _listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(make(gallery), log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as started:
        made = started.chromium.launch(executable_path=BROWSER, args=QUIET)
        yield made
        made.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page once its first image is decoded; nothing may be complained of in the console."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    opened.set_default_timeout(PATIENCE)
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.goto(address)
    opened.wait_for_selector(".panel[data-shown]")
    yield opened
    opened.close()
    assert said == []


def code(page: Any) -> list[float]:
    return [float(value) for value in page.locator(".panel").first.get_attribute("data-shown").split()]


def decoded(page: Any) -> np.ndarray:
    """The grey values of the decoded image, as the canvas holds them."""
    script = """canvas => {
        const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        return Array.from(copy.getImageData(0, 0, canvas.width, canvas.height).data);
    }"""
    values = page.locator(".pictures canvas").nth(1).evaluate(script)
    return np.array(values, dtype=np.uint8).reshape(32, 32, 4)[..., 0]


def moved(page: Any, row: int, value: float) -> None:
    """Move a slider as a hand does, and wait for the image."""
    before = page.locator(".panel").first.get_attribute("data-shown")
    page.locator(".sliders input").nth(row).fill(str(value))
    page.wait_for_function("before => document.querySelector('.panel').dataset.shown !== before", arg=before)


def test_a_slider_shows_what_the_decoder_says(page: Any, subject: Subject) -> None:
    index = subject.about["latents"][0]["index"]
    for value in (-2.5, 2.0):
        moved(page, 0, value)
        assert code(page)[index] == pytest.approx(value)
        assert np.abs(decoded(page).astype(int) - subject.decode(np.array([code(page)]))[0, 0]).max() <= 2


def test_keys_move_a_slider_too(page: Any, subject: Subject) -> None:
    index = subject.about["latents"][0]["index"]
    moved(page, 0, 0.0)
    before = page.locator(".panel").first.get_attribute("data-shown")
    page.locator(".sliders input").first.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('.panel').dataset.shown !== before", arg=before)
    assert code(page)[index] == pytest.approx(0.01, abs=2e-3)


def test_a_latent_plays_its_film(page: Any) -> None:
    page.locator(".sliders .latent").first.click()
    page.wait_for_selector(".strip canvas")
    assert re.search(r"from −3.0 to 3.0", page.locator(".strip figcaption").inner_text())
    assert page.locator(".sliders li.chosen").count() == 1


def test_a_picture_that_is_opened_is_encoded(page: Any, subject: Subject, tmp_path: Path) -> None:
    image = subject.run.world.images(np.array([7]))
    Image.fromarray(image[0, 0]).save(tmp_path / "seven.png")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "seven.png")
    expected = " ".join(f"{value:.3f}" for value in np.round(subject.codes(np.array([7]))[0], 5))
    page.wait_for_function("wanted => document.querySelector('.panel').dataset.shown === wanted", arg=expected)


def test_what_is_no_picture_is_told_in_a_sentence(browser: Any, address: str, tmp_path: Path) -> None:
    (tmp_path / "none.png").write_bytes(b"not a picture")
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector(".panel[data-shown]")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "none.png")
    page.wait_for_selector("#status.trouble")
    assert "no picture that can be read" in page.locator("#status").inner_text()
    page.close()


def test_the_map_has_a_lasso_and_a_click_takes_an_image(page: Any, subject: Subject) -> None:
    page.click("#tab-map")
    canvas = page.locator(".map canvas").first
    canvas.wait_for()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for x, y in ((0.5, 0), (1, 0), (1, 0.5), (1, 1), (0.5, 1), (0, 1), (0, 0.5), (0, 0)):
        page.mouse.move(box["x"] + 2 + x * (box["width"] - 4), box["y"] + 2 + y * (box["height"] - 4), steps=2)
    page.mouse.up()
    page.wait_for_selector(".picked canvas")
    assert "200 images" in page.locator(".map p[role=status]").inner_text()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.hover').innerText.includes('class')")
    before = page.locator(".panel").first.get_attribute("data-shown")
    page.keyboard.press("Enter")
    page.wait_for_function("before => document.querySelector('.panel').dataset.shown !== before", arg=before)
    first = np.round(subject.codes(np.array(subject.map["images"][:1]))[0], 5)
    assert code(page) == pytest.approx(first, abs=1e-3)


def test_a_cell_of_the_heat_map_chooses_its_latent(page: Any) -> None:
    page.click("#tab-factors")
    page.locator(".heat td button").nth(2).click()
    page.wait_for_selector(".strip canvas")
    assert "chosen" in page.locator(".sliders li").nth(2).get_attribute("class")
    assert "chosen" in page.locator(".heat th[scope=col]").nth(2).get_attribute("class")


def test_codes_are_swapped_on_the_board(page: Any) -> None:
    page.click("#tab-swap")
    page.wait_for_selector(".board canvas:nth-child(36)")
    assert page.locator(".board canvas").count() == 35


def test_two_runs_stand_beside_each_other_and_show_the_same_image(page: Any) -> None:
    page.select_option("#beside", "1")
    page.wait_for_function("() => document.querySelectorAll('.panel[data-shown]').length === 2")
    page.wait_for_function(
        "() => new Set([...document.querySelectorAll('.panel')].map(panel => panel.dataset.shown)).size === 1"
    )


def test_a_point_of_a_study_opens_its_run(page: Any, study: Path) -> None:
    studied = Studied(study)
    told = {run["number"]: run for run in studied.about(2)["runs"]}
    assert page.locator(".boxes .point").count() == len(told) == 4
    point = page.locator(".point[tabindex='0']")
    point.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    focused = page.locator(".point:focus")
    number = int(focused.get_attribute("value"))
    best = max((run for run in told.values() if run["method"] == "betavae"), key=lambda run: run["values"]["mig"])
    assert number == best["number"]
    assert page.locator(".told").inner_text() == f"{best['title']}: mig {best['values']['mig']:.3f}"
    page.keyboard.press("Enter")
    page.wait_for_function(
        "title => document.querySelector('.panel .note').innerText.startsWith(title)", arg=best["title"]
    )
    page.wait_for_selector(".panel[data-shown]")
    assert page.locator(".point[aria-current]").get_attribute("value") == str(number)
    assert page.input_value("#run") == str(number)


def test_the_boxes_of_a_study_are_those_of_the_chosen_score(page: Any, study: Path) -> None:
    runs = [run["values"]["sap"] for run in Studied(study).about(2)["runs"] if run["method"] == "vae"]
    page.locator(".study select").select_option("sap")
    row = page.locator(".box").first
    width = row.bounding_box()["width"]
    ticks = [float(text.replace("−", "-")) for text in page.locator(".axis span").all_inner_texts()]
    parts = {name: row.locator(f".{name}").evaluate("part => part.offsetLeft") for name in ("whisker", "half")}
    for name, value in (("whisker", min(runs)), ("half", np.quantile(runs, 0.25))):
        assert parts[name] == pytest.approx(width * (value - ticks[0]) / (ticks[-1] - ticks[0]), abs=1.5)


def test_dark_and_light(page: Any) -> None:
    def paper() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    before = paper()
    page.click("#theme")
    assert paper() != before
    page.click("#theme")
    assert paper() == before


def test_nothing_is_cut_off_in_a_narrow_window(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="session")
def axe(from_npm: Callable[[str], Path]) -> Path:
    """What checks a page for people who cannot see, point or hear."""
    return from_npm("axe-core@4.11.0") / "axe.min.js"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_those_who_cannot_see_or_point(page: Any, axe: Path, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    page.evaluate(axe.read_text("utf-8"))  # as a debugger does: the page itself lets in no foreign script
    for tab in ("study", "factors", "map", "swap", "scores"):
        page.click(f"#tab-{tab}")
        page.wait_for_selector(f"#view-{tab} >> :nth-match(*, 2)")
        found = page.evaluate("async () => (await axe.run()).violations")
        told = [(one["id"], one["impact"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
        assert [one for one in told if one[1] in ("serious", "critical")] == [], tab
