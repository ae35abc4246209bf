"""The slot attention autoencoder: masks that share every pixel, and slots that stand for objects."""

from __future__ import annotations

import pytest
import torch

from unbraid.errors import InvalidOption
from unbraid.models.slotattention import SlotAttention

X = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def made(**options) -> SlotAttention:
    torch.manual_seed(0)
    return SlotAttention((3, 32, 32), **{"slots": 3, "entity_dim": 8, "channels": 4, **options})


def test_slots_share_every_pixel_also_when_one_is_taken_away() -> None:
    model = made()
    layers = model.layers(model.entities(X))
    assert torch.allclose(layers.masks.sum(dim=1), torch.ones(2, 32, 32))
    kept = torch.tensor([[True, False, True]]).expand(2, -1)
    left = layers.masks[:, [0, 2], None] / layers.masks[:, [0, 2]].sum(dim=1)[:, None, None]
    assert torch.allclose(model.compose(layers, kept), (layers.pictures[:, [0, 2]] * left).sum(dim=1), atol=1e-5)
    assert not model.compose(layers, torch.zeros_like(kept)).any()


def test_slots_have_no_order_and_begin_apart() -> None:
    model = made()
    slots = model.entities(X)
    assert (slots[:, 0] - slots[:, 1]).abs().max() > 1e-3
    assert torch.allclose(model.decode(slots.flatten(1)), model.decode(slots.flip(1).flatten(1)), atol=1e-5)


def test_a_slot_stands_for_an_object_when_it_owns_pixels_that_are_not_dark() -> None:
    model = made()
    drawn = torch.full((3, 4, 32, 32), -9.0)
    drawn[0, 3] = 0.0  # everything, in the dark
    drawn[1, :, :8, :8] = 9.0  # a bright corner
    drawn[2, :, 8:10, :2] = 9.0  # four bright pixels
    model.decoder.forward = lambda _: drawn  # type: ignore[method-assign]
    assert model.layers(torch.zeros(1, 3, 8)).present.tolist() == [[False, True, False]]


def test_training_begins_with_noise_of_its_own() -> None:
    model = made()
    first, second = (model.attend(X, torch.randn(2, 3, 8)) for _ in range(2))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("options", [{"iterations": 0}, {"deviation": 0.0}, {"slots": 0}, {"gradient": "none"}])
def test_options_out_of_range_are_refused(options) -> None:
    with pytest.raises(InvalidOption, match=f"{next(iter(options))} must be"):
        made(**options)
