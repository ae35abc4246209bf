"""QLAE's terms, derived anew number by number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli

from unbraid.errors import InvalidOption
from unbraid.fit import Trial
from unbraid.model import Terms
from unbraid.models.ae import AE
from unbraid.models.qlae import QLAE
from unbraid.runs.train import train
from unbraid.view import Batch

SIZE, LATENTS, PIXELS = 6, 3, 32 * 32
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 100)


def made(**options: Any) -> QLAE:
    torch.manual_seed(0)
    model = QLAE((1, 32, 32), latent_dim=LATENTS, **{"values": 4, **options})
    with torch.no_grad():
        model.codebook.add_(0.2 * torch.randn(LATENTS, 4))
    return model


def test_terms_equal_a_loop_over_images_and_latents() -> None:
    model = made(quantisation=0.02, commitment=0.03)
    code = model.encoder(BATCH.x).tolist()
    values, distance = torch.zeros(SIZE, LATENTS), 0.0
    for i in range(SIZE):
        for j in range(LATENTS):
            squared = [(value - code[i][j]) ** 2 for value in model.codebook[j].tolist()]
            values[i, j] = model.codebook[j, squared.index(min(squared))].detach()
            distance += min(squared) / LATENTS / SIZE
    terms = model.loss(BATCH, 0)
    nll = -Bernoulli(logits=model.decoder(values)).log_prob(BATCH.x).flatten(1).sum(dim=1).mean()
    torch.testing.assert_close(terms["reconstruction"], nll)
    assert terms["quantisation"].item() == pytest.approx(0.02 * PIXELS * distance, rel=1e-5)
    assert terms["commitment"].item() == pytest.approx(0.03 * PIXELS * distance, rel=1e-5)
    assert torch.equal(model.represent(BATCH.x), values)


def reached(term: str, **options: Any) -> set[str]:
    """The parts of the model that feel a gradient of one term."""
    model = made(**options)
    terms: Terms = model.loss(BATCH, 0)
    terms[term].backward()
    return {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


def test_each_term_moves_what_it_should_and_nothing_else() -> None:
    assert reached("reconstruction") == {"encoder", "decoder"}
    assert reached("quantisation") == {"codebook"}
    assert reached("commitment") == {"encoder"}


def test_the_encoder_feels_the_decoders_gradient_as_if_nothing_were_quantised() -> None:
    model = made()
    code = model.encode(BATCH.x).detach().requires_grad_()
    at_values = model.represent(BATCH.x).detach().requires_grad_()
    model.encode = lambda x: code  # type: ignore[method-assign]
    model.loss(BATCH, 0)["reconstruction"].backward()
    model.nll(BATCH.x, at_values).backward()
    assert torch.equal(code.grad, at_values.grad)  # type: ignore[arg-type]


def test_with_values_fine_enough_it_is_an_autoencoder() -> None:
    model = QLAE((1, 32, 32), latent_dim=LATENTS, values=20_001)
    with torch.no_grad():
        model.codebook.mul_(40)
    plain = AE((1, 32, 32), latent_dim=LATENTS)
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if k != "codebook"})
    terms = model.loss(BATCH, 0)
    torch.testing.assert_close(terms["reconstruction"], plain.loss(BATCH, 0)["reconstruction"], rtol=1e-3, atol=0)
    assert terms["commitment"] < 1e-3


def test_every_latent_keeps_to_its_values_however_large_the_code() -> None:
    model = made()
    model.encode = lambda x: 1e6 * torch.randn(500, LATENTS)  # type: ignore[method-assign]
    codes = model.represent(BATCH.x)
    for j in range(LATENTS):
        assert set(codes[:, j].tolist()) == {model.codebook[j].min().item(), model.codebook[j].max().item()}
    assert torch.isfinite(model.loss(Batch(torch.ones(500, 1, 32, 32), torch.arange(500), 500), 0).total())


def test_weights_decay_apart_from_the_gradient_and_biases_and_values_do_not() -> None:
    model = made(weight_decay=0.5)
    for name, p in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.ones_(p)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    model.loss = lambda batch, step: Terms(nothing=sum(0 * p.sum() for p in model.parameters()))  # type: ignore[method-assign]
    Trial(model).fit([BATCH], steps=1)
    for name, p in model.named_parameters():
        share = 1 - 0.5 * 1e-3 if name.startswith(("encoder", "decoder")) and name.endswith("weight") else 1.0
        torch.testing.assert_close(p.detach(), share * before[name], msg=name)


def test_a_latent_of_one_value_is_refused() -> None:
    with pytest.raises(InvalidOption, match="values must be a finite number of at least 2, but is 1"):
        made(values=1)


def test_a_run_decays_weights_by_the_learning_rate_times_the_decay(tmp_path: Path) -> None:
    weights = []
    for decay in (0.0, 100.0):
        options: Any = {"latent_dim": 2, "weight_decay": decay}
        run = train("qlae", "sprites", steps=1, batch_size=4, learning_rate=1e-3, out=tmp_path / str(decay), **options)
        weights.append(run.model.decoder[0].weight)
    # Adam's step is a thousandth at most, whatever the gradient; it is taken from the decayed weight.
    assert (weights[1] - weights[0]).abs().max() > 0.05
    torch.testing.assert_close(weights[1], 0.9 * weights[0], rtol=0, atol=2.2e-4)
