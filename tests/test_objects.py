"""Judging objects: of models that find them perfectly, or in known ways badly, in a world seen at a glance."""

from __future__ import annotations

import json
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from unbraid.cli.main import main
from unbraid.errors import InvalidData, InvalidOption
from unbraid.model import Terms
from unbraid.models.vae import VAE
from unbraid.objects import Layers, ObjectModel
from unbraid.runs.objects import judge_objects
from unbraid.runs.train import train
from unbraid.types import Bytes, Factor, FactorSpace, Integers
from unbraid.world import World
from unbraid.worlds.digits import Digits

SIDE, BAR, PLACES = 32, 4, 12


class Bars(World):
    """None to two bars, one in each half, each at one of twelve heights."""

    slot = FactorSpace([Factor("half", 2, "categorical"), Factor("height", PLACES)])
    space = FactorSpace([Factor("count", 3), Factor("height_1", PLACES), Factor("height_2", PLACES)])
    shape = (1, SIDE, SIDE)

    def masks(self, indices: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        factors = self.factors(indices)
        masks = np.zeros((len(factors), 2, SIDE, SIDE), bool)
        for image, (count, *heights) in zip(masks, factors, strict=True):
            for k in range(count):
                image[k, 2 * heights[k] : 2 * heights[k] + BAR, 16 * k + 4 : 16 * k + 12] = True
        return masks

    def images(self, indices: npt.ArrayLike) -> Bytes:
        return (255 * self.masks(indices).any(axis=1, keepdims=True)).astype(np.uint8)

    def count(self, indices: npt.ArrayLike) -> Integers:
        return self.factors(indices)[:, 0]

    def slots(self, indices: npt.ArrayLike) -> Integers:
        factors = self.factors(indices)
        values = np.stack([np.tile([0, 1], (len(factors), 1)), factors[:, 1:]], axis=2)
        return np.where(np.arange(2)[:, None] < factors[:, 0, None, None], values, -1)


class Known(ObjectModel):
    """An entity is whether its half has a bar, at which height, and which half it is; ``one`` takes both for one."""

    def __init__(self, way: Literal["right", "one", "split"] = "right") -> None:
        super().__init__((1, SIDE, SIDE), slots=2, entity_dim=SIDE * SIDE)
        self.way, self.unused = way, torch.nn.Parameter(torch.zeros(1))

    def entities(self, x: Tensor) -> Tensor:
        columns, rows = torch.arange(SIDE) < 16, torch.arange(SIDE) % 2 == 0
        half = rows[:, None].expand(SIDE, SIDE) if self.way == "split" else columns.expand(SIDE, SIDE)
        parts = (x[:, 0], 0 * x[:, 0]) if self.way == "one" else (x[:, 0] * half, x[:, 0] * ~half)
        return torch.stack(parts, dim=1).flatten(2)

    def layers(self, entities: Tensor) -> Layers:
        masks = entities.unflatten(2, (SIDE, SIDE))
        return Layers(masks[:, :, None], masks, masks.flatten(2).any(dim=2))

    def compose(self, layers: Layers, kept: Tensor) -> Tensor:
        return (layers.pictures * kept[:, :, None, None, None]).sum(dim=1)

    def loss(self, batch: object, step: int) -> Terms:
        """Nothing."""
        return Terms()


def test_a_model_that_finds_every_object_is_found_to_do_so() -> None:
    parts = judge_objects(Known(), Bars(), samples=400, steps=400).parts
    assert [parts[name] for name in ("count", "ari", "iou", "deletion", "deletion_images")] == [1, 1, 1, 1, 1]
    assert [parts[f"found_{k}"] for k in range(3)] == [0, 1, 2]
    assert parts["error"] == 0
    assert parts["own_half"] > 0.98
    assert parts["own_height"] > 0.9
    assert parts["other_height"] < 0.3
    assert 0.5 <= parts["chance_half"] < 0.8


def test_two_objects_in_one_entity_are_found_out() -> None:
    parts = judge_objects(Known("one"), Bars(), samples=300, steps=5).parts
    assert parts["found_2"] == 1
    assert parts["ari"] == pytest.approx(0.5, abs=0.1)  # right where there is one
    assert parts["deletion"] == pytest.approx(0.5, abs=0.1)
    assert parts["iou"] == pytest.approx(0.5, abs=0.1)  # one of one; half an overlap of two, and none


def test_one_object_in_two_entities_is_found_out() -> None:
    parts = judge_objects(Known("split"), Bars(), samples=300, steps=5).parts
    assert parts["found_1"] == 2
    assert parts["deletion"] == parts["deletion_images"] == 0
    assert parts["ari"] < 0.1
    assert parts["error"] == 0


def test_a_verdict_is_plain_numbers_and_the_same_again() -> None:
    first, again = (judge_objects(Known(), Bars(), samples=50, steps=5) for _ in range(2))
    assert first == again
    assert json.loads(json.dumps(first.to_dict()))["objects"] == first.parts
    assert "own height" in str(first)


def test_only_models_of_objects_and_worlds_that_know_them_are_judged() -> None:
    with pytest.raises(InvalidOption, match="VAE does not find objects"):
        judge_objects(VAE((1, 32, 32)), Bars())
    with pytest.raises(InvalidData, match="Digits cannot tell where its objects are"):
        judge_objects(Known(), Digits())


def test_objects_of_a_run_are_judged_by_evaluate_and_kept(tmp_path, capsys) -> None:
    run = train("air", "scenes", steps=1, out=tmp_path / "air", batch_size=2, progress=False, slots=3, layer_width=8)
    main(["evaluate", str(run.path), "--samples", "30"])
    said = capsys.readouterr().out
    assert "deletion images" in said
    kept = json.loads((run.path / "verdict.json").read_text("utf-8"))["objects"]
    assert {"count", "ari", "iou", "chance_shape"} <= kept.keys()
    main(["judge", str(run.path), "--samples", "30", "--steps", "2"])
    assert "ari" in capsys.readouterr().out
    main(["evaluate", str(run.path), "--scores", "mig", "dci", "--samples", "100", "--bounds", "no", "--jobs", "1"])
    said = capsys.readouterr().out
    assert "mig" in said
    assert "deletion" not in said
