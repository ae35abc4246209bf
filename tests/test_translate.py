"""Translating people's own pictures, of every kind, with a run on two folders of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from unbraid.cli.main import main
from unbraid.errors import InvalidData, InvalidOption
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.runs.translate import _filled, translate
from unbraid.view import to_float
from unbraid.worlds.catsdogs import CatsDogs


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A domain of one picture, and one of pictures of several kinds and sizes."""
    place, noise = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name in ("a", "b"):
        (place / name).mkdir()
    pixels = noise.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    Image.fromarray(pixels[..., :3]).save(place / "a" / "one.png")
    Image.fromarray(pixels).save(place / "b" / "clear.png")
    Image.fromarray(pixels[..., 0]).save(place / "b" / "grey.jpg")
    Image.fromarray(pixels[:20, :, :3]).quantize(8).save(place / "b" / "few.gif")
    return place


@pytest.fixture(scope="module")
def run(folders: Path) -> Run:
    """Trained by the command, two steps."""
    small = ["--width", "4", "--critic-width", "4", "--style-dim", "3"]
    place = ["--world.a", str(folders / "a"), "--world.b", str(folders / "b"), "--world.size", "32"]
    fit = ["--steps", "2", "--fit.batch-size", "2", "--out", str(folders / "run"), "--fit.no-progress"]
    main(["train", "munit", "folders", *small, *place, *fit])
    return Run(folders / "run")


def test_the_command_translates_pictures_of_every_kind_and_keeps_them_and_a_grid(
    run: Run, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(folders / "b" / name) for name in ("clear.png", "grey.jpg", "few.gif")]
    main(["translate", str(run.path), "--from", "b", "--image", *files, "--styles", "4", "--out", str(folders / "out")])
    made = sorted(path.name for path in (folders / "out").iterdir())
    assert len(made) == 1 + 3 * 4
    assert {"grid.png", "1-clear-1.png", "3-few-4.png"} <= set(made)
    assert str(folders / "out" / "grid.png") in capsys.readouterr().out
    with Image.open(folders / "out" / "2-grey-1.png") as one, Image.open(folders / "out" / "grid.png") as grid:
        assert one.size == (32, 32)
        assert one.mode == "RGB"
        assert grid.size == (5 * 66 - 2, 3 * 66 - 2)


def test_a_translation_is_what_the_model_makes_of_the_picture_in_the_examples_style(run: Run, folders: Path) -> None:
    picture, example = folders / "a" / "one.png", folders / "b" / "clear.png"
    files = translate(run, [picture], examples=[example], out=folders / "one")
    worlds: Any = run.world
    model: Any = run.model
    x, other = (to_float(worlds.images([number])) for number in (0, 1))
    with torch.no_grad():
        expected = model.translate(x, 0, model.style_of(other, 1))
    found = np.asarray(Image.open(files[1])).transpose(2, 0, 1)
    assert np.abs(found / 255 - expected[0].numpy()).max() < 0.003


def test_between_two_examples_styles_go_evenly_from_one_to_the_other(run: Run, folders: Path) -> None:
    examples = [folders / "b" / name for name in ("clear.png", "grey.jpg")]
    files = translate(run, [folders / "a" / "one.png"], examples=examples, between=3, out=folders / "between")
    assert len(files) == 1 + 5
    assert torch.equal(
        _filled(torch.tensor([[0.0], [4.0], [0.0]]), 1).flatten(), torch.tensor([0.0, 2.0, 4.0, 2.0, 0.0])
    )


def test_drawn_styles_are_a_function_of_the_seed(run: Run, folders: Path) -> None:
    def made(seed: int) -> bytes:
        return translate(run, [folders / "a" / "one.png"], styles=2, seed=seed, out=folders / "seed")[0].read_bytes()

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_a_picture_of_one_value_gives_a_picture(run: Run, folders: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(folders / "white.png")
    files = translate(run, [folders / "white.png"], out=folders / "white")
    assert np.asarray(Image.open(files[1])).shape == (32, 32, 3)


def test_what_cannot_be_translated_is_answered_with_a_sentence(run: Run, folders: Path) -> None:
    (folders / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    one = folders / "a" / "one.png"
    with pytest.raises(InvalidData, match=r"bad\.png is not a picture that can be read"):
        translate(run, [folders / "bad.png"])
    with pytest.raises(InvalidData, match=r"none\.png is not a picture that can be read"):
        translate(run, [one], examples=[folders / "none.png"])
    with pytest.raises(InvalidOption, match="source must be a or b, but is 'c'"):
        translate(run, [one], source="c")
    with pytest.raises(InvalidOption, match="styles must be 1 to 64, but are 0"):
        translate(run, [one], styles=0)


@pytest.mark.parametrize(("model", "options"), [("cyclegan", {"critic_width": 4}), ("ddib", {"ode_steps": 3})])
def test_models_without_styles_have_one_translation_and_take_none_from_examples(
    model: str, options: dict[str, Any], tmp_path: Path
) -> None:
    small: dict[str, Any] = {"width": 4, "batch_size": 1, "steps": 1, "progress": False}
    run = train(model, CatsDogs(size=32), out=tmp_path / "run", **small, **options)
    Image.new("RGB", (32, 32), "red").save(tmp_path / "red.png")
    assert len(translate(run, [tmp_path / "red.png"], source="dog")) == 2
    with pytest.raises(InvalidOption, match="has no styles"):
        translate(run, [tmp_path / "red.png"], examples=[tmp_path / "red.png"])


def test_a_run_of_a_model_that_does_not_translate_is_refused(tmp_path: Path) -> None:
    run = train("vae", CatsDogs(size=32), steps=1, batch_size=1, out=tmp_path / "run", progress=False, network="dense")
    with pytest.raises(InvalidOption, match="vae on catsdogs does not translate"):
        translate(run, ["red.png"])
