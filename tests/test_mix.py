"""The laws of every mixer on the shelf: a new file is held to them without being named here."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import Mixed, Trial, mixed_loss
from unbraid.mixer import Mixer, PairMixer, beta, spatial

SHELF = {name: registry.load("mix", name) for name in registry.names("mix")}
MIXERS = [name for name, made in SHELF.items() if issubclass(made, Mixer)]
PAIRS = [name for name in MIXERS if issubclass(SHELF[name], PairMixer)]
MASKED = [name for name in PAIRS if "dims" in inspect.signature(SHELF[name]).parameters]
every_mixer = pytest.mark.parametrize("name", MIXERS)
every_pair_mixer = pytest.mark.parametrize("name", PAIRS)
every_masked_mixer = pytest.mark.parametrize("name", MASKED)
SHAPES = [(9,), (16,), (7, 12), (8, 8), (5, 4, 6)]


def made(name: str, **options: Any) -> Mixer:
    others = [] if name in PAIRS else [[SHELF["cutmix"](), SHELF["fmix"]()]]
    mixer: Mixer = SHELF[name](*others, **options)
    return mixer


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def flat(name: str, count: int, shape: tuple[int, ...] = (8, 8)) -> Tensor:
    """Samples each of which is its own number everywhere, so that every pixel says whose it is."""
    if name == "pointfmix":
        position = torch.rand(count, 32, 3, generator=seeded(5))
        return torch.cat([position, torch.arange(float(count))[:, None, None].expand(-1, 32, 1)], dim=2)
    return torch.arange(float(count)).reshape(-1, *[1] * (len(shape) + 1)).expand(-1, 2, *shape).clone()


def numbers(name: str, x: Tensor) -> Tensor:
    return x[..., 3] if name == "pointfmix" else x


@every_mixer
def test_a_label_weighs_what_is_there_of_its_sample(name: str) -> None:
    x, y = flat(name, 64), torch.arange(64)
    mixed, target = made(name)(x, y, generator=seeded())
    mean = numbers(name, mixed).flatten(1).mean(1)
    assert torch.allclose(mean, target.weight * target.first + (1 - target.weight) * target.second, atol=1e-4)
    assert torch.equal(target.first, y)
    assert sorted(target.second.tolist()) == list(range(64))
    assert 0.1 < float(target.weight.float().mean()) < 0.95


@every_mixer
def test_of_no_samples_none_are_made(name: str) -> None:
    mixed, target = made(name)(flat(name, 0), torch.zeros(0, dtype=torch.long))
    assert mixed.shape == flat(name, 0).shape
    assert len(target.first) == len(target.second) == 0


@every_pair_mixer
@pytest.mark.parametrize("shared", [False, True])
def test_samples_of_few_digits_that_carry_gradients_are_mixed_as_others_are(name: str, shared: bool) -> None:
    mixer, x = made(name, shared=shared), flat(name, 6).bfloat16().requires_grad_()
    mixed = mixer(x, generator=seeded())
    assert mixed.dtype == torch.bfloat16
    assert torch.allclose(mixed.float(), mixer(x.detach().float(), generator=seeded()), atol=0.05)
    mixed.sum().backward()
    assert x.grad is not None


@every_masked_mixer
@pytest.mark.parametrize("shape", SHAPES)
def test_masks_cover_any_dimensions_of_any_size(name: str, shape: tuple[int, ...]) -> None:
    x, y = flat(name, 32, shape), torch.arange(32)
    mixed, target = made(name)(x, y, generator=seeded())
    assert mixed.shape == x.shape
    assert torch.allclose(
        mixed.flatten(1).mean(1), target.weight * target.first + (1 - target.weight) * target.second, atol=1e-4
    )
    assert torch.equal(mixed[:, 0], mixed[:, 1]), "all channels have one mask"


@pytest.mark.parametrize("name", ["cutmix", "fmix", "resizemix"])
def test_masks_that_cut_leave_every_pixel_whole(name: str) -> None:
    x, y = flat(name, 64), torch.arange(64)
    mixed, target = made(name)(x, y, generator=seeded())
    own = mixed == target.first.reshape(-1, 1, 1, 1)
    other = mixed == target.second.reshape(-1, 1, 1, 1)
    assert bool((own | other).all())
    # Bytes are cut as they are, and nothing is made of infinities in what is thrown away.
    assert made(name)(x.to(torch.uint8)).dtype == torch.uint8
    huge = x.masked_fill(x == 0, torch.inf)
    assert not bool(made(name)(huge).isnan().any())


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("shape", "dims"), [((3, 80, 80), None), ((3, 9, 8), None), ((200, 90), [1])])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.bool, torch.complex128])
def test_a_box_that_is_copied_is_the_box_of_the_mask(
    shared: bool, shape: tuple[int, ...], dims: list[int] | None, kind: torch.dtype
) -> None:
    x = (100 * torch.rand(6, *shape, generator=seeded(2)) - 50).to(kind)
    mixture = made("cutmix", shared=shared, dims=dims).draw(x, generator=seeded(1))
    assert torch.equal(mixture.apply(x), torch.where(mixture.mask, x, x[mixture.order]))
    share = mixture.mask.float().flatten(1).mean(1)
    assert torch.allclose(share, mixture.weight.expand_as(share), atol=1e-6)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_what_is_made_once_without_gradients_serves_with_them(name: str) -> None:
    mixer, x, y = made(name, classes=7), torch.rand(9, 3, 11, 13), torch.arange(9) % 7
    with torch.inference_mode():
        mixer(x, y)
    x.requires_grad_()
    mixed, target = mixer(x, y)
    (mixed * target.sum()).sum().backward()
    assert x.grad is not None


@every_pair_mixer
def test_gradients_reach_a_sample_and_its_partner(name: str) -> None:
    x = torch.rand(6, 48, 40, generator=seeded()).requires_grad_()
    mixed = made(name)(x, generator=seeded(1))
    if name == "pointfmix":
        mixed = mixed[..., 3:]
    mixed.sum().backward()
    assert float(x.grad.sum()) == pytest.approx(mixed.numel(), rel=1e-5)
    assert bool((x.detach() == x).all())


@every_mixer
def test_the_same_seed_draws_the_same_and_another_does_not(name: str) -> None:
    x, y = torch.rand(16, 32, 8, generator=seeded()), torch.arange(16)
    first, again, other = (made(name)(x, y, generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1].weight, again[1].weight)
    assert not torch.equal(first[0], other[0])
    before = torch.get_rng_state()
    made(name)(x, y, generator=seeded())
    unused = torch.equal(before, torch.get_rng_state())
    assert unused, "with a generator of its own nothing is drawn from the global one"


@every_pair_mixer
def test_weights_are_one_a_sample_or_one_a_batch(name: str) -> None:
    x = flat(name, 16)
    assert made(name).draw(x).weight.shape == (16,)
    shared = made(name, shared=True)(x, torch.arange(16), generator=seeded())[1]
    if name != "pointfmix":
        assert shared.weight.shape == ()
        loss = mixed_loss(F.cross_entropy)(torch.zeros(16, 16), shared)
        assert float(loss) == pytest.approx(2.7726, abs=1e-3)


@every_pair_mixer
def test_only_a_share_of_the_samples_is_mixed_where_asked(name: str) -> None:
    x, y = flat(name, 400), torch.arange(400)
    mixed, target = made(name, probability=0.25)(x, y, generator=seeded())
    alone = target.first == target.second
    assert 0.65 < float(alone.float().mean()) < 0.85
    own = numbers(name, mixed).flatten(1)[alone]
    assert torch.allclose(own, y[alone, None].expand_as(own).float(), atol=1e-4)
    with pytest.raises(InvalidOption, match=r"probability must lie in 0 .. 1"):
        made(name, probability=1.5)


@every_mixer
def test_the_four_forms_give_the_same(name: str) -> None:
    x, y = flat(name, 12), torch.arange(12)
    called, target = made(name, classes=12)(x, y, generator=seeded())
    assert target.shape == (12, 12)
    assert torch.allclose(target.sum(1), torch.ones(12))
    torch.manual_seed(3)
    as_function, both = made(name)((x, y))
    torch.manual_seed(3)
    collated, _ = made(name).collate(list(zip(x, y, strict=True)))
    torch.manual_seed(3)
    soft = made(name, classes=12)(x, y)[1]
    assert torch.equal(as_function, collated)
    assert torch.allclose(both.probabilities(12), soft)
    loader = DataLoader(TensorDataset(x, y), batch_size=6, collate_fn=made(name, classes=12).collate)
    assert [batch[1].shape for batch in loader] == [(6, 12), (6, 12)]
    assert called.shape == x.shape


@every_pair_mixer
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_labels_of_any_shape_are_one_distribution_as_they_are_two_targets(
    name: str, shared: bool, shape: tuple[int, ...]
) -> None:
    mixture = made(name, shared=shared).draw(flat(name, 6), generator=seeded())
    y = torch.randint(4, (6, *shape), generator=seeded(1))
    found = mixture.probabilities(y, 4)
    assert found.shape == (6, 4, *shape)
    assert torch.equal(found, mixture.targets(y).probabilities(4))
    with pytest.raises(InvalidData, match="there are 6 samples, but 5 targets"):
        mixture.probabilities(y[:5], 4)


@every_mixer
def test_a_trial_takes_a_mixer_for_a_callback(name: str) -> None:
    x, y = torch.randn(64, 8, 4, generator=seeded()), torch.arange(64) % 4
    weights = []
    for callbacks in ([], [made(name)], [made(name)], [made(name, classes=4)]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(32, 4))
        criterion = mixed_loss(nn.CrossEntropyLoss(reduction="none"))
        trial = Trial(model, criterion=criterion, callbacks=callbacks, metrics=["acc"])
        history = trial.fit([(x, y)], epochs=3)
        assert 0 <= history[-1]["acc"] <= 1
        weights.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[2])
    assert torch.allclose(weights[1], weights[3], atol=1e-5), "probabilities and two targets are one loss"


@every_masked_mixer
def test_dense_targets_follow_the_pixels(name: str) -> None:
    x = flat(name, 8)
    y = x[:, 0].long()
    mixed, target = made(name, dense=True)(x, y, generator=seeded())
    assert target.weight.shape == (8, 8, 8)
    blend = target.weight * target.first + (1 - target.weight) * target.second
    assert torch.allclose(mixed[:, 0], blend, atol=1e-5)
    soft = target.probabilities(8)
    assert soft.shape == (8, 8, 8, 8)
    logits = torch.randn(8, 8, 8, 8, generator=seeded())
    loss = mixed_loss(nn.CrossEntropyLoss(reduction="none"))(logits, target)
    assert torch.isclose(loss, F.cross_entropy(logits, soft), rtol=1e-4)
    with pytest.raises(InvalidData, match="a value for each pixel"):
        made(name, dense=True)(x, y[:, :3], generator=seeded())


@every_masked_mixer
def test_dimensions_can_be_named(name: str) -> None:
    sequence = torch.arange(8.0).reshape(8, 1, 1).expand(8, 12, 3)
    mixed = made(name, dims=[1])(sequence, generator=seeded())
    assert torch.equal(mixed[..., :1].expand_as(mixed), mixed), "all numbers of a place have one mask"
    assert bool((mixed[:, 1:] != mixed[:, :-1]).any())
    assert torch.equal(mixed, made(name, dims=[-2])(sequence, generator=seeded()))
    for dims in ([0], [5], [1, 1], []):
        with pytest.raises(InvalidData, match="a mask covers dimensions after the first"):
            made(name, dims=dims)(sequence)


@every_mixer
@pytest.mark.slow
def test_a_mixer_compiles_in_one_graph_and_gives_what_it_gives_otherwise(name: str) -> None:
    if name in ("alternate", "randomchoice"):
        pytest.skip("which code runs is chosen by the program, not on the device")
    mixer = made(name, alpha=0.5) if "alpha" in inspect.signature(SHELF[name]).parameters else made(name)
    x, y = torch.rand(4, 16, 8, generator=seeded()), torch.arange(4)
    compiled = torch.compile(lambda x, y: mixer(x, y), backend="eager", fullgraph=True)
    torch.manual_seed(0)
    expected = mixer(x, y)
    torch.manual_seed(0)
    found = compiled(x, y)
    assert torch.allclose(found[0], expected[0], atol=1e-5)
    assert torch.equal(found[1].second, expected[1].second)


@every_mixer
def test_what_is_no_batch_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(InvalidData, match="mixes a tensor x, or tensors x and y"):
        made(name)([1, 2])
    with pytest.raises(InvalidData, match="16 samples, but 3 targets"):
        made(name)(flat(name, 16), torch.arange(3))
    with pytest.raises(InvalidOption, match="classes must be"):
        made(name, classes=1)


@every_mixer
def test_a_mixer_says_what_it_is_and_can_be_copied(name: str) -> None:
    mixer = made(name, dense=True)
    assert repr(mixer).startswith(f"{type(mixer).__name__}(")
    assert "dense=True" in repr(mixer)
    copied = copy.deepcopy(mixer)
    assert registry.options(copied).keys() == registry.options(mixer).keys()
    assert registry.options(mixer)["dense"] is True


def test_bytes_are_not_averaged() -> None:
    with pytest.raises(InvalidData, match="cannot be averaged"):
        made("mixup")(torch.zeros(4, 3, 8, 8, dtype=torch.uint8))


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1.0, 4.0])
def test_weights_have_the_spread_of_a_beta_and_are_never_nan(alpha: float) -> None:
    weight = beta(alpha, 40_000, generator=seeded())
    assert float(weight.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(weight.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), abs=0.004)
    assert beta(0, 3).tolist() == [1, 1, 1]


def test_mixers_take_turns_as_often_as_asked_and_are_taken_up_where_they_were() -> None:
    Alternate, MixUp, CutMix = SHELF["alternate"], SHELF["mixup"], SHELF["cutmix"]
    mixer = Alternate([MixUp(), CutMix()], batches=[1, 2])
    x = flat("mixup", 8)
    kinds = [mixer.draw(x).mask is None for _ in range(4)]
    assert kinds == [True, False, False, True]
    later = Alternate([MixUp(), CutMix()], batches=[1, 2])
    later.load_state_dict(mixer.state_dict())
    assert [later.draw(x).mask is None for _ in range(3)] == [False, False, True]
    with pytest.raises(InvalidOption, match="a number of batches"):
        Alternate([MixUp()], batches=[0])


def test_a_random_choice_is_made_as_often_as_weighed() -> None:
    RandomChoice, MixUp, CutMix = SHELF["randomchoice"], SHELF["mixup"], SHELF["cutmix"]
    mixer, generator, x = RandomChoice([MixUp(), CutMix()], weights=[1, 3]), seeded(), flat("mixup", 2)
    times = sum(mixer.draw(x, generator=generator).mask is None for _ in range(800))
    assert 150 < times < 250
    with pytest.raises(InvalidOption, match="a weight of at least 0 for each"):
        RandomChoice([MixUp()], weights=[1, 2])


def test_hmix_lies_between_mixup_and_cutmix() -> None:
    x = flat("hmix", 256)
    values = [made("hmix", ratio=ratio).draw(x, generator=seeded()).mask for ratio in (0.0, 0.5, 1.0)]
    constant, between, cut = (mask.flatten(1) for mask in values)
    assert torch.equal(constant, constant[:, :1].expand_as(constant))
    assert bool(((cut == 0) | (cut > 0.9999)).all())
    assert float((between > 0).float().mean(1).std() + (between.amax(1) < 0.999).float().mean()) > 0.3


def test_gmix_has_no_edge() -> None:
    mask = made("gmix").draw(torch.zeros(64, 1, 64, 64), generator=seeded()).mask
    wide = (mask.flatten(1).mean(1) > 0.1) & (mask.flatten(1).mean(1) < 0.9)
    assert float(mask[wide].diff(dim=2).abs().max()) < 0.15


def test_resizemix_shows_the_whole_of_the_other() -> None:
    ramp = torch.linspace(0, 1, 32).expand(2, 1, 32, 32) + torch.tensor([0.0, 10.0]).reshape(2, 1, 1, 1)
    mixture = made("resizemix", scale=(0.5, 0.5)).draw(ramp, generator=seeded(1))
    mixed = mixture.apply(ramp)
    for row in range(2):
        if int(mixture.order[row]) != row:
            other = mixed[row][~mixture.mask[row]].reshape(16, 16)
            assert torch.allclose(other[0], ramp[1 - row, 0, 0, 1::2])
            assert torch.equal(other, other[:1].expand(16, 16))
    assert float(mixture.weight[0]) == 0.75


def test_samples_without_pixels_are_mixed_up_but_not_cut() -> None:
    rows = torch.rand(8, 5)
    assert made("mixup")(rows).shape == (8, 5)
    with pytest.raises(InvalidData, match="name some with dims"):
        made("cutmix")(rows)
    assert spatial(torch.zeros(2, 3, 4), [1, 2]).spread == (-1, 3, 4)


def test_an_applied_mixture_fits_whatever_belongs_to_the_samples() -> None:
    x = flat("fmix", 8)
    mixture = made("fmix").draw(x, generator=seeded())
    depth = 100 + x[:, :1]
    assert torch.equal(mixture.apply(depth), 100 + mixture.apply(x)[:, :1])
    assert isinstance(mixture.targets(torch.arange(8)), Mixed)
