"""Judging class and style: of models whose codes are known, in a world where both can be seen at a glance."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from unbraid.cli.main import main
from unbraid.errors import InvalidData, InvalidOption, RunError
from unbraid.model import Terms
from unbraid.models.cyclevae import CycleVAE
from unbraid.models.vae import VAE
from unbraid.nn.gaussian import Gaussian
from unbraid.runs import folder
from unbraid.runs.judge import Bench, judge
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.types import Factor, FactorSpace
from unbraid.weak import ContentModel, dependence
from unbraid.world import LabelledWorld

SPACE = FactorSpace([Factor("class", 3, "categorical"), Factor("grey", 16)])


def world() -> LabelledWorld:
    """Bars in three places, in sixteen greys."""
    factors = SPACE.factors(np.arange(48))
    pixels = np.zeros((48, 1, 32, 32), np.uint8)
    for image, (place, grey) in zip(pixels, factors, strict=True):
        image[0, 10 * place : 10 * place + 10] = 90 + 10 * grey
    return LabelledWorld(pixels, factors, SPACE)


class Known(ContentModel):
    """Reads and paints bars; says more or less of the class in its style, and of the style in its class code."""

    def __init__(self, shortcut: bool = False, leak: float = 0.0) -> None:
        super().__init__((1, 32, 32), latent_dim=4, content_dim=2, likelihood="gaussian", network="dense")
        self.shortcut, self.leak = shortcut, leak

    def encode(self, x: Tensor) -> tuple[Tensor, Gaussian]:
        """Place and grey."""
        rows = x[:, 0, [5, 15, 25], 0]
        place, grey = rows.argmax(dim=1).float(), rows.amax(dim=1)
        content = torch.stack([place, 0 * place], dim=1)
        spread = torch.tensor([-6.0, -6.0 if self.shortcut else 0.0]).expand(len(x), 2)
        style = torch.stack([4 * (grey - 0.64), (place - 1) if self.shortcut else self.leak * (place - 1)], dim=1)
        return content, Gaussian(style, spread)

    def decode(self, z: Tensor) -> Tensor:
        """The bar of the class code, or for the shortcut of the style."""
        place = (z[:, 3] + 1 if self.shortcut else z[:, 0]).round().clamp(0, 2).long()
        image = torch.zeros(len(z), 1, 32, 32)
        for row in range(10):
            image[torch.arange(len(z)), 0, 10 * place + row] = (z[:, 2] / 4 + 0.64).clamp(0, 1)[:, None]
        return image

    def loss(self, batch: object, step: int) -> Terms:
        """Nothing."""
        return Terms()


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(world(), images=400, samples=300, steps=150, network="patches")


def test_nobody_learns_from_an_image_that_models_are_judged_on(bench) -> None:
    judge_learns, readers_learn, judged = (set(map(bytes, part.numpy())) for part in bench.x)
    assert judged.isdisjoint(judge_learns | readers_learn)
    assert len(judged) == 48 // 3, "of few images a third, all different"
    assert len(judge_learns | readers_learn) == 48 - 48 // 3


def test_what_is_learned_by_heart_is_not_taken_for_knowledge() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 1, 32, 32), dtype=np.uint8)
    labels = np.random.default_rng(1).integers(0, 4, (300, 1))
    random = LabelledWorld(noise, labels, FactorSpace([Factor("class", 4, "categorical")]))
    bench = Bench(random, images=600, samples=200, steps=150, network="dense")
    assert bench.judge(bench.x[0]).accuracy(bench.labels[0]) > 0.9
    assert bench.real < 0.5


def test_a_world_of_one_image_is_refused() -> None:
    one = LabelledWorld(np.zeros((1, 1, 32, 32), np.uint8), np.zeros((1, 2), np.int64), SPACE)
    with pytest.raises(InvalidData, match="asked about images it did not learn from, but the world has 1"):
        Bench(one, images=5, samples=5, steps=1, network="patches")


def test_a_network_that_no_judge_has_is_answered_with_those_that_it_may_have() -> None:
    with pytest.raises(InvalidOption, match=r"network must be one of conv, .*dense, .*but is 'densse'"):
        Bench(world(), network="densse")


def test_a_bench_leaves_the_stream_of_random_numbers_as_it_was() -> None:
    before = torch.get_rng_state()
    Bench(world(), images=60, samples=60, steps=1, network="patches")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_judges_network_that_does_not_take_the_images_is_said_to_be_the_judges() -> None:
    with pytest.raises(
        InvalidOption, match=r"the judge, which has a network of its own: images must be square .*dense"
    ):
        Bench(LabelledWorld(np.zeros((48, 1, 16, 16), np.uint8), SPACE.factors(np.arange(48)), SPACE))


def test_a_model_that_sets_them_apart_is_found_to_do_so(bench) -> None:
    assert bench.real > 0.98
    parts = judge(Known(), bench=bench, steps=300).parts
    assert parts["swapped_class"] > 0.98
    assert parts["swapped_class_of_style_donor"] < 0.05
    assert parts["class_from_class_code"] > 0.98
    assert max(parts[f"class_from_style_{way}"] for way in ("active", "sampled", "mean")) < 0.5
    assert parts["style_kept"] > 0.9
    assert parts["style_of_class_donor"] < 0.05
    assert parts["active_latents"] == 1


def test_the_shortcut_is_found_out(bench) -> None:
    parts = judge(Known(shortcut=True), bench=bench, steps=300).parts
    assert parts["swapped_class"] < 0.5
    assert parts["swapped_class_of_style_donor"] > 0.98
    assert parts["class_from_style_active"] > 0.98
    assert parts["dependence"] == 0


def test_a_trace_that_is_drowned_in_noise_shows_in_the_means_alone(bench) -> None:
    parts = judge(Known(leak=0.2), bench=bench, steps=300).parts
    assert parts["class_from_style_mean"] > 0.98
    assert parts["class_from_style_active"] < 0.5
    assert parts["class_from_style_sampled"] < 0.6


def test_dependence_is_the_change_of_the_image_with_either_code() -> None:
    model, x = Known(), torch.from_numpy(world().images(np.array([3, 19]))).float() / 255
    on_class, on_style = dependence(model, x)
    grey = (90 + 30) / 255
    assert on_class == pytest.approx(grey * 20 / 32, rel=1e-4)
    assert on_style == pytest.approx(0, abs=1e-6)


def test_a_verdict_is_plain_numbers_and_names_every_style(bench) -> None:
    verdict = judge(untrained(), bench=bench, steps=20)
    assert set(verdict.to_dict()["kept"]) == {"real", "style", "class", "code"}
    assert set(verdict.kept["style"]) == {"grey"}
    assert all(isinstance(value, float) and np.isfinite(value) for value in verdict.parts.values())
    assert "swapped class" in str(verdict)
    assert verdict.parts == judge(untrained(), bench=bench, steps=20).parts


def untrained() -> CycleVAE:
    torch.manual_seed(0)
    return CycleVAE((1, 32, 32), network="dense")


def test_a_model_without_a_class_code_is_refused(bench) -> None:
    with pytest.raises(InvalidOption, match="VAE has no class code: take a model that sees the world as classes"):
        judge(VAE((1, 32, 32)), bench=bench)


QUICK = {"steps": 2, "batch_size": 4, "progress": False, "network": "patches"}


def test_a_run_that_learned_other_classes_than_the_judge_reads_is_told_so(bench, tmp_path, capsys) -> None:
    alike = train("cyclevae", world(), out=tmp_path / "alike", **QUICK)
    other = train("cyclevae", world(), out=tmp_path / "other", view={"factors": ("grey",)}, **QUICK)
    capsys.readouterr()
    judge(alike, bench=bench, steps=2)
    assert capsys.readouterr().err == ""
    for run in (other, other.path):
        judge(run, bench=bench, steps=2)
        assert capsys.readouterr().err == (
            "unbraid: the run's classes are told by grey, but the judge's by class: class codes are asked for what "
            "they never learned. Give Bench factors=('grey',), or train with view={'factors': ('class',)}\n"
        )


def test_a_judge_that_is_not_given_reads_the_classes_of_the_run(tmp_path, capsys, monkeypatch) -> None:
    run = train("cyclevae", world(), out=tmp_path / "a", view={"factors": ("grey",)}, **QUICK)
    small = partial(Bench, images=60, samples=60, steps=2, network="patches")
    monkeypatch.setattr("unbraid.runs.judge.Bench", small)
    verdict = judge(run, steps=2)
    assert capsys.readouterr().err == ""
    assert verdict.chance < 0.3, "of sixteen greys, not of three places"
    assert verdict.kept["real"] == {}, "what is the class is no style"


def test_a_run_keeps_which_classes_it_saw_by_default_and_an_older_one_is_asked_for_its_world(tmp_path) -> None:
    run = train("cyclevae", world(), out=tmp_path / "a", **QUICK)
    assert run.classes == Run(run.path).classes == ("class",)
    about = json.loads((run.path / folder.RUN).read_text())
    del about["view"]["classes"]
    (run.path / folder.RUN).write_text(json.dumps(about))
    assert Run.load(run.path, world=world()).classes == ("class",)
    assert Run(run.path).classes == (), "a world that is on no shelf says nothing"
    about["view"]["options"]["factors"] = ["grey"]
    (run.path / folder.RUN).write_text(json.dumps(about))
    assert Run(run.path).classes == ("grey",)
    about["view"]["classes"] = "class"
    (run.path / folder.RUN).write_text(json.dumps(about))
    with pytest.raises(RunError, match=r"damaged \(view.classes must be a list of factors' names\)"):
        Run(run.path)
    assert train("vae", world(), out=tmp_path / "b", **QUICK).classes == ()


def test_a_run_is_judged_from_the_command_line_and_keeps_its_verdict(tmp_path, capsys) -> None:
    run = train("cyclevae", world(), out=tmp_path / "a", **QUICK)
    with pytest.raises(SystemExit) as ended:
        main(["judge", str(run.path)])
    assert ended.value.code == 2
    assert "the world of" in capsys.readouterr().err, "a world that is on no shelf cannot be made again"
    run = train("cyclevae", "digits", out=tmp_path / "b", **QUICK)
    main(["judge", str(run.path), *["--images", "100", "--samples", "50", "--steps", "5", "--network", "patches"]])
    said = capsys.readouterr().out
    assert all(word in said for word in ("chance", "judge", "class from style sampled"))
    kept = json.loads((run.path / folder.VERDICT).read_text())
    assert f"{kept['parts']['swapped_class']:7.3f}" in said
