"""A few labels: what they cost by hand, when, and on top of which model."""

from __future__ import annotations

import math

import pytest
import torch

from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.models.betavae import BetaVAE
from unbraid.models.semisupervised import SemiSupervised
from unbraid.view import Batch, LabelledBatch

SIZE, LABELLED = 6, 4
SIZES = torch.tensor([3, 5])


def made(cls: type = SemiSupervised, **options: object):
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=3, network="dense", **options)


def labelled(known: tuple[bool, bool] = (True, True), factors: int = 2) -> LabelledBatch:
    generator = torch.Generator().manual_seed(1)
    x, some = torch.rand(SIZE, 1, 32, 32, generator=generator), torch.rand(LABELLED, 1, 32, 32, generator=generator)
    labels = torch.tensor([[0, 4], [2, 1], [1, 3], [2, 0]])
    told = torch.tensor([known] * LABELLED)
    labels, sizes = torch.where(told, labels, -1), SIZES
    if factors > 2:
        labels, told = labels.repeat(1, factors // 2), told.repeat(1, factors // 2)
        sizes = sizes.repeat(factors // 2)
    return LabelledBatch(x, torch.arange(SIZE), 100, some, labels, told, sizes)


def cost(supervision: str, batch: LabelledBatch) -> float:
    """R, by hand."""
    codes = made().represent(batch.labelled).tolist()
    total = 0.0
    for code, labels, known in zip(codes, batch.labels.tolist(), batch.known.tolist(), strict=True):
        for i, size in enumerate(SIZES.tolist()):
            p, y = 1 / (1 + math.exp(-code[i])), labels[i] / (size - 1)
            if known[i]:
                total += -y * math.log(p) - (1 - y) * math.log(1 - p) if supervision == "xent" else (p - y) ** 2
    return total / LABELLED


@pytest.mark.parametrize("known", [(True, True), (False, True)])
@pytest.mark.parametrize("supervision", ["xent", "l2"])
def test_known_labels_cost_what_they_do_by_hand(supervision, known) -> None:
    batch = labelled(known)
    found = made(gamma=2.0, supervision=supervision).loss(batch, 0)["labels"].item()
    assert found == pytest.approx(2 * cost(supervision, batch), rel=1e-4)


def test_the_covariance_is_that_of_numpy_without_its_diagonal() -> None:
    batch = labelled()
    codes = made().represent(batch.labelled)[:, :2].detach()
    both = torch.cat([codes, batch.labels / (SIZES - 1)], dim=1)
    covariance = torch.cov(both.T, correction=0)[:2, 2:]
    by_hand = covariance[0, 1] ** 2 + covariance[1, 0] ** 2
    torch.testing.assert_close(made(gamma=1.0, supervision="cov").loss(batch, 0)["labels"], by_hand)


def test_the_models_own_terms_are_as_without_labels() -> None:
    batch = labelled()
    torch.manual_seed(5)
    ours = made(of="betavae", of_options="beta=3").loss(batch, 0)
    torch.manual_seed(5)
    alone = made(BetaVAE, beta=3.0).loss(Batch(batch.x, batch.index, 100), 0)
    torch.testing.assert_close(ours["kl"], alone["kl"])
    assert set(ours) == {*alone, "labels"}


def test_labels_wait_then_rise_then_count_in_full() -> None:
    model = made(wait=10, anneal=20)
    assert [model.weight(step) for step in (0, 9, 10, 20, 30, 99)] == [0, 0, 0, 0.5, 1, 1]
    assert model.loss(labelled(), 9)["labels"].item() == 0
    assert made(wait=10).weight(10) == 1


def test_only_the_first_player_looks_at_labels() -> None:
    model = made(of="factorvae", of_options={"critic_width": 16})
    assert list(model.players()) == ["model", "critic"]
    assert "labels" in model.loss(labelled(), 0, "model")
    assert set(model.loss(labelled(), 0, "critic")) == {"critic"}


@pytest.mark.parametrize(("options", "error", "sentence"), [
    ({"of": "bettavae"}, UnknownName, "did you mean betavae"),
    ({"of": "adagvae"}, InvalidOption, "adagvae sees the world as pairs"),
    ({"of_options": "bta=3"}, InvalidOption, "the model betavae has no option 'bta': did you mean beta"),
    ({"of_options": "beta=-3"}, InvalidOption, "beta must be"),
])  # fmt: skip
def test_a_model_that_cannot_be_told_labels_is_refused(options, error, sentence) -> None:
    with pytest.raises(error, match=sentence):
        made(**options)


def test_more_labels_than_latents_are_refused() -> None:
    with pytest.raises(InvalidData, match="tell of 4 factors, but the model has 3 latents"):
        made().loss(labelled(factors=4), 0)
