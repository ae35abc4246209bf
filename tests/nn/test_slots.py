"""Slots that compete, in frames of their own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from unbraid.nn.broadcast import BroadcastRenderer, middles
from unbraid.nn.slots import SlotAttention, seen_from

GENERATOR = torch.Generator().manual_seed(0)
INPUTS, PLACES = torch.randn(2, 16, 6, generator=GENERATOR), middles(4)
SLOTS = torch.randn(2, 3, 4, generator=GENERATOR)
FRAMES = torch.cat([torch.rand(2, 3, 2, generator=GENERATOR) - 0.5, torch.full((2, 3, 1), 0.4)], dim=2)


def made(iterations: int = 3, **options) -> SlotAttention:
    torch.manual_seed(0)
    return SlotAttention(6, 4, iterations, **options)


def ended(attention: SlotAttention, inputs: Tensor = INPUTS, slots: Tensor = SLOTS, frames: Tensor = FRAMES) -> Tensor:
    return torch.cat(attention(inputs, PLACES, slots, frames), dim=2)


def test_one_change_is_the_equation_pair_by_pair() -> None:
    attention = made(1)
    inputs = attention.norm_inputs(INPUTS)
    key, value, query = attention.key(inputs), attention.value(inputs), attention.query(attention.norm_slots(SLOTS))
    weigh = 0.1 + 0.9 * torch.sigmoid(attention.weight(inputs))[..., 0]
    assert weigh.std() > 0.01
    slots, frames = attention(INPUTS, PLACES, SLOTS, FRAMES)
    for b in range(2):
        seen = torch.stack([(PLACES - frame[:2]) / (2 * frame[2]) for frame in FRAMES[b]])
        seen = torch.cat([seen, seen**2], dim=2)
        likes = [
            ((key[b] + attention.key_place(seen[n])) * query[b, n]).sum(dim=1) / 2 - 2 * seen[n, :, 2:].sum(dim=1)
            for n in range(3)
        ]
        weights = torch.stack(likes).exp()
        weights = weights / weights.sum(dim=0) * weigh[b]
        for n in range(3):
            share = weights[n, :, None] / weights[n].sum()
            mean = (share * (value[b] + attention.value_place(seen[n]))).sum(dim=0)
            slot = attention.gru(mean[None], SLOTS[b, n][None])
            slot = slot + attention.mlp(attention.norm_mlp(slot))
            assert torch.allclose(slots[b, n], slot[0], atol=1e-4)
            middle = (share * PLACES).sum(dim=0)
            assert torch.allclose(frames[b, n, :2], middle, atol=1e-4)
            variance = (share * (PLACES - middle) ** 2).sum() / 2
            assert frames[b, n, 2].item() == pytest.approx(variance.sqrt().item(), abs=1e-4)


def test_slots_and_inputs_have_no_order() -> None:
    attention = made()
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    slots, frames = attention(INPUTS[:, order], PLACES[order], SLOTS, FRAMES)
    assert torch.allclose(torch.cat([slots, frames], dim=2), ended(attention), atol=1e-5)
    turned = ended(attention, slots=SLOTS.flip(1), frames=FRAMES.flip(1))
    assert torch.allclose(turned, ended(attention).flip(1), atol=1e-5)


def test_frames_of_nothing_but_places_come_to_rest_on_the_parts_of_a_mixture() -> None:
    # Two heaps of places, and nothing to tell their inputs apart.
    near = 0.1 * torch.randn(40, 2, generator=torch.Generator().manual_seed(2))
    places = torch.cat([near - 0.5, near + 0.5])
    frames = torch.tensor([[[-0.2, 0.0, 0.3], [0.2, 0.0, 0.3]]])
    _, found = made(9)(torch.zeros(1, 80, 6), places, torch.zeros(1, 2, 4), frames)
    means = torch.stack([near.mean(dim=0) - 0.5, near.mean(dim=0) + 0.5])
    assert torch.allclose(found[0, :, :2], means, atol=0.02)
    assert torch.allclose(found[0, :, 2], torch.tensor(0.1), atol=0.03)


def test_frames_that_do_not_follow_stay_as_they_begin() -> None:
    _, frames = made(framed=False)(INPUTS, PLACES, SLOTS, FRAMES)
    assert torch.equal(frames, FRAMES)


def test_an_implicit_gradient_is_that_of_the_last_change_alone() -> None:
    slots = SLOTS.clone().requires_grad_()
    whole = ended(made(implicit=True), slots=slots)
    assert torch.allclose(whole, ended(made()), atol=1e-6)
    rested, frames = (one.detach() for one in made(2)(INPUTS, PLACES, SLOTS, FRAMES))
    rested.requires_grad_()
    (implicit,) = torch.autograd.grad(whole.sum(), slots)
    (last,) = torch.autograd.grad(ended(made(1), slots=rested, frames=frames).sum(), rested)
    assert torch.allclose(implicit, last, atol=1e-5)
    (full,) = torch.autograd.grad(ended(made(), slots=slots).sum(), slots)
    assert not torch.allclose(implicit, full, atol=1e-3)


def test_what_is_drawn_moves_and_grows_with_its_frame() -> None:
    torch.manual_seed(0)
    renderer = BroadcastRenderer(4, 2, cells=16, patch=2, width=8)
    codes = torch.randn(1, 1, 4).expand(1, 3, 4)
    frames = torch.tensor([[[0.0, 0.0, 0.2], [0.25, 0.5, 0.2], [0.0, 0.0, 0.4]]])
    drawn = renderer(codes, frames)
    assert drawn.shape == (1, 3, 2, 32, 32)
    assert torch.allclose(drawn[0, 0, :, 4:20, 8:24], drawn[0, 1, :, 12:28, 12:28], atol=1e-5)
    assert not torch.allclose(drawn[0, 0], drawn[0, 2], atol=1e-2)


def test_places_beyond_measure_are_seen_as_far_and_frames_of_no_size_as_small() -> None:
    seen = seen_from(torch.tensor([[1e6, 0.0]]), torch.tensor([[[0.0, 0.0, 0.0]]]))
    assert seen.flatten().tolist() == [3, 0, 9, 0]
