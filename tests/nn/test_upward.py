"""The layer that doubles an image is PyTorch's transposed convolution in every layout."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unbraid.nn.upward import Upward


def told(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """What a layer gives, and its gradients."""
    x = x.detach().requires_grad_()
    y = layer(x)
    (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
    return [y, x.grad, *(parameter.grad for parameter in layer.parameters())]  # type: ignore[list-item]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_the_transposed_convolution_with_its_gradients(outputs: int, layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    ours, theirs = Upward(5, outputs), nn.ConvTranspose2d(5, outputs, 4, 2, 1)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 5, 6, 6)
    ours.to(memory_format=layout)  # type: ignore[call-overload]
    for found, expected in zip(told(ours, x), told(theirs, x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)


def test_with_its_channels_first_not_a_bit_differs() -> None:
    torch.manual_seed(0)
    ours, theirs = Upward(5, 3), nn.ConvTranspose2d(5, 3, 4, 2, 1)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 5, 6, 6)
    assert all(map(torch.equal, told(ours, x), told(theirs, x)))


def test_its_result_has_the_layout_of_its_weights() -> None:
    layer = Upward(5, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert layer(torch.randn(2, 5, 6, 6)).is_contiguous(memory_format=torch.channels_last)


def test_layers_that_are_computed_together_give_what_each_gives() -> None:
    torch.manual_seed(0)
    layers, x = [Upward(3, 2) for _ in range(4)], torch.rand(4, 5, 3, 8, 8)
    weights, buffers = torch.func.stack_module_state(layers)  # type: ignore[arg-type]

    def image(weights: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(layers[0], (weights, buffers), (x,))  # type: ignore[no-any-return]

    together = torch.func.vmap(image)(weights, buffers, x)
    for one, layer, images in zip(together, layers, x, strict=True):
        assert torch.allclose(one, layer(images), atol=1e-6)
