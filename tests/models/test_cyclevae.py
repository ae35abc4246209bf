"""Class and style: what is swapped, who moves in reverse, and which holes the options close."""

from __future__ import annotations

import pytest
import torch

from unbraid.errors import InvalidData
from unbraid.models.adversarialvae import AdversarialVAE
from unbraid.models.cyclevae import CycleVAE
from unbraid.models.lord import LORD
from unbraid.models.swapae import SwapAE
from unbraid.view import GroupBatch

SIZE = 6


def classes(labels: tuple[int, ...] = (0, 1, 2, 0, 1, 2)) -> GroupBatch:
    x = torch.rand(SIZE, 2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    return GroupBatch(x, torch.arange(2 * SIZE).reshape(SIZE, 2), torch.tensor(labels), 100)


def made(cls: type = CycleVAE, **options: object):
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=5, content_dim=2, network="dense", **options)


def decoded_from(model, monkeypatch) -> list[torch.Tensor]:
    seen: list[torch.Tensor] = []
    nll = model.nll
    monkeypatch.setattr(model, "nll", lambda x, z: seen.append((x, z)) or nll(x, z))
    return seen


@pytest.mark.parametrize("cls", [CycleVAE, SwapAE])
def test_every_image_is_decoded_from_its_own_style_and_the_others_class_code(cls, monkeypatch) -> None:
    model, batch = made(cls), classes()
    seen = decoded_from(model, monkeypatch)
    model.loss(batch, 0)
    (x, z) = seen[0]
    for first, second in ((0, 1), (1, 0)):
        rows = slice(first * SIZE, (first + 1) * SIZE)
        assert torch.equal(x[rows], batch.x[:, first])
        content, _ = model.encode(batch.x[:, second])
        assert torch.allclose(z[rows, :2], content, atol=1e-5)
        if cls is SwapAE:
            assert torch.allclose(z[rows, 2:], model.encode(batch.x[:, first])[1].mean, atol=1e-5)


def test_a_style_is_sampled_and_paid_for_and_a_class_code_is_not() -> None:
    model, batch = made(beta=2.0), classes()
    x = torch.cat([batch.x[:, 0], batch.x[:, 1]])
    torch.testing.assert_close(model.loss(batch, 0)["kl"], 2 * model.style(x).kl())
    assert model.style(x).mean.shape == (2 * SIZE, 3)
    assert model.represent(x).shape == (2 * SIZE, 5)


def test_the_weights_of_the_paper_are_those_of_the_defaults() -> None:
    # 2 SSE + 3 KL is four times SSE / 2 + 0.75 KL, and the Gaussian of unit variance pays half of the squared error.
    model, batch = made(), classes()
    torch.manual_seed(3)
    terms = model.loss(batch, 0)
    x = torch.cat([batch.x[:, 0], batch.x[:, 1]])
    torch.manual_seed(3)
    content, style = model.encode(x)
    image = model.decoder(torch.cat([content.roll(SIZE, dims=0), style.rsample()], dim=1))
    paper = 2 * (image - x).square().sum() / len(x) + 3 * style.kl()
    constant = 0.5 * x[0].numel() * torch.tensor(2 * torch.pi).log()
    torch.testing.assert_close(4 * (terms.total() - constant), paper, rtol=1e-4, atol=1e-2)


def test_in_reverse_the_encoder_alone_moves_and_sees_no_gradient_of_the_decoder() -> None:
    model = made()
    encoder = {id(p) for p in model.encoder.parameters()}
    reverse = model.players()["encoder"]
    assert {id(p) for p in reverse["params"]} < encoder
    assert "lr" not in reverse
    assert made(reverse_rate=1e-4).players()["encoder"]["lr"] == 1e-4
    model.loss(classes(), 0, "encoder").total().backward()
    assert all(p.grad is None for p in model.decoder.parameters())


def test_a_decoder_that_ignores_the_class_code_makes_the_reverse_cycle_zero_but_not_the_way_back() -> None:
    model = made(consistency=1.0)
    with torch.no_grad():
        model.decoder[0].weight[:, :2] = 0
    assert model.loss(classes(), 0, "encoder").total().item() == 0
    nobody_knows = model.loss(classes(), 0)["consistency"].item()
    assert nobody_knows > 0.5


def test_compared_with_the_drawn_style_small_styles_are_no_way_out() -> None:
    for target, way_out in (("other", True), ("drawn", False)):
        model = made(target=target)
        with torch.no_grad():
            model.encoder[-1].weight[2:5] = 0
            model.encoder[-1].bias[2:5] = 0
        assert (model.loss(classes(), 0, "encoder").total().item() == 0) is way_out


def test_others_of_the_same_class_are_no_mistake() -> None:
    one_class = made(consistency=1.0).loss(classes((0,) * SIZE), 0)["consistency"]
    assert one_class.item() == pytest.approx(0, abs=1e-6)


def test_the_critic_alone_is_told_classes_and_neither_player_leaves_gradients_in_the_other() -> None:
    model = made(AdversarialVAE, classes=3)
    model.loss(classes(), 0, "critic").total().backward()
    assert all(p.grad is None for p in model.encoder.parameters())
    model.zero_grad()
    model.loss(classes(), 0).total().backward()
    assert all(p.grad is None or not p.grad.any() for p in model.critic.parameters())
    with pytest.raises(InvalidData, match="the world has a class 2, but classes is 2"):
        made(AdversarialVAE, classes=2).loss(classes(), 0)


def test_lord_decodes_codes_and_its_encoder_learns_them_without_moving_them() -> None:
    model, batch = made(LORD, images=100, classes=3), classes()
    content, style = model.codes(batch)
    assert torch.equal(content[0], content[1])
    assert torch.equal(content[0], content[6])
    assert len(style.unique(dim=0)) == 2 * SIZE
    model.loss(batch, 0, "encoder").total().backward()
    assert model.class_codes.grad is None
    assert all(p.grad is None for p in model.decoder.parameters())
    x = batch.x.flatten(0, 1)
    seen, q = model.encode(x)
    apart = ((seen - content).square().sum(dim=1) + (q.mean - style).square().sum(dim=1)).mean()
    torch.testing.assert_close(model.loss(batch, 0, "encoder")["match"], model.match * apart)


@pytest.mark.parametrize("options", [{"images": 99, "classes": 3}, {"images": 100, "classes": 2}])
def test_lord_refuses_a_world_it_has_no_codes_for(options) -> None:
    with pytest.raises(InvalidData, match="take a smaller world, or give more"):
        made(LORD, **options).loss(classes(), 0)


@pytest.mark.parametrize(("part", "ignored"), [(slice(0, 2), "class code"), (slice(2, 5), "style")])
def test_a_code_that_the_decoder_ignores_is_a_symptom(part, ignored) -> None:
    model, batch = made(), classes()
    healthy = model.symptoms(batch)
    assert 0.2 < healthy["dependence"] < 0.8
    assert model.diagnosis(healthy) == []
    with torch.no_grad():
        model.decoder[0].weight[:, part] = 0
    said = model.diagnosis(model.symptoms(batch))
    assert len(said) == 1
    assert said[0].startswith(f"the {ignored} is ignored: 0% of the change")
