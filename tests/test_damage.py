"""Run folders that come from anywhere: whatever stands in their files, a sentence, and nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unbraid.cli.main import main
from unbraid.errors import RunError
from unbraid.runs import folder
from unbraid.runs.cite import cite
from unbraid.runs.run import Run
from unbraid.runs.train import train

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    ("model",), ("model", "name"), ("model", "options"), ("world",), ("world", "name"), ("world", "options"), ("view",),
    ("view", "options"), ("shape",), ("shape", 0), ("steps",), ("seed",), ("fit",), ("fit", "batch_size"),
]  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "a"
    return train("vae", "digits", out=out, steps=2, batch_size=4, latent_dim=2, network="dense", progress=False).path


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def changed(content: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """JSON with another value in one place."""
    inner: Any = content
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    return content


def opened(path: Path) -> None:
    """Everything that is read of a run."""
    run = Run(path)
    _ = run.model, run.world, run.history, run.scores, repr(run), run.name, cite(run)


@pytest.mark.parametrize("place", FIELDS, ids=lambda place: ".".join(map(str, place)))
def test_a_field_of_the_wrong_kind_is_named(copied: Path, place: tuple[str | int, ...]) -> None:
    about = json.loads((copied / folder.RUN).read_text())
    for value in (None, "") if place[-1] != "name" else (None, 3):
        (copied / folder.RUN).write_text(json.dumps(changed(about, place, value)))
        with pytest.raises(RunError, match=rf"run\.json is damaged \({place[0]}.* must be .*\): restore it"):
            Run(copied)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(place=st.sampled_from(FIELDS), value=JSON)
def test_whatever_stands_in_a_field_is_used_or_refused_with_a_sentence(
    copied: Path, finished: Path, place: tuple[str | int, ...], value: Any
) -> None:
    about = json.loads((finished / folder.RUN).read_text())
    (copied / folder.RUN).write_text(json.dumps(changed(about, place, value)))
    with suppress(RunError):
        opened(copied)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON, name=st.sampled_from((folder.RUN, folder.SCORES)))
def test_any_json_at_all_is_refused_or_empty(copied: Path, finished: Path, content: Any, name: str) -> None:
    (copied / name).write_text(json.dumps(content))
    if name == folder.RUN or content != {}:
        with pytest.raises(RunError, match=rf"{name} is (damaged|not of format 1)"):
            _ = Run(copied).scores
    shutil.copy(finished / folder.RUN, copied)
    (copied / folder.SCORES).unlink(missing_ok=True)


@pytest.mark.parametrize("break_it", [lambda raw: raw[:40], lambda raw: b"", lambda raw: b"\xff" * 8 + raw[8:]])
def test_weights_that_are_cut_or_lie_of_their_length_are_refused(
    copied: Path, break_it: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    weights = copied / folder.MODEL
    weights.write_bytes(break_it(weights.read_bytes()))
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", str(copied), "--scores", "mig", "--samples", "100", "--jobs", "1"])
    assert "model.safetensors is damaged or of another model" in capsys.readouterr().err


def test_weights_of_another_shape_or_name_are_refused(copied: Path) -> None:
    weights = copied / folder.MODEL
    tensors = safetensors.numpy.load_file(weights)
    first = next(iter(tensors))
    for wrong in ({first: np.zeros((1, 2, 3), np.float32)}, {"more": tensors[first]}):
        weights.write_bytes(safetensors.numpy.save(tensors | wrong))
        with pytest.raises(RunError, match="of another model"):
            _ = Run(copied).model


def test_a_checkpoint_that_would_execute_is_not_opened(copied: Path, tmp_path: Path) -> None:
    (copied / folder.MODEL).unlink()
    trap = tmp_path / "sprung"
    torch.save({"model": Trap(trap)}, copied / folder.CHECKPOINT)
    with pytest.raises(RunError, match=r"checkpoint\.pt is damaged or of another model"):
        Run(copied).unfinished()
    assert not trap.exists()


class Trap:
    """Pickled, it is a command that makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def test_a_run_of_before_there_were_views_is_read(copied: Path) -> None:
    about = json.loads((copied / folder.RUN).read_text())
    del about["view"], about["fit"]["speed"], about["fit"]["decay"]
    (copied / folder.RUN).write_text(json.dumps(about))
    assert Run(copied).config["view"] == {"name": "images", "options": {}}
    assert Run(copied).config["fit"]["decay"] == 0
