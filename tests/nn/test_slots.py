"""Slots that compete."""

from __future__ import annotations

import torch

from unbraid.nn.slots import SlotAttention

INPUTS = torch.randn(2, 20, 6, generator=torch.Generator().manual_seed(0))
SLOTS = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))


def made(iterations: int = 3, *, implicit: bool = False) -> SlotAttention:
    torch.manual_seed(0)
    return SlotAttention(6, 4, iterations, implicit=implicit)


def test_one_change_is_that_of_the_paper_slot_by_slot() -> None:
    attention = made(1)
    inputs = attention.norm_inputs(INPUTS)
    key, value, query = attention.key(inputs), attention.value(inputs), attention.query(attention.norm_slots(SLOTS))
    for b in range(2):
        weights = torch.stack([(key[b] * query[b, n]).sum(dim=1) / 2 for n in range(3)]).exp()
        weights = weights / weights.sum(dim=0)
        for n in range(3):
            mean = (weights[n, :, None] * value[b]).sum(dim=0) / weights[n].sum()
            slot = attention.gru(mean[None], SLOTS[b, n][None])
            slot = slot + attention.mlp(attention.norm_mlp(slot))
            assert torch.allclose(attention(INPUTS, SLOTS)[b, n], slot[0], atol=1e-4)


def test_slots_and_inputs_have_no_order() -> None:
    attention = made()
    ended = attention(INPUTS, SLOTS)
    assert torch.allclose(attention(INPUTS.flip(1), SLOTS), ended, atol=1e-5)
    assert torch.allclose(attention(INPUTS, SLOTS.flip(1)), ended.flip(1), atol=1e-5)


def test_an_implicit_gradient_is_that_of_the_last_change_alone() -> None:
    whole, last = made(3, implicit=True), made(1)
    slots = SLOTS.clone().requires_grad_()
    ended = whole(INPUTS, slots)
    assert torch.allclose(ended, made(3)(INPUTS, SLOTS), atol=1e-6)
    rest = made(2)(INPUTS, SLOTS).detach().requires_grad_()
    (implicit,), (one,) = torch.autograd.grad(ended.sum(), slots), torch.autograd.grad(last(INPUTS, rest).sum(), rest)
    assert torch.allclose(implicit, one, atol=1e-5)
    (full,) = torch.autograd.grad(made(3)(INPUTS, slots).sum(), slots)
    assert not torch.allclose(implicit, full, atol=1e-3)
