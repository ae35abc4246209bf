from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unbraid.models.unit import UNIT
from unbraid.view import DomainBatch


def batch() -> DomainBatch:
    x, other = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return DomainBatch(x, other, torch.arange(2), torch.arange(2), 2)


def test_the_loss_is_the_published_one_derived_from_encoders_and_decoders() -> None:
    torch.manual_seed(0)
    model, seen = UNIT((3, 32, 32), width=4, critic_width=4, kl_weight=0.5), batch()
    torch.manual_seed(1)
    terms = {name: term.item() for name, term in model.loss(seen, 0, "model").items()}
    torch.manual_seed(1)
    translator = model.translator
    (ga, gb), (body,) = translator.decoders, translator.bodies
    ea, eb = (torch.nn.Sequential(front, body) for front in translator.encoders)
    none = torch.zeros(2, 0)

    def drawn(decoder: torch.nn.Module, c: Tensor) -> Tensor:
        return decoder(translator.middle(c + torch.randn(c.shape)), none)  # type: ignore[no-any-return]

    with torch.no_grad():
        ca, cb = ea(2 * seen.x - 1), eb(2 * seen.other - 1)
        ab, ba = drawn(gb, ca), drawn(ga, cb)
        cab, cba = eb(2 * ab - 1), ea(2 * ba - 1)
        own = [(drawn(ga, ca) - seen.x).abs().mean(), (drawn(gb, cb) - seen.other).abs().mean()]
        again = [(drawn(ga, cab) - seen.x).abs().mean(), (drawn(gb, cba) - seen.other).abs().mean()]
        doubt = [
            (answer - 1).square().mean()
            for critic, fake in ((model.critics[1], ab), (model.critics[0], ba))
            for answer in critic(fake)
        ]
        expected = {
            "adversary": sum(one.item() for one in doubt),
            "reconstruction": 10 * sum(one.item() for one in own),
            "cycle": 10 * sum(one.item() for one in again),
            "kl": 0.5 * sum(c.square().mean().item() for c in (ca, cb, cab, cba)),
        }
    assert terms == pytest.approx(expected, rel=1e-4)


def test_the_residual_blocks_are_the_domains_in_common_and_nothing_else_is() -> None:
    translator = UNIT((3, 32, 32), width=4, blocks=3).translator
    assert [len(parts) for parts in (translator.bodies, translator.encoders, translator.decoders)] == [1, 2, 2]
    assert len(translator.bodies[0]) == len(translator.middle) == 3  # type: ignore[arg-type]
    assert all(len(decoder.blocks) == 0 for decoder in translator.decoders)  # type: ignore[arg-type]


def test_an_image_has_one_translation() -> None:
    torch.manual_seed(0)
    model = UNIT((3, 32, 32), width=4).eval()
    assert torch.equal(model.translate(batch().x, 0), model.translate(batch().x, 0))
