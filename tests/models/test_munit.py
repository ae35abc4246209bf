from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption
from unbraid.models.munit import MUNIT, _strange
from unbraid.nn.averaged import Averaged
from unbraid.nn.content import ContentEncoder
from unbraid.nn.discriminator import Discriminator
from unbraid.nn.enlarge import Enlarge
from unbraid.nn.recolour import recoloured
from unbraid.nn.variety import coloured, mistinted
from unbraid.translation import AdversarialModel
from unbraid.view import DomainBatch


def batch(size: int = 3, shape: tuple[int, int, int] = (3, 32, 32)) -> DomainBatch:
    generator = torch.Generator().manual_seed(0)
    x, other = (torch.rand(size, *shape, generator=generator) for _ in range(2))
    return DomainBatch(x, other, torch.arange(size), torch.arange(size), size)


def made(shape: tuple[int, int, int] = (3, 32, 32), **options: Any) -> MUNIT:
    torch.manual_seed(0)
    return MUNIT(shape, **{"width": 4, "critic_width": 4, "style_dim": 3, **options})


def norm(h: Tensor) -> Tensor:
    """Mean 0 and variance 1 of every channel of every image, in a loop."""
    return torch.stack([torch.stack([(c - c.mean()) / (c.var(correction=0) + 0.05).sqrt() for c in one]) for one in h])


def mirrored(h: Tensor, weight: Tensor, bias: Tensor | None, stride: int = 1) -> Tensor:
    edge = (weight.shape[2] - 1) // 2
    return F.conv2d(F.pad(h, (edge,) * 4, mode="reflect"), weight, bias, stride)


def content(model: MUNIT, x: Tensor, domain: int) -> Tensor:
    encoders, bodies = model.translator.encoders, model.translator.bodies
    encoder, body = encoders[domain % len(encoders)], bodies[domain % len(bodies)]
    one = {"grey": x.mean(dim=1, keepdim=True), "darkest": x.min(dim=1, keepdim=True).values}
    h = 2 * one.get(model.seen, x) - 1
    for layer in encoder:
        if isinstance(layer, torch.nn.Conv2d):
            h = norm(mirrored(h, layer.weight, layer.bias, layer.stride[0])).clamp(min=0)
    for block in body:
        h = h + norm(mirrored(norm(mirrored(h, block.first.weight, None)).clamp(min=0), block.second.weight, None))
    return h


def style(model: MUNIT, x: Tensor, domain: int) -> Tensor:
    h, layers = 2 * x - 1, model.translator.styles[domain]
    for layer in layers:
        if isinstance(layer, torch.nn.Conv2d):
            h = mirrored(h, layer.weight, layer.bias, 2).clamp(min=0)
    return h.mean(dim=(2, 3)) @ layers[-1].weight.T + layers[-1].bias


def drawn(model: MUNIT, c: Tensor, s: Tensor, domain: int) -> Tensor:
    decoder = model.translator.decoders[domain]
    told = s
    for layer in decoder.style:
        told = told @ layer.weight.T + layer.bias if isinstance(layer, torch.nn.Linear) else told.clamp(min=0)
    h = c
    for block in decoder.blocks:
        inner = h
        for convolution, modulated in zip((block.first, block.second), block.norms, strict=True):
            scale, shift = (told @ modulated.affine.weight.T + modulated.affine.bias)[..., None, None].chunk(2, dim=1)
            inner = ((1 + scale) * norm(mirrored(inner, convolution.weight, None)) + shift) / 6**0.5
            inner = inner.clamp(min=0) if convolution is block.first else inner
        h = h + inner
    for layer in decoder.end:
        if isinstance(layer, Enlarge):
            h = F.pad(F.pad(h, (1,) * 4, mode="replicate").repeat_interleave(2, 2).repeat_interleave(2, 3), (0,) * 4)
            h = F.conv2d(h, layer.convolution.weight, layer.convolution.bias)
        elif isinstance(layer, torch.nn.GroupNorm):
            flat = h.flatten(1)
            flat = (flat - flat.mean(1, keepdim=True)) / (flat.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
            h = flat.view_as(h) * layer.weight[:, None, None] + layer.bias[:, None, None]
        elif isinstance(layer, torch.nn.Conv2d):
            h = mirrored(h, layer.weight, layer.bias)
        else:
            h = h.clamp(min=0)
    return (h.tanh() + 1) / 2


def away(first: Tensor, second: Tensor) -> float:
    return (first - second).abs().sum().item() / first.numel()


def unseen(model: MUNIT, x: Tensor) -> Tensor:
    return x - x.min(dim=1, keepdim=True).values if model.seen == "darkest" else x


def counted(first: Tensor, second: Tensor, guided: Tensor, limit: float) -> float:
    """What counts of the difference of two images beside a third, pixel by pixel."""
    found = 0.0
    for three in zip(first.flatten(1).T, second.flatten(1).T, guided.flatten(1).T, strict=True):
        found += min(away(three[0], three[1]), limit * min(away(one, 0 * one) for one in three))
    return found / first[0].numel()


def tints(x: Tensor) -> tuple[Tensor, Tensor]:
    """The mean colour of every four by four pixels, less its brightness; and that."""
    means = torch.stack([torch.stack([c.mean(dim=(2, 3)) for c in row.split(4, 3)], 2) for row in x.split(4, 2)], 2)
    return means - means.mean(dim=1, keepdim=True), means.mean(dim=1)


def missed(first: Tensor, second: Tensor, real: Tensor, times: float) -> float:
    """How far the difference of two batches is from so many times that of real images."""
    far = [away(a, b) for a, b in zip(tints(first), tints(second), strict=True)]
    there = [away(a, a[[len(a) - 1, *range(len(a) - 1)]]) for a in tints(real)]
    return sum(abs(one - times * other) for one, other in zip(far, there, strict=True))


def answers(critic: Discriminator, x: Tensor) -> list[Tensor]:
    second = F.avg_pool2d(2 * x - 1, 3, 2, 1, count_include_pad=False)
    return [column(y) for column, y in zip(critic.columns, (2 * x - 1, second), strict=True)]


DIVERSE = {"seen": "colour", "shared": "nothing", "diversity_weight": 0.5}
LIMITED = {"seen": "darkest", "diversity_weight": 0.5, "diversity_limit": 0.8}
TINTED = {"seen": "colour", "diversity_weight": 0.5, "diversity_limit": 0.1}


@pytest.mark.parametrize("options", [{}, DIVERSE, LIMITED, TINTED], ids=str)
def test_the_loss_is_the_published_one_derived_slowly_layer_by_layer(options: dict[str, Any]) -> None:
    model, seen = made(**options), batch()
    torch.manual_seed(5)
    terms = {name: term.item() for name, term in model.loss(seen, 0, "model").items()}
    torch.manual_seed(5)
    drawn_a, drawn_b = torch.randn(3, 3), torch.randn(3, 3)
    with torch.no_grad():
        a, b = seen.x, seen.other
        ca, cb, sa, sb = content(model, a, 0), content(model, b, 1), style(model, a, 0), style(model, b, 1)
        ab, ba = drawn(model, ca, drawn_b, 1), drawn(model, cb, drawn_a, 0)
        cab, cba = content(model, ab, 1), content(model, ba, 0)
        expected = {
            "reconstruction": 10 * (away(drawn(model, ca, sa, 0), a) + away(drawn(model, cb, sb, 1), b)),
            "moments": 0.1 * sum(
                (s.var(dim=0, correction=0) + 1e-4 + s.mean(dim=0) ** 2 - 1
                 - (s.var(dim=0, correction=0) + 1e-4).log()).mean().item() / 2 for s in (sa, sb)
            ),
            "adversary": sum(
                (one - 1).square().mean().item()
                for critic, fake in ((model.critics[1], ab), (model.critics[0], ba)) for one in answers(critic, fake)
            ),
            "content": away(cab, ca) + away(cba, cb),
            "style": away(style(model, ab, 1), drawn_b) + away(style(model, ba, 0), drawn_a),
            "cycle": 10 * (away(drawn(model, cab, sa, 0), a) + away(drawn(model, cba, sb, 1), b)),
        }  # fmt: skip
        if options:
            other_b, other_a = torch.randn(3, 3), torch.randn(3, 3)
            translations = (
                (ab, drawn(model, ca, other_b, 1), drawn(model, ca, sb.roll(1, 0), 1), b),
                (ba, drawn(model, cb, other_a, 0), drawn(model, cb, sa.roll(1, 0), 0), a),
            )
            limit = options.get("diversity_limit", torch.inf)
            if options is TINTED:
                varied = [-missed(first, second, real, limit) for first, second, _, real in translations]
            else:
                varied = []
                for heap in translations:
                    threes = list(zip(*(unseen(model, x) for x in heap[:3]), strict=True))
                    each, free = [counted(*three, limit) for three in threes], [away(*three[:2]) for three in threes]
                    assert all((x < y - 1e-4) == (limit < 1) for x, y in zip(each, free, strict=True))
                    varied.append(sum(each) / 3)
            expected["diversity"] = -0.5 * sum(varied)
    assert terms == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_asked_of_jittered_contents_reaches_decoders(channels: int) -> None:
    shape = (channels, 33, 38)
    model = made(shape, seen="jittered", diversity_weight=1.0, diversity_limit=0.5)
    model.loss(batch(shape=shape), 0, "model")["diversity"].backward()
    felt = [one.grad for one in model.translator.decoders.parameters() if one.grad is not None]
    assert sum(one.abs().sum().item() for one in felt) > 0
    assert all(one.isfinite().all() for one in felt)


@pytest.mark.parametrize("white", [None, 0, 1, 2])
def test_colour_counts_only_where_both_translations_and_one_like_a_real_image_have_some(white: int | None) -> None:
    unseen = made(seen="darkest").translator.unseen
    three = [torch.rand(1, 1 if n == white else 3, 32, 32).expand(1, 3, 32, 32).clone() for n in range(3)]
    first, second = three[0].requires_grad_(), three[1].requires_grad_()
    coloured(unseen(first), unseen(second), unseen(three[2]), 3.0).backward()
    assert first.grad is not None
    assert second.grad is not None
    assert bool(first.grad.any()) == bool(second.grad.any()) == (white is None)


def test_tints_are_to_differ_as_much_as_those_of_real_images_and_grains_do_not_matter() -> None:
    torch.manual_seed(0)
    first, real = torch.rand(2, 3, 32, 32), torch.rand(4, 3, 1, 1).expand(4, 3, 32, 32)
    grains = first + torch.eye(2).repeat(16, 16) - 0.5
    asked = mistinted(first, first, real, 1.0).item()
    assert asked > 0.1
    assert mistinted(first, grains, real, 1.0).item() == pytest.approx(asked, abs=1e-5)
    tint = real[:1] - real[:1].mean() + torch.zeros_like(first)
    found = [mistinted(first, first + amount * tint, real, 1.0).item() for amount in (0.0, 0.5, 20.0)]
    assert found[1] < found[0] < found[2]
    assert mistinted(first[:1], first[1:], real[:1], 1.0).item() == 0


def test_borrowed_styles_are_those_of_other_images_and_feel_no_gradient() -> None:
    styles = torch.arange(12.0).view(4, 3).requires_grad_()
    assert torch.equal(made(borrowed=1.0).offered(styles), styles.roll(1, dims=0))
    assert not made(borrowed=1.0).offered(styles).requires_grad
    torch.manual_seed(3)
    some = made(borrowed=0.25)
    share = [(some.offered(styles) == styles.roll(1, dims=0)).all(dim=1).float().mean().item() for _ in range(200)]
    assert sum(share) / 200 == pytest.approx(0.25, abs=0.06)
    with pytest.raises(InvalidOption, match="borrowed must be 0 to 1"):
        made(borrowed=1.5)


def test_critics_are_shown_translations_in_borrowed_styles() -> None:
    model, seen = made(borrowed=1.0), batch()
    with torch.no_grad():
        fakes = model.fakes(seen)
        in_b = model.drawn(content(model, seen.x, 0), style(model, seen.other, 1).roll(1, dims=0), 1)
        in_a = model.drawn(content(model, seen.other, 1), style(model, seen.x, 0).roll(1, dims=0), 0)
    assert torch.allclose(fakes[0], in_b, atol=1e-4)
    assert torch.allclose(fakes[1], in_a, atol=1e-4)


@pytest.mark.parametrize("adversary", ["squares", "hinge"])
def test_the_critics_loss_is_the_published_one(adversary: str) -> None:
    model, seen = made(adversary=adversary), batch()
    torch.manual_seed(5)
    loss = model.loss(seen, 0, "critic").total().item()
    torch.manual_seed(5)
    with torch.no_grad():
        ab, ba = model.translate(seen.x, 0), model.translate(seen.other, 1)
        pairs = [(model.critics[1], seen.other, ab), (model.critics[0], seen.x, ba)]
        expected = 0.0
        for critic, real, fake in pairs:
            for r, f in zip(answers(critic, real), answers(critic, fake), strict=True):
                both = ((r - 1) ** 2, f**2) if adversary == "squares" else (F.relu(1 - r), F.relu(1 + f))
                expected += sum(one.mean().item() for one in both)
    assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("spectral", [True, False])
def test_the_loss_of_a_player_leaves_no_gradient_in_the_others_weights(spectral: bool) -> None:
    model = made(spectral=spectral, adversary="hinge")
    for player, own, others in (
        ("model", model.translator, model.critics),
        ("critic", model.critics, model.translator),
    ):
        model.zero_grad()
        model.loss(batch(), 0, player).total().backward()
        # Of the hinge, offsets of the last layer feel none as long as every answer is within it.
        assert all(p.grad is not None and (p.grad.any() or p.numel() == 1) for p in own.parameters())
        assert all(p.grad is None for p in others.parameters())


def test_before_the_warm_up_is_over_only_images_and_moments_count_and_critics_are_not_asked() -> None:
    model = made(warmup=2)
    assert set(model.loss(batch(), 1, "model")) == {"reconstruction", "moments"}
    assert {"adversary", "cycle"} < set(model.loss(batch(), 2, "model"))


@pytest.mark.parametrize("shape", [(3, 33, 47), (1, 64, 40), (3, 38, 38)])
@pytest.mark.parametrize("halvings", [1, 2])
def test_images_of_odd_sizes_are_translated_to_images_of_their_size(shape: Any, halvings: int) -> None:
    model, seen = made(shape, halvings=halvings), batch(2, shape)
    assert torch.isfinite(model.loss(seen, 0, "model").total())
    assert model.translate(seen.x, 0).shape == seen.x.shape
    assert model.decode(model.represent(seen.x)).shape == seen.x.shape


def test_a_translation_has_the_style_it_is_given_and_another_every_time_otherwise() -> None:
    model, x, given = made().eval(), batch().x, torch.randn(3, 3)
    assert torch.equal(model.translate(x, 0, given), model.translate(x, 0, given))
    assert not torch.allclose(model.translate(x, 0), model.translate(x, 0), atol=1e-3)


def test_evaluation_draws_with_averages_and_training_with_the_weights_themselves() -> None:
    model, x = made(average=0.9), batch().x
    with torch.no_grad():
        assert torch.equal(model.represent(x), model.eval().represent(x))
        for p in model.translator.parameters():
            p.add_(0.1 * torch.randn_like(p))
        before = model.represent(x)
        model.train().loss(batch(), 50, "model")
        moved, newest = model.eval().represent(x), model.train().represent(x)
        assert not torch.allclose(before, moved)
        assert not torch.allclose(newest, moved)
        for step in range(200):
            model.averaged.follow(model.translator, 100 + step)
        assert torch.allclose(model.train().represent(x), model.eval().represent(x), atol=1e-4)


def test_an_average_keeps_what_it_is_told_to_keep() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(network.weight)
    averaged = Averaged(network, 0.75)
    torch.nn.init.constant_(network.weight, 5.0)
    averaged.follow(network, 10_000)
    assert averaged(network, torch.ones(1, 1)).item() == pytest.approx(1 + 0.25 * 4)
    assert not list(averaged.parameters())


def test_enlarging_is_copying_pixels_and_a_convolution_of_five() -> None:
    torch.manual_seed(0)
    layer, h = Enlarge(3, 2), torch.randn(2, 3, 5, 7)
    copied = F.pad(h, (1,) * 4, mode="replicate").repeat_interleave(2, 2).repeat_interleave(2, 3)
    slow = F.conv2d(copied, layer.convolution.weight, layer.convolution.bias)
    assert torch.allclose(layer(h), slow, atol=1e-5)


def test_contents_do_not_feel_brightness_and_contrast() -> None:
    torch.manual_seed(0)
    encoder, x = ContentEncoder(1, 4, 3, 1), torch.rand(2, 1, 32, 32)
    before, after = encoder(x), encoder(0.5 * x + 0.2)
    assert (before - after).abs().mean() < 0.2 * before.abs().mean()
    assert torch.allclose(before, encoder(x + 0.2), atol=1e-4)


def test_recolouring_turns_hues_and_keeps_the_greys_apart_from_contrast() -> None:
    torch.manual_seed(0)
    red = torch.tensor([0.8, 0.3, 0.4])[None, :, None, None].expand(50, -1, 2, 2)
    turned = recoloured(red, contrast=0.0)
    assert torch.allclose(turned.mean(dim=1), red.mean(dim=1), atol=1e-6)
    assert torch.allclose(turned.square().sum(dim=1), red.square().sum(dim=1), atol=1e-5)
    assert (turned.argmax(dim=1)[:, 0, 0].bincount(minlength=3) > 5).all()
    grey = torch.rand(50, 1, 4, 4)
    assert 0.6 < (recoloured(grey) - 0.5).abs().max() / (grey - 0.5).abs().max() < 1.4


def test_hues_are_turned_by_no_more_than_is_asked_for() -> None:
    torch.manual_seed(0)
    x = torch.rand(200, 3, 1, 1)
    before, after = (c.flatten(1) - c.mean(dim=1).flatten(1) for c in (x, recoloured(x, 0.0, 0.7)))
    turns = F.cosine_similarity(before, after).clamp(-1, 1).acos()
    assert 0.65 < turns.max() < 0.7 + 1e-3
    assert turns.min() < 0.05


def test_recoloured_images_have_all_their_shades_in_half_precision() -> None:
    x = torch.rand(4, 3, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        turned = recoloured(x, 0.0)
    assert turned.dtype == torch.float32
    assert torch.allclose(turned.mean(dim=1), x.mean(dim=1), atol=1e-6)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[DomainBatch]:
    """The batches that get as far as the loss that all models with critics have."""
    batches: list[DomainBatch] = []
    monkeypatch.setattr(AdversarialModel, "loss", lambda _, given, *__: batches.append(given))
    return batches


@pytest.mark.parametrize("player", ["model", "critic"])
def test_everybody_is_shown_the_same_kinds_of_colours_in_training_and_real_ones_after_it(
    player: str, shown: list[DomainBatch]
) -> None:
    model, seen = made(hues=0.3), batch()
    seen = replace(seen, x=0.4 + 0.2 * seen.x, other=0.4 + 0.2 * seen.other)  # so that nothing is cut off
    model.loss(seen, 0, player)
    model.eval().loss(seen, 0, player)
    for name in ("x", "other"):
        real, coloured, after = (getattr(one, name) for one in (seen, *shown))
        assert torch.equal(after, real)
        before, turned = (images - images.mean(dim=1, keepdim=True) for images in (real, coloured))
        assert torch.allclose((coloured - turned)[:, 0], (real - before)[:, 0], atol=1e-6), "grey is the axis"
        angles = F.cosine_similarity(before, turned).clamp(-1, 1).acos().mean(dim=(1, 2))
        assert 0.02 < angles.max() < 0.3 + 1e-3
        assert angles.max() > angles.min() + 0.01, "each has its own"


def test_images_in_no_turned_hues_are_those_of_the_batch_and_nothing_is_drawn(shown: list[DomainBatch]) -> None:
    model, seen, before = made(), batch(), torch.get_rng_state()
    model.loss(seen, 0)
    assert shown[0] is seen
    assert torch.equal(torch.get_rng_state(), before)


def test_turned_images_of_many_colours_stay_images(shown: list[DomainBatch]) -> None:
    x = torch.eye(3).view(3, 3, 1, 1).expand(-1, -1, 32, 32)
    made(hues=3.0).loss(DomainBatch(x, x, torch.arange(3), torch.arange(3), 3), 0)
    assert 0 <= shown[0].x.min() <= shown[0].x.max() <= 1


@pytest.mark.parametrize("hues", [-0.1, 3.2])
def test_hues_turned_by_more_than_can_be_are_refused(hues: float) -> None:
    with pytest.raises(InvalidOption, match=rf"hues must be 0 to pi \(3.14159\) radians, but is {hues}"):
        made(hues=hues)


def test_styles_of_a_standard_normal_are_not_strange_and_others_are() -> None:
    z = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(0))
    assert _strange(z) < 1e-3
    assert _strange(2 * z + 1).item() == pytest.approx((4 + 1 - 1 - 2 * torch.tensor(2.0).log().item()) / 2, rel=0.05)


def test_critics_of_spectral_norm_answer_no_steeper_than_their_layers_allow() -> None:
    torch.manual_seed(0)
    critic = Discriminator(3, 32, width=8, layers=2, sizes=1, kind="hinge", spectral=True)
    for _ in range(30):
        critic(torch.rand(1, 3, 32, 32))
    for layer in critic.modules():
        if isinstance(layer, torch.nn.Conv2d):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, rel=1e-3)


REFUSED: list[Callable[[], Any]] = [
    lambda: made(halvings=4), lambda: made(critic_sizes=0), lambda: made(average=1.0), lambda: made(kernel=4),
    lambda: made(style_dim=0), lambda: made((3, 300, 64)), lambda: made((3, 31, 64)), lambda: made(warmup=-1),
]  # fmt: skip


@pytest.mark.parametrize("wrong", REFUSED)
def test_options_out_of_range_are_refused(wrong: Callable[[], Any]) -> None:
    with pytest.raises(InvalidOption, match=r"but (is|are)"):
        wrong()


def test_images_of_another_shape_are_refused_in_either_domain() -> None:
    with pytest.raises(InvalidData, match=r"images must be floats \(B, 3, 32, 32\)"):
        made().translate(torch.rand(1, 3, 32, 40), 1)
