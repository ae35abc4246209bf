"""VAEs of pairs: the loss by hand, what is told, and whether shared latents are found."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidData, InvalidOption
from unbraid.models.adagvae import AdaGVAE
from unbraid.models.adamlvae import AdaMLVAE
from unbraid.models.betavae import BetaVAE
from unbraid.view import Batch, PairBatch

SIZE, LATENTS = 6, 5


def pairs(differ: torch.Tensor | None = None, *, same: bool = False) -> PairBatch:
    x, other = torch.rand(2, SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    index = torch.arange(SIZE)
    return PairBatch(x, x if same else other, index, index, 100, differ)


def made(cls: type = AdaGVAE, **options: object):
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=LATENTS, network="dense", **options)


def by_hand(model, batch: PairBatch, beta: float) -> float:
    """The KL of both images, pair by pair and latent by latent."""
    first, second = (model.encode(x) for x in (batch.x, batch.other))
    total = 0.0
    for b in range(SIZE):
        a, c = (Normal(q.mean[b], (q.log_variance[b] / 2).exp()) for q in (first, second))
        delta = kl_divergence(a, c)
        shared = delta < (delta.min() + delta.max()) / 2
        joint = Normal((a.mean + c.mean) / 2, ((a.variance + c.variance) / 2).sqrt())
        for own in (a, c):
            prior = Normal(torch.zeros(LATENTS), torch.ones(LATENTS))
            kl = torch.where(shared, kl_divergence(joint, prior), kl_divergence(own, prior))
            total += kl.sum().item() / 2
    return beta * total / SIZE


def test_the_kl_is_that_of_both_images_by_hand() -> None:
    model = made(beta=2.5)
    assert model.loss(pairs(), 0)["kl"].item() == pytest.approx(by_hand(model, pairs(), 2.5), rel=1e-4)


@pytest.mark.parametrize(("cls", "options"), [(AdaGVAE, {}), (AdaMLVAE, {"harmonic": True})])
def test_a_pair_of_one_image_twice_is_a_beta_vae(cls, options) -> None:
    batch = pairs(same=True)
    alone = made(BetaVAE, beta=3.0).loss(Batch(batch.x, batch.index, 100), 0)["kl"]
    torch.testing.assert_close(made(cls, beta=3.0, **options).loss(batch, 0)["kl"], alone)


def test_where_the_product_is_taken_equal_posteriors_have_half_the_variance() -> None:
    batch, nothing = pairs(same=True), torch.zeros(SIZE, LATENTS, dtype=torch.bool)
    told = PairBatch(batch.x, batch.other, batch.index, batch.other_index, 100, nothing)
    harmonic, product = (made(AdaMLVAE, harmonic=flag).loss(told, 0)["kl"] for flag in (True, False))
    variance = made().encode(batch.x).log_variance.exp()
    torch.testing.assert_close(product, harmonic + 0.5 * (math.log(2) - variance / 2).sum(dim=1).mean())


def test_what_the_view_tells_is_believed() -> None:
    differ = torch.zeros(SIZE, 3, dtype=torch.bool)
    differ[:, 1] = True
    model = made(k=2)
    q = model.encode(torch.cat([pairs().x, pairs().other]))
    shared = model.shared(q.unflatten(2), differ)
    assert shared.tolist() == [[True, False, True, True, True]] * SIZE
    with pytest.raises(InvalidData, match="tell of 9 factors, but the model has 5 latents"):
        model.loss(pairs(torch.zeros(SIZE, 9, dtype=torch.bool)), 0)


def test_more_differing_latents_than_there_are_is_refused() -> None:
    with pytest.raises(InvalidOption, match="k must be at most the 5 latents, but is 6"):
        made(k=6)


def test_a_pair_lies_side_by_side_and_not_across_the_batch() -> None:
    # If the two images of different pairs were mixed up, pairs of one image twice would not be what they are.
    model, batch = made(), pairs()
    apart = PairBatch(batch.x, batch.x.flip(0), batch.index, batch.index.flip(0), 100, None)
    kl = [model.loss(b, 0)["kl"].item() for b in (pairs(same=True), apart)]
    assert kl[0] != pytest.approx(kl[1], rel=1e-3)
