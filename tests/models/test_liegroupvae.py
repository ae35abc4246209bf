"""The commutative Lie group VAE: its matrices, and its loss derived anew."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from unbraid.errors import InvalidData, InvalidOption
from unbraid.models.liegroupvae import LieGroupVAE
from unbraid.view import Batch

SIZE = 6
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 1000)


def made(**options: Any) -> LieGroupVAE:
    torch.manual_seed(0)
    model = LieGroupVAE((1, 32, 32), network="dense", latent_dim=3, size=4, **options)
    with torch.no_grad():
        model.generators.mul_(500)  # as far from nothing as training brings them
    return model


def test_a_code_goes_so_far_along_each_generator() -> None:
    model = made()
    z = torch.randn(5, 3)
    for code, element in zip(z, model.element(z), strict=True):
        along = sum(t * A for t, A in zip(code, model.generators, strict=True))
        series, term = torch.eye(4), torch.eye(4)
        for k in range(1, 40):
            term = term @ along / k
            series = series + term
        assert torch.allclose(element, series, atol=1e-4, rtol=1e-4)
    assert torch.equal(model.element(torch.zeros(1, 3))[0], torch.eye(4))
    assert model.element(1e4 * z).isfinite().all()
    with pytest.raises(InvalidData, match=r"codes must be \(B, 3\)"):
        model.element(torch.zeros(2, 16))


def test_generators_whose_products_vanish_are_free_and_leave_each_other_alone() -> None:
    model = made()
    with torch.no_grad():
        model.generators.zero_()
        model.generators[0, 0, 0] = 1.0
        model.generators[1, 1:3, 1:3] = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
        model.generators[2, 3, 3] = -0.5
    assert model.loss(BATCH, 0)["hessian"].item() == 0.0
    alone = [model.element(torch.eye(3)[i : i + 1] * 0.7)[0] for i in range(3)]
    together = model.element(torch.full((1, 3), 0.7))[0]
    assert torch.allclose(alone[2] @ alone[0] @ alone[1], together, atol=1e-6)
    with torch.no_grad():
        model.generators[2, 0, 1] = 1.0
    assert model.loss(BATCH, 0)["hessian"].item() > 1.0


def test_the_loss_equals_one_with_loops_over_images_and_pairs_of_generators() -> None:
    model = made(beta=2.0, agreement=3.0, hessian=5.0, commutator=7.0, direct=0.4)
    torch.manual_seed(5)
    terms = model.loss(BATCH, 0)
    seen = model.encoder(BATCH.x)
    mean, log_variance = model.reader(seen).chunk(2, dim=1)
    torch.manual_seed(5)
    t = mean + (log_variance / 2).exp() * torch.randn(SIZE, 3)
    straight = torch.rand(SIZE, 1)[:, 0] < 0.4
    assert 0 < straight.sum() < SIZE
    nll, kl, apart = 0.0, 0.0, 0.0
    for n in range(SIZE):
        g = torch.linalg.matrix_exp(sum(t[n, i] * model.generators[i] for i in range(3)))
        logits = model.decoder((seen[n] if straight[n] else g.flatten())[None])
        nll += torch.nn.functional.binary_cross_entropy_with_logits(logits, BATCH.x[n : n + 1], reduction="sum").item()
        kl += 0.5 * (mean[n].square() + log_variance[n].exp() - log_variance[n] - 1).sum().item()
        apart += (seen[n].unflatten(0, (4, 4)) - g).square().sum().item()
    A, product, commutator = model.generators, 0.0, 0.0
    for i in range(3):
        for j in range(3):
            if i != j:
                product += (A[i] @ A[j]).square().sum().item() / 6
                commutator += (A[i] @ A[j] - A[j] @ A[i]).square().sum().item() / 6
    expected = {"reconstruction": nll / SIZE, "kl": 2 * kl / SIZE, "agreement": 3 * apart / SIZE}
    expected |= {"hessian": 5 * product, "commutator": 7 * commutator}
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected, rel=1e-4)


def test_images_drawn_from_the_encoders_matrix_teach_codes_nothing_of_pixels() -> None:
    for direct, learns in ((1.0, False), (0.0, True)):
        model = made(direct=direct)
        terms = model.loss(BATCH, 0)
        gradient = torch.autograd.grad(terms["reconstruction"], model.generators, allow_unused=True)[0]
        assert bool(gradient is not None and gradient.any()) == learns
    assert model.decode(model.represent(BATCH.x)).shape == BATCH.x.shape


@pytest.mark.parametrize("options", [{"direct": 1.5}, {"direct": -0.1}, {"hessian": -1.0}, {"beta": math.inf}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidOption, match="must be"):
        made(**options)
    with pytest.raises(InvalidOption, match="size must be"):
        LieGroupVAE((1, 32, 32), size=1)
