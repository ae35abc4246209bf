"""Evaluation: codes are made once, processes change nothing, and every value stands beside its floor and ceiling."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption
from unbraid.files.source import data_folder
from unbraid.info import boosting
from unbraid.models import AE, VAE
from unbraid.runs import evaluate as module
from unbraid.runs import folder
from unbraid.runs.decompose import decompose
from unbraid.runs.encode import abilities, choose, represented
from unbraid.runs.evaluate import evaluate
from unbraid.runs.measure import BOUNDS, TREES
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.score import Sampler
from unbraid.scores import independence
from unbraid.seed import numpy_generator
from unbraid.view import to_float
from unbraid.worlds import Correlated, Digits, FlatLand, HeldOut, Scenes, Smaller, Sprites


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "a"
    return train("vae", "digits", steps=3, batch_size=8, out=out, progress=False).path


@pytest.fixture
def path(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "a"))


def test_codes_are_encoded_once_and_again_when_the_weights_change(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    encode = module.encode
    monkeypatch.setattr(module, "encode", lambda *arguments: made.append(1) or encode(*arguments))
    first = evaluate(path, scores=["mig"], samples=200)["mig"]
    assert evaluate(path, scores=["mig"], samples=200)["mig"].value == first.value
    assert len(made) == 1
    evaluate(path, scores=["mig"], samples=100)
    assert len(made) == 2
    (path / folder.CODES).write_bytes(b"damaged")
    assert evaluate(path, scores=["mig"], samples=200)["mig"].value == first.value
    assert len(made) == 3


@pytest.mark.slow
def test_processes_that_share_the_work_find_the_same(path: Path) -> None:
    asked = {"scores": ["mig", "sap", "dci", "flatness"], "samples": 300, "bounds": True}
    alone = evaluate(path, **asked)
    for kept in (data_folder() / "bounds").iterdir():
        kept.unlink()
    assert {n: s.to_dict() for n, s in evaluate(path, **asked, jobs=2).items()} == {
        n: s.to_dict() for n, s in alone.items()
    }


def test_a_value_stands_beside_noise_turned_and_perfect_codes(path: Path) -> None:
    score = evaluate(path, scores=["mig"], samples=600, bounds=True)["mig"]
    assert tuple(score.bounds) == BOUNDS
    assert score.bounds["random"] < 0.1 < score.bounds["perfect"]
    kept = json.loads((path / folder.SCORES).read_text())["mig"]
    assert kept["bounds"] == dict(score.bounds)


def test_what_is_known_of_synthetic_codes_is_kept_for_other_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"scores": ["mig"], "samples": 500, "bounds": True}
    first = evaluate(path, **asked)["mig"]
    monkeypatch.setattr("unbraid.runs.measure.representation", None)
    assert evaluate(path, **asked)["mig"].bounds == first.bounds


def test_repeats_take_other_images_and_give_an_interval(path: Path) -> None:
    score = evaluate(path, scores=["mig"], samples=300, repeats=4)["mig"]
    alone = [evaluate(path, scores=["mig"], samples=300, seed=seed)["mig"].value for seed in range(4)]
    assert score.value == alone[0]
    assert min(alone) <= score.interval[0] < score.interval[1] <= max(alone)
    assert score.settings["repeats"] == 4


def test_every_score_of_one_run_is_measured_by_all_and_the_others_say_why_not(path: Path) -> None:
    seen, without = [], {}
    results = evaluate(
        path, scores=["all"], samples=300, notice=lambda *progress: seen.append(progress), skipped=without.__setitem__
    )
    possible = {n for n in registry.names("scores") if module.needs(n) in ("codes", "sampler")}
    assert set(results) | set(without) == possible
    assert {"mig", "dci", "sap"} <= set(results)
    assert "needs at least 2" in without["betavae_score"], "digits have one factor"
    assert [row[:2] for row in seen] == [(i + 1, len(possible)) for i in range(len(possible))]


def test_a_score_that_cannot_be_had_is_named(path: Path) -> None:
    with pytest.raises(InvalidData, match=r"^mig: every factor has one value"):
        evaluate(path, scores=["mig"], samples=2, seed=next(s for s in range(99) if same_class(path, s)))
    with pytest.raises(InvalidOption, match="jobs"):
        evaluate(path, jobs=0)


def same_class(path: Path, seed: int) -> bool:
    world = Run(path).world
    labels = world.factors(choose(world, 2, seed))
    return bool((labels[0] == labels[1]).all())


def test_scores_that_ask_for_the_same_images_have_them_encoded_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    encode = module.encode

    def counted(model: Any, world: Any, indices: Any) -> Any:
        counts.append(len(indices))
        return encode(model, world, indices)

    monkeypatch.setattr(module, "encode", counted)
    alone = evaluate(path, scores=["linearity"], samples=100)["linearity"]
    once, counts[:] = sum(counts), []
    both = evaluate(path, scores=["flatness", "linearity"], samples=100)
    assert both["linearity"].value == alone.value
    assert sum(counts) == once - 100, "the hundred codes of the samples are kept beside the run"


def test_a_vae_tells_what_its_kl_is_made_of_and_the_run_keeps_it(path: Path) -> None:
    found = decompose(path, samples=150, seed=3)
    posterior = Run(path).model.encode(to_float(Run(path).world.images(choose(Run(path).world, 150, 3))))
    assert found.samples == 150
    assert found.closed_form == pytest.approx(float(posterior.kl().detach()), abs=1e-4)
    kept = json.loads((path / folder.INFORMATION).read_text())
    assert kept == {**found.to_dict(), "whole_world": False, "seed": 3}
    whole = decompose(Run(path).model, Run(path).world)
    assert whole.samples == len(Run(path).world) == 1797
    assert json.loads((path / folder.INFORMATION).read_text()) == kept, "a model alone has no folder"


def test_a_model_without_a_posterior_has_no_kl_to_take_apart() -> None:
    with pytest.raises(InvalidOption, match="AE has no Gaussian posterior"):
        decompose(AE((1, 32, 32)), Digits())
    with pytest.raises(InvalidOption, match="must be given with the world"):
        decompose(VAE((1, 32, 32)))


def test_scores_that_intervene_say_why_they_cannot_on_a_part_of_a_world(tmp_path: Path) -> None:
    whole = FlatLand(size=32, radius=6, columns=4, rows=4)
    part = HeldOut(of=whole, leave="x>16,y>16")
    run = train("vae", part, steps=1, batch_size=4, out=tmp_path / "a", progress=False)
    for score in ("linearity", "consistency"):
        with pytest.raises(InvalidData, match=rf"^{score}: it moves single factors .* evaluate\(run, world\)"):
            evaluate(run, scores=[score])
        assert score in evaluate(run, whole, scores=[score])


def test_scores_of_actions_judge_what_a_run_did_not_see_on_the_whole_of_its_world(tmp_path: Path) -> None:
    whole = FlatLand(size=32, radius=6, columns=6, rows=6, wrap=False)
    run = train("forwardvae", HeldOut(of=whole, leave="x<10,y<10"), steps=1, batch_size=4, out=tmp_path, progress=False)
    found = evaluate(run, whole, scores=["independence"])["independence"]
    seen = abilities(run.model, whole, run.world)["seen"]
    assert seen(whole.factors(np.arange(len(whole)))).tolist() == [i > 0 for i in range(36)]
    sampler = Sampler(whole.space, represented(run.model, whole), seen=seen)
    assert found.value == pytest.approx(independence(sampler).value, abs=1e-6)
    assert found.value != pytest.approx(evaluate(run.model, whole, scores=["independence"])["independence"].value)
    assert "seen" not in abilities(run.model, whole, whole)


def test_a_world_is_measured_on_the_images_it_draws() -> None:
    scenes = Scenes(most=2, size=16, overlap=0)
    indices = choose(scenes, 300, 0)
    assert len(np.unique(indices)) == 300
    assert not np.array_equal(indices, choose(scenes, 300, 1))
    everything = np.random.default_rng(0).integers(0, len(scenes), 300)
    assert scenes._covered(scenes.factors(everything)).max() > 0.5
    assert scenes._covered(scenes.factors(indices)).max() == 0
    flat = FlatLand()
    assert np.array_equal(choose(flat, 10, 3), numpy_generator(3, "evaluate").choice(64, 10, replace=False))
    assert np.array_equal(choose(flat, 64, 3), np.arange(64))


def test_what_is_trained_on_factors_that_go_together_is_measured_on_ones_that_do_not() -> None:
    inner = Sprites()
    world = Correlated(of=inner, pair=("x", "y"), sigma=0.1)
    assert np.array_equal(choose(world, 50, 0), choose(inner, 50, 0))
    assert np.array_equal(choose(Smaller(of=world), 50, 0), choose(inner, 50, 0))
    part = HeldOut(of=world, leave="x>=0.5")
    x, y = part.factors(choose(part, 200, 0)).T[-2:]
    assert np.corrcoef(x, y)[0, 1] > 0.5, "a part is drawn as the world draws"


def test_scores_that_fit_the_same_trees_have_them_fitted_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    grow = boosting.grow_merged

    def counted(codes: Any, *arguments: Any, **options: Any) -> Any:
        counts.append(codes.shape)
        return grow(codes, *arguments, **options)

    monkeypatch.setattr(boosting, "grow_merged", counted)
    alone = {name: evaluate(path, scores=[name], samples=90)[name].value for name in TREES}
    once, counts[:] = len(counts), []
    together = evaluate(path, scores=TREES, samples=90)
    assert {name: score.value for name, score in together.items()} == alone
    assert len(counts) == once - 2, "digits have one factor; all latents and labels were learned from three times"


def test_beside_other_processes_images_are_encoded_by_one_thread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def noting(model: object, world: object) -> object:
        return lambda values: threads.append(torch.get_num_threads()) or np.zeros((1, 1))

    monkeypatch.setattr(module, "represented", noting)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for alone in (True, False, True):
            module._represent(Run(path).model, Run(path).world, alone=alone)(np.zeros((1, 1), np.int64))
        assert threads == [2, 1, 2]
    finally:
        torch.set_num_threads(before)
