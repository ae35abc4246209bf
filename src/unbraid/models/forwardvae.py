"""The ForwardVAE: actions that are told become matrices that act on codes.

References:
    Caselles-Dupré, Garcia Ortiz and Filliat, "Symmetry-based disentangled representation learning requires interaction
    with environments", NeurIPS 2019, arXiv:1904.00243.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from unbraid.acting import ActingModel
from unbraid.errors import InvalidData
from unbraid.groups.learnable import RepresentationName
from unbraid.model import Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import OrbitBatch

__all__ = ["ForwardVAE"]


class ForwardVAE(ActingModel):
    r"""A VAE with a matrix for every action, by which the code of the next image is predicted.

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + \beta\, \mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + \gamma\, \| A_a z - \mu(x') \|^2

    The view tells the actions: 2f and 2f + 1 step a factor up and down, and share two latents here. Where frames in
    between are not shown, the matrices of all actions from one frame to the next are multiplied. The paper's KL has a
    weight that falls to nothing within a thousand steps; here it is small and stays.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        actions: How many actions the view has, at least 1.
        beta: The weight of the KL for images of 4096 numbers, at least 0.
        gamma: The weight of the predictions' error, likewise.
        representation: ``"blocks"`` for any matrix in a plane (the paper), ``"rotations"`` of it, ``"free"`` for any
            matrix of all latents, or ``"exponentials"`` for rotations of these.
        rate: The learning rate of the matrices, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> ForwardVAE((1, 32, 32), actions=4).matrices().shape
    torch.Size([4, 4, 4])
    """

    told: ClassVar[bool] = True
    citation = """@inproceedings{casellesdupre2019symmetry, author = {Caselles-Dupr{\\'e}, Hugo and
  Garcia Ortiz, Michael and Filliat, David},
  title = {Symmetry-Based Disentangled Representation Learning Requires Interaction with Environments},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2019}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 4,
        actions: int = 4,
        beta: float = 1.0,
        gamma: float = 10.0,
        representation: RepresentationName = "blocks",
        rate: float = 0.01,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(
            shape, latent_dim=latent_dim, actions=actions, beta=beta, gamma=gamma, representation=representation,
            rate=rate, likelihood=likelihood, network=network,
        )  # fmt: skip

    def loss(self, batch: OrbitBatch, step: int) -> Terms:
        """Reconstruction, KL and the error of predicted codes, in nats per image.

        Raises:
            InvalidData: When the batch tells no actions, or some that the model does not have.
        """
        terms, mean, z = self.bound(batch)
        # One action from frame to frame, or all of them from the first to the last.
        by = self.matrices()[self._told(batch)].unflatten(1, (mean.shape[1] - 1, -1))
        made = z[:, :-1]
        for action in by.unbind(dim=2):
            made = torch.einsum("btij,btj->bti", action, made)
        terms["prediction"] = self.gamma * self.scale * (made - mean[:, 1:]).square().sum(dim=2).mean()
        return terms

    def _told(self, batch: OrbitBatch) -> Tensor:
        if batch.actions is None:
            raise InvalidData(
                "ForwardVAE must be told the actions, but the view hides them: give view actions='shown', or take a "
                "model that infers them (rgrvae)"
            )
        if int(batch.actions.max()) >= self.actions:
            raise InvalidData(
                f"the view has an action {int(batch.actions.max())}, but the model has {self.actions} (0 .. "
                f"{self.actions - 1}): make it with as many actions as the view has"
            )
        return batch.actions
