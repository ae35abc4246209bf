"""The page in a real browser, where there is one."""

from __future__ import annotations

import base64
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
from unbraid.explore.objects import taken_apart
from unbraid.explore.serve import _listening
from unbraid.explore.studied import Studied
from unbraid.explore.subject import Subject
from unbraid.explore.translating import Translating, Wanted

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
PATIENCE = 120_000  # milliseconds until a busy machine is believed to hang
SAME = """(() => {
    let last = 20251129;
    Math.random = () => (last = (last * 16807) % 2147483647) / 2147483647;
})()"""
"""The page draws the same images every time: of all there are, some show at once what a test waits for."""
VIEWS = [
    ("0", "study"), ("0", "factors"), ("0", "map"), ("0", "swap"), ("0", "scores"), ("2", "actions"), ("3", "styles"),
    ("4", "objects"),
]  # fmt: skip
"""Every view, with a run that has it."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no browser: install Debian's chromium"),
]


@pytest.fixture(scope="module")
def address(
    subject: Subject, acting: Subject, translating: Translating, objects: Subject, study: Path
) -> Iterator[str]:
    """The page, served as it is by the command."""
    gallery = Gallery([subject, subject, acting, translating, objects], [Studied(study)], samples=100)
    with _listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(make(gallery), log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
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
    opened.add_init_script(SAME)
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


def drawn(page: Any, which: int, where: str = ".panel .pictures") -> np.ndarray:
    """The pixels of one of the canvases in a place, ``(height, width, 3)``."""
    script = """canvas => {
        const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        return Array.from(copy.getImageData(0, 0, canvas.width, canvas.height).data);
    }"""
    values = page.locator(f"{where} canvas").nth(which).evaluate(script)
    return np.array(values, dtype=np.uint8).reshape(32, 32, 4)[..., :3]


def decoded(page: Any) -> np.ndarray:
    """The grey values of the decoded image, as the canvas holds them."""
    return drawn(page, 1)[..., 0]


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


def test_an_answer_that_comes_late_does_not_undo_what_was_asked_for_after(page: Any) -> None:
    held: list[Any] = []
    another, codes = page.get_by_role("button", name="Another image"), "**/api/runs/0/codes"
    page.route(codes, lambda route: held.append(route) if not held else route.continue_())
    before = page.locator(".panel").first.get_attribute("data-shown")
    another.click()
    another.click()
    page.wait_for_function("before => document.querySelector('.panel').dataset.shown !== before", arg=before)
    first, *others = code(page)
    with page.expect_response(codes):
        held[0].continue_()
    page.wait_for_timeout(100)  # for the page to take it, if it did
    moved(page, position(page, 0), 2.5 if first < 0 else -2.5)
    assert code(page)[1:] == others


def test_a_film_that_comes_late_does_not_take_the_place_of_one_that_was_asked_for_after(page: Any) -> None:
    held: list[Any] = []
    page.route("**/api/runs/0/decode", lambda route: held.append(route) if not held else route.continue_())
    names = page.locator(".sliders .latent")
    names.nth(0).click()
    names.nth(1).click()
    page.wait_for_selector(".strip canvas")
    told = page.locator(".strip figcaption").inner_text()
    assert told.startswith(names.nth(1).inner_text())
    with page.expect_response("**/api/runs/0/decode"):
        held[0].continue_()
    page.wait_for_timeout(100)  # for the page to take it, if it did
    assert page.locator(".strip figcaption").inner_text() == told


def position(page: Any, index: int) -> int:
    """In which place the slider of a latent stands."""
    names = page.locator(".sliders .latent").all_inner_texts()
    return names.index("z" + "₀₁₂₃₄₅₆₇₈₉"[index])


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


def test_where_no_image_comes_the_base_is_shown(browser: Any, address: str, subject: Subject) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.route("**/api/runs/0/codes", lambda route: route.abort())
    page.goto(address)
    page.wait_for_selector(".panel[data-shown]")
    latents = sorted(subject.about["latents"], key=lambda one: one["index"])
    assert code(page) == pytest.approx([one["base"] for one in latents], abs=1e-3)
    assert decoded(page).any()
    page.wait_for_selector("#status.trouble")
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
    told = {run["number"]: run for run in studied.about(5)["runs"]}
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
    runs = [run["values"]["sap"] for run in Studied(study).about(5)["runs"] if run["method"] == "vae"]
    page.locator(".study select").select_option("sap")
    row = page.locator(".box").first
    width = row.bounding_box()["width"]
    ticks = [float(text.replace("−", "-")) for text in page.locator(".axis span").all_inner_texts()]
    parts = {name: row.locator(f".{name}").evaluate("part => part.offsetLeft") for name in ("whisker", "half")}
    for name, value in (("whisker", min(runs)), ("half", np.quantile(runs, 0.25))):
        assert parts[name] == pytest.approx(width * (value - ticks[0]) / (ticks[-1] - ticks[0]), abs=1.5)


@pytest.fixture
def orbiting(page: Any, acting: Subject) -> Any:
    """The page at the actions of a model that has some."""
    assert page.locator("#tab-actions").is_hidden()
    page.select_option("#run", "2")
    page.click("#tab-actions")
    page.wait_for_selector(".frames button")
    return page


def test_a_button_applies_its_action_and_its_orbit_is_drawn(orbiting: Any, acting: Subject) -> None:
    orbiting.wait_for_selector(".panel[data-shown]")
    buttons = orbiting.locator("#view-actions .buttons button")
    assert buttons.all_inner_texts() == [action["name"] for action in acting.about["actions"]]
    matrix = acting.model.matrices()[3].detach().double().numpy()
    for _ in range(2):
        before = code(orbiting)
        buttons.nth(3).press("Enter")
        orbiting.wait_for_function(
            "before => document.querySelector('.panel').dataset.shown !== before",
            arg=" ".join(f"{x:.3f}" for x in before),
        )
        assert code(orbiting) == pytest.approx(matrix @ before, abs=5e-3)
        assert np.abs(decoded(orbiting).astype(int) - acting.decode(np.array([code(orbiting)]))[0, 0]).max() <= 2
    steps = acting.about["actions"][3]["times"] + 1
    assert orbiting.locator(".plane circle.path").count() == orbiting.locator(".frames button").count() == steps
    assert orbiting.locator(".frames button[aria-current]").get_attribute("aria-label") == "take the code after 2 steps"
    orbiting.locator(".frames button").first.click()
    orbiting.wait_for_selector(".plane circle.now[data-step='0']")
    orbiting.locator("#view-actions input[type=number]").fill("3")
    orbiting.keyboard.press("Enter")
    orbiting.wait_for_function("() => document.querySelectorAll('.frames button').length === 4")


def test_an_orbit_that_comes_late_does_not_take_the_place_of_one_that_was_asked_for_after(
    orbiting: Any, acting: Subject
) -> None:
    orbiting.wait_for_selector(".panel[data-shown]")
    held: list[Any] = []
    orbiting.route("**/api/runs/2/orbit", lambda route: held.append(route) if not held else route.continue_())
    buttons = orbiting.locator("#view-actions .buttons button")
    buttons.nth(2).press("Enter")
    buttons.nth(3).press("Enter")
    orbiting.wait_for_selector("#view-actions button[aria-pressed=true]:nth-of-type(4)")
    orbiting.wait_for_selector(".frames button[aria-label='take the code after 1 steps'][aria-current]")
    with orbiting.expect_response("**/api/runs/2/orbit"):
        held[0].continue_()
    orbiting.wait_for_timeout(100)  # for the page to take it, if it did
    orbiting.locator(".frames button").nth(2).click()
    orbiting.wait_for_selector(".frames button[aria-label='take the code after 2 steps'][aria-current]")
    assert buttons.nth(3).get_attribute("aria-pressed") == "true"
    assert orbiting.locator(".frames button").count() == acting.about["actions"][3]["times"] + 1


@pytest.fixture
def between(page: Any) -> Any:
    """The page at a run that translates, from the second domain to the first."""
    page.select_option("#run", "3")
    page.locator(".panel select").select_option("1")
    page.wait_for_selector(".panel[data-shown^='1 ']")
    return page


def translated(page: Any, translating: Translating) -> np.ndarray:
    """What should be seen at the right of the picture that is seen."""
    image = drawn(page, 0).transpose(2, 0, 1)
    made = Wanted(translating, image.tobytes(), 1).decode(np.array([code(page)[1:]]))
    return made[0].transpose(1, 2, 0).astype(int)


def test_a_picture_is_translated_in_the_style_of_the_sliders(between: Any, translating: Translating) -> None:
    assert drawn(between, 0).min() >= 128  # an example of the second domain
    before = code(between)
    between.locator(".sliders input").nth(1).fill("-2.5")
    between.wait_for_selector(".panel[data-shown='1 0.000 -2.500 0.000']")
    assert before != code(between)
    assert np.abs(drawn(between, 1) - translated(between, translating)).max() <= 2
    assert between.locator("#tab-map").is_hidden()


def test_a_picture_that_is_dropped_is_translated_and_one_that_is_dropped_beside_it_gives_its_style(
    between: Any, translating: Translating, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    for n, figure in enumerate((0, 1)):
        Image.fromarray(pixels[n]).save(tmp_path / "dropped.png")
        before = [drawn(between, 0).tolist(), code(between)][n]
        between.evaluate(
            """([bytes, at]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
            document.querySelectorAll(".pictures figure")[at].dispatchEvent(
                new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
            }""",
            [list((tmp_path / "dropped.png").read_bytes()), figure],
        )
        until = time.monotonic() + PATIENCE / 1000
        while [drawn(between, 0).tolist(), code(between)][n] == before and time.monotonic() < until:
            between.wait_for_timeout(50)
    assert (drawn(between, 0) == pixels[0]).all()
    style = translating.style(pixels[1].transpose(2, 0, 1)[None], 0)[0]
    assert code(between)[1:] == pytest.approx(style, abs=2e-3)
    assert np.abs(drawn(between, 1) - translated(between, translating)).max() <= 2


def test_a_picture_that_comes_late_does_not_undo_one_that_was_asked_for_after(between: Any, tmp_path: Path) -> None:
    held: list[Any] = []
    Image.new("RGB", (32, 32), "black").save(tmp_path / "black.png")
    between.route("**/api/runs/3/style/1", lambda route: held.append(route))
    between.locator("input[type=file]").first.set_input_files(tmp_path / "black.png")
    between.get_by_role("button", name="Another image").click()
    between.locator(".sliders input").first.fill("1.5")
    between.wait_for_selector(".panel[data-shown='1 1.500 0.000 0.000']")
    with between.expect_response("**/api/runs/3/style/1"):
        held[0].continue_()
    between.wait_for_timeout(100)  # for the page to take it, if it did
    between.locator(".sliders input").first.fill("-1.5")
    between.wait_for_selector(".panel[data-shown='1 -1.500 0.000 0.000']")
    assert drawn(between, 0).min() >= 128


def test_a_style_of_the_board_is_taken(between: Any, translating: Translating) -> None:
    between.click("#tab-styles")
    tiles = between.locator("#view-styles .board button")
    tiles.nth(2).wait_for()
    assert tiles.count() == 12
    tiles.nth(2).press("Enter")
    style = translating.about["styles"][0][2]
    between.wait_for_selector(f".panel[data-shown='1 {' '.join(f'{value:.3f}' for value in style)}']")


def test_an_entity_that_is_not_kept_is_left_out_of_the_image(page: Any, objects: Subject) -> None:
    page.select_option("#run", "4")
    page.click("#tab-objects")
    page.wait_for_selector("#view-objects [data-shown]")
    for kept in ([True] * 3, [False, True, True]):
        page.locator(".entity input").first.set_checked(kept[0])
        page.wait_for_selector(f"#view-objects [data-shown$=' {' '.join(str(one).lower() for one in kept)}']")
        found = taken_apart(objects.model, np.array([code(page)]), kept)
        image = np.frombuffer(base64.b64decode(found["image"]), dtype=np.uint8).reshape(3, 32, 32).transpose(1, 2, 0)
        assert np.abs(drawn(page, 0, "#view-objects .pictures").astype(int) - image).max() <= 4
    assert page.locator(".windows rect").count() == sum(found["present"])
    before = page.locator("#view-objects [data-shown]").get_attribute("data-shown")
    page.locator(".sliders input").first.fill("1.5")
    page.wait_for_function(
        "before => document.querySelector('#view-objects [data-shown]').dataset.shown !== before", arg=before
    )


def test_sliders_stand_entity_by_entity(page: Any) -> None:
    page.select_option("#run", "4")
    page.wait_for_selector(".sliders .whose")
    rows = page.locator(".sliders li").evaluate_all("rows => rows.map((row) => row.firstChild.textContent)")
    assert rows[::7] == ["entity 1", "entity 2", "entity 3"]
    subscripts = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
    for n in range(3):
        own = {int(name.translate(subscripts)[1:]) for name in rows[7 * n + 1 : 7 * n + 7]}
        assert own == set(range(6 * n, 6 * n + 6))


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
    for run, tab in VIEWS:
        page.select_option("#run", run)
        page.click(f"#tab-{tab}")
        page.wait_for_selector(f"#view-{tab} >> :nth-match(*, 3)")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab


@pytest.fixture(scope="session")
def axe(from_npm: Callable[[str], Path]) -> Path:
    """What checks a page for people who cannot see, point or hear."""
    return from_npm("axe-core@4.11.0") / "axe.min.js"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_those_who_cannot_see_or_point(page: Any, axe: Path, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    page.evaluate(axe.read_text("utf-8"))  # as a debugger does: the page itself lets in no foreign script
    for run, tab in VIEWS:
        page.select_option("#run", run)
        page.click(f"#tab-{tab}")
        page.wait_for_selector(f"#view-{tab} >> :nth-match(*, 3)")
        found = page.evaluate("async () => (await axe.run()).violations")
        told = [(one["id"], one["impact"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
        assert [one for one in told if one[1] in ("serious", "critical")] == [], tab
