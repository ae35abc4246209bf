from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption
from unbraid.models.stylegan import StyleGAN
from unbraid.nn.enlarge import Enlarge
from unbraid.nn.modulated import Scaled
from unbraid.view import Batch


def batch(size: int = 3) -> Batch:
    x = torch.rand(size, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.arange(size), size)


def made(**options: Any) -> StyleGAN:
    torch.manual_seed(0)
    model = StyleGAN((3, 32, 32), **{"latent_dim": 5, "width": 2, "depth": 2, **options})
    with torch.no_grad():
        for layer in model.synthesis.layers:
            layer.strength.normal_()
    return model


def mapped(model: StyleGAN, z: Tensor) -> Tensor:
    h = torch.stack([row * math.sqrt(len(row)) / row.norm() for row in z])
    for layer in model.mapping:
        linear = isinstance(layer, torch.nn.Linear)
        h = h @ layer.weight.T + layer.bias if linear else h.clamp(min=0) + 0.2 * h.clamp(max=0)
    return h


def synthesised(model: StyleGAN, styles: Tensor, noisy: bool) -> Tensor:
    """The generator for one image after the other, channel by channel."""
    h = model.synthesis.constant.repeat(len(styles), 1, 1, 1)
    for number, layer in enumerate(model.synthesis.layers):
        grown = layer.grown
        if isinstance(grown, Enlarge):
            h = F.pad(h, (1,) * 4, mode="replicate").repeat_interleave(2, 2).repeat_interleave(2, 3)
            h = F.conv2d(h, grown.convolution.weight, grown.convolution.bias)
        elif number:
            h = F.conv2d(h, grown.weight, grown.bias, padding=1)
        if noisy:
            h = h + layer.strength * torch.randn(len(h), 1, *h.shape[2:])
        h = h.clamp(min=0) + 0.2 * h.clamp(max=0)
        told = styles[:, number] @ layer.modulated.affine.weight.T + layer.modulated.affine.bias
        scale, shift = told.chunk(2, dim=1)
        h = torch.stack([
            torch.stack([
                ((1 + a) * (c - c.mean()) / (c.var(correction=0) + 0.05).sqrt() + b) / 6**0.5
                for c, a, b in zip(one, scales, shifts, strict=True)
            ]) for one, scales, shifts in zip(h, scale, shift, strict=True)
        ])  # fmt: skip
    return (F.conv2d(h, model.synthesis.end.weight, model.synthesis.end.bias).tanh() + 1) / 2


def told(model: StyleGAN, count: int) -> Tensor:
    """Styles of all layers, image by image, drawn as the model draws them."""
    z = torch.randn(2 * count, 5)
    crossing, chance = torch.randint(1, 8, (count,)), torch.rand(count)
    w = mapped(model, z)
    rows = []
    for i in range(count):
        change = int(crossing[i]) if chance[i] < model.mixing else 8
        rows.append(torch.stack([w[i] if layer < change else w[count + i] for layer in range(8)]))
    return torch.stack(rows)


def everywhere(w: Tensor) -> Tensor:
    return torch.stack([w] * 8, dim=1)


def test_the_generators_loss_is_the_published_one_derived_slowly_layer_by_layer() -> None:
    model, seen = made(mixing=0.6, path_weight=3.0), batch()
    torch.manual_seed(5)
    terms = {name: term.item() for name, term in model.loss(seen, 0, "model").items()}
    torch.manual_seed(5)
    believed = model.critic(synthesised(model, told(model, 3), noisy=True))
    again = synthesised(model, everywhere(model.encoder(seen.x)), noisy=True)
    w = mapped(model, torch.randn(3, 5))
    found = model.encoder(synthesised(model, everywhere(w), noisy=True))
    few = told(model, 2)
    noise = torch.get_rng_state()
    synthesised(model, few, noisy=True)
    y = torch.randn(2, 3, 32, 32)

    def drawn(styles: Tensor) -> Tensor:
        torch.set_rng_state(noise)
        return synthesised(model, styles, noisy=True)

    jacobian = torch.autograd.functional.jacobian(lambda s: (drawn(s) * y).sum(dim=(1, 2, 3)) / 32, few)
    lengths = torch.stack([(jacobian[i, i] ** 2).sum(dim=1).mean().sqrt() for i in range(2)])
    expected = {
        "adversary": (1 + torch.exp(-believed)).log().mean().item(),
        "reconstruction": 0.1 * sum(((a - b) ** 2).sum().item() / 2 for a, b in zip(again, seen.x, strict=True)) / 3,
        "code": sum(((a - b) ** 2).sum().item() for a, b in zip(found, w, strict=True)) / 3,
        "path": 8 * 3 * ((lengths - lengths.mean()) ** 2).mean().item(),
    }
    assert terms == pytest.approx(expected, rel=2e-3)
    assert model.length.item() == pytest.approx(lengths.mean().item(), rel=1e-3)


def test_the_critics_loss_is_the_published_one_with_a_penalty_at_times() -> None:
    model, seen = made(gamma=3.0), batch()
    torch.manual_seed(5)
    terms = {name: term.item() for name, term in model.loss(seen, 16, "critic").items()}
    torch.manual_seed(5)
    with torch.no_grad():
        real, fake = model.critic(seen.x), model.critic(synthesised(model, told(model, 3), noisy=True))
    slopes = torch.autograd.functional.jacobian(model.critic, seen.x)
    expected = {
        "critic": ((1 + torch.exp(-real)).log().mean() + (1 + torch.exp(fake)).log().mean()).item(),
        "gradient": 16 * 3 / 2 * sum((slopes[i, 0, i] ** 2).sum().item() for i in range(3)) / 3,
    }
    assert terms == pytest.approx(expected, rel=2e-3)
    assert set(model.loss(seen, 17, "critic")) == {"critic"}


def test_each_term_is_felt_by_those_it_is_meant_for_and_by_nobody_else() -> None:
    model = made()
    parts = {"mapping": model.mapping, "synthesis": model.synthesis, "encoder": model.encoder, "critic": model.critic}
    felt = {
        "adversary": {"mapping", "synthesis"}, "reconstruction": {"synthesis", "encoder"}, "code": {"encoder"},
        "path": {"mapping", "synthesis"}, "critic": {"critic"}, "gradient": {"critic"},
    }  # fmt: skip
    for player in ("model", "critic"):
        for name in model.loss(batch(), 0, player):
            model.zero_grad()
            model.loss(batch(), 0, player)[name].backward()
            feel = {part for part, module in parts.items() if any(
                p.grad is not None and p.grad.any() for p in module.parameters()
            )}  # fmt: skip
            assert feel == felt.pop(name), name
    assert not felt


def test_a_critic_in_company_sees_real_images_apart_from_drawn_ones_and_how_much_each_heap_differs() -> None:
    model, seen = made(spread=True, gamma=0.0), batch()

    def believed(x: Tensor) -> Tensor:
        h = model.critic.encoder(x)
        h = h.clamp(min=0) + 0.2 * h.clamp(max=0)
        spread = sum(((column - column.mean()).square().mean() + 1e-8).sqrt() for column in h.T) / h.shape[1]
        weight, bias = model.critic.end.weight[0], model.critic.end.bias
        return h @ weight[:-1] + spread * weight[-1] + bias

    torch.manual_seed(5)
    term = model.loss(seen, 1, "critic")["critic"].item()
    torch.manual_seed(5)
    with torch.no_grad():
        real, fake = believed(seen.x), believed(synthesised(model, told(model, 3), noisy=True))
    expected = (1 + torch.exp(-real)).log().mean() + (1 + torch.exp(fake)).log().mean()
    assert term == pytest.approx(expected.item(), rel=1e-4)


def test_styles_that_only_scale_keep_the_size_of_what_goes_on_and_do_not_look_at_the_map() -> None:
    torch.manual_seed(0)
    scaled, h, style = Scaled(6, 4), torch.randn(3, 6, 5, 5), torch.randn(3, 4)
    told = scaled(h, style)
    for one, before, s in zip(told, h, style, strict=True):
        wanted = [1 + (row @ s + b).item() for row, b in zip(scaled.affine.weight, scaled.affine.bias, strict=True)]
        size = math.sqrt(sum(a * a for a in wanted) / 6)
        for channel, a in enumerate(wanted):
            assert torch.allclose(one[channel], a / size * before[channel], atol=1e-5)
    half = torch.cat([h[..., :2], torch.zeros(3, 6, 5, 3)], dim=3)
    assert torch.equal(scaled(half, style)[..., :2], told[..., :2])
    assert all(isinstance(layer.modulated, Scaled) for layer in made(scaled=True).synthesis.layers)


def test_layers_before_the_crossing_are_told_one_style_and_the_rest_another() -> None:
    model = made().eval()
    coarse, fine = torch.randn(2, 4, 5).unbind()
    for layer in (0, 3, 8):
        both = model.mixed(coarse, fine, layer)
        assert torch.equal(both, torch.stack([coarse] * layer + [fine] * (8 - layer), dim=1))
    assert torch.allclose(model.drawn(model.mixed(coarse, fine, 8)), model.drawn(coarse), atol=1e-5)
    assert not torch.allclose(model.drawn(model.mixed(coarse, fine, 7)), model.drawn(coarse), atol=1e-2)


def test_truncated_styles_are_nearer_to_the_mean_of_all_which_training_finds() -> None:
    model = made(average=0.0, path_weight=0.0, reconstruction_weight=0.0, code_weight=0.0)
    for step in range(60):
        with torch.no_grad():
            model.loss(batch(16), step, "model")
    model.eval()
    torch.manual_seed(1)
    many = model.styles(4000)
    assert (model.centre - many.mean(dim=0)).norm() < 0.1 * many.std(dim=0).norm()
    torch.manual_seed(2)
    whole = model.styles(6)
    torch.manual_seed(2)
    half = model.styles(6, truncation=0.5)
    assert torch.allclose(half - model.centre, 0.5 * (whole - model.centre), atol=1e-6)
    alike = model.drawn(model.styles(3, truncation=0.0))
    assert torch.allclose(alike, alike[:1].expand_as(alike), atol=1e-6)


def test_what_is_drawn_for_people_has_no_noise_and_averaged_weights() -> None:
    model = made(average=0.9)
    w = torch.randn(2, 5)
    with torch.no_grad():
        assert torch.equal(model.drawn(w), model.drawn(w))
        assert not torch.equal(model.synthesis(everywhere(w)), model.synthesis(everywhere(w)))
        assert torch.allclose(model.drawn(w), synthesised(model, everywhere(w), noisy=False), atol=1e-4)
        before = model.eval().drawn(w)
        for p in model.synthesis.parameters():
            p.add_(0.1)
        assert torch.equal(model.drawn(w), before)
        model.train().loss(batch(), 1, "model")
        assert not torch.equal(model.eval().drawn(w), before)


def test_layers_that_do_not_exist_and_styles_of_another_length_are_refused() -> None:
    model, w = made(), torch.randn(2, 5)
    with pytest.raises(InvalidOption, match="layer must be 0 to 8, but is 9"):
        model.mixed(w, w, 9)
    with pytest.raises(InvalidData, match="styles must be for 8 layers, but are for 3"):
        model.drawn(torch.randn(2, 3, 5))
    with pytest.raises(InvalidData, match=r"codes must be \(B, 5\)"):
        model.drawn(torch.randn(2, 8, 4))


def test_a_mixing_above_one_and_an_average_that_never_moves_are_refused() -> None:
    for options in ({"mixing": 1.5}, {"average": 1.0}):
        with pytest.raises(InvalidOption, match="mixing must be at most 1 and average below 1, but are"):
            made(**options)
