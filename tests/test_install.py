"""The wheel that is published: everything that runs is in it, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import unbraid

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (found,) = out.glob("unbraid-*.whl")
    return found


def test_it_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    source = Path(unbraid.__file__).parent
    files = {f"unbraid/{path.relative_to(source).as_posix()}" for path in source.rglob("*") if path.is_file()}
    assert packed == {name for name in files if "__pycache__" not in name}


def test_it_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 2_000_000


def test_it_runs_from_where_it_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    # Before everything else on the path, so that the checkout is not what runs.
    around = os.environ | {"PYTHONPATH": str(tmp_path / "site")}

    def said(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=around, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = Path(said("-c", "import unbraid; print(unbraid.__file__)").strip())
    assert where.is_relative_to(tmp_path / "site")
    assert said("-m", "unbraid", "--version").strip() == f"unbraid {unbraid.__version__}"
    assert "betavae" in said("-m", "unbraid", "list", "models")
    said("-m", "unbraid", "train", "vae", "digits", "--steps", "2", "--fit.batch-size", "4", "--out", "runs/a")
    assert "mig" in said("-m", "unbraid", "evaluate", "runs/a", "--scores", "mig", "--samples", "100")
