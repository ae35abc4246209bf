"""What a run keeps of its training: the nats of every latent in its history, and a film."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from unbraid.errors import InvalidOption
from unbraid.models.rgrvae import RGrVAE
from unbraid.runs.encode import choose, divergence
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.runs.unseen import UNSEEN, unseen
from unbraid.seed import derive
from unbraid.views.pairs import Pairs
from unbraid.worlds import Digits
from unbraid.worlds.flatland import FlatLand

QUICK: dict[str, Any] = {"batch_size": 8, "progress": False}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twenty-four steps, of which every one is recorded and some are watched."""
    return train("vae", "digits", latent_dim=3, steps=24, film=4, out=tmp_path_factory.mktemp("runs") / "a", **QUICK)


def frames(path: Path) -> list[np.ndarray[Any, Any]]:
    film = Image.open(io.BytesIO((path / "figures" / "film.gif").read_bytes()))
    return [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(film)]


def test_every_tenth_step_tells_the_nats_of_every_latent_on_the_same_images(run: Run) -> None:
    told = {int(row["step"]): row for row in run.history if "kl_z0" in row}
    assert list(told) == [10, 20]
    assert "kl_z2" in told[20]
    assert "kl_z3" not in told[20]
    short = train("vae", "digits", latent_dim=3, steps=10, out=run.path.parent / "short", **QUICK)
    looked_at = choose(run.world, 64, derive(0, "watch"))
    now = divergence(short.model, run.world, looked_at)
    assert now is not None
    assert [short.history[-1][f"kl_z{j}"] for j in range(3)] == pytest.approx(now.tolist(), rel=1e-4)


def test_a_model_of_pairs_notes_its_loss_on_pairs_that_it_is_not_fitted_to(tmp_path: Path) -> None:
    options: dict[str, Any] = {"latent_dim": 3, "network": "dense", "steps": 20, "view": {"k": 1}, **QUICK}
    run = train("adagvae", "digits", out=tmp_path / "a", **options)
    told = {int(row["step"]): row for row in run.history if "held_out_loss" in row}
    assert list(told) == [10, 20]
    last = told[20]
    assert last["held_out_loss"] == pytest.approx(last["held_out_reconstruction"] + last["held_out_kl"], rel=1e-5)
    assert last["held_out_loss"] < told[10]["held_out_loss"]
    pairs = Pairs(run.world, batch_size=32, seed=UNSEEN, k=1).batch(0)
    assert unseen(run.model.eval(), [pairs], 20)["loss"] == pytest.approx(last["held_out_loss"], rel=1e-4)
    assert not any(
        "held_out_loss" in row for row in train("vae", "digits", steps=10, out=tmp_path / "b", **QUICK).history
    )


def test_watching_changes_nothing_else(run: Run) -> None:
    alone = train("vae", "digits", latent_dim=3, steps=24, out=run.path.parent / "alone", **QUICK)
    assert not (alone.path / "figures").exists()
    assert alone.history == run.history
    assert all(torch.equal(a, b) for a, b in zip(run.model.parameters(), alone.model.parameters(), strict=True))


def test_the_film_goes_from_before_the_first_step_to_the_last(run: Run) -> None:
    shown = frames(run.path)
    assert len(shown) == 5
    assert (run.path / "figures" / "film.gif").stat().st_size < 300_000
    bar = [int((frame[28, 90:-14] < 200).any(axis=-1).sum()) for frame in shown]
    assert bar[0] == 0
    assert np.allclose(np.diff(bar), bar[-1] / 4, atol=2)
    assert np.abs(shown[0] - shown[-1])[40:].max() > 30, "the model has learned something meanwhile"


def test_a_model_without_a_kl_has_a_film_and_no_nats(tmp_path: Path) -> None:
    ae = train("ae", Digits(), latent_dim=2, steps=12, film=2, out=tmp_path / "ae", **QUICK)
    assert len(frames(ae.path)) == 3
    assert not any(name.startswith("kl_z") for row in ae.history for name in row)


def test_a_film_of_fewer_than_no_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="film"):
        train("ae", Digits(), steps=12, film=-1, out=tmp_path / "ae", **QUICK)


def test_signs_of_a_collapse_stand_in_the_history_and_are_told_in_a_sentence_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = FlatLand(columns=5, rows=5, radius=4, size=32)
    options: dict[str, Any] = {"network": "patches", "steps": 4, "progress": False, "batch_size": 8}
    healthy = train("rgrvae", world, out=tmp_path / "healthy", **options)
    assert "collapsed" not in capsys.readouterr().err
    assert [3 < row["sign_actions_used"] <= 4.001 for row in healthy.history] == [True] * 4
    model = RGrVAE(world.shape, network="patches", rate=0.0)
    with torch.no_grad():
        model.acting.angle.mul_(0.01)
    train(model, world, out=tmp_path / "ill", **{k: v for k, v in options.items() if k != "network"})
    said = capsys.readouterr().err
    assert said.count("the angles have collapsed: no action turns a code by more than 0.01 radians") == 1
    assert "at step 1 " in said
