"""The networks: shapes, weights that keep the signal's size, and what each family's paper says of it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.errors import InvalidOption
from unbraid.nn.conv import Decoder, Encoder
from unbraid.nn.dense import DenseDecoder, DenseEncoder
from unbraid.nn.image import initialise
from unbraid.nn.locatello import LocatelloDecoder, LocatelloEncoder
from unbraid.nn.modulated import Modulated, ModulatedDecoder
from unbraid.nn.networks import NETWORKS
from unbraid.nn.patches import PatchesDecoder, PatchesEncoder
from unbraid.nn.residual import Residual, ResidualDecoder, ResidualEncoder
from unbraid.types import Shape

SHAPES: list[Shape] = [(1, 32, 32), (3, 32, 32), (2, 64, 64), (1, 128, 128)]
LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)

every_network = pytest.mark.parametrize("name", NETWORKS)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def pair(name: str, shape: Shape, seed: int = 0) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(seed)
    return NETWORKS[name].encoder(shape, 6), NETWORKS[name].decoder(6, shape)


def variances(network: nn.Module, x: Tensor) -> list[float]:
    """The variance of what every layer with weights puts out."""
    found: list[float] = []
    hooks = [
        layer.register_forward_hook(lambda layer, given, output: found.append(float(output.var())))
        for layer in network.modules()
        if isinstance(layer, LAYERS)
    ]
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()
    return found


def weights(network: nn.Module, kind: Any) -> list[tuple[int, ...]]:
    return [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, kind)]


@every_network
@every_shape
def test_images_become_numbers_and_numbers_images_of_the_shape_asked_for(name: str, shape: Shape) -> None:
    encoder, decoder = pair(name, shape)
    assert encoder(torch.rand(2, *shape)).shape == (2, 6)
    assert decoder(torch.rand(2, 6)).shape == (2, *shape)


@every_network
@every_shape
def test_the_signal_keeps_its_size_through_every_layer(name: str, shape: Shape) -> None:
    for network, x in zip(pair(name, shape), (torch.randn(16, *shape), torch.randn(64, 6)), strict=True):
        found = variances(network, x)
        assert len(found) == sum(isinstance(layer, LAYERS) for layer in network.modules())
        # With PyTorch's own weights it loses a factor of about 6 in every layer.
        assert all(1 / 12 < variance < 12 for variance in found), found


@every_network
def test_images_that_differ_have_other_codes_and_codes_that_differ_other_images(name: str) -> None:
    for network, x in zip(pair(name, (1, 32, 32)), (torch.rand(16, 1, 32, 32), torch.randn(16, 6)), strict=True):
        output = network(x).detach()
        between = (output - output.mean(dim=0)).square().mean()
        assert between > 0.05 * output.square().mean(), "what comes out hardly depends on what goes in"


@every_network
def test_an_output_does_not_depend_on_the_rest_of_the_batch(name: str) -> None:
    for network, x in zip(pair(name, (1, 32, 32)), (torch.rand(5, 1, 32, 32), torch.randn(5, 6)), strict=True):
        torch.testing.assert_close(network(x)[:1], network(x[:1]), rtol=1e-4, atol=1e-5)


@every_network
def test_half_precision_and_channels_last_change_little(name: str) -> None:
    for network, x in zip(pair(name, (3, 32, 32)), (torch.rand(8, 3, 32, 32), torch.randn(8, 6)), strict=True):
        exact = network(x)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(network(x), exact, rtol=1e-3, atol=1e-4)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = network(x)
        assert half.dtype == torch.bfloat16
        assert (half - exact).square().mean().sqrt() < 0.03 * exact.square().mean().sqrt()
        half.float().square().sum().backward()
        assert all(p.grad is not None and torch.isfinite(p.grad).all() and p.grad.any() for p in network.parameters())


@every_network
def test_biases_begin_at_zero(name: str) -> None:
    for network in pair(name, (1, 32, 32)):
        assert not any(p.any() for key, p in network.named_parameters() if key.endswith("bias"))


def test_a_layer_whose_inputs_are_rectified_normals_puts_out_unit_variance() -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(200, 50, 4, 2, 1))
    initialise(layer)
    inner = layer(torch.randn(10, 200, 8, 8))[..., 2:-2, 2:-2]
    # E relu(a)^2 = 1/2, and He's weights bring 2.
    assert inner.square().mean().item() == pytest.approx(1, rel=0.05)


@every_shape
def test_burgess_decoder_mirrors_the_encoder(shape: Shape) -> None:
    convolutions = weights(Encoder(shape, 6), nn.Conv2d)
    # A transposed convolution's weight is (in, out, ...), a convolution's (out, in, ...): mirrored, they are alike.
    assert weights(Decoder(6, shape), nn.ConvTranspose2d) == convolutions[::-1]
    assert {size[2:] for size in convolutions} == {(4, 4)}


def test_locatello_has_the_layers_of_the_paper_for_its_images() -> None:
    encoder, decoder = LocatelloEncoder((1, 64, 64), 20), LocatelloDecoder(10, (1, 64, 64))
    expected = [(32, 1, 4, 4), (32, 32, 4, 4), (64, 32, 2, 2), (64, 64, 2, 2)]
    assert weights(encoder, nn.Conv2d) == expected
    assert weights(encoder, nn.Linear) == [(256, 1024), (20, 256)]
    assert weights(decoder, nn.Linear) == [(256, 10), (1024, 256)]
    assert weights(decoder, nn.ConvTranspose2d) == [(64, 64, 4, 4), (64, 32, 4, 4), (32, 32, 4, 4), (32, 1, 4, 4)]


@pytest.mark.parametrize("shape", [(1, 28, 28), (2, 20, 50)])
def test_a_dense_network_takes_images_of_any_size(shape: Shape) -> None:
    assert DenseEncoder(shape, 3)(torch.rand(2, *shape)).shape == (2, 3)
    assert DenseDecoder(3, shape)(torch.rand(2, 3)).shape == (2, *shape)
    for wrong in ((28, 28), (0, 28, 28)):
        with pytest.raises(
            InvalidOption, match=r"images must be \(channels, height, width\), each at least 1, but are"
        ):
            DenseEncoder(wrong, 3)  # type: ignore[arg-type]


def test_a_patch_network_reads_and_draws_every_patch_by_the_same_weights_where_it_lies() -> None:
    shape = (2, 16, 24)
    encoder, decoder = PatchesEncoder(shape, 3), PatchesDecoder(3, shape)
    cut, read = encoder[0], encoder[1]
    draw, lay = decoder[-2], decoder[-1]
    x = torch.rand(4, *shape)
    by_hand = F.conv2d(x, read.weight.view(-1, 2, 8, 8), read.bias, stride=8).flatten(2).transpose(1, 2)
    torch.testing.assert_close(read(cut(x)), by_hand)
    features = torch.rand(4, 6, 32)
    apart = F.conv_transpose2d(features.transpose(1, 2).unflatten(2, (2, 3)), draw.weight.T.view(-1, 2, 8, 8), stride=8)
    torch.testing.assert_close(lay(draw(features)), apart + lay(draw.bias.expand(1, 6, -1)))


@pytest.mark.parametrize("wrong", [(1, 28, 28), (8, 8), (0, 8, 8)])
def test_a_patch_network_says_which_images_it_can_cut(wrong: Shape) -> None:
    for made in (lambda: PatchesEncoder(wrong, 3), lambda: PatchesDecoder(3, wrong)):
        with pytest.raises(InvalidOption, match=r"multiples of 8, but are \("):
            made()


def test_a_residual_block_is_its_input_and_two_convolutions() -> None:
    torch.manual_seed(0)
    block, x = Residual(3), torch.randn(2, 3, 5, 5)
    first, second = (layer for layer in block.modules() if isinstance(layer, nn.Conv2d))
    by_hand = F.conv2d(F.conv2d(x.relu(), first.weight, first.bias, padding=1).relu(), second.weight, second.bias, 1, 1)
    torch.testing.assert_close(block(x), (x + by_hand) / math.sqrt(2))


@every_shape
def test_a_residual_network_has_a_block_at_every_resolution_below_the_images(shape: Shape) -> None:
    for network in (ResidualEncoder(shape, 2), ResidualDecoder(2, shape)):
        blocks = [layer for layer in network.modules() if isinstance(layer, Residual)]
        assert len(blocks) == math.log2(shape[1] // 4)


def test_modulation_is_adaptive_instance_normalisation_as_its_equation_says() -> None:
    torch.manual_seed(0)
    block, h, style = Modulated(3, 4), torch.randn(2, 3, 8, 8) * 5 + 2, torch.randn(2, 4)
    a, b = (block.affine.weight @ style.T + block.affine.bias[:, None]).T.split(3, dim=1)
    for image in range(2):
        for channel in range(3):
            one = h[image, channel]
            expected = (1 + a[image, channel]) * (one - one.mean()) / one.std(correction=0) + b[image, channel]
            found = block(h, style)[image, channel]
            torch.testing.assert_close(found, expected / math.sqrt(6), rtol=1e-4, atol=1e-5)


def test_a_modulated_decoder_sees_the_code_in_every_layer_and_nowhere_else() -> None:
    torch.manual_seed(0)
    decoder = ModulatedDecoder(5, (1, 64, 64))
    blocks = [layer for layer in decoder.modules() if isinstance(layer, Modulated)]
    assert len(blocks) == 4
    with torch.no_grad():
        for block in blocks:
            block.affine.weight.zero_()
        images = decoder(torch.randn(3, 5))
        torch.testing.assert_close(images, images[:1].expand_as(images))
        for block in blocks:
            block.affine.weight.normal_()
            assert decoder(torch.randn(3, 5)).var(dim=0).mean() > 1e-3
            block.affine.weight.zero_()


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ("dense", "patches")])
def test_other_sizes_of_image_are_refused_with_those_that_fit(name: str) -> None:
    for made in (lambda shape: NETWORKS[name].encoder(shape, 2), lambda shape: NETWORKS[name].decoder(2, shape)):
        for shape in ((1, 48, 48), (1, 32, 64), (0, 32, 32), (1, 256, 256), (32, 32)):
            with pytest.raises(InvalidOption, match=r"must be square with 32, 64 or 128 pixels .* but are \("):
                made(shape)
