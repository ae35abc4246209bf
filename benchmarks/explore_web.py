"""How soon a page that ``unbraid export --format web`` wrote shows a picture, and how soon its own decoder answers.

A headless browser opens the folder from ``http.server``, each time as one that was never there before. Shown are
milliseconds from the beginning of the navigation, and the CPU time of the page's main thread, which is nearly the same
on a busy machine. ``python benchmarks/explore_web.py [FOLDER]`` takes some seconds an opening; without a folder it
exports an untrained VAE of 64 x 64 images. Recorded in ``explore.md``.
"""

from __future__ import annotations

import http.server
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from unbraid import train
from unbraid.errors import MissingExtra
from unbraid.explore.web import to_web
from unbraid.files.fetch import FetchError

OPENINGS = 8
WATCH = """() => {
    globalThis.seen = {};
    const look = setInterval(() => {
        const image = document.getElementById("image");
        if (image?.dataset.first !== undefined) seen.first ??= performance.now();
        if (image?.dataset.shown === undefined) return;
        seen.shown = performance.now();
        clearInterval(look);
    }, 4);
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, without a line for each."""

    def log_message(self, *said: object) -> None:
        """Nothing."""


@contextmanager
def exported() -> Iterator[str]:
    """A folder that was given, or one that is made."""
    if len(sys.argv) > 1:
        yield sys.argv[1]
        return
    with tempfile.TemporaryDirectory() as place:
        run = train("vae", "sprites", steps=1, batch_size=4, out=Path(place) / "run", progress=False)
        to_web(run, Path(place) / "web")
        yield str(Path(place) / "web")


@contextmanager
def served(folder: str) -> Iterator[str]:
    """The address of a folder."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


def opened(browser: Any, address: str) -> tuple[float, float, float]:
    """Milliseconds to the first picture, to the first that the page decodes, and of its main thread's CPU."""
    context = browser.new_context()
    page = context.new_page()
    asked = context.new_cdp_session(page)
    asked.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.add_init_script(f"({WATCH})()")
    page.goto(address)
    page.wait_for_selector("#image[data-shown]", timeout=120_000)
    seen = page.evaluate("seen")
    spent = {one["name"]: one["value"] for one in asked.send("Performance.getMetrics")["metrics"]}
    context.close()
    return seen["first"], seen["shown"], 1e3 * spent["TaskDuration"]


def main() -> None:
    """Print a row for each of the three, or why there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("not measured: there is no browser here (Debian's chromium)")
        return
    try:
        with exported() as folder, served(folder) as address, sync_playwright() as started:
            browser = started.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            found = np.array([opened(browser, address) for _ in range(OPENINGS)])
            browser.close()
    except (FetchError, MissingExtra) as error:
        print(f"not measured: {error}")
        return
    print("| | median, ms | least | greatest |\n| --- | --- | --- | --- |")
    for name, values in zip(("first picture", "decoder answers", "CPU of the main thread"), found.T, strict=True):
        print(f"| {name} | {np.median(values):,.0f} | {values.min():,.0f} | {values.max():,.0f} |")


if __name__ == "__main__":
    main()
