"""Every command that writes, killed as it changes a file: given again, it ends as if nothing had been."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unbraid.runs.train import train

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals"),
]

TRAIN = ["train", "vae", "digits", "--steps", "4", "--latent-dim", "2", "--network", "patches", "--fit.batch-size", "4"]
TIMED = {"run.json", "checkpoint.pt", "checkpoint.previous.pt"}
"""Files of a training that say how long it took."""
COMMANDS = {
    "train": (9, [*TRAIN, "--fit.checkpoint-seconds", "0", "--out", "{}/new"]),
    "evaluate": (3, ["evaluate", "{}/run", "--scores", "mig", "--samples", "200", "--jobs", "1"]),
    "plot": (3, ["plot", "{}/run", "--plots", "losses"]),
    "export": (8, ["export", "{}/run", "--out", "{}/shared"]),
    "show": (2, ["show", "digits", "--out", "{}/sheet.png"]),
}
"""Every so many moments, of what."""


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Of all commands, in a folder with a finished run."""
    root = tmp_path_factory.mktemp("killed")
    options = {"steps": 2, "batch_size": 4, "latent_dim": 2, "network": "patches", "progress": False}
    train("vae", "digits", out=root / "begin" / "run", **options)
    program = [sys.executable, str(Path(__file__).with_name("killed.py")), str(root / "begin"), str(root / "place")]
    done = subprocess.run([*program, json.dumps(COMMANDS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_command_that_is_killed_as_it_changes_a_file_is_given_again_and_nothing_is_lost(
    verb: str, deaths: dict[str, list[dict[str, Any]]]
) -> None:
    assert {"before", "within"} == {one["way"] for one in deaths[verb]}
    for one in deaths[verb]:
        assert one["status"] < 0, f"{verb} went on after its death: {one}"
        assert one["again"] == 0, f"{verb} does not go on: {one}"
        assert one["missing"] == one["left"] == [], one
        assert {Path(file).name for file in one["other"]} <= (TIMED if verb == "train" else set()), one
