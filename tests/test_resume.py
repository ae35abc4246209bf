"""``unbraid train`` as a real process that is killed, or interrupted: given again, it ends with the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from unbraid.cli.main import main
from unbraid.fit import Progress
from unbraid.fit.state import STEP

MODEL, CHECKPOINT, HISTORY = "model.safetensors", "checkpoint.pt", "history.jsonl"
OPTIONS = ["--steps", "160", "--latent-dim", "2", "--fit.batch-size", "4", "--fit.checkpoint-seconds", "0.2"]
OPTIONS += ["--fit.film", "4", "--fit.decay", "100"]
PATIENCE = 240  # seconds until a busy machine is believed to hang


def command(out: Path) -> None:
    """The command in this process, where everything is imported already."""
    main(["train", "vae", "digits", *OPTIONS, "--out", str(out)])


def results(out: Path) -> tuple[bytes, bytes, list[dict[str, float]]]:
    """The weights and the film, byte for byte, and the rows of the history."""
    rows = [json.loads(line) for line in (out / HISTORY).read_text().splitlines()]
    return (out / MODEL).read_bytes(), (out / "figures" / "film.gif").read_bytes(), rows


KILLED = """
import os, signal, sys, threading, time
from pathlib import Path
from unbraid.cli.main import main

def kill(checkpoint, moment):
    while not checkpoint.exists():
        time.sleep(0.001)
    began = time.process_time()
    while time.process_time() - began < moment:
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=kill, args=(Path(sys.argv[1]), float(sys.argv[2])), daemon=True).start()
main(sys.argv[3:])
"""
"""The command, killed when it has computed for some seconds since its first checkpoint, however long that took."""


def killed(out: Path, moment: float) -> None:
    """The same command as a process of its own, killed some seconds of computing after its first checkpoint."""
    words = [sys.executable, "-c", KILLED, str(out / CHECKPOINT), str(moment), "train", "vae", "digits", *OPTIONS]
    done = subprocess.run([*words, "--out", str(out)], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (out / MODEL).exists(), "it was over before it could be killed: take more steps"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[bytes, bytes, list[dict[str, float]]]:
    """Weights, film and history of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    command(out)
    return results(out)


@pytest.mark.slow
def test_a_run_killed_at_a_random_moment_ends_with_the_same_bytes(tmp_path, whole):
    killed(tmp_path / "run", random.Random(0).uniform(0, 0.3))
    command(tmp_path / "run")
    assert results(tmp_path / "run") == whole


def test_ctrl_c_ends_a_run_with_a_sentence_and_the_same_command_continues_it(tmp_path, whole, capsys, monkeypatch):
    out, spent = tmp_path / "run", []

    def noted(self, state):
        spent.append(state[STEP])
        if len(spent) == 50:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "on_step", noted)
        with pytest.raises(SystemExit) as ended:
            command(out)
    assert ended.value.code == 130
    assert spent[-1] == 50
    said = capsys.readouterr().err
    assert said.splitlines()[-1] == "unbraid: interrupted; nothing is lost, the same command continues"
    assert not (out / MODEL).exists()
    command(out)
    assert results(out) == whole
