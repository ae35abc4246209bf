"""Runs: a folder that is complete, portable, and refuses with a sentence what cannot be done with it."""

from __future__ import annotations

import errno
import itertools
import json
import math
import os
import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch
from PIL import Image

from unbraid.errors import InvalidOption, RunError, UnknownName
from unbraid.fit.callbacks._shared import write_whole
from unbraid.fit.callbacks.checkpoint import previous
from unbraid.models.vae import VAE
from unbraid.runs import folder
from unbraid.runs.evaluate import _keep, evaluate
from unbraid.runs.plot import plot
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.score import Score
from unbraid.types import Factor, FactorSpace
from unbraid.world import LabelledWorld
from unbraid.worlds.digits import Digits

QUICK = {"steps": 2, "batch_size": 4, "latent_dim": 2, "progress": False}


class Small(VAE):
    """On no shelf."""

    citation = ""


class Noise(LabelledWorld):
    """On no shelf either: 1x32x32 noise with two factors."""

    def __init__(self) -> None:
        labels = np.stack(np.divmod(np.arange(12), 4), axis=1)
        pixels = np.random.default_rng(0).integers(0, 256, (12, 1, 32, 32), dtype=np.uint8)
        super().__init__(pixels, labels, FactorSpace([Factor("row", 3), Factor("column", 4)]))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A finished run that tests may read, and copy to change."""
    return train("vae", "digits", out=tmp_path_factory.mktemp("runs") / "a", **QUICK).path


@pytest.fixture
def copied(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def unfinished(path: Path, **options) -> Path:
    """A run that is not finished, as an interruption leaves it."""
    train("vae", "digits", out=path, **(QUICK | options))
    (path / folder.MODEL).unlink()
    return path


def bytes_of(path: Path) -> bytes:
    return (path / folder.MODEL).read_bytes()


def weights(model) -> dict[str, torch.Tensor]:
    return model.state_dict()


def test_a_run_is_a_folder_with_everything_about_it(finished):
    names = {file.name for file in finished.iterdir()}
    assert names >= {"run.json", "model.safetensors", "history.jsonl"}
    assert not [name for name in names if name.endswith(".part")]
    about = json.loads((finished / "run.json").read_text())
    options = {"latent_dim": 2, "likelihood": "bernoulli", "network": "conv"}
    assert about["model"] == {"name": "vae", "options": options}
    assert about["world"] == {"name": "digits", "options": {}}
    assert (about["steps"], about["seed"], about["shape"], about["format"]) == (2, 0, [1, 32, 32], 1)
    assert about["fit"] == {
        "batch_size": 4, "learning_rate": 5e-4, "decay": 0, "device": "auto", "speed": "exact", "precision": "float32",
    }  # fmt: skip
    assert (about["way"], about["measured"]) == ({"precision": "float32", "channels_last": False, "fused": False}, {})
    assert about["versions"]["torch"] == torch.__version__
    assert {"created", "finished", "seconds", "host"} <= set(about)


def test_a_run_says_what_it_is(finished):
    run = Run.load(finished)
    assert repr(run) == f"Run({str(finished)!r})  # vae on digits, seed 0, 2 steps, finished"
    assert run.finished
    assert run.name == "vae on digits"
    assert isinstance(run.world, Digits)


def test_the_history_has_the_terms_of_the_loss(finished):
    history = Run(finished).history
    assert [row["step"] for row in history] == [1, 2]
    for row in history:
        assert row["loss"] == pytest.approx(row["reconstruction"] + row["kl"])


def test_a_loaded_model_is_the_trained_one(tmp_path):
    torch.manual_seed(3)
    model = VAE((1, 32, 32), latent_dim=2)
    before = {name: value.clone() for name, value in weights(model).items()}
    run = train(model, Digits(), steps=2, batch_size=4, out=tmp_path / "a", progress=False)
    loaded = Run.load(run.path).model
    assert loaded is not model
    assert not loaded.training
    assert all(torch.equal(value, weights(loaded)[name]) for name, value in weights(model).items())
    assert not all(torch.equal(value, before[name]) for name, value in weights(model).items())
    x = torch.rand(3, 1, 32, 32)
    assert torch.equal(loaded.represent(x), model.eval().represent(x))


def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(finished, tmp_path):
    random.seed(7), np.random.seed(7), torch.manual_seed(7)  # noqa: NPY002 - no global generator matters
    same = train("vae", "digits", out=tmp_path / "same", **QUICK).path
    other = train("vae", "digits", out=tmp_path / "other", seed=1, **QUICK).path
    assert bytes_of(same) == bytes_of(finished) != bytes_of(other)
    assert Run(same).history == Run(finished).history != Run(other).history


def test_a_decay_lowers_the_learning_rate_to_nothing_over_the_last_steps(tmp_path):
    moved = []
    for steps, decay in ((6, 0), (7, 0), (7, 1), (7, 2)):
        # Rates at which the last step is taken: the full one, the full one, and half of it.
        run = train("vae", "digits", out=tmp_path / f"{steps}-{decay}", **QUICK | {"steps": steps}, decay=decay)
        moved.append(torch.cat([value.flatten() for value in run.model.state_dict().values()]).double())
    full, one, half = ((after - moved[0]).norm().item() for after in moved[1:])
    assert one == full
    assert half == pytest.approx(full / 2, rel=0.01)


@pytest.mark.parametrize("resumed", [False, True])
def test_the_callers_random_numbers_are_left_alone(tmp_path, resumed):
    def numbers():
        return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()  # noqa: NPY002

    def seed():
        random.seed(7), np.random.seed(7), torch.manual_seed(7)  # noqa: NPY002

    if resumed:
        unfinished(tmp_path / "a", checkpoint_seconds=0)
    seed()
    expected = numbers()
    seed()
    train("vae", "digits", out=tmp_path / "a", **QUICK)
    assert numbers() == expected


def test_a_finished_run_is_not_trained_again(finished):
    before = bytes_of(finished)
    with pytest.raises(RunError, match=r"holds a finished run: choose another folder with out, or remove it first"):
        train("vae", "digits", out=finished, **QUICK)
    assert bytes_of(finished) == before


@pytest.mark.parametrize("seconds", [0, 1000])  # with and without a checkpoint to go on from
def test_an_unfinished_run_is_finished(finished, tmp_path, seconds):
    path = unfinished(tmp_path / "a", checkpoint_seconds=seconds)
    assert (path / folder.CHECKPOINT).exists() == (seconds == 0)
    with pytest.raises(RunError, match="is not finished: the command that began it, given again, continues it"):
        _ = Run(path).model
    train("vae", "digits", out=path, **QUICK)
    assert bytes_of(path) == bytes_of(finished)
    assert Run(path).history == Run(finished).history


def test_a_clock_that_jumps_changes_nothing(finished, tmp_path, monkeypatch):
    year, jumps = 365 * 86_400, itertools.cycle([0, 5, -1, 2, -3])
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + year * next(jumps))
    run = train("vae", "digits", out=tmp_path / "a", until=1, **QUICK)
    # What the disk says of files jumps too.
    for jump, file in enumerate(sorted(run.path.iterdir())):
        os.utime(file, times=(real() + (-1) ** jump * year,) * 2)
    again = train("vae", "digits", out=run.path, **QUICK)
    assert bytes_of(again.path) == bytes_of(finished)
    assert 0 <= again.config["seconds"] < 1000


def test_a_run_may_stop_on_the_way_be_looked_at_and_go_on(finished, tmp_path):
    run = train("vae", "digits", out=tmp_path / "a", until=1, **QUICK)
    assert not run.finished
    with pytest.raises(RunError, match=r"checkpoint\.pt is damaged or of another model"):
        Run(unfinished(tmp_path / "b", checkpoint_seconds=1000)).unfinished()
    halfway = weights(run.unfinished())
    # As a training has it for a moment, or leaves it that is killed then.
    (run.path / folder.CHECKPOINT).replace(previous(run.path / folder.CHECKPOINT))
    assert all(torch.equal(halfway[name], value) for name, value in weights(run.unfinished()).items())
    previous(run.path / folder.CHECKPOINT).replace(run.path / folder.CHECKPOINT)
    assert halfway.keys() == weights(Run(finished).model).keys()
    assert any(not torch.equal(halfway[name], value) for name, value in weights(Run(finished).model).items())
    assert train("vae", "digits", out=run.path, until=100, **QUICK).finished, "its last step comes before"
    assert bytes_of(run.path) == bytes_of(finished)


def test_damaged_checkpoints_are_told_and_do_no_harm(finished, tmp_path, capsys):
    path = unfinished(tmp_path / "a", checkpoint_seconds=0)
    checkpoint = path / folder.CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:-50])
    train("vae", "digits", out=path, **QUICK)
    said = capsys.readouterr().err
    assert said.startswith(f"unbraid: checkpoint {checkpoint} is damaged")
    assert said.endswith("going on from the one before it, at step 1\n")
    assert bytes_of(path) == bytes_of(finished)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": 1}, "seed is 0, not 1"),
        ({"steps": 3}, "steps is 2, not 3"),
        ({"latent_dim": 3}, "latent_dim is 2, not 3"),
        ({"batch_size": 8, "learning_rate": 1.0}, "batch_size is 4, not 8; learning_rate is 0.0005, not 1.0"),
    ],
)
def test_a_different_run_is_refused_and_the_difference_named(tmp_path, change, sentence):
    path = unfinished(tmp_path / "a")
    with pytest.raises(RunError) as caught:
        train("vae", "digits", out=path, **(QUICK | change))
    assert str(caught.value) == f"{path} holds a different run ({sentence}): choose another folder with out"


def test_a_different_model_is_named(tmp_path):
    path = unfinished(tmp_path / "a")
    with pytest.raises(RunError, match=r"different run \(model is vae, not betavae; beta is None, not 4"):
        train("betavae", "digits", out=path, **QUICK)


def test_a_run_that_was_begun_before_there_was_an_option_goes_on(finished, tmp_path):
    path = unfinished(tmp_path / "a", checkpoint_seconds=0)
    config = json.loads((path / folder.RUN).read_text("utf-8"))
    del config["model"]["options"]["likelihood"]
    (path / folder.RUN).write_text(json.dumps(config), "utf-8")
    with pytest.raises(RunError, match=r"different run \(likelihood is bernoulli, not gaussian\)"):
        train("vae", "digits", out=path, **QUICK, likelihood="gaussian")
    assert bytes_of(train("vae", "digits", out=path, **QUICK).path) == bytes_of(finished)


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(RunError, match="holds files but no run: choose an empty or a new folder"):
        train("vae", "digits", out=tmp_path, **QUICK)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_traces_of_a_run_that_was_killed_as_it_began_are_no_obstacle(finished, tmp_path):
    for name in (".lock", ".writable", "run.json.part"):
        (tmp_path / name).write_text("{")
    assert bytes_of(train("vae", "digits", out=tmp_path, **QUICK).path) == bytes_of(finished)


@pytest.mark.parametrize("put", [folder.write_bytes, write_whole])
def test_a_file_that_several_write_is_what_one_of_them_wrote(tmp_path, put):
    contents = [bytes([i]) * 1_000_000 for i in range(4)]
    met = Barrier(4, timeout=60)

    def write(content: bytes) -> None:
        for i in range(25):
            met.wait()
            folder.make(tmp_path / str(i))
            put(tmp_path / str(i) / "file", content)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, contents)) == [None] * 4  # none of them met an error
    assert {file.name for file in tmp_path.glob("*/*")} == {"file"}
    assert {file.read_bytes() for file in tmp_path.glob("*/file")} <= set(contents)


def test_what_is_left_of_a_file_by_one_that_was_killed_goes_with_the_next(tmp_path):
    (tmp_path / "file.part").write_text("what was to become the f")
    folder.write_bytes(tmp_path / "file", b"whole")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"whole")]


def test_scores_that_several_add_in_the_same_moment_are_all_kept(copied):
    run, met = Run(copied), Barrier(4, timeout=60)

    def add(who: int) -> None:
        for i in range(10):
            met.wait()
            _keep(run, {f"{who}-{i}": Score(who)})

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(add, range(4))) == [None] * 4
    assert {name: kept["value"] for name, kept in run.scores.items()} == {
        f"{who}-{i}": who for who in range(4) for i in range(10)
    }


def test_a_folder_is_made_by_one_process_and_the_others_are_told(tmp_path):
    with folder.whole(tmp_path / "made") as staged:
        (staged / "file").touch()
        with (
            pytest.raises(RunError, match=r"another process is writing .*made: wait for it"),
            folder.whole(tmp_path / "made"),
        ):
            pass
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "file"]


@pytest.mark.parametrize("hold", [folder.exclusive, folder.whole])
def test_what_would_wait_in_a_folder_that_is_held_is_not_taken_for_another_process(tmp_path, hold):
    with pytest.raises(BlockingIOError, match="the terminal is slow"), hold(tmp_path):
        raise BlockingIOError(errno.EAGAIN, "the terminal is slow")


def test_several_may_make_the_same_folder_in_the_same_moment(tmp_path):
    met = Barrier(4, timeout=60)

    def make(who: int) -> list[str]:
        said = []
        for i in range(25):
            met.wait()
            try:
                with folder.whole(tmp_path / str(i)) as staged:
                    (staged / "one").write_text(str(who))
                    (staged / "two").write_text(str(who))
                said.append("made")
            except RunError as error:
                said.append(str(error))
        return said

    with ThreadPoolExecutor(4) as pool:
        told = list(zip(*pool.map(make, range(4)), strict=True))
    for i, said in enumerate(told):
        assert said.count("made") == 1, said
        assert all(one == "made" or "is writing" in one or "holds something already" in one for one in said), said
        assert len({path.read_text() for path in (tmp_path / str(i)).iterdir()}) == 1
    assert len([*tmp_path.iterdir()]) == 25


def test_where_a_file_system_has_no_locks_files_are_written_all_the_same(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def flock(file: object, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with folder.exclusive(tmp_path), folder.whole(tmp_path / "folder") as staged:
        folder.write_bytes(staged / "file", b"whole")
    assert (tmp_path / "folder" / "file").read_bytes() == b"whole"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RunError, match=r"cannot write to .*file.* \(.+\): choose a folder that can be written"):
            train("vae", "digits", out=out, **QUICK)


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(RunError, match="does not exist; give a folder that `unbraid train` made"):
        Run(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"is no run folder: it has no run\.json"):
        Run(tmp_path)


@pytest.mark.parametrize("content", ["", '{"format": 1', "[1]", '{"format": 99}', "\0\1"])
def test_a_damaged_run_json_is_named(copied, content):
    (copied / folder.RUN).write_text(content)
    with pytest.raises(RunError, match=r"run\.json is (damaged|not of format 1)"):
        Run(copied)


def test_bytes_that_are_no_text_are_damage_too(copied):
    (copied / folder.RUN).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunError, match=r"run\.json is damaged"):
        train("vae", "digits", out=copied, **QUICK)


def test_damaged_weights_are_named(copied):
    model = copied / folder.MODEL
    model.write_bytes(model.read_bytes()[:-10])
    with pytest.raises(RunError, match=r"model\.safetensors is damaged or of another model"):
        _ = Run(copied).model


def test_weights_of_another_model_are_named(copied, tmp_path):
    other = train("vae", "digits", out=tmp_path / "other", **(QUICK | {"latent_dim": 3})).path
    shutil.copy(other / folder.MODEL, copied / folder.MODEL)
    with pytest.raises(RunError, match="of another model"):
        _ = Run(copied).model


def test_options_that_a_model_no_longer_has_are_named(copied):
    about = json.loads((copied / folder.RUN).read_text())
    about["model"]["options"]["wings"] = 2
    (copied / folder.RUN).write_text(json.dumps(about))
    with pytest.raises(RunError, match=r"does not fit VAE as it is today .*wings"):
        _ = Run(copied).model


def test_missing_scores_and_history_are_empty(copied):
    (copied / folder.HISTORY).unlink()
    assert Run(copied).history == []
    assert Run(copied).scores == {}


def test_scores_are_kept_in_the_run_and_added_to(copied):
    result = evaluate(copied, scores=["mig"], samples=300)
    evaluate(copied, scores=["sap"], samples=300)
    kept = json.loads((copied / folder.SCORES).read_text())
    assert list(kept) == ["mig", "sap"]
    assert kept["mig"]["value"] == float(result["mig"])
    assert list(kept["mig"]["parts"]) == ["class"], "parts have the names of factors"
    assert Run(copied).scores == kept


def test_an_evaluation_is_a_function_of_its_seed(finished):
    model, world = Run(finished).model, Digits()
    a, b, c = (evaluate(model, world, scores=["mig"], samples=200, seed=seed)["mig"] for seed in (0, 0, 1))
    assert float(a) == float(b) != float(c)


def test_a_model_without_a_run_needs_a_world(finished):
    with pytest.raises(InvalidOption, match="must be given with the world"):
        evaluate(Run(finished).model)


def test_an_unknown_score_is_answered_before_any_work(tmp_path):
    with pytest.raises(UnknownName, match="did you mean mig"):
        evaluate(tmp_path / "nowhere", scores=["mgi"])


def test_a_model_and_a_world_of_ones_own_are_trained_and_read_again(tmp_path):
    world = Noise()
    run = train(Small((1, 32, 32), latent_dim=2), world, steps=1, batch_size=4, out=tmp_path / "a", progress=False)
    assert run.name == "Small on Noise"
    assert run.world is world
    assert all(math.isfinite(float(score)) for score in evaluate(run, scores=["mig"], samples=12).values())
    trained = weights(run.model)
    again = Run.load(run.path, model=Small((1, 32, 32), latent_dim=2), world=world)
    assert all(torch.equal(value, trained[name]) for name, value in weights(again.model).items())
    with pytest.raises(RunError, match=r"is Small, which is on no shelf: in Python, give Run\.load\(path, model="):
        _ = Run(run.path).model
    with pytest.raises(RunError, match=r"is Noise, which is on no shelf: in Python, give Run\.load\(path, world="):
        _ = Run(run.path).world


def test_a_model_of_another_shape_is_refused(tmp_path):
    with pytest.raises(InvalidOption, match=r"takes images of shape \(1, 64, 64\), but the world's are \(1, 32, 32\)"):
        train(VAE((1, 64, 64)), "digits", out=tmp_path / "a", progress=False)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"latent_dmi": 2}, "vae has no option 'latent_dmi': did you mean latent_dim"),
        ({"steps": 0}, "steps must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"device": "toaster"}, "device 'toaster' cannot be used here"),
        ({"seed": -1}, "seed must be"),
        ({"decay": 9, "steps": 8}, "decay must be at most as many steps as there are, 8, but is 9"),
    ],
)
def test_options_that_cannot_be_used_leave_no_folder(tmp_path, options, sentence):
    with pytest.raises(InvalidOption, match=sentence):
        train("vae", "digits", out=tmp_path / "a", **({"progress": False} | options))
    assert not (tmp_path / "a").exists()


def test_a_model_that_is_made_takes_no_options():
    with pytest.raises(InvalidOption, match="the model is made already: latent_dim"):
        train(VAE((1, 32, 32)), "digits", latent_dim=3)


def test_a_folder_has_a_name_of_its_own_where_none_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train("vae", "digits", seed=3, **QUICK).path == Path("runs/vae-digits-3")


HOLD = """
import pathlib, sys
from unbraid.runs import folder
with folder.exclusive(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_never_train_in_one_folder(tmp_path):
    path = unfinished(tmp_path / "a")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match=r"another process is working in .*: wait for it, or choose another folder"):
            train("vae", "digits", out=path, **QUICK)
        other.stdin.close()
        assert other.wait(30) == 0
    assert train("vae", "digits", out=path, **QUICK).finished, "a lock ends with its process"


def test_a_finished_run_is_drawn(copied):
    files = plot(copied, plots=["losses", "traversals"])
    assert [file.relative_to(copied).as_posix() for file in files] == ["figures/losses.png", "figures/traversals.png"]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_a_picture_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    place = tmp_path / "a.png"
    folder.write_picture(place, Image.new("L", (4, 4), 255))
    before = place.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda file: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full"):
        folder.write_picture(place, Image.new("L", (4, 4), 0))
    assert place.read_bytes() == before
    assert list(tmp_path.iterdir()) == [place]


def test_every_plot_that_suits_a_run_is_drawn(copied):
    names = {file.stem for file in plot(copied)}
    assert {"losses", "reconstructions", "traversals", "latent_space"} <= names


def test_an_unknown_plot_is_answered_with_the_nearest(finished):
    with pytest.raises(UnknownName, match="did you mean losses"):
        plot(finished, plots=["loses"])
