"""The DIP-VAE's penalty, derived anew with loops over images and latents."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption
from unbraid.model import Terms
from unbraid.models.dipvae import DIPVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch

SIZE, LATENTS = 5, 3
BATCH = Batch(torch.rand(SIZE, 1, 32, 32, generator=torch.Generator().manual_seed(0)).round(), torch.arange(SIZE), 1000)
VARIANTS = ["i", "ii"]


def made(cls: Any = DIPVAE, **options: Any) -> Any:
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=LATENTS, **options)


def loss(model: Any) -> Terms:
    torch.manual_seed(5)
    terms: Terms = model.loss(BATCH, 0)
    return terms


def covariance(mean: Tensor, log_variance: Tensor, variant: str) -> list[list[float]]:
    """Of the posterior means, or of the codes, entry by entry."""
    size, latents = mean.shape
    centre = [sum(mean[n, i].item() for n in range(size)) / size for i in range(latents)]
    entries = [[0.0] * latents for _ in range(latents)]
    for i in range(latents):
        for j in range(latents):
            for n in range(size):
                entries[i][j] += (mean[n, i].item() - centre[i]) * (mean[n, j].item() - centre[j]) / size
                if variant == "ii" and i == j:
                    entries[i][j] += log_variance[n, i].exp().item() / size
    return entries


def penalty(entries: list[list[float]], off_diagonal: float, diagonal: float) -> float:
    cells = [(i, j, value) for i, row in enumerate(entries) for j, value in enumerate(row)]
    return sum(diagonal * (value - 1) ** 2 if i == j else off_diagonal * value**2 for i, j, value in cells)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_penalty_equals_a_loop_over_images_and_latents(variant: str) -> None:
    model = made(variant=variant, off_diagonal=2.0, diagonal=3.0)
    entries = covariance(*model.encoder(BATCH.x).chunk(2, dim=1), variant)
    terms, plain = loss(model), loss(made(VAE))
    assert terms["covariance"].item() == pytest.approx(penalty(entries, 2.0, 3.0), rel=1e-4)
    for term in ("reconstruction", "kl"):
        torch.testing.assert_close(terms[term], plain[term])
    assert len(terms) == 3


class Given(nn.Module):
    """An encoder that gives these numbers, whatever it sees."""

    def __init__(self, mean: Tensor, log_variance: Tensor) -> None:
        super().__init__()
        self.register_buffer("given", torch.cat((mean, log_variance), dim=1))

    def forward(self, x: Tensor) -> Any:
        return self.given


def test_in_variant_ii_posterior_variances_are_added_as_a_diagonal_matrix() -> None:
    # Means without covariance, and posteriors of variance 1/2: the codes' covariance is diag(1 + 1/2), and with the
    # mean variance added to every entry, as other code has it, 6 entries beside the diagonal would cost 1/4 each.
    mean = torch.tensor([[1.0, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
    model = made(variant="ii", off_diagonal=1000.0, diagonal=1.0)
    model.encoder = Given(mean, torch.full((4, 3), 0.5).log())
    assert model.loss(Batch(BATCH.x[:4], BATCH.index[:4], 1000), 0)["covariance"].item() == pytest.approx(3 * 0.25)


@pytest.mark.parametrize("variant", VARIANTS)
def test_codes_with_the_priors_covariance_cost_nothing(variant: str) -> None:
    spread, rest = (0.6, 0.64) if variant == "ii" else (1.0, 0.3)
    mean = spread * torch.tensor([[1.0, 1, 1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]])
    model = made(variant=variant)
    model.encoder = Given(mean, torch.full((4, 3), rest).log())
    assert model.loss(Batch(BATCH.x[:4], BATCH.index[:4], 1000), 0)["covariance"].item() < 1e-8


@pytest.mark.parametrize("variant", VARIANTS)
def test_with_both_weights_0_it_is_a_vae(variant: str) -> None:
    model = made(variant=variant, off_diagonal=0.0, diagonal=0.0)
    torch.testing.assert_close(loss(model).total(), loss(made(VAE)).total())


@pytest.mark.parametrize("option", ["off_diagonal", "diagonal"])
def test_weights_below_0_are_refused(option: str) -> None:
    with pytest.raises(InvalidOption, match=f"{option} must be a finite number of at least 0, but is -1"):
        made(**{option: -1.0})
