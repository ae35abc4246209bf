"""The demo, with few steps: three runs, one page that holds everything, and the commands to repeat each."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace

import pytest

from unbraid.cli import demo as module
from unbraid.cli.main import main
from unbraid.errors import RunError
from unbraid.runs.run import Run

FEW = "--steps 2 --fit.batch-size 4"


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are run in this process, in turn; the test of one that fails starts processes as the demo does."""
    turn = threading.Lock()

    def run(words: list[str], *, env: dict[str, str], check: bool) -> CompletedProcess[str]:
        assert words[:3] == [sys.executable, "-m", "unbraid"]
        assert env["OMP_NUM_THREADS"] == "1"
        with turn:
            main(words[3:])
        return CompletedProcess(words, 0)

    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=run))


@pytest.mark.slow
@pytest.mark.usefixtures("_here")
def test_the_demo_writes_one_page_and_starts_anew_when_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "SPRITES", f"--beta 6 {FEW}")
    monkeypatch.setattr(module, "DIGITS", f"--latent-dim 2 {FEW}")
    monkeypatch.setattr(module, "SAMPLES", "300 --jobs 1")
    (tmp_path / "mine.txt").write_text("not the demo's")
    module.demo(out=tmp_path)
    out, _ = capfd.readouterr()
    page = (tmp_path / "report.html").read_text("utf-8")
    assert str(tmp_path / "report.html") in out
    for run in ("betatcvae", "ae", "vae"):
        assert Run(tmp_path / run).finished
        assert f"unbraid evaluate {tmp_path / run}" in page
    assert len(re.findall(r"<img ", page)) == 5
    assert "mutual information gap (MIG) of the position factors" in page
    runs = [tmp_path / run for run in ("betatcvae", "ae", "vae")]
    module._forget(tmp_path / "report.html", *runs)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_command_that_fails_stops_the_demo_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPRITES", "--beta -1")
    monkeypatch.setattr(module, "DIGITS", "--latent-dim 0")
    with pytest.raises(RunError, match="the demo stopped at: unbraid train"):
        module.demo(out=tmp_path / "demo")
