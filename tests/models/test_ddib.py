from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from unbraid.errors import InvalidOption
from unbraid.models.ddib import DDIB, SolverName, TargetName, cumulative, ddim
from unbraid.nn.unet import UNet
from unbraid.view import DomainBatch


def batch() -> DomainBatch:
    x, other = torch.rand(2, 3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return DomainBatch(x, other, torch.arange(3), torch.arange(3), 2)


def rotated(angle: float, deviations: tuple[float, float]) -> Tensor:
    """A covariance in the plane."""
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64)
    return turn @ torch.diag(torch.tensor(deviations, dtype=torch.float64).square()) @ turn.T


def exact(mean: Tensor, covariance: Tensor, left: list[float]) -> Callable[[Tensor, int], Tensor]:
    """What of a point is noise, on average, where points are normal: -sqrt(1 - a) times the score at that time."""

    def noise(x: Tensor, t: int) -> Tensor:
        a = left[t]
        spread = a * covariance + (1 - a) * torch.eye(2, dtype=torch.float64)
        return math.sqrt(1 - a) * torch.linalg.solve(spread, (x - math.sqrt(a) * mean).T).T

    return noise


def root(covariance: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    return vectors @ torch.diag(values.sqrt()) @ vectors.T


MEANS = torch.tensor([[0.3, -0.2], [-0.5, 0.4]], dtype=torch.float64)
LEFT = cumulative(4000).tolist()
POINTS = torch.randn(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def bridged(covariances: tuple[Tensor, Tensor], steps: int, solver: SolverName) -> tuple[Tensor, Tensor, Tensor]:
    """Points of one normal distribution, what they become in another, and again in the first."""
    times = [round(4000 * (i / steps) ** 2) for i in range(steps + 1)]
    first, second = (exact(m, s, LEFT) for m, s in zip(MEANS, covariances, strict=True))
    x = MEANS[0] + POINTS @ root(covariances[0])
    there = ddim(second, ddim(first, x, LEFT, times, solver), LEFT, times[::-1], solver)
    return x, there, ddim(first, ddim(second, there, LEFT, times, solver), LEFT, times[::-1], solver)


SAME_AXES = rotated(0.4, (0.5, 1.2)), rotated(0.4, (1.5, 0.3))
OTHER_AXES = rotated(0.4, (0.5, 1.2)), rotated(1.3, (1.5, 0.3))


def test_between_normal_distributions_of_the_same_axes_the_bridge_is_the_optimal_map() -> None:
    there = bridged(SAME_AXES, 100, "heun")[1]
    # In these axes the optimal map stretches each by the ratio of the deviations.
    assert torch.allclose(there, MEANS[1] + POINTS @ root(SAME_AXES[1]), atol=0.01)


def test_between_those_of_other_axes_it_ends_in_the_right_distribution_and_is_another_map() -> None:
    a, b = OTHER_AXES
    x, there, _ = bridged((a, b), 100, "heun")
    assert torch.allclose(there, MEANS[1] + POINTS @ root(b), atol=0.01)
    half = root(a)
    inverse = torch.linalg.inv(half)
    optimal = MEANS[1] + (x - MEANS[0]) @ (inverse @ root(half @ b @ half) @ inverse)
    assert (there - optimal).abs().max() > 0.1


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("heun", 2)])
def test_the_error_falls_with_the_steps_as_the_order_of_the_solver_says(solver: SolverName, order: int) -> None:
    a, b = OTHER_AXES
    kept, eye = LEFT[-1], torch.eye(2, dtype=torch.float64)
    last = [kept * s + (1 - kept) * eye for s in (a, b)]
    noise = math.sqrt(kept) * MEANS[0] + POINTS @ root(last[0])
    exactly = MEANS[1] + (noise - math.sqrt(kept) * MEANS[1]) @ torch.linalg.inv(root(last[1])) @ root(b)
    errors = []
    for steps in (50, 100, 200):
        there = bridged((a, b), steps, solver)[1]
        errors.append(float((there - exactly).abs().max()))
    assert errors[2] < 0.1**order
    assert all(2 ** (order - 0.3) < more / less < 2 ** (order + 0.3) for more, less in pairwise(errors)), errors


@pytest.mark.parametrize(("solver", "limit"), [("ddim", 0.15), ("heun", 1e-3)])
def test_the_way_there_and_back_ends_where_it_began_the_nearer_the_more_steps(solver: SolverName, limit: float) -> None:
    errors = []
    for steps in (25, 50, 100, 200):
        x, _, back = bridged(OTHER_AXES, steps, solver)
        errors.append(float((back - x).abs().max()))
    assert errors == sorted(errors, reverse=True)
    assert errors[3] < limit < errors[0]


def test_what_is_left_of_an_image_is_the_product_over_all_steps() -> None:
    left, product = cumulative(1000), 1.0
    for t in range(1000):
        product *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999)
        assert float(left[t + 1]) == pytest.approx(product, rel=1e-9)
    assert left[0] == 1
    assert float(cumulative(250)[-1]) == pytest.approx(float(left[-1]), rel=0.2)


@pytest.mark.parametrize("target", ["noise", "velocity"])
def test_the_loss_is_the_published_one_image_by_image(target: TargetName) -> None:
    torch.manual_seed(0)
    model, seen = DDIB((3, 32, 32), width=8, timesteps=50, ode_steps=5, target=target), batch()
    torch.manual_seed(1)
    terms = {name: term.item() for name, term in model.loss(seen, 0).items()}
    torch.manual_seed(1)
    expected = {}
    for name, network, images in zip(("noise_a", "noise_b"), model.networks, (seen.x, seen.other), strict=True):
        times, noise = torch.randint(1, 51, (3,)), torch.randn(images.shape)
        errors = []
        for x, t, e in zip(2 * images - 1, times.tolist(), noise, strict=True):
            left = math.prod(1 - 20 * (1e-4 + (0.02 - 1e-4) * s / 49) for s in range(t))
            noisy = math.sqrt(left) * x + math.sqrt(1 - left) * e
            wanted = e if target == "noise" else math.sqrt(left) * e - math.sqrt(1 - left) * x
            with torch.no_grad():
                errors.append((network(noisy[None], torch.tensor([t / 50])) - wanted).square().mean().item())
        expected[name] = sum(errors) / 3
    assert terms == pytest.approx(expected, rel=1e-3)


def test_each_network_learns_from_its_own_domain_alone() -> None:
    torch.manual_seed(0)
    model, seen = DDIB((3, 32, 32), width=8), batch()
    terms = model.loss(seen, 0)
    for d, name in enumerate(("noise_a", "noise_b")):
        own, other = (list(model.networks[one].parameters()) for one in (d, 1 - d))
        gradients = torch.autograd.grad(terms[name], own + other, allow_unused=True, retain_graph=True)
        assert all(g is not None for g in gradients[: len(own)])
        assert all(g is None for g in gradients[len(own) :])


def test_an_image_that_becomes_noise_and_an_image_again_is_the_same_the_nearer_the_more_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Networks that have learned nothing turn round every few times; of normal images what is noise is known.
    def noise(self: DDIB, x: Tensor, t: Tensor, domain: int) -> Tensor:
        a = torch.tensor(self.left)[t][:, None, None, None]
        return (1 - a).sqrt() * x / (a * (0.1, 0.5)[domain] ** 2 + 1 - a)

    monkeypatch.setattr(DDIB, "noise", noise)
    errors, x = [], batch().x
    for steps in (5, 10, 20, 40):
        model = DDIB((3, 32, 32), width=8, ode_steps=steps)
        content = model.content_of(x, 1)
        errors.append(float((model.drawn(content, model.style_of(x, 1), 1) - x).abs().max()))
        # Uniform numbers have a deviation of 0.577, and those that are expected one of 0.5.
        assert content.std() == pytest.approx(0.577 / 0.5, rel=0.05 if steps > 5 else 0.2)
    assert errors == sorted(errors, reverse=True)
    assert errors[3] < 1e-3
    # In the other domain the same noise is a fifth as far from the mean.
    assert torch.allclose(model.translate(x, 1), 0.5 + (x - 0.5) / 5, atol=0.01)


def test_translation_is_the_noise_of_one_domain_drawn_in_the_other_with_averaged_weights() -> None:
    torch.manual_seed(0)
    model, x = DDIB((3, 32, 32), width=8, ode_steps=4, target="noise").eval(), batch().x
    with torch.no_grad():
        made = model.translate(x, 0)
        assert torch.equal(made, model.translate(x, 0))
        for network in model.networks:
            for p in network.parameters():
                p.zero_()
        assert torch.equal(made, model.translate(x, 0))
        # Networks that find no noise anywhere let all of the image fade, and make it appear again.
        assert torch.allclose(model.train().translate(x, 0), x, atol=1e-4)


def test_steps_of_the_ode_go_from_the_image_to_the_last_time_without_standing_still() -> None:
    for steps in (1, 7, 25, 999, 1000):
        times = DDIB((1, 32, 32), width=1, ode_steps=steps).times
        assert (times[0], times[-1], len(times)) == (0, 1000, steps + 1)
        assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("ode_steps", 1001, "ode_steps must be at most timesteps, 1000, but is 1001"),
        ("halvings", 4, "halvings must be 0 to 3"),
        ("patch", 3, "patch 1, 2 or 4"),
        ("average", 1.0, "average must be below 1"),
        ("timesteps", 24, "timesteps must be a finite number of at least 25, but is 24"),
        ("ode_steps", 0, "ode_steps must be"),
        ("solver", "euler", "solver must be one of heun, ddim, but is 'euler'"),
        ("target", "image", "target must be one of velocity, noise, but is 'image'"),
    ],
)
def test_options_out_of_range_are_refused(option: str, value: float | str, said: str) -> None:
    with pytest.raises(InvalidOption, match=said):
        DDIB((1, 32, 32), **{option: value})  # type: ignore[arg-type]


def test_a_network_sees_images_of_any_form_and_what_is_far_away() -> None:
    torch.manual_seed(0)
    network = UNet(2, width=8, halvings=2, blocks=2, patch=2)
    x = torch.randn(1, 2, 45, 34, requires_grad=True)
    said = network(x, torch.tensor([0.5]))
    assert said.shape == x.shape
    said[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert x.grad[0, :, -1, -1].any()
    assert not torch.equal(said, network(x, torch.tensor([0.6])))
