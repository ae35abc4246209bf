"""MVAE: its bound derived anew, its entities without order, its windows where it looks."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidOption
from unbraid.models.mvae import MVAE
from unbraid.objects import Layers
from unbraid.view import SceneBatch
from unbraid.views.scenes import Scenes as Seen
from unbraid.worlds.scenes import Scenes

X = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
BOTH = pytest.mark.parametrize("renderer", ["window", "canvas"])


def made(**options) -> MVAE:
    torch.manual_seed(0)
    return MVAE((3, 32, 32), **{"slots": 3, "entity_dim": 6, "channels": 4, **options})


@BOTH
def test_the_loss_is_the_bound_of_the_entities_taken(renderer) -> None:
    model = made(renderer=renderer, beta=0.5, warmup=10, deviation=0.3)
    torch.manual_seed(1)
    terms = {name: term.item() for name, term in model.loss(SceneBatch(X, torch.arange(3), 9, None, None), 5).items()}
    q = model.posterior(X)
    torch.manual_seed(1)
    z = q.rsample()
    colours, masks = model.decoder(z.flatten(0, 1)).unflatten(0, (3, 3)).split([3, 1], dim=2)
    image = (colours * masks).sum(dim=1) / masks.sum(dim=1).clamp(min=1)
    likelihood = Normal(image, 0.3).log_prob(X).sum(dim=(1, 2, 3)).mean()
    kl = kl_divergence(Normal(q.mean, (q.log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=(1, 2)).mean()
    assert terms["reconstruction"] == pytest.approx(-likelihood.item(), rel=1e-4)
    assert terms["kl"] == pytest.approx(0.25 * kl.item(), rel=1e-4)


@BOTH
def test_entities_have_no_order(renderer) -> None:
    model = made(renderer=renderer)
    codes = torch.randn(3, 3, 6)
    image, turned = (model.decode(some.flatten(1)) for some in (codes, codes.flip(1)))
    assert torch.allclose(image, turned, atol=1e-6)
    assert image.std() > 0


def test_posteriors_begin_in_windows_about_the_places_that_were_chosen() -> None:
    model = made(slots=9)
    with torch.no_grad():
        frames = model.layers(model.entities(X)).windows
    middles = frames[..., :2] + frames[..., 2:] / 2
    apart = (middles[:, :, None] - middles[:, None]).abs().amax(dim=-1) + torch.eye(9)
    assert apart.min() > 1 / 8  # places that do not touch
    assert middles.min() > 0
    assert middles.max() < 1


def test_a_mask_over_another_shares_a_pixel_and_leaves_the_other_when_it_goes() -> None:
    pictures = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1, 1).expand(1, 2, 3, 32, 32)
    layers = Layers(pictures, torch.ones(1, 2, 32, 32), torch.ones(1, 2, dtype=torch.bool))
    model = made(slots=2)
    kept = torch.tensor([[True, True], [True, False], [False, False]])
    shown = [float(model.compose(layers, one[None])[0, 0, 0, 0]) for one in kept]
    assert shown == [0.5, 1, 0]


def test_an_entity_stands_for_an_object_when_it_owns_more_than_a_dozen_pixels() -> None:
    model = made(slots=2, renderer="canvas")
    drawn = torch.zeros(2, 4, 32, 32)
    drawn[0, 3, :3, :4] = 0.9
    drawn[1, 3, 10:14, 10:14] = 0.9
    model.decoder.forward = lambda z: drawn  # type: ignore[method-assign]
    assert model.layers(torch.zeros(1, 2, 6)).present.tolist() == [[False, True]]


@pytest.mark.parametrize("options", [{"slots": 10}, {"deviation": 0.0}, {"entity_dim": 3}, {"channels": 0}])
def test_options_out_of_range_are_refused(options) -> None:
    with pytest.raises(InvalidOption, match=f"{next(iter(options))} must be"):
        made(**options)


@pytest.mark.slow
def test_sprites_are_found_after_a_few_hundred_steps() -> None:
    torch.manual_seed(0)
    world = Scenes(fewest=1, overlap=0.3)
    model, seen = MVAE(world.shape, warmup=300), Seen(world, batch_size=32)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    for step in range(300):
        optimiser.zero_grad()
        model.loss(seen.batch(step), step).total().backward()
        optimiser.step()
    batch = seen.batch(100_000)
    with torch.no_grad():
        count = model.layers(model.entities(batch.x)).present.sum(dim=1)
    assert (count == batch.count).float().mean() > 0.7
