"""Tripod's terms, derived anew image by image."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from unbraid.errors import InvalidOption
from unbraid.models.fsq import FSQ
from unbraid.models.tripod import Tripod
from unbraid.view import Batch

SIZE, LATENTS, PIXELS, LEVELS = 5, 3, 32 * 32, 4
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 100)


def made(**options: Any) -> Tripod:
    torch.manual_seed(0)
    return Tripod((1, 32, 32), **{"latent_dim": LATENTS, "levels": LEVELS, "network": "dense", **options})


def loss(model: Tripod, batch: Batch = BATCH) -> Any:
    torch.manual_seed(5)
    return model.loss(batch, 0)


def activations(model: Tripod, z: Tensor) -> list[Tensor]:
    """The two hidden layers of the dense decoder."""
    first = model.decoder[0](z).tanh()
    return [first, model.decoder[2](first).tanh()]


def test_terms_equal_loops_over_images_directions_and_layers() -> None:
    model = made(multi_information=0.02, hessian=0.03, directions=3, epsilon=0.2)
    code = model.encoder(BATCH.x).tanh()
    grid = torch.tensor([2 * level / (LEVELS - 1) - 1 for level in range(LEVELS)])
    z = torch.stack([torch.stack([grid[(grid - c).abs().argmin()] for c in row]) for row in code])
    sigma = ((code - code.mean(0)).square().mean(0)).sqrt() + 1e-6
    information, curvature = 0.0, 0.0
    for here in z:
        narrow = sigma * (4 / (LATENTS + 2)) ** (1 / (LATENTS + 4)) * SIZE ** (-1 / (LATENTS + 4))
        joint = torch.stack([Normal(k, narrow).log_prob(here).sum().exp() for k in z]).mean()
        single = torch.stack([Normal(k, sigma).log_prob(here).exp() for k in z]).mean(0)
        information += (joint.log() - single.log().sum()).item() / SIZE
    torch.manual_seed(5)
    normal = torch.randn(2, 3, SIZE, LATENTS)
    for layer in range(2):
        squares = [0.0, 0.0]
        for kind, i in itertools.product(range(2), range(SIZE)):
            steps = [0.2 * sigma * (v if kind else v.sign()) for v in normal[kind, :, i]]
            here = activations(model, z[i])[layer]
            there = [activations(model, z[i] + s)[layer] + activations(model, z[i] - s)[layer] for s in steps]
            second = torch.stack([(both - 2 * here) / 0.2**2 for both in there])
            squares[kind] += (second - second.mean(0)).square().mean().item()
        curvature += squares[0] / squares[1]
    terms = loss(model)
    nll = -Bernoulli(logits=model.decoder(z)).log_prob(BATCH.x).flatten(1).sum(dim=1).mean()
    torch.testing.assert_close(terms["reconstruction"], nll)
    assert terms["multi_information"].item() == pytest.approx(0.02 * PIXELS * information, rel=1e-4)
    assert terms["hessian"].item() == pytest.approx(0.03 * PIXELS * curvature, rel=1e-2)


def test_on_one_leg_it_is_fsq() -> None:
    model = made(multi_information=0.0, hessian=0.0)
    plain = FSQ((1, 32, 32), latent_dim=LATENTS, levels=LEVELS, network="dense")
    plain.load_state_dict(model.state_dict())
    assert loss(model).keys() == {"reconstruction"}
    torch.testing.assert_close(loss(model).total(), plain.loss(BATCH, 0).total())
    assert torch.equal(model.represent(BATCH.x), plain.represent(BATCH.x))


@pytest.mark.parametrize(
    ("term", "parts"),
    [
        ("reconstruction", {"encoder", "decoder"}),
        ("multi_information", {"encoder"}),
        ("hessian", {"encoder", "decoder"}),
    ],
)
def test_each_term_moves_what_it_should_and_nothing_else(term: str, parts: set[str]) -> None:
    model = made()
    loss(model)[term].backward()
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()} == parts


def test_the_last_layer_bears_no_share_of_the_curvature() -> None:
    model = made()
    loss(model)["hessian"].backward()
    assert model.decoder[4].weight.grad is None
    assert all(model.decoder[i].weight.grad.any() for i in (0, 2))


@pytest.mark.parametrize("network", ["conv", "dense"])
def test_a_batch_of_equal_images_has_finite_terms_and_gradients(network: str) -> None:
    model = made(network=network)
    same = Batch(torch.ones(4, 1, 32, 32), torch.zeros(4), 100)
    terms = loss(model, same)
    terms.total().backward()
    assert all(math.isfinite(term.item()) for term in terms.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize(("option", "least"), [("levels", 2), ("directions", 2), ("epsilon", 0.001)])
def test_options_below_their_range_are_refused(option: str, least: float) -> None:
    with pytest.raises(InvalidOption, match=f"{option} must be a finite number of at least {least}, but is 0"):
        made(**{option: 0})
