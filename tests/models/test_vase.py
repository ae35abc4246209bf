"""VASE: it notices new environments and old ones that return, masks latents, and dreams with the networks it had."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from unbraid.errors import InvalidData
from unbraid.models.vase import VASE
from unbraid.view import EnvironmentBatch

GENERATOR = torch.Generator().manual_seed(0)
SPOTS = torch.zeros(64, 1, 32, 32)
for place, spot in enumerate(SPOTS):
    spot[0, 3 * (place // 8) : 3 * (place // 8) + 8, 3 * (place % 8) : 3 * (place % 8) + 8] = 1


def batch(environment: int) -> EnvironmentBatch:
    """Spots on black, or inverted."""
    return EnvironmentBatch((SPOTS, 1 - SPOTS)[environment], torch.arange(64), 64, torch.tensor(environment))


def made(**options: Any) -> VASE:
    torch.manual_seed(0)
    given = {"latent_dim": 4, "network": "patches", "patience": 3, "anneal": 50, "remember": 10, **options}
    return VASE((1, 32, 32), **given)


def live(model: VASE, environments: list[int]) -> list[tuple[int, int]]:
    """Trained on one batch after another: the environment each is taken for, and how many are known."""
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    found = []
    for step, environment in enumerate(environments):
        optimiser.zero_grad()
        model.loss(batch(environment), step).total().backward()
        optimiser.step()
        found.append((int(model.now), model.known))
    return found


def test_a_new_environment_is_noticed_after_a_few_batches_and_an_old_one_when_it_returns() -> None:
    found = live(made(capacity=6.0, remember=1000), [0] * 150 + [1] * 150 + [0] * 3)
    assert found[:152] == [(0, 1)] * 152  # two strange batches at the end
    assert found[152:300] == [(1, 2)] * 148
    assert found[-1] == (0, 2)


def test_nothing_is_learned_from_strange_batches_but_dreams() -> None:
    model = made()
    live(model, [0] * 40)
    terms = model.loss(batch(1), 40)
    assert int(model.strange) == 1
    assert all(term == 0 for name, term in terms.items() if name != "dreams")


def test_as_many_environments_as_there_may_be_are_no_more() -> None:
    assert live(made(most=1), [0] * 30 + [1] * 10)[-1] == (0, 1)


def test_told_environments_are_taken_as_they_are_told() -> None:
    assert live(made(environments="told"), [0, 1, 0]) == [(0, 1), (1, 2), (0, 2)]
    with pytest.raises(InvalidData, match=r"0 \.\. 0, but 1 is told"):
        live(made(environments="told", most=1), [1])


def test_there_are_dreams_once_there_is_a_past_and_none_where_they_have_no_weight() -> None:
    model, without = made(environments="told"), made(environments="told", dreaming=0.0)
    assert "dreams" not in model.loss(batch(0), 0)
    assert "dreams" in model.loss(batch(1), 1)
    assert [set(without.loss(batch(one), one)) for one in (0, 1)] == [{"reconstruction", "capacity", "environment"}] * 2


def test_dreams_cost_nothing_but_the_dreams_own_nats_while_networks_are_what_they_were() -> None:
    model = made(environments="told", dreaming=1.0)
    for one in (0, 1):
        model.loss(batch(one), one)
    torch.manual_seed(1)
    before = float(model._dreams([0], 64).detach())
    with torch.no_grad():
        for p in model.encoder.parameters():
            p.add_(0.05 * torch.randn_like(p))
    torch.manual_seed(1)
    assert float(model._dreams([0], 64).detach()) > before + 0.01


def test_networks_dream_as_they_were_when_they_were_kept_last() -> None:
    model = made(environments="told")
    x, kept = SPOTS[:2], model.old["encoder"]
    model.loss(batch(0), 10)
    then = model.encoder(x)
    with torch.no_grad():
        next(model.encoder.parameters()).add_(0.1)
    model.loss(batch(0), 11)
    assert torch.allclose(kept(model.encoder, x), then)
    model.loss(batch(0), 20)
    assert torch.allclose(kept(model.encoder, x), model.encoder(x))


def test_networks_are_kept_when_an_environment_that_has_settled_is_left_for_an_old_one() -> None:
    model = made(environments="told", remember=1000, patience=1)
    x, kept = SPOTS[:2], model.old["encoder"]

    def seen(environment: int, times: int) -> None:
        for _ in range(times):
            model.loss(batch(environment), 1)

    seen(0, 1)
    seen(1, 4)
    then = kept(model.encoder, x)
    with torch.no_grad():
        next(model.encoder.parameters()).add_(0.1)
    seen(0, 1)  # after four batches, of five, the other has not settled
    assert torch.equal(kept(model.encoder, x), then)
    seen(1, 5)
    assert torch.equal(kept(model.encoder, x), then)
    seen(0, 1)
    assert torch.allclose(kept(model.encoder, x), model.encoder(x))


def test_an_atypical_latent_is_masked_once_for_all_and_the_decoder_sees_noise_for_it() -> None:
    def lived(**options: Any) -> VASE:
        model = made(environments="told", **options)
        for batches in range(26):
            model.aggregates.mean[0, 1 if batches < 25 else 2] = 5  # too late for the other
            model.loss(batch(0), batches)
            assert model.masks().all() or batches >= 24  # while it is young
        return model

    model, unmasked = lived(), lived(masking=False)
    assert model.masks()[:2].tolist() == [[True, False, True, True], [True] * 4]
    assert unmasked.masks().all()

    def reconstruction(model: VASE) -> torch.Tensor:
        torch.manual_seed(3)
        return torch.autograd.grad(model.eval().loss(batch(0), 0)["reconstruction"], model.encoder[-1].bias)[0]

    masked, whole = reconstruction(model), reconstruction(unmasked)
    assert masked[1] == 0
    assert whole[1] != 0


@pytest.mark.parametrize("recognition", ["error", "classifier"])
def test_environments_are_told_and_drawn_apart_and_the_last_one_decodes(recognition: str) -> None:
    model = made(environments="told", recognition=recognition, capacity=6.0, remember=1000)
    live(model, [0] * 80 + [1] * 80)
    z = model.represent(SPOTS[:8])
    assert torch.equal(model.decode(z), model.draw(z, 1))
    assert model.draw(z, 1).mean() - model.draw(z, 0).mean() > 0.4
    assert (model.recognise(1 - SPOTS).argmax(dim=1) == 1).float().mean() > 0.9


@pytest.mark.parametrize("contrast", [True, False])
def test_an_inverted_environment_comes_to_an_inverted_contrast_where_there_are_contrasts(contrast: bool) -> None:
    model = made(environments="told", capacity=6.0, contrast=contrast)
    live(model, [0] * 40 + [1] * 40)
    first, second = model.look.values()[:2, 0].tolist()
    assert first > 0.9
    assert second < -0.9 if contrast else second > 0.9


def test_an_error_far_below_the_usual_speaks_against_an_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made()
    model.seen[:2], model.error[:2] = 100, torch.tensor([0.02, 0.04])
    errors = {0: 0.02, 1: 0.018}
    monkeypatch.setattr(model, "draw", lambda z, environment: SPOTS + errors[environment] ** 0.5)
    assert set(model._recognised(SPOTS, torch.zeros(64, 4), torch.zeros(64, 6)).argmax(dim=1).tolist()) == {0}


def test_dreams_are_imagined_with_the_contrast_of_the_present() -> None:
    def dreams(imagining: float, weight: float) -> float:
        model = made(environments="told", imagining=imagining)
        for one in (0, 1):
            model.loss(batch(one), one)
        with torch.no_grad():
            model.look.weight[1] = weight
        torch.manual_seed(1)
        return float(model._dreams([0], 64).detach())

    assert dreams(1.0, 0.0) == pytest.approx(dreams(0.0, 0.0))
    assert dreams(1.0, -4 / 300) > dreams(0.0, -4 / 300) + 1e-3
