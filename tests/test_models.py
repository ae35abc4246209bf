"""The laws of every model on the shelf: a new file is held to them without being named here."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from unbraid import registry
from unbraid.cli import _flags
from unbraid.errors import InvalidData, InvalidOption
from unbraid.model import Model, Terms
from unbraid.types import Factor, FactorSpace, Shape
from unbraid.view import View, view
from unbraid.world import LabelledWorld

MODELS = registry.names("models")
SHAPES: list[Shape] = [(1, 32, 32), (3, 32, 32), (1, 64, 64), (3, 64, 64), (2, 128, 128)]


def choices(name: str) -> dict[str, tuple[Any, ...]]:
    """The options of a model that take one of a few values."""
    cls = registry.load("models", name)
    hints = typing.get_type_hints(cls.__init__)
    kinds = {option: hints[option] for option in registry.parameters(cls)}
    return {option: typing.get_args(kind) for option, kind in kinds.items() if typing.get_origin(kind) is Literal}


LONG = {name for name in MODELS if "latent_dim" not in registry.parameters(registry.load("models", name))}
"""Models whose codes are as long as the images or their other options ask for."""
ANY_SIZE = {"air"} | {name for name in MODELS if registry.load("models", name).view == "domains"}
"""Models that take images of any form."""
VARIANTS = [(name, {option: value}) for name in MODELS for option, values in choices(name).items() for value in values]


def sow(seed: int) -> None:
    """As torch.manual_seed for the processor alone, which looks for no other device: a thousandth of the time."""
    torch.default_generator.manual_seed(seed)


def make(name: str, shape: Shape = (1, 32, 32), seed: int = 0, **options: Any) -> Model:
    sow(seed)
    model: Model = registry.load("models", name)(shape, **options)
    return model


def thin(name: str) -> dict[str, Any]:
    """Options that make narrow what is wide by default: hidden layers, critics, and of translators all they have."""
    cls = registry.load("models", name)
    if cls.view == "domains":
        small = {"width": 4, "critic_width": 4, "critic_sizes": 1, "blocks": 1}
        return {option: value for option, value in small.items() if option in registry.parameters(cls)}
    return {option: 64 for option in registry.parameters(cls) if option.endswith("_width")}


def narrow(name: str) -> dict[str, Any]:
    """Options with which a model learns in little time: a dense network, besides."""
    return thin(name) | ({"network": "dense"} if "dense" in choices(name).get("network", ()) else {})


def batch_for(model: Model, size: int = 4, fill: int | None = None) -> Any:
    """What the model would see of a small world of noise, or of one grey."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, *model.shape), dtype=np.uint8)
    if fill is not None:
        pixels[:] = fill
    space = FactorSpace([Factor("row", 3, "categorical"), Factor("column", 4)])
    world = LabelledWorld(pixels, space.factors(np.arange(12)), space)
    return stream(model, world, size).batch(0)


def stream(model: Model, world: LabelledWorld, size: int) -> View:
    """The world as the model sees it; where some images have labels, all of so few have; two domains are alike."""
    cls = view(model.view)
    given: dict[str, Any] = {"labels": len(world), "other": world, "disjoint": False}
    return cls(world, batch_size=size, seed=0, **{o: given[o] for o in registry.parameters(cls) if o in given})


def of_dimension(name: str, latent_dim: float) -> dict[str, Any]:
    """The option that sets how long codes are, for models that have one."""
    return {"latent_dim": latent_dim} if name not in LONG else {}


def losses(model: Model, batch: Any, step: int = 0) -> Iterator[tuple[str, Terms]]:
    """The terms of every player, each on the same noise, which depends on the step alone."""
    players = list(model.players())
    for player in players:
        sow(step)
        yield player, model.loss(batch, step, player) if len(players) > 1 else model.loss(batch, step)  # type: ignore[call-arg]


def total(model: Model, batch: Any) -> float:
    return sum(terms.total().item() for _, terms in losses(model, batch))


def moved(model: Model) -> dict[str, list[Any]]:
    """The parameters each player moves, whether or not they come with settings of an optimiser."""
    groups = {who: [what] if isinstance(what, dict) else what for who, what in model.players().items()}
    return {
        who: [p for one in some for p in (one["params"] if isinstance(one, dict) else [one])]
        for who, some in groups.items()
    }


class Training:
    """A model with an optimiser for each player."""

    def __init__(self, model: Model, rate: float = 1e-3) -> None:
        self.model = model
        self.optimisers = {player: torch.optim.Adam(some, rate, fused=True) for player, some in moved(model).items()}

    def step(self, batch: Any, step: int = 0) -> None:
        """The turn of every player."""
        for player, terms in losses(self.model, batch, step):
            self.optimisers[player].zero_grad()
            terms.total().backward()
            self.optimisers[player].step()


def images(model: Model, size: int = 4) -> Tensor:
    return torch.rand(size, *model.shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=MODELS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_loss_is_finite_named_terms_for_images_of_every_shape(name: str, shape: Shape) -> None:
    model = make(name, shape, **thin(name))
    for _, terms in losses(model, batch_for(model)):
        assert isinstance(terms, Terms)
        assert all(term.shape == () and torch.isfinite(term) for term in terms.values())
        assert all(key.isidentifier() for key in terms)
        assert terms.total().item() == pytest.approx(sum(term.item() for term in terms.values()), rel=1e-6)


@pytest.mark.parametrize(("name", "options"), VARIANTS, ids=str)
def test_every_choice_of_every_option_can_be_trained(name: str, options: dict[str, Any]) -> None:
    model = make(name, **narrow(name) | options)
    assert registry.options(model).items() >= options.items()
    assert {id(p) for some in moved(model).values() for p in some} == set(map(id, model.parameters()))
    for _, terms in losses(model, batch_for(model)):
        terms.total().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_every_parameter_belongs_to_a_player_and_the_loss_of_each_reaches_what_it_moves(name: str) -> None:
    model = make(name)
    players = moved(model)
    assert {id(p) for parameters in players.values() for p in parameters} == set(map(id, model.parameters()))
    assert all(len({id(p) for p in parameters}) == len(parameters) for parameters in players.values())
    batch = batch_for(model)
    for player, terms in losses(model, batch):
        gradients = torch.autograd.grad(terms.total(), players[player], allow_unused=True)
        assert all(g is not None and torch.isfinite(g).all() and g.any() for g in gradients), player


def test_thirty_steps_on_one_batch_lower_the_loss(name: str) -> None:
    model = make(name, **narrow(name))
    batch = batch_for(model)
    before = total(model, batch)
    training = Training(model)
    for _ in range(30):
        training.step(batch)
    assert total(model, batch) < before * 0.95


def test_images_of_a_small_world_are_learned_by_heart(name: str) -> None:
    # Squares in 16 places; short schedules, and long steps of narrow translators, for the sake of time.
    space = FactorSpace([Factor("row", 4, "categorical"), Factor("column", 4)])
    pixels = np.zeros((16, 1, 32, 32), np.uint8)
    for image, (row, column) in zip(pixels, space.factors(np.arange(16)), strict=True):
        image[0, 6 * row : 6 * row + 8, 6 * column : 6 * column + 8] = 255
    cls = registry.load("models", name)
    model, x = make(name, **dict.fromkeys(cls.timed, 1), **narrow(name)), torch.from_numpy(pixels) / 255
    if cls.view == "environments":  # of which the first alone is seen: one row
        x = x[:4]
    seen = stream(model, LabelledWorld(pixels, space.factors(np.arange(16)), space), 16 if cls.view != "domains" else 8)
    training = Training(model, rate=3e-3 if cls.view == "domains" else 1e-3)
    blind = (x - x.mean(dim=0)).square().mean()
    for count in range(400):
        training.step(seen.batch(count), count)
        if count % 10 == 9:
            with torch.no_grad():
                error = (model.decode(model.represent(x)) - x).square().mean()
            if error < blind / 2:
                return
    pytest.fail(f"after 400 steps the error is still {error / blind:.2f} of what the mean image makes")


def test_saved_weights_give_another_model_the_same_codes_and_images(name: str) -> None:
    model, other = make(name, seed=0), make(name, seed=1)
    x = images(model)
    assert not torch.equal(model.represent(x), other.represent(x))
    other.load_state_dict(model.state_dict())
    assert torch.equal(model.represent(x), other.represent(x))
    assert torch.equal(model.decode(model.represent(x)), other.decode(other.represent(x)))


def test_a_model_is_a_function_of_the_seed_it_is_made_with(name: str) -> None:
    first, second = make(name, seed=3).state_dict(), make(name, seed=3).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_batch_of_one_is_a_batch(name: str) -> None:
    model = make(name)
    for _, terms in losses(model, batch_for(model, size=1)):
        assert torch.isfinite(terms.total())
    assert model.decode(model.represent(images(model, 1))).shape == (1, *model.shape)


def test_codes_are_deterministic_floats_of_the_dimension_asked_for(name: str) -> None:
    model = make(name, **of_dimension(name, 4))
    x = images(model)
    sow(1)
    codes = model.represent(x)
    sow(2)
    assert torch.equal(codes, model.eval().represent(x))
    assert codes.shape == (4, model.latent_dim)
    assert model.latent_dim == 4 or name in LONG
    assert codes.dtype == torch.float32
    assert torch.allclose(model.represent(x[:2]), codes[:2], atol=1e-5), "an image's code depends on its neighbours"


@pytest.mark.parametrize("shape", SHAPES)
def test_decoded_images_lie_in_0_to_1_however_far_the_code(name: str, shape: Shape) -> None:
    likelihoods = choices(name).get("likelihood", ()) if shape == SHAPES[0] else ()  # which know nothing of shapes
    for options in ({}, *({"likelihood": likelihood} for likelihood in likelihoods)):
        model = make(name, shape, **thin(name), **options)
        for scale in (0.0, 1.0, 1e4):
            with torch.no_grad():
                decoded = model.decode(scale * torch.randn(2, model.latent_dim))
            assert decoded.shape == (2, *shape)
            assert decoded.dtype == torch.float32
            assert decoded.min() >= 0
            assert decoded.max() <= 1


@pytest.mark.parametrize("fill", [0, 255])
@pytest.mark.parametrize("scale", [1, 10])
def test_a_step_on_black_or_white_images_stays_finite_also_with_huge_weights(name: str, fill: int, scale: int) -> None:
    model = make(name, **thin(name))
    if name == "cyclegan":  # an image goes through two translators, some thirty layers: ten to the thirtieth is too far
        scale = min(scale, 3)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(scale)
    batch = batch_for(model, fill=fill)
    training = Training(model)
    for _ in range(2):
        training.step(batch)
    assert all(torch.isfinite(p).all() for p in model.parameters())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert np.isfinite(total(model, batch))


def test_nats_of_each_latent_are_given_by_models_that_can_tell(name: str) -> None:
    model = make(name, **of_dimension(name, 4))
    nats = model.divergence(images(model))
    if nats is not None:
        assert nats.shape == (4, model.latent_dim)
        assert nats.min() >= 0


def test_half_precision_changes_loss_and_codes_little(name: str) -> None:
    model = make(name, **thin(name))
    batch, x = batch_for(model, size=8), images(model, 8)
    exact, codes = total(model, batch), model.represent(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half, rounded = total(model, batch), model.represent(x)
    assert half == pytest.approx(exact, rel=0.02)
    assert half != exact, "autocast had no effect"
    assert rounded.dtype == torch.float32
    # A quantised latent near the middle between two values may take the other one: rarely.
    assert ((rounded - codes).abs() > 0.05 * codes.abs().max()).float().mean() < 0.05


def test_every_option_is_kept_under_its_name_and_shown(name: str) -> None:
    model = make(name, **of_dimension(name, 8))
    options = registry.options(model)
    assert options.items() >= of_dimension(name, 8).items()
    again = type(model)(model.shape, **options)
    assert registry.options(again) == options
    assert all(f"{option}={value!r}" in repr(model) for option, value in options.items())


def test_every_option_has_a_type_and_a_line_of_help(name: str) -> None:
    fields = _flags.fields(registry.load("models", name))
    assert {field[0] for field in fields} == set(registry.parameters(registry.load("models", name)))
    for option, kind, default in fields:
        assert len(kind.__metadata__[0].help) > 10, option
        assert default.default is not None, option


def test_a_budget_shortens_options_that_count_steps_and_presets_are_options_of_model_or_training(name: str) -> None:
    from unbraid.runs.train import train

    cls = registry.load("models", name)
    assert set(cls.timed) <= set(registry.parameters(cls))
    for preset in cls.presets.values():
        own = {option: value for option, value in preset.items() if option in registry.parameters(cls)}
        assert preset.keys() - own.keys() <= {"steps", "batch_size", "learning_rate"}
        assert set(registry.parameters(train)) >= preset.keys() - own.keys()
        assert registry.options(make(name, **own)).items() >= own.items()


def test_a_model_says_whom_to_cite_and_which_view_it_needs(name: str) -> None:
    cls = registry.load("models", name)
    assert cls.citation.startswith("@")
    assert view(cls.view).name == cls.view


@pytest.mark.parametrize("latent_dim", [0, -1, float("nan")])
def test_a_code_of_no_numbers_is_refused(name: str, latent_dim: float) -> None:
    if name in LONG:
        pytest.skip("its codes are as long as other options ask for")
    with pytest.raises(InvalidOption, match=r"latent_dim must be .* at least 1, but is"):
        make(name, latent_dim=latent_dim)


def test_numbers_that_are_none_are_refused_in_every_option(name: str) -> None:
    for option, value in registry.options(make(name)).items():
        if isinstance(value, float):
            with pytest.raises(InvalidOption, match=f"{option} must be .*, but is nan"):
                registry.load("models", name)((1, 32, 32), **{option: float("nan")})


def test_a_choice_that_does_not_exist_is_answered_with_those_that_do(name: str) -> None:
    for option, values in choices(name).items():
        with pytest.raises(InvalidOption, match=f"{option} must be .*{values[0]}.*{values[1]}.*, but is 'nonesuch'"):
            registry.load("models", name)((1, 32, 32), **{option: "nonesuch"})


@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 32, 64), (0, 32, 32), (32, 32), (1, 1, 32, 32)])
def test_images_that_no_network_fits_are_refused(name: str, shape: Any) -> None:
    if name in ANY_SIZE and shape == (1, 32, 64):
        assert make(name, shape).decode(torch.zeros(1, make(name, shape).latent_dim)).shape == (1, *shape)
        return
    fitting = "must have 32 to 256 pixels" if name in ANY_SIZE else "must be square with 32, 64 or 128 pixels"
    with pytest.raises(InvalidOption, match=fitting):
        make(name, shape)


def test_images_and_codes_of_another_shape_are_refused(name: str) -> None:
    model = make(name)
    for wrong in (torch.rand(8, 1, 64, 64), torch.rand(8, 3, 32, 32), torch.rand(1, 32, 32)):
        with pytest.raises(InvalidData, match=r"images must be floats \(B, 1, 32, 32\)"):
            model.represent(wrong)
    with pytest.raises(InvalidData, match="but are uint8"):
        model.represent(torch.zeros(8, 1, 32, 32, dtype=torch.uint8))
    with pytest.raises(InvalidData, match=rf"codes must be \(B, {model.latent_dim}\)"):
        model.decode(torch.rand(8, model.latent_dim - 1))
