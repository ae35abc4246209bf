"""The autoencoder's loss, derived anew."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from unbraid.models.ae import AE
from unbraid.view import Batch


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_loss_is_the_negative_log_likelihood_of_whole_images(likelihood: str) -> None:
    torch.manual_seed(0)
    model = AE((1, 32, 32), latent_dim=3, likelihood=likelihood)  # type: ignore[arg-type]
    x = torch.randint(0, 2, (6, 1, 32, 32)).float()
    output = model.decoder(model.represent(x))
    p: Any = Bernoulli(logits=output) if likelihood == "bernoulli" else Normal(output, 1.0)
    expected = -p.log_prob(x).flatten(1).sum(dim=1).mean()
    terms = model.loss(Batch(x, torch.arange(6), 6), 0)
    assert list(terms) == ["reconstruction"]
    torch.testing.assert_close(terms["reconstruction"], expected)


def test_an_autoencoder_cannot_tell_how_much_a_latent_carries() -> None:
    assert AE((1, 32, 32)).divergence(torch.rand(2, 1, 32, 32)) is None
