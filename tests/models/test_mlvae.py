"""VAEs of groups: the class code is paid for once a group, and is the same for all of its images."""

from __future__ import annotations

import pytest
import torch

from unbraid.errors import InvalidOption
from unbraid.models.gvae import GVAE
from unbraid.models.mlvae import MLVAE
from unbraid.models.vae import VAE
from unbraid.view import Batch, GroupBatch

GROUPS, SIZE = 4, 3


def groups(size: int = SIZE, *, same: bool = False) -> GroupBatch:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(GROUPS, 1 if same else size, 1, 32, 32, generator=generator).expand(-1, size, -1, -1, -1)
    index = torch.arange(GROUPS * size).reshape(GROUPS, size)
    return GroupBatch(x, index, torch.arange(GROUPS), 100)


def made(cls: type, **options: object):
    torch.manual_seed(0)
    return cls((1, 32, 32), latent_dim=6, network="dense", **options)


@pytest.mark.parametrize("cls", [GVAE, MLVAE])
def test_a_group_of_one_is_a_vae(cls) -> None:
    batch = groups(1)
    torch.manual_seed(3)
    ours = made(cls).loss(batch, 0)
    alone = made(VAE).loss(Batch(batch.x[:, 0], batch.index[:, 0], 100), 0)
    torch.testing.assert_close(ours["content_kl"] + ours["style_kl"], alone["kl"])


@pytest.mark.parametrize(("cls", "options"), [(GVAE, {}), (MLVAE, {"harmonic": True})])
def test_the_class_code_of_equal_images_costs_an_image_its_share(cls, options) -> None:
    one, many = (made(cls, content_dim=2, **options).loss(groups(n, same=True), 0) for n in (1, SIZE))
    torch.testing.assert_close(many["content_kl"], one["content_kl"] / SIZE)
    torch.testing.assert_close(many["style_kl"], one["style_kl"])


def test_all_images_of_a_group_are_decoded_from_one_class_code(monkeypatch) -> None:
    model, seen = made(MLVAE, content_dim=2), []
    monkeypatch.setattr(model, "nll", lambda x, z: seen.append(z) or x.mean())
    model.loss(groups(), 0)
    content, style = seen[0].detach().reshape(GROUPS, SIZE, 6).split([2, 4], dim=2)
    assert torch.equal(content, content[:, :1].expand(-1, SIZE, -1))
    assert len(style.flatten(0, 1).unique(dim=0)) == GROUPS * SIZE
    assert len(content[:, 0].unique(dim=0)) == GROUPS


def test_both_kls_feel_beta() -> None:
    one, two = (made(GVAE, beta=beta).loss(groups(), 0) for beta in (1.0, 2.0))
    for term in ("content_kl", "style_kl"):
        torch.testing.assert_close(two[term], 2 * one[term])


@pytest.mark.parametrize(("latent_dim", "content_dim"), [(1, 0), (4, 4), (4, 9)])
def test_codes_that_leave_nothing_to_class_or_style_are_refused(latent_dim, content_dim) -> None:
    with pytest.raises(InvalidOption, match="content_dim must leave some of the"):
        GVAE((1, 32, 32), latent_dim=latent_dim, content_dim=content_dim)


def test_half_of_a_code_is_the_class_code_unless_said_otherwise() -> None:
    assert made(MLVAE).contents == 3
    assert made(MLVAE, content_dim=1).contents == 1
    assert made(VAE).contents == 0
