"""What a shell offers when a command is typed half."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unbraid import registry
from unbraid.cli.completion import SCRIPTS, words
from unbraid.cli.main import main, verbs


def test_the_first_word_is_a_verb_and_the_next_ones_names() -> None:
    assert words([""]) == words(["tr"]) == list(verbs())
    assert words(["train", "be"]) == list(registry.names("models"))
    assert words(["train", "betavae", ""]) == list(registry.names("worlds"))
    assert "scores" in words(["list", ""])
    assert words(["nonsense", ""]) == []


def test_flags_are_those_of_the_verb_and_of_what_is_named() -> None:
    found = words(["train", "betavae", "sprites", "--"])
    assert {"--beta", "--steps", "--fit.batch-size", "--world.colour"} <= set(found)
    assert "--beta" not in words(["train", "ae", "digits", "--st"])
    assert "--samples" in words(["evaluate", "runs/a", "-"])


def test_values_are_names_or_choices_and_otherwise_files() -> None:
    assert "mig" in words(["evaluate", "runs/a", "--scores", "mig", ""])
    assert "gaussian" in words(["train", "vae", "digits", "--likelihood", ""])
    assert words(["evaluate", ""]) == []
    assert words(["train", "vae", "digits", "--out", ""]) == []


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_shell_can_read_its_script(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    main(["completion", shell])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    subprocess.run([shell, "-n", str(tmp_path / "script")], check=True)


def test_bash_completes_what_fits(tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    command = tmp_path / "unbraid"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m unbraid "$@"\n')
    command.chmod(0o755)
    line = 'eval "$(unbraid completion bash)"; COMP_WORDS=(unbraid train betat); COMP_CWORD=2; _unbraid; '
    done = subprocess.run(
        ["bash", "-c", line + 'echo "${COMPREPLY[@]}"'],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "betatcvae"
