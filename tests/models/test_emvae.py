"""The EM-VAE: slow at first, then it finds what acts, then it learns by that."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from unbraid.errors import InvalidData
from unbraid.models.emvae import EMVAE
from unbraid.runs.evaluate import evaluate
from unbraid.runs.train import train
from unbraid.view import OrbitBatch
from unbraid.worlds.flatland import FlatLand

FRAMES = torch.rand(6, 3, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round()
BATCH = OrbitBatch(FRAMES, torch.zeros(6, 3, dtype=torch.int64), None, 1000)


def made(**options: object) -> EMVAE:
    torch.manual_seed(0)
    return EMVAE((1, 32, 32), network="dense", **{"slow": 5, "memory": 500, **options})  # type: ignore[arg-type]


def planted(model: EMVAE) -> torch.Tensor:
    """Give it pairs of codes of two circles of 5 and 7 places in a basis of no meaning, and let it look at them."""
    generator = np.random.default_rng(0)
    values, taken = generator.integers(0, (5, 7), (500, 2)), generator.integers(0, 4, 500)
    step = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])[taken]
    basis = np.linalg.qr(generator.normal(size=(4, 4)))[0]

    def codes(v: np.ndarray) -> np.ndarray:
        angle = 2 * np.pi * v / np.array([5, 7])
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(-1, 4) @ basis + 0.5

    model.get_buffer("pairs").copy_(torch.from_numpy(np.stack([codes(values), codes(values + step)], axis=1)))
    model.get_buffer("seen").fill_(500)
    model._discover()
    return torch.from_numpy(taken)


def test_until_it_has_looked_codes_pay_for_every_change() -> None:
    model = made(gamma=3.0)
    torch.manual_seed(5)
    terms = model.loss(BATCH, 0)
    mean = model.encode(FRAMES.flatten(0, 1)).mean.unflatten(0, (6, 3))
    torch.manual_seed(5)
    z = model.encode(FRAMES.flatten(0, 1)).rsample().unflatten(0, (6, 3))
    change = (z[:, :2] - mean[:, 1:]).square().sum(dim=2).mean()
    assert terms["prediction"].item() == pytest.approx(3.0 * 0.25 * change.item(), rel=1e-5)
    assert model.matrices().shape == (0, 4, 4)
    assert model.infer(FRAMES[:, 0], FRAMES[:, 1]).tolist() == [0] * 6
    kept = model.get_buffer("pairs")[:12]
    assert torch.equal(kept, torch.stack((mean[:, :2].flatten(0, 1), mean[:, 1:].flatten(0, 1)), dim=1))


def test_it_finds_the_actions_and_gives_each_part_latents_of_its_own() -> None:
    model = made()
    taken = planted(model)
    matrices = model.matrices()
    assert len(matrices) == 4
    moving = [set(torch.nonzero((m - torch.eye(4)).abs().amax(dim=1) > 1e-6).flatten().tolist()) for m in matrices]
    assert sorted(map(sorted, moving)) == [[0, 1], [0, 1], [2, 3], [2, 3]]
    angles = sorted(torch.linalg.eigvals(matrices).angle().amax(dim=1).tolist())
    assert angles == pytest.approx([2 * math.pi / 7] * 2 + [2 * math.pi / 5] * 2, abs=0.01)
    pairs = model.get_buffer("pairs")
    before, after = model._seen_from(pairs[:, 0]), model._seen_from(pairs[:, 1])
    said = model._errors(before, after).argmin(dim=1)
    assert all(len(set(said[taken == action].tolist())) == 1 for action in range(4))
    assert model._errors(before, after).amin(dim=1).max() < 0.02
    assert before.std().item() == pytest.approx(pairs.std().item(), rel=0.1), "codes keep their size"


def test_codes_are_seen_and_decoded_in_the_basis_that_was_found() -> None:
    model = made()
    plain = model.decode(model.represent(FRAMES[:, 0]))
    mean = model.encode(FRAMES[:, 0]).mean
    planted(model)
    assert not torch.allclose(model.represent(FRAMES[:, 0]), mean, atol=0.1)
    assert torch.allclose(model.decode(model.represent(FRAMES[:, 0])), plain, atol=1e-5)


def test_then_each_pair_counts_for_the_action_that_explains_it_and_maps_follow_their_pairs() -> None:
    model = made(gamma=3.0)
    planted(model)
    maps, sums = model.matrices().clone(), model.get_buffer("sums").clone()
    torch.manual_seed(5)
    terms = model.loss(BATCH, 9)
    mean = model._seen_from(model.encode(FRAMES.flatten(0, 1)).mean).unflatten(0, (6, 3))
    torch.manual_seed(5)
    z = model._seen_from(model.encode(FRAMES.flatten(0, 1)).rsample()).unflatten(0, (6, 3))
    error, moment = 0.0, torch.zeros(4, 4, 4)
    for b in range(6):
        for t in range(2):
            best = min(range(4), key=lambda k: (maps[k] @ mean[b, t] - mean[b, t + 1]).norm().item())
            error += (maps[best] @ z[b, t] - mean[b, t + 1]).square().sum().item()
            moment[best] += torch.outer(mean[b, t + 1], mean[b, t]).detach()
    assert terms["prediction"].item() == pytest.approx(3.0 * 0.25 * error / 12, rel=1e-4)
    assert torch.allclose(model.get_buffer("sums")[:4], 0.99 * sums[:4] + moment, rtol=1e-4, atol=1e-3)
    assert not torch.equal(model.matrices(), maps)
    assert torch.allclose(model.matrices() @ model.matrices().mT, torch.eye(4).expand(4, 4, 4), atol=1e-5)


def test_evaluation_changes_nothing_and_training_keeps_only_the_latest_pairs() -> None:
    model = made(memory=20).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.loss(BATCH, 100)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    model.train()
    for _ in range(3):
        model.loss(BATCH, 0)
    assert int(model.get_buffer("seen")) == 36
    assert model.get_buffer("pairs").abs().sum(dim=(1, 2)).min() > 0


def test_what_was_found_is_saved_with_the_weights() -> None:
    model, other = made(), made()
    planted(model)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.matrices(), model.matrices())
    assert torch.equal(other.represent(FRAMES[:, 0]), model.represent(FRAMES[:, 0]))


@pytest.mark.slow
def test_steps_and_a_mirroring_of_a_world_are_found_in_its_images_and_do_not_commute(tmp_path: Path) -> None:
    world = FlatLand(columns=7, rows=1, radius=7.5, size=32)
    run = train(
        "emvae", world, steps=300, batch_size=16, learning_rate=2e-3, view={"mirrored": ("x",)}, latent_dim=2,
        slow=200, memory=300, gamma=4.0, network="patches", likelihood="gaussian", out=tmp_path / "run", progress=False,
    )  # fmt: skip
    maps = run.model.matrices()
    assert torch.linalg.det(maps).round().sort().values.tolist() == [-1, 1, 1]
    order = torch.linalg.det(maps).argsort()
    mirror, step, back = maps[order]
    assert torch.linalg.eigvals(step).angle().abs().amax().item() == pytest.approx(2 * math.pi / 7, abs=0.06)
    assert torch.allclose(step @ back, torch.eye(2), atol=0.1)
    assert torch.allclose(mirror @ step @ mirror, back, atol=0.1), "a step, seen in a mirror, goes the other way"
    assert not torch.allclose(mirror @ step, step @ mirror, atol=0.5)
    # Of seven places two are mirrored to where a step leads: nobody can tell which of the two it was.
    found = evaluate(run, scores=["actionaccuracy"])["actionaccuracy"]
    assert found.parts["own"] == pytest.approx((2 + 5 / 7) / 3, abs=0.03)


def test_while_a_latent_is_constant_it_looks_again_later() -> None:
    model = made(memory=100)
    with torch.no_grad():
        model.encoder[-1].weight[0] = 0.0
    for step in range(9):
        model.loss(BATCH, step)
    assert len(model.matrices()) == 0
    with pytest.raises(InvalidData, match="codes must be"):
        model.decode(torch.zeros(2, 3))
