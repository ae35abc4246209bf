from __future__ import annotations

import pytest
import torch

from unbraid.models.cyclegan import CycleGAN
from unbraid.view import DomainBatch


def batch() -> DomainBatch:
    x, other = torch.rand(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return DomainBatch(x, other, torch.arange(2), torch.arange(2), 2)


@pytest.mark.parametrize("identity", [0.0, 5.0])
def test_the_loss_is_the_published_one_derived_from_encoders_and_decoders(identity: float) -> None:
    torch.manual_seed(0)
    model, seen = CycleGAN((3, 32, 32), width=4, critic_width=4, identity_weight=identity), batch()
    terms = {name: term.item() for name, term in model.loss(seen, 0, "model").items()}
    (ga, gb), bodies = model.translator.decoders, model.translator.bodies
    ea, eb = (torch.nn.Sequential(*parts) for parts in zip(model.translator.encoders, bodies, strict=True))
    none = torch.zeros(2, 0)
    with torch.no_grad():
        a, b = seen.x, seen.other
        ab, ba = gb(ea(2 * a - 1), none), ga(eb(2 * b - 1), none)
        aba, bab = ga(eb(2 * ab - 1), none), gb(ea(2 * ba - 1), none)
        expected = {
            "adversary": sum(
                (answer - 1).square().mean().item()
                for critic, fake in ((model.critics[1], ab), (model.critics[0], ba))
                for answer in critic(fake)
            ),
            "cycle": 10 * ((aba - a).abs().mean() + (bab - b).abs().mean()).item(),
        }
        if identity:
            same = (ga(eb(2 * a - 1), none) - a).abs().mean() + (gb(ea(2 * b - 1), none) - b).abs().mean()
            expected["identity"] = identity * same.item()
    assert terms == pytest.approx(expected, rel=1e-4)


def test_a_code_is_a_translation_and_decoding_is_translating_back() -> None:
    torch.manual_seed(0)
    model, x = CycleGAN((3, 32, 32), width=4).eval(), batch().x
    assert torch.equal(model.represent(x), model.translate(x, 0).flatten(1))
    assert torch.equal(model.decode(model.represent(x)), model.translate(model.translate(x, 0), 1))
