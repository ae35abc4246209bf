"""The networks: shapes, and weights that keep the signal's size."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption
from unbraid.nn.conv import Decoder, Encoder
from unbraid.nn.image import initialise
from unbraid.types import Shape

SHAPES: list[Shape] = [(1, 32, 32), (3, 32, 32), (1, 64, 64), (3, 64, 64)]


def variances(network: nn.Module, x: Tensor) -> list[float]:
    """The variance of what every layer with weights puts out."""
    found: list[float] = []
    hooks = [
        layer.register_forward_hook(lambda layer, given, output: found.append(float(output.var())))
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
    ]
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_the_signal_keeps_its_size_through_every_layer(shape: Shape, seed: int) -> None:
    torch.manual_seed(seed)
    for network, x in ((Encoder(shape, 20), torch.randn(64, *shape)), (Decoder(10, shape), torch.randn(64, 10))):
        found = variances(network, x)
        assert len(found) == (7 if shape[1] == 64 else 6)
        assert all(1 / 5 < variance < 5 for variance in found), found


def test_a_layer_whose_inputs_are_rectified_normals_puts_out_unit_variance() -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(200, 50, 4, 2, 1))
    initialise(layer)
    inner = layer(torch.randn(10, 200, 8, 8))[..., 2:-2, 2:-2]
    # E relu(a)^2 = 1/2, and He's weights bring 2.
    assert inner.square().mean().item() == pytest.approx(1, rel=0.05)


def test_biases_begin_at_zero() -> None:
    for network in (Encoder((1, 32, 32), 4), Decoder(4, (1, 32, 32))):
        assert not any(p.any() for name, p in network.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_decoder_mirrors_the_encoder(shape: Shape) -> None:
    encoder, decoder = Encoder(shape, 6), Decoder(6, shape)
    assert encoder(torch.rand(2, *shape)).shape == (2, 6)
    assert decoder(torch.rand(2, 6)).shape == (2, *shape)
    convolutions = [tuple(layer.weight.shape) for layer in encoder if isinstance(layer, nn.Conv2d)]
    mirrored = [tuple(layer.weight.shape) for layer in decoder if isinstance(layer, nn.ConvTranspose2d)]
    # A transposed convolution's weight is (in, out, ...), a convolution's (out, in, ...): mirrored, they are alike.
    assert mirrored == convolutions[::-1]


def test_other_sizes_of_image_are_refused() -> None:
    with pytest.raises(InvalidOption, match=r"must be square with 32 or 64 pixels .* but are \(1, 48, 48\)"):
        Decoder(2, (1, 48, 48))
