"""Actions on the page: what they are called, and where they lead."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from torch import Tensor, nn

from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.subject import Subject
from unbraid.model import Model, Terms
from unbraid.runs.train import train
from unbraid.worlds.flatland import FlatLand

HERE = "http://127.0.0.1:8700"


def asked(subject: Subject, **body) -> dict:
    with TestClient(make(Gallery([subject])), base_url=HERE) as client:
        answer = client.post("/api/runs/0/orbit", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


class Exact(Model):
    """A disc's place on two circles, read from the image, and matrices in an order of their own."""

    view = "orbits"

    def __init__(self) -> None:
        super().__init__()
        self.shape, self.latent_dim, self.unused = (1, 32, 32), 4, nn.Parameter(torch.zeros(1))

    def loss(self, batch: Any, step: int) -> Terms:
        return Terms(nothing=self.unused.sum())

    def represent(self, x: Tensor) -> Tensor:
        wave = torch.exp(2j * torch.pi * torch.arange(32) / 32)
        points = [(x[:, 0].sum(dim=over) * wave).sum(dim=1) for over in (1, 2)]
        return torch.stack([part for z in points for part in (z.real / z.abs(), z.imag / z.abs())], dim=1)

    def decode(self, z: Tensor) -> Tensor:
        return z.new_zeros(len(z), *self.shape)

    def matrices(self) -> Tensor:
        cos, sin = math.cos(2 * math.pi / 7), math.sin(2 * math.pi / 7)
        turn, stay = torch.tensor([[cos, -sin], [sin, cos]]), torch.eye(2)
        pairs = ((stay, turn.T), (turn, stay), (-stay, -stay))
        return torch.stack([torch.block_diag(*pair) for pair in pairs])


@pytest.fixture
def exact(tmp_path: Path) -> Subject:
    """A run of a model that knows two of its view's actions, and a third that is none of them."""
    world = FlatLand(columns=7, rows=7, size=32, radius=6.0)
    return Subject(train(Exact(), world, steps=1, batch_size=2, out=tmp_path / "exact", progress=False), samples=49)


def test_actions_that_were_told_are_called_by_what_they_move(acting: Subject) -> None:
    assert acting.about["actions"] == [
        {"name": "x +1", "times": 7}, {"name": "x −1", "times": 7}, {"name": "y +1", "times": 7},
        {"name": "y −1", "times": 7}, {"name": "action 4", "times": 12},
    ]  # fmt: skip


def test_actions_are_called_by_what_they_do_in_whatever_order_they_were_found(exact: Subject) -> None:
    assert exact.about["actions"] == [
        {"name": "y −1", "times": 7}, {"name": "x +1", "times": 7}, {"name": "action 2", "times": 12}
    ]  # fmt: skip


def test_a_mirroring_is_called_one_and_leads_back_in_two_steps(tmp_path: Path) -> None:
    world = FlatLand(columns=7, rows=7, size=32, radius=6.0)
    first = 4 * math.pi * (float(world.space["x"].values[0]) - 0.5) / 32  # twice the angle of the axis

    class Mirror(Exact):
        def matrices(self) -> Tensor:
            across = torch.tensor([[math.cos(first), math.sin(first)], [math.sin(first), -math.cos(first)]])
            return torch.block_diag(across, torch.eye(2))[None]

    options = {"steps": 1, "batch_size": 2, "view": {"mirrored": ("x",)}, "progress": False}
    mirror = Subject(train(Mirror(), world, out=tmp_path / "mirror", **options), samples=49)
    assert mirror.about["actions"] == [{"name": "x mirrored", "times": 2}]
    found = asked(mirror, code=[0.0] * 4, action=0, times=2, image=9)
    assert found["images"] == [9, int(world.index([[6, 2]])[0]), 9]


def test_an_orbit_is_what_the_matrix_makes_of_the_code(acting: Subject) -> None:
    code = np.array([1.0, -0.5, 0.25, 2.0])
    found = asked(acting, code=code.tolist(), action=2, times=5)
    matrix = acting.model.matrices()[2].detach().double().numpy()
    expected = [np.linalg.matrix_power(matrix, n) @ code for n in range(6)]
    assert np.allclose(found["codes"], expected, atol=1e-4)
    assert (found["images"], found["truth"]) == (None, None)


def test_the_plane_of_an_orbit_is_the_one_in_which_it_varies_most(acting: Subject) -> None:
    found = asked(acting, code=[1.0, 2.0, 3.0, 4.0], action=0, times=6)
    codes, directions = np.array(found["codes"]), np.array(found["directions"])
    assert np.allclose(directions @ directions.T, np.eye(2), atol=1e-3)
    centred = codes - found["centre"]
    lengths = np.linalg.svd(centred, compute_uv=False)
    assert np.square(centred @ directions.T).sum() == pytest.approx(np.square(lengths[:2]).sum(), rel=1e-2)


def test_the_worlds_own_orbit_goes_round_with_the_models(exact: Subject) -> None:
    world, image = exact.run.world, 10
    code = exact.codes(np.array([image]))[0]
    found = asked(exact, code=code.tolist(), action=1, times=7, image=image)
    assert found["images"][0] == found["images"][-1] == image
    steps = world.factors(np.array(found["images"]))
    assert (np.diff(steps[:, 0]) % 7 == 1).all()
    assert (steps[:, 1] == steps[0, 1]).all()
    assert np.allclose(found["truth"], exact.codes(np.array(found["images"])), atol=1e-4)
    assert np.allclose(found["truth"], found["codes"], atol=0.05)


def test_an_action_that_is_none_of_the_views_leads_through_no_images(exact: Subject) -> None:
    assert asked(exact, code=[0.0] * 4, action=2, times=3, image=0)["images"] is None


def test_codes_that_grow_without_end_are_held(acting: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert acting.acting is not None
    monkeypatch.setattr(acting.acting, "matrices", np.full((5, 4, 4), 1e200))
    assert np.abs(asked(acting, code=[1.0] * 4, action=0, times=64)["codes"]).max() == 1e4


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"code": [0.0], "action": 0, "times": 1}, "a code of this model has 4 numbers"),
        ({"code": [0.0] * 4, "action": 5, "times": 1}, "this model has 5 actions, numbered from 0"),
        ({"code": [0.0] * 4, "action": 0, "times": 65}, "less than or equal to 64"),
        ({"code": [0.0] * 4, "action": 0, "times": 1, "image": 49}, "images are numbered 0 .. 48"),
    ],
)
def test_what_leads_nowhere_is_refused(acting: Subject, body: dict, sentence: str) -> None:
    with TestClient(make(Gallery([acting])), base_url=HERE) as client:
        answer = client.post("/api/runs/0/orbit", json=body)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_model_without_actions_has_no_orbits(client: TestClient) -> None:
    assert client.get("/api/runs").json()[0]["actions"] == []
    answer = client.post("/api/runs/0/orbit", json={"code": [0.0] * 3, "action": 0, "times": 1})
    assert (answer.status_code, answer.text) == (422, '{"detail":"this model has no actions"}')


def test_turns_that_are_told_are_actions_too(tmp_path: Path) -> None:
    world = FlatLand(columns=7, rows=7, size=32, radius=6.0)
    run = train("lsbdvae", world, steps=1, batch_size=2, network="patches", out=tmp_path / "run", progress=False)
    subject = Subject(run, samples=40)
    codes = np.array(asked(subject, code=subject.codes(np.array([0]))[0].tolist(), action=0, times=8)["codes"])
    assert np.allclose(codes[-1], codes[0], atol=1e-3)
    assert np.allclose(np.linalg.norm(codes[:, :2], axis=1), 1, atol=1e-3)
