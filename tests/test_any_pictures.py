"""Two domains of whatever people have: one picture, blank ones, all kinds and sizes at once, damaged ones."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from unbraid.errors import InvalidData, InvalidOption
from unbraid.model import Model
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.runs.translate import translate
from unbraid.runs.translation import DomainBench, judge_translation
from unbraid.worlds.folders import Folders

MODELS = ("munit", "unit", "cyclegan", "ddib")
NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 4), dtype=np.uint8)


def few(model: str, a: Path, b: Path, out: Path, steps: int = 3) -> Run:
    """A small model of two folders."""
    fit: dict[str, Any] = {"batch_size": 2, "learning_rate": 1e-3, "progress": False}
    small = {"width": 4} | ({"critic_width": 4} if model != "ddib" else {})
    return train(model, Folders(a=str(a), b=str(b), size=32), steps=steps, out=out, **fit, **small)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def finite(model: Model) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in model.state_dict().values())


def of_every_kind(folder: Path) -> None:
    """Twelve pictures of as many kinds, of one pixel to some thousand, high, wide and square."""
    folder.mkdir()
    rgba = Image.fromarray(NOISE)
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    clear = rgb.quantize(8)
    clear.info["transparency"] = 0
    kinds = {
        "rgba.png": rgba, "rgb.jpg": rgb.resize((7, 90)), "grey.png": grey.resize((1, 1)),
        "bits.png": grey.convert("1"), "two.png": rgba.convert("LA"), "clear.png": clear, "few.gif": rgb.quantize(4),
        "print.jpg": rgb.convert("CMYK"),
        "deep.png": Image.fromarray(NOISE[..., 0].astype(np.uint16) << 8), "wide.bmp": rgb.resize((200, 9)),
        "lossy.webp": rgba.resize((64, 64)), "plain.ppm": rgb.resize((32, 32)),
    }  # fmt: skip
    for name, image in kinds.items():
        image.save(folder / name)


@pytest.mark.parametrize("model", MODELS)
def test_a_white_picture_and_a_black_one_are_two_domains(model: str, tmp_path: Path) -> None:
    for name in ("white", "black"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (30, 40), name).save(tmp_path / name / "one.png")
    run = few(model, tmp_path / "white", tmp_path / "black", tmp_path / "run", steps=10)
    assert finite(run.model)
    files = translate(run, [tmp_path / "white" / "one.png"], styles=2, out=tmp_path / "out")
    assert all(pixels(file).shape == (32, 32, 3) for file in files[1:])
    with pytest.raises(InvalidData, match="has only 1 images of a domain: too few to judge"):
        DomainBench(run.world, images=4, samples=4, steps=1)


def test_so_few_pictures_that_their_halves_have_no_covariance_are_too_few_to_judge(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(6):
            Image.fromarray(np.roll(NOISE, number, axis=0)).save(tmp_path / name / f"{number}.png")
    world = Folders(a=str(tmp_path / "a"), b=str(tmp_path / "b"), size=32)
    with pytest.raises(InvalidData, match="has only 6 images of a domain: too few to judge"):
        DomainBench(world, images=8, samples=8, steps=1)
    with pytest.raises(InvalidOption, match="samples must be a finite number of at least 4, but is 3"):
        DomainBench(world, samples=3)


def test_where_all_images_of_a_domain_are_one_their_diversity_is_left_out_and_all_else_is_a_number(
    tmp_path: Path,
) -> None:
    for name in ("blank", "noise"):
        (tmp_path / name).mkdir()
    for number in range(16):
        Image.new("L", (32, 32), 7).save(tmp_path / "blank" / f"{number}.png")
        Image.fromarray(np.roll(NOISE, number, axis=0)).save(tmp_path / "noise" / f"{number}.png")
    run = few("munit", tmp_path / "blank", tmp_path / "noise", tmp_path / "run", steps=1)
    found = judge_translation(run, DomainBench(run.world, images=8, samples=4, steps=2)).parts
    assert all(math.isfinite(value) for one in found.values() for value in one.values())
    assert ["diversity" in one for one in found.values()] == [True, False]


@pytest.mark.parametrize("model", MODELS)
def test_pictures_of_every_kind_and_size_are_one_domain(model: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        of_every_kind(tmp_path / name)
    run = few(model, tmp_path / "a", tmp_path / "b", tmp_path / "run")
    assert len(run.world) == 24
    assert finite(run.model)
    given = sorted((tmp_path / "b").iterdir())
    files = translate(run, given, source="b", styles=1, out=tmp_path / "out")
    assert len(files) == 1 + len(given)
    assert all(pixels(file).std() > 0 for file in files)


@pytest.mark.parametrize("kept", [0, 20, 0.5])
@pytest.mark.parametrize("name", ["rgb.jpg", "rgba.png", "few.gif", "lossy.webp"])
def test_a_damaged_picture_is_named_before_it_teaches_anything(name: str, kept: float, tmp_path: Path) -> None:
    of_every_kind(tmp_path / "a")
    (tmp_path / "b").mkdir()
    whole = (tmp_path / "a" / name).read_bytes()
    part = whole[: int(kept * len(whole)) if kept < 1 else int(kept)]
    (tmp_path / "b" / name).write_bytes(part)
    with pytest.raises(InvalidData, match=rf"{name} is not a picture that can be read"):
        few("cyclegan", tmp_path / "a", tmp_path / "b", tmp_path / "run", steps=1)
