"""AIR: its bound against a slow derivation, and how noisy the gradients of its two estimators are."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from unbraid.errors import InvalidOption
from unbraid.models.air import AIR
from unbraid.nn.counting import geometric
from unbraid.view import SceneBatch
from unbraid.views.scenes import Scenes as Seen
from unbraid.worlds.scenes import Scenes

X = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round()
BATCH = SceneBatch(X, torch.arange(4), 100, None, None)


def made(**options) -> AIR:
    torch.manual_seed(0)
    given = {"slots": 2, "what_dim": 3, "hidden_width": 32, "layer_width": 32} | options
    return AIR((1, 32, 32), **given)


def gradients(model: AIR, draws: int, *, alone: bool) -> torch.Tensor:
    """Of the bias of going on, one for each draw: of the count ``alone``, or of where and what as well."""
    bias, lessons = model.attend[-1].bias, []
    torch.manual_seed(0)
    found = model.find(X, sampled=True)
    for _ in range(draws):
        if alone:
            model.find = lambda *_, **__: found  # type: ignore[method-assign]
        total = model.loss(BATCH, 0).total()
        lessons.append(torch.autograd.grad(total, bias, retain_graph=True)[0][0])
    return torch.stack(lessons)


def test_the_loss_is_the_bound_summed_over_all_counts() -> None:
    model = made()
    torch.manual_seed(1)
    total = model.loss(BATCH, 0).total()
    torch.manual_seed(1)
    found = model.find(X, sampled=True)
    found = type(found)(*(part.detach() for part in found))
    prior, bound = geometric(0.01, 2).exp().tolist(), 0.0
    for image, logits, kl, objects in zip(X, found.logits, found.kl, found.objects, strict=True):
        p = torch.sigmoid(logits).tolist()
        for n, q in enumerate((1 - p[0], p[0] * (1 - p[1]), p[0] * p[1])):
            drawn = sum((model._drawn(one[None])[0] for one in objects[:n]), torch.zeros(1, 32, 32))
            likelihood = Normal(drawn, 0.3).log_prob(image).sum()
            bound += q * (likelihood - kl[:n].sum() + math.log(prior[n]) - math.log(q)) / len(X)
    assert total.item() == pytest.approx(-float(bound.detach()), rel=1e-4)


def test_windows_and_contents_cost_their_kl_from_the_prior() -> None:
    model = made(slots=1)
    said = model.attend(model.remember(torch.relu(model.see(X.flatten(1)) + model.see_left(X.flatten(1))))[0])
    where = Normal(said[:, 1:4], (said[:, 4:] / 2).exp())
    torch.manual_seed(0)
    found = model.find(X, sampled=True)
    assert (found.kl[:, 0] > kl_divergence(where, Normal(0.0, 1.0)).sum(dim=1)).all()


def test_the_sum_over_counts_has_the_same_gradient_as_samples_and_less_variance() -> None:
    exact, sampled = gradients(made(), 2, alone=True), gradients(made(estimator="sampled"), 100, alone=True)
    assert exact.std() < 1e-4
    assert sampled.std() > 0.1 * exact[0].abs()
    assert (sampled.mean() - exact[0]).abs() < 4 * sampled.std() / math.sqrt(100)
    # With the noise of where and what on top, which both have.
    exact, sampled = (gradients(made(estimator=one), 30, alone=False) for one in ("exact", "sampled"))
    assert exact.var() < sampled.var() / 2


def test_the_prior_of_counts_falls_geometrically_to_its_last_value() -> None:
    model = made(prior=0.01, prior_first=0.81, anneal=100)
    assert [model.success(step) for step in (0, 50, 100, 999)] == pytest.approx([0.81, 0.09, 0.01, 0.01])
    assert made().success(0) == 0.01


def test_doubt_teaches_windows_also_by_counts_that_are_unlikely() -> None:
    def weights(**options) -> torch.Tensor:
        """What each count's reconstruction weighs where going on is certain."""
        model = made(**options)
        with torch.no_grad():
            model.attend[-1].bias[0] = 50
        found = model.find(X, sampled=False)
        model.find = lambda *_, **__: found  # type: ignore[method-assign]
        return torch.autograd.grad(model.loss(BATCH, 0).total(), found.nll)[0] * len(X)

    assert torch.allclose(weights(), torch.tensor([0.0, 0.0, 1.0]))
    assert torch.allclose(weights(doubt=0.3), torch.tensor([0.1, 0.1, 0.8]))


def test_entities_that_are_not_there_are_not_drawn_and_windows_frame_what_is() -> None:
    model = made()
    entities = torch.zeros(1, 2, 7)
    entities[0, 0, :4] = torch.tensor([1.0, 0.5, 0.5, -0.5])
    layers = model.layers(entities)
    assert layers.present.tolist() == [[True, False]]
    image = model.decode(entities.flatten(1)).detach()
    assert torch.equal(image, layers.pictures[:, 0])
    left, top, width, height = (32 * layers.windows[0, 0]).round().int().tolist()
    inside = torch.zeros(32, 32)
    inside[top : top + height, left : left + width] = 1  # and half a pixel about it
    assert image.sum() > 20
    assert (image * inside).sum() > 0.9 * image.sum()


def test_an_image_without_its_entities_is_black() -> None:
    model = made()
    layers = model.layers(model.entities(X))
    assert not model.compose(layers, torch.zeros(4, 2, dtype=torch.bool)).any()


def test_a_net_that_sees_no_residual_does_not_know_what_is_left() -> None:
    assert made(residual=False).see_left is None
    assert len(list(made().parameters())) == len(list(made(residual=False).parameters())) + 1


def test_convolutional_sight_sees_what_is_elsewhere_elsewhere() -> None:
    model, x = made(sight="convolutional"), torch.zeros(2, 1, 32, 32)
    x[0, 0, 8:14, 8:12] = 1
    x[1] = x[0].roll((8, 4), dims=(1, 2))
    for sight in (model.see, model.see_left):
        here, there = sight[:5](x.flatten(1))
        assert not torch.allclose(here, there)
        # Cells are of 4 pixels; those at the edges see beyond them.
        assert torch.allclose(here[:, 1:5, 1:6], there[:, 3:7, 2:7], atol=1e-6)


def test_how_many_objects_are_seen_stands_in_the_history() -> None:
    model = made()
    with torch.no_grad():
        model.attend[-1].bias[0] = -100
    assert model.symptoms(BATCH) == {"count": 0, "none": 1, "all": 0}


@pytest.mark.parametrize(
    ("option", "value"),
    [("scale", 0.1), ("prior", 1.0), ("deviation", 0.0), ("window", 3), ("slots", 0), ("doubt", 1.0), ("sight", "no")],
)
def test_options_out_of_range_are_refused(option: str, value: object) -> None:
    with pytest.raises(InvalidOption, match=f"{option} must be"):
        made(**{option: value})


def test_sampled_counts_cannot_be_doubted() -> None:
    with pytest.raises(InvalidOption, match="0 where counts are sampled"):
        made(doubt=0.1, estimator="sampled")


@pytest.mark.slow
def test_digits_are_counted_after_a_few_hundred_steps() -> None:
    torch.manual_seed(0)
    world = Scenes(objects="digits", most=2, size=50, colour=False, overlap=0)
    model, seen = AIR(world.shape, hidden_width=128, layer_width=100), Seen(world, batch_size=32)
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    for step in range(300):
        optimiser.zero_grad()
        model.loss(seen.batch(step), step).total().backward()
        optimiser.step()
    batch = seen.batch(100_000)
    with torch.no_grad():
        count = model.layers(model.entities(batch.x)).present.sum(dim=1)
    assert (count == batch.count).float().mean() > 0.9
