"""The VQ-VAE's terms, derived anew vector by vector."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Bernoulli

from unbraid.errors import InvalidOption
from unbraid.models.vqvae import VQVAE
from unbraid.view import Batch

SIZE, LATENTS, WIDTH = 6, 6, 3
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 100)


def made(codewords: int = 16, commitment: float = 0.25) -> VQVAE:
    torch.manual_seed(0)
    return VQVAE((1, 32, 32), latent_dim=LATENTS, width=WIDTH, codewords=codewords, commitment=commitment)


def test_terms_equal_a_loop_over_images_and_vectors() -> None:
    model = made(commitment=0.5)
    code, values, distance = model.encoder(BATCH.x).detach(), torch.zeros(SIZE, LATENTS), 0.0
    for i in range(SIZE):
        for start in range(0, LATENTS, WIDTH):
            part = code[i, start : start + WIDTH]
            squared = [(vector - part).square().sum().item() for vector in model.codebook.detach()]
            values[i, start : start + WIDTH] = model.codebook[squared.index(min(squared))].detach()
            distance += min(squared) / SIZE
    terms = model.loss(BATCH, 0)
    nll = -Bernoulli(logits=model.decoder(values)).log_prob(BATCH.x).flatten(1).sum(dim=1).mean()
    torch.testing.assert_close(terms["reconstruction"], nll)
    assert terms["quantisation"].item() == pytest.approx(distance, rel=1e-5)
    assert terms["commitment"].item() == pytest.approx(0.5 * distance, rel=1e-5)
    assert torch.equal(model.represent(BATCH.x), values)


@pytest.mark.parametrize(
    ("term", "parts"),
    [("reconstruction", {"encoder", "decoder"}), ("quantisation", {"codebook"}), ("commitment", {"encoder"})],
)
def test_each_term_moves_what_it_should_and_nothing_else(term: str, parts: set[str]) -> None:
    model = made()
    model.loss(BATCH, 0)[term].backward()
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None and p.grad.any()} == parts


def test_only_the_vectors_that_were_taken_move_and_towards_the_codes() -> None:
    model = made()
    terms = model.loss(BATCH, 0)
    before = terms["quantisation"].item()
    terms["quantisation"].backward()
    taken = {tuple(vector) for row in model.represent(BATCH.x).tolist() for vector in (row[:WIDTH], row[WIDTH:])}
    moved = [k for k in range(16) if model.codebook.grad[k].any()]  # type: ignore[index]
    assert {tuple(model.codebook[k].tolist()) for k in moved} == taken
    assert 1 < len(taken) < 16
    with torch.no_grad():
        model.codebook -= 0.05 * model.codebook.grad  # type: ignore[operator]
    assert model.loss(BATCH, 0)["quantisation"] < before


def test_codes_are_rows_of_codewords_and_every_part_shares_one_codebook() -> None:
    model = made(codewords=2)
    rows = model.quantise(torch.randn(50, LATENTS)).unflatten(1, (-1, WIDTH)).flatten(0, 1)
    assert {tuple(row) for row in rows.tolist()} == {tuple(row) for row in model.codebook.tolist()}


def test_codes_that_cannot_be_cut_are_refused() -> None:
    with pytest.raises(InvalidOption, match="multiple of width, but 7 numbers do not cut into vectors of 3"):
        VQVAE((1, 32, 32), latent_dim=7, width=3)
