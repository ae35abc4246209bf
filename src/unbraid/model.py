"""What a model is: it encodes, decodes, and states its loss term by term.

A class is either abstract (here) or final (on the shelf): published models are siblings, never parents of each other.
A model file holds no logging, no device and no optimiser; schedules are functions of ``step``.
One convention everywhere: sum over pixels and latents, mean over the batch, in nats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from unbraid import registry
from unbraid.errors import InvalidOption, require_at_least
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.likelihood import LIKELIHOODS, LikelihoodName
from unbraid.nn.networks import NETWORKS, NetworkName
from unbraid.types import Shape

__all__ = [
    "AutoencodingModel",
    "Model",
    "QuantisedModel",
    "Terms",
    "VariationalModel",
]


class Terms(dict[str, Tensor]):
    """The named scalars whose sum is the loss; each is logged under its name.

    >>> terms = Terms(reconstruction=torch.tensor(3.0), kl=torch.tensor(2.0))
    >>> float(terms.total())
    5.0
    """

    def total(self) -> Tensor:
        """The loss."""
        return torch.stack(list(self.values())).sum()


class Model(nn.Module, ABC):
    """Encodes images into codes, decodes codes into images, and states its loss.

    Attributes:
        view: The name of the view it must see the world in (:mod:`unbraid.view`).
        shape: Channels, height, width of the images.
        latent_dim: How many numbers a code has.
        citation: BibTeX of the paper, or empty.
        timed: The options that count steps; a budget of fewer steps shortens them in proportion.
        presets: Settings of papers, by the first author's name: options of the model, and of training it
            (``steps``, ``batch_size``, ``learning_rate``).
    """

    view: ClassVar[str] = "images"
    citation: ClassVar[str] = ""
    timed: ClassVar[tuple[str, ...]] = ()
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    shape: Shape
    latent_dim: int

    @property
    def contents(self) -> int:
        """How many numbers of a code, the first ones, tell of the class where a model sets it apart; 0 for others."""
        return 0

    def style(self, x: Tensor) -> Gaussian | None:
        """The posterior of what a code says besides the class, for models that set it apart; None for others."""
        return None

    @abstractmethod
    def loss(self, batch: Any, step: int) -> Terms:
        """The terms of the loss on a batch, at a step counted from 0.

        A model of several players takes a third argument, the name of the player whose turn it is.
        """

    @abstractmethod
    def represent(self, x: Tensor) -> Tensor:
        """The deterministic code that scores see: ``(B, C, H, W)`` in ``[0, 1]`` to ``(B, latent_dim)``."""

    @abstractmethod
    def decode(self, z: Tensor) -> Tensor:
        """The mean image of each code: ``(B, latent_dim)`` to ``(B, C, H, W)`` in ``[0, 1]``."""

    def players(self) -> Mapping[str, list[nn.Parameter] | dict[str, Any] | list[dict[str, Any]]]:
        """Who takes turns in a step, and the parameters each one moves; one player unless said otherwise.

        A player that needs other settings of its optimiser than the run's gives a group, or several:
        ``{"params": [...], "lr": 1e-4, "betas": (0.5, 0.9)}``. A ``weight_decay`` is meant as AdamW has it: apart from
        the gradient.
        """
        return {"model": list(self.parameters())}

    def divergence(self, x: Tensor) -> Tensor | None:
        """How many nats each latent carries, ``(B, latent_dim)``, for models that can tell; None for others."""
        return None

    def allowance(self, step: int) -> float | None:
        """How many nats the KL is held to at a step, for models that hold it to a number; None for others."""
        return None

    def symptoms(self, batch: Any) -> Mapping[str, float]:
        """Numbers that tell early when training goes wrong, for models that know some; they stand in the history."""
        return {}

    def diagnosis(self, symptoms: Mapping[str, float]) -> list[str]:
        """What is wrong, by the symptoms: a sentence each, with what to do about it."""
        return []

    def extra_repr(self) -> str:
        """The shape and every option, as the ``repr`` shows them."""
        return f"{self.shape}, " + ", ".join(f"{name}={value!r}" for name, value in registry.options(self).items())


class AutoencodingModel(Model):
    """What models with one code per image share: an encoder, a decoder, a pixel-wise likelihood.

    The likelihood is ``self.observation`` (:mod:`unbraid.nn.likelihood`); ``self.likelihood`` is its name. It may have
    a parameter, which belongs to the player that moves the decoder.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.
        outputs: How many numbers the encoder puts out for each latent.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    def __init__(
        self, shape: Shape, latent_dim: int, likelihood: LikelihoodName, network: NetworkName, outputs: int
    ) -> None:
        super().__init__()
        require_at_least(1, latent_dim=latent_dim)
        if likelihood not in LIKELIHOODS:
            raise InvalidOption(f"likelihood must be one of {', '.join(LIKELIHOODS)}, but is {likelihood!r}")
        if network not in NETWORKS:
            raise InvalidOption(f"network must be one of {', '.join(NETWORKS)}, but is {network!r}")
        self.observation = LIKELIHOODS[likelihood]()
        self.shape, self.latent_dim, self.likelihood, self.network = shape, latent_dim, likelihood, network
        self.encoder = NETWORKS[network].encoder(shape, outputs * latent_dim)
        self.decoder = NETWORKS[network].decoder(latent_dim, shape)

    def nll(self, x: Tensor, z: Tensor) -> Tensor:
        """The mean of -log p(x|z) over the batch, summed over pixels: a scalar in nats per image."""
        return self.observation.nll(x, self.decoder(z))

    def decode(self, z: Tensor) -> Tensor:
        """The mean image of each code: ``(B, latent_dim)`` to ``(B, C, H, W)`` in ``[0, 1]``."""
        return self.observation.mean(self.decoder(z))


class QuantisedModel(AutoencodingModel):
    """What models with quantised codes share: the encoder's answer, and what it becomes.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    def __init__(self, shape: Shape, *, latent_dim: int, likelihood: LikelihoodName, network: NetworkName) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=1)

    @abstractmethod
    def quantise(self, code: Tensor) -> Tensor:
        """One of a few codes for each answer, ``(B, latent_dim)`` to ``(B, latent_dim)``."""

    def encode(self, x: Tensor) -> Tensor:
        """The encoder's answer before it is quantised, ``(B, latent_dim)``."""
        code: Tensor = self.encoder(x)
        return code.float()

    def represent(self, x: Tensor) -> Tensor:
        """The quantised code, ``(B, latent_dim)``."""
        return self.quantise(self.encode(x))


class VariationalModel(AutoencodingModel):
    """What the VAEs share: a diagonal Gaussian posterior and a standard normal prior.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim, likelihood, network, outputs=2)

    def encode(self, x: Tensor) -> Gaussian:
        """The posterior q(z|x)."""
        return Gaussian(*self.encoder(x).chunk(2, dim=1))

    def represent(self, x: Tensor) -> Tensor:
        """The posterior mean, ``(B, latent_dim)``."""
        return self.encode(x).mean

    def divergence(self, x: Tensor) -> Tensor:
        """KL(q(z_j|x) || p(z_j)) of every latent, ``(B, latent_dim)``, in nats."""
        return self.encode(x).divergences()
