"""Information Dropout as a model: its terms are those of the paper, and its decoder only looks on."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from unbraid.errors import InvalidData
from unbraid.models.informationdropout import InformationDropout
from unbraid.nn.informationdropout import divergence
from unbraid.view import GroupBatch


def batch(classes: int = 10) -> GroupBatch:
    x = torch.rand(6, 2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    return GroupBatch(x, torch.arange(12).view(6, 2), torch.arange(6) % classes, 12)


def test_terms_are_surprise_and_the_price_of_what_all_layers_tell() -> None:
    torch.manual_seed(0)
    model, seen = InformationDropout((1, 32, 32), beta=0.01), batch()
    torch.manual_seed(1)
    terms = model.loss(seen, 0)
    torch.manual_seed(1)
    logits = model.classifier(model.encoder(seen.x.flatten(0, 1)))
    labels = seen.label.repeat_interleave(2)
    assert terms["surprise"].item() == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
    assert terms["information"].item() == pytest.approx(0.01 * divergence(model.encoder).mean().item(), rel=1e-5)
    assert terms["information"] > 0


def test_the_decoder_looks_on_and_is_not_felt() -> None:
    model = InformationDropout((1, 32, 32))
    model.loss(batch(), 0, "decoder").total().backward()
    assert all(p.grad is None for p in [*model.encoder.parameters(), *model.classifier.parameters()])
    assert all(p.grad is not None for p in model.decoder.parameters())


def test_answers_have_no_noise_and_a_world_of_more_classes_is_refused() -> None:
    model, x = InformationDropout((1, 32, 32), classes=4), batch().x[:, 0]
    assert torch.equal(model.train().classify(x), model.eval().classify(x))
    assert model.classify(x).shape == (6, 4)
    with pytest.raises(InvalidData, match="give more classes"):
        model.loss(batch(), 0)
