from __future__ import annotations

import pytest
import torch
from torch import nn

from unbraid.nn.networks import NETWORKS
from unbraid.nn.perception import features, perceived


@pytest.mark.parametrize("network", NETWORKS)
def test_images_look_different_by_every_network_of_a_judge_one_by_one_and_an_image_not_from_itself(
    network: str,
) -> None:
    torch.manual_seed(0)
    encoder, (x, y) = NETWORKS[network].encoder((3, 32, 32), 4), torch.rand(2, 5, 3, 32, 32)
    assert isinstance(encoder, nn.Sequential)
    with torch.no_grad():
        found = perceived(encoder, x, y)
        assert found.shape == (5,)
        assert (found > 0).all()
        assert torch.equal(perceived(encoder, x, x), torch.zeros(5))
        assert torch.allclose(perceived(encoder, x[2:3], y[2:3]), found[2:3], atol=1e-6)
        maps, last = features(encoder, x)
        assert all(one.ndim == 4 and len(one) == 5 for one in maps)
        assert torch.allclose(encoder[-1](last), encoder(x), atol=1e-6)


def test_of_patches_the_distance_is_the_mean_over_layers_and_patches_of_that_of_features_of_length_one() -> None:
    torch.manual_seed(0)
    encoder, (x, y) = NETWORKS["patches"].encoder((1, 16, 24), 4), torch.rand(2, 1, 1, 16, 24)
    assert isinstance(encoder, nn.Sequential)
    layers, a, b = [], x, y
    with torch.no_grad():
        for layer in encoder:
            a, b = layer(a), layer(b)
            if isinstance(layer, nn.ReLU):
                pairs = list(zip(a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1]), strict=True))
                layers.append(sum(float((p / p.norm() - q / q.norm()).square().sum()) for p, q in pairs) / len(pairs))
                assert len(pairs) == (6 if len(layers) == 1 else 1)
        assert len(layers) == 3
        assert float(perceived(encoder, x, y)) == pytest.approx(sum(layers) / 3, rel=1e-4)
