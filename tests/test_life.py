"""Judging lives."""

from __future__ import annotations

import json

import pytest
import torch

from unbraid.cli.main import main
from unbraid.errors import InvalidData, InvalidOption
from unbraid.models.vae import VAE
from unbraid.models.vase import VASE
from unbraid.nn.gaussian import Gaussian
from unbraid.runs.life import judge_life
from unbraid.runs.plot import plot
from unbraid.runs.taken import lived
from unbraid.runs.train import train
from unbraid.worlds.moving import Moving

WORLD = Moving(environments=("digits", "inverted digits"))


class Knowing(VASE):
    """Says what it is told to: where the ink's middle is, in latents 0 and 1, and whether all is inverted."""

    def __init__(self, *, turned: bool = False) -> None:
        super().__init__((1, 32, 32), latent_dim=3, network="patches")
        self.turned = turned
        self.seen[:2] = self.anneal

    def encode(self, x: torch.Tensor) -> Gaussian:
        inverted = x[:, :, :1, :1] > 0.5
        ink = torch.where(inverted, 1 - x, x)[:, 0]
        grid = torch.linspace(-2, 2, 32)
        middles = [(ink.sum(dim=axis) * grid).sum(dim=1) / ink.sum(dim=(1, 2)) for axis in (1, 2)]
        sign = 1 - 2 * inverted.flatten().float() if self.turned else 1
        mean = torch.stack([middles[0] * sign, middles[1], torch.zeros(len(x))], dim=1)
        return Gaussian(mean, torch.tensor([-6.0, -6.0, 0.0]).expand(len(x), -1))

    def recognise(self, x: torch.Tensor) -> torch.Tensor:
        inverted = x[:, 0, 0, 0] > 0.5
        return torch.stack([~inverted, inverted], dim=1).float().log()


def test_latents_that_mean_the_same_everywhere_carry_their_readings_over() -> None:
    parts = judge_life(Knowing(), WORLD, samples=200).parts
    assert [parts[f"taken_for_{name}"] for name in ("digits", "inverted_digits")] == [0, 1]
    assert parts["recognised_digits"] == parts["recognised_inverted_digits"] == 1
    assert parts["shared_latents"] == parts["latents_digits"] == 2
    assert min(parts["x_read_in_first"], parts["y_read_in_first"]) > 0.9
    assert min(parts["x_carried_to_inverted_digits"], parts["y_carried_to_inverted_digits"]) > 0.9


def test_a_latent_that_means_something_else_does_not() -> None:
    parts = judge_life(Knowing(turned=True), WORLD, samples=200).parts
    assert parts["x_carried_to_inverted_digits"] < 0
    assert parts["y_carried_to_inverted_digits"] > 0.9


def test_a_masked_latent_is_not_shared() -> None:
    model = Knowing()
    model.used[1, 0] = False
    assert judge_life(model, WORLD, samples=50).parts["shared_latents"] == 1


def test_images_are_drawn_in_every_environment_that_is_known() -> None:
    found = lived(Knowing(), WORLD)
    assert found.names == ("digits", "inverted digits")
    assert found.drawn.shape == (2, 12, 1, 32, 32)
    assert found.used.tolist() == [[1.0, 1.0, pytest.approx(0.2)]] * 2
    with pytest.raises(InvalidData, match="VAE does not live"):
        lived(VAE((1, 32, 32)), WORLD)


def test_only_models_of_environments_live() -> None:
    with pytest.raises(InvalidOption, match="VAE does not live"):
        judge_life(VAE((1, 32, 32)), WORLD)


def test_a_life_is_judged_from_the_command_line(tmp_path, capsys) -> None:
    run = train("vase", "moving", steps=3, out=tmp_path / "run", batch_size=4, progress=False, network="patches")
    main(["judge", str(run.path), "--samples", "20"])
    assert "recognised digits" in capsys.readouterr().out
    assert [path.stem for path in plot(run, plots=["homologies"])] == ["homologies"]
    assert "shared_latents" in json.loads((run.path / "verdict.json").read_text("utf-8"))["life"]
