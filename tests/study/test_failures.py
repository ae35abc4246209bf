"""What goes wrong in a study: each is named by ``unbraid study status``, and none stops the others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from unbraid.cli.main import main
from unbraid.study.drive import drive
from unbraid.study.engine import Engine
from unbraid.study.spec import load
from unbraid.study.store import Store
from unbraid.study.work import CELLS

CELLS_OF_ALL_KINDS = """
worlds: [digits]
models: [{betatcvae: {estimator: [stratified, weighted], network: patches, latent_dim: 2}}]
fit: {batch_size: [1, 16], learning_rate: [1e-3, 1e30]}
steps: 6
scores: [mig]
samples: 100
"""
TOO_LARGE_AND_SMALL = """
worlds: [digits]
models: [{vae: {network: [dense, patches], latent_dim: 2}}]
fit: {batch_size: 4, checkpoint_seconds: 0}
steps: 2
scores: [mig]
samples: 100
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 18 MB, which a checkpoint of the network ``dense`` does not fit in."""
    place = tmp_path / "small"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=18m", "none", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def driven(text: str, tmp_path: Path, root: Path, here: Callable[..., Engine]) -> Path:
    file = tmp_path / "study.yaml"
    file.write_text(text, "utf-8")
    drive(load(file), root, here(), back_off=0.001)
    return file


def status(file: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    main(["study", "status", str(file), "--out", str(root)])
    return capsys.readouterr().out.splitlines()


def test_cells_that_raise_diverge_or_are_damaged_are_named(
    tmp_path: Path, here: Callable[..., Engine], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "all.yaml").write_text(CELLS_OF_ALL_KINDS, "utf-8")
    victim = load(tmp_path / "all.yaml").cells[-2]
    assert victim.fit == {"batch_size": 16, "learning_rate": 1e-3}
    root = tmp_path / "out"
    Store(root).write("study.yaml", b"")
    Store(root).write(f"{CELLS}/{victim.key}/run.json", b"{")
    lines = status(driven(CELLS_OF_ALL_KINDS, tmp_path, root, here), root, capsys)
    # Of 8: a batch of 1 has no strata (2), a rate of 1e30 diverges, where it comes to a step (3), one is damaged.
    assert "2 done, 6 failed, 0 open" in lines[0]
    assert sum("failed (error)" in line and "stratified estimator needs at least 2" in line for line in lines) == 2
    assert sum("failed (nan)" in line and "at step" in line for line in lines) == 3
    (damaged,) = [line for line in lines if "failed (damaged)" in line]
    assert victim.key in damaged
    assert "run.json is damaged" in damaged


def test_a_full_disk_is_no_fault_of_the_cell_is_named_and_leaves_room_for_others(
    tmp_path: Path, small_disk: Path, here: Callable[..., Engine], capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_disk / "out"
    lines = status(driven(TOO_LARGE_AND_SMALL, tmp_path, root, here), root, capsys)
    assert "1 done, 1 failed, 0 open" in lines[0]
    assert "failed (lost): vae (network=dense" in lines[1]
    assert "given up after 4 attempts" in lines[1]
    assert "No space left on device" in lines[1]
    assert not list(root.rglob("*.part"))
