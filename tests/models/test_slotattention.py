"""The slot attention autoencoder: masks that share every pixel, and slots that stand for objects."""

from __future__ import annotations

import pytest
import torch

from unbraid.errors import InvalidOption
from unbraid.models.slotattention import SlotAttention
from unbraid.view import SceneBatch

X = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
BOTH = pytest.mark.parametrize("frames", ["own", "shared"])


def made(**options) -> SlotAttention:
    torch.manual_seed(0)
    return SlotAttention((3, 32, 32), **{"slots": 3, "slot_dim": 8, "channels": 4, "layer_width": 8, **options})


@BOTH
def test_slots_share_every_pixel_and_leave_black_where_one_is_taken_away(frames) -> None:
    model = made(frames=frames)
    layers = model.layers(model.entities(X))
    assert torch.allclose(layers.masks.sum(dim=1), torch.ones(2, 32, 32))
    kept = torch.tensor([[True, False, True]]).expand(2, -1)
    parts = layers.pictures * layers.masks[:, :, None]
    assert torch.allclose(model.compose(layers, kept), parts[:, 0] + parts[:, 2], atol=1e-5)
    assert not model.compose(layers, torch.zeros_like(kept)).any()


@BOTH
def test_slots_have_no_order_and_begin_apart(frames) -> None:
    model = made(frames=frames)
    slots = model.entities(X)
    assert (slots[:, 0] - slots[:, 1]).abs().max() > 1e-3
    assert torch.allclose(model.decode(slots.flatten(1)), model.decode(slots.flip(1).flatten(1)), atol=1e-5)


def test_the_loss_is_that_of_the_image_before_it_is_cut_off() -> None:
    model = made(deviation=0.3)
    torch.manual_seed(1)
    found = model.loss(SceneBatch(X, torch.arange(2), 9, None, None), 0)["reconstruction"].item()
    torch.manual_seed(1)
    noise, turn = torch.randn(2, 3, 8), 2 * torch.pi * torch.rand(2)
    colours, masks = model._drawn(model.attend(X, noise, turn)).split([3, 1], dim=2)
    image = (colours * masks.exp() / masks.exp().sum(dim=1, keepdim=True)).sum(dim=1)
    nll = -torch.distributions.Normal(image, 0.3).log_prob(X).sum(dim=(1, 2, 3)).mean()
    assert found == pytest.approx(nll.item(), rel=1e-4)
    assert image.min() < 0


def test_frames_begin_on_a_circle_and_turn_with_it() -> None:
    begun = made(slots=4)._begun(torch.tensor([0.0, torch.pi / 2]))
    assert torch.allclose(begun[0, :, :2].norm(dim=1), torch.tensor(0.5))
    assert torch.allclose(begun[1, :-1], begun[0, 1:], atol=1e-6)


def test_a_slot_stands_for_an_object_when_it_owns_pixels_that_are_not_dark() -> None:
    model = made()
    drawn = torch.full((1, 3, 4, 32, 32), -9.0)
    drawn[0, 0, 3] = 0.0  # everything, in the dark
    drawn[0, 1, :, :8, :8] = 9.0  # a bright corner
    drawn[0, 2, :, 8:10, :2] = 9.0  # four bright pixels
    model.decoder.forward = lambda *_: drawn  # type: ignore[method-assign]
    assert model.layers(torch.zeros(1, 3, 11)).present.tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    "options", [{"iterations": 0}, {"deviation": 0.0}, {"slots": 0}, {"gradient": "none"}, {"frames": "none"}]
)
def test_options_out_of_range_are_refused(options) -> None:
    with pytest.raises(InvalidOption, match=f"{next(iter(options))} must be"):
        made(**options)
