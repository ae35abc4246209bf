"""The page that decodes by itself: in a real browser, from a plain server of files, beside PyTorch."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import sync_playwright

from unbraid.cli.main import main
from unbraid.errors import InvalidData, RunError
from unbraid.explore import web as module
from unbraid.explore.web import RUNTIME, VERSION, to_web
from unbraid.runs.run import Run

pytest.importorskip("onnxscript")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 120_000


@pytest.fixture(scope="session")
def runtime(from_npm: Callable[[str], Path]) -> Path:
    """onnxruntime-web's own files."""
    return from_npm(f"onnxruntime-web@{VERSION}") / "dist"


@pytest.fixture(scope="module")
def site(run: Path, runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("site") / "web"
    main(["export", str(run), "--format", "web", "--out", str(folder), "--runtime", str(runtime)])

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(BROWSER is None, reason="no browser: install Debian's chromium")
def test_the_browser_decodes_what_pytorch_decodes(site: tuple[Path, str], run: Path) -> None:
    folder, address = site
    model, examples = Run(run).model, json.loads((folder / "about.json").read_text("utf-8"))["examples"]
    said: list[str] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        held: list[Any] = []
        # Until the decoder may start, the first picture is the one that was written.
        page.route("**/*.wasm", lambda route: held.append(route))
        page.goto(address, wait_until="commit")
        page.wait_for_selector("#image[data-first]")
        with torch.no_grad():
            first = model.decode(torch.tensor([examples[0]]))[0, 0].numpy()
        assert np.abs(drawn(page) - 255 * first).max() <= 1
        assert page.get_attribute("#image", "data-shown") is None
        page.route("**/*.wasm", lambda route: route.continue_())
        while held:
            held.pop().continue_()
        page.wait_for_selector("#image[data-shown]")
        assert np.abs(drawn(page) - 255 * first).max() <= 1
        for code in examples[:3]:
            values = page.evaluate("async code => Array.from((await unbraid.decoded(code)).values)", code)
            with torch.no_grad():
                expected = model.decode(torch.tensor([code]))[0].numpy()
            assert np.abs(np.array(values).reshape(expected.shape) - expected).max() < 1e-4
        before = page.evaluate("document.getElementById('image').toDataURL()")
        slider = page.locator("#sliders input").first
        slider.focus()
        page.keyboard.press("End")  # with the keyboard alone
        page.wait_for_function("before => document.getElementById('image').toDataURL() !== before", arg=before)
        shown = [float(x) for x in page.get_attribute("#image", "data-shown").split()]
        assert shown[int(slider.get_attribute("data-latent"))] == float(slider.get_attribute("max"))
        page.click("#random")
        page.select_option("#example", "2")
        page.wait_for_function(
            "code => document.getElementById('image').dataset.shown === code", arg=_text(page, examples[2])
        )
        page.screenshot(path=str(folder.parent / "web.png"))
        browser.close()
    assert said == []


def drawn(page: Any) -> np.ndarray:
    """The grey values of the picture, as the canvas holds them."""
    script = """() => { const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        const canvas = document.getElementById("image");
        copy.drawImage(canvas, 0, 0);
        return Array.from(copy.getImageData(0, 0, canvas.width, canvas.height).data); }"""
    return np.array(page.evaluate(script)).reshape(32, 32, 4)[..., 0]


def _text(page: Any, code: list[float]) -> str:
    return str(page.evaluate("code => code.join(' ')", code))


def test_the_folder_holds_no_path_and_nothing_else_is_asked_for(site: tuple[Path, str]) -> None:
    folder, _ = site
    names = {file.name for file in folder.iterdir()}
    assert names >= {"index.html", "decoder.onnx", "about.json", *(file.name for file in RUNTIME)}
    about = (folder / "about.json").read_text("utf-8")
    assert str(folder.parent) not in about
    assert '"title"' not in about
    for file in ("index.html", "web.js", "dom.js"):
        assert "http" not in (folder / file).read_text("utf-8")


def test_another_runtime_or_a_full_folder_is_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        InvalidData, match=r"there is no .*ort\.wasm\.min\.mjs: give the folder dist of onnxruntime-web"
    ):
        to_web(run, tmp_path / "web", runtime=tmp_path)
    (tmp_path / "ort.wasm.min.mjs").write_text("alert('other')")
    with pytest.raises(InvalidData, match="is not that of onnxruntime-web"):
        to_web(run, tmp_path / "web", runtime=tmp_path)
    monkeypatch.setattr(module, "RUNTIME", ())
    with pytest.raises(RunError, match="holds something already"):
        to_web(run, tmp_path)
    assert not (tmp_path / "web").exists()
