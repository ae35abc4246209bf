"""VASE: a VAE for a life of one environment after another, which notices new ones and dreams of old ones.

References:
    Achille, Eccles, Matthey, Burgess, Watters, Lerchner and Higgins, "Life-long disentangled representation learning
    with cross-domain latent homologies", NeurIPS 2018, arXiv:1808.06508.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.model import Terms, VariationalModel
from unbraid.nn.averaged import Averaged
from unbraid.nn.contrast import Contrast
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.image import checked_codes
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NETWORKS, NetworkName
from unbraid.nn.schedule import linear
from unbraid.nn.typical import Aggregates
from unbraid.types import Shape
from unbraid.view import EnvironmentBatch

__all__ = ["VASE"]

KNOWING = ("inferred", "told")
RECOGNITIONS = ("error", "classifier")
DREAMERS = ("encoder", "decoder", "look")
"""What dreams are made with."""
KEEP = 0.95
"""What the running error of an environment keeps in a step."""
SPREAD = 0.3
"""How far the logarithm of an image's error lies from what is usual in its environment, about."""
SETTLED = 5
"""An environment's own batches cannot be strange before it has been seen for so many times ``patience``."""


class VASE(VariationalModel):
    r"""A VAE that shares its latents among environments, masks those that an environment does not use, and dreams.

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z^s, s)
              + \gamma\,\big| \mathbb E\, \mathrm{KL}(q(z \mid x) \,\|\, p(z)) - C_s \big| + \mathcal L_{\text{past}},
              \qquad z^s = a^s \odot z + (1 - a^s) \odot \varepsilon

    A latent is in the mask :math:`a^s` of an environment when its aggregate posterior there is typical, near the prior;
    the decoder sees noise in place of others. So a factor that an environment has in common with an earlier one is
    told by the same latent, and one that it does not have leaves it alone.

    In :math:`\mathcal L_{\text{past}}` networks as they were some time ago dream images of past environments, of which
    encoder and decoder must still say what they said then. A batch is taken to be of the environment whose usual error
    its own comes nearest to, if it is reconstructed about as well as that environment was lately. After ``patience``
    batches in a row that are not, there is a new one.

    Where this departs from the paper:

    - environments are told apart by the errors of a batch, of which one that is far below the usual speaks against an
      environment as one above it does: a decoder that has learned more since draws an old environment better in the
      name of a later one. The paper's classifier, which learns from dreams and from what is seen, took an environment
      that came back for a later one (``recognition="classifier"``);
    - every environment has a contrast, from 1 to -1, which is learned quickly: else an encoder that is nearly linear
      answers an inverted image with an inverted code, which the decoder then learns to draw;
    - the dreams are also *imagined* with the contrast of the present environment, and of these the encoder must say the
      same: that is what has a place, say, told by the same latents in both;
    - masks are decided once, after half of ``anneal`` batches of an environment, not anew with every batch: what a new
      kind of image makes of the encoder is atypical at first, and a masked latent learns nothing from the decoder; one
      that is masked when the environment has come to use it costs all environments what they have learned;
    - dreams are drawn with the mean and variance that codes of an environment had: where these differ from the prior's,
      the prior's are of images nobody saw;
    - a latent is masked from 1.5 nats on, and dreams weigh three times as much as what is seen; with 0.6 nats
      a kind of image that is new altogether masks most latents;
    - the error that must not grow is the squared error, and the capacity term is an absolute value of nats.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1; 24 in the paper.
        most: How many environments there may be, at least 1.
        environments: Whether environments are ``"inferred"`` (the paper) or ``"told"``.
        recognition: How environments are told apart: by their usual ``"error"``, or by a ``"classifier"`` (the paper).
        contrast: Whether environments have a contrast each.
        imagining: The weight, among dreams, of those imagined with the contrast of the present, at least 0; 0 for none.
        masking: Whether latents are masked.
        atypical: The KL of the aggregate posterior from which on a latent is masked, in nats, above 0.
        gamma: How firmly the KL is held to its capacity, at least 0.
        capacity: What the capacity comes to in every environment, in nats, at least 0.
        anneal: In how many steps of an environment it does so, from 0 in the first and from half in others, at least 0.
        worse: How many times its running error an environment's batch may have, at least 1.
        patience: After how many strange batches in a row there is a new environment, at least 1.
        dreaming: The weight of dreams, at least 0; 0 for none.
        remember: Every how many steps networks are kept to dream with besides when an environment is new or left for an
            old one, at least 1; networks that are kept often hand on mistakes.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> VASE((1, 32, 32), latent_dim=8).known
    1
    """

    citation = """@inproceedings{achille2018lifelong, author = {Achille, Alessandro and Eccles, Tom and Matthey, Loic
  and Burgess, Christopher P. and Watters, Nick and Lerchner, Alexander and Higgins, Irina}, title = {Life-Long
  Disentangled Representation Learning with Cross-Domain Latent Homologies}, booktitle = {Advances in Neural
  Information Processing Systems}, volume = {31}, year = {2018}}"""
    view: ClassVar[str] = "environments"
    timed: ClassVar[tuple[str, ...]] = ("anneal", "remember")
    seen: Tensor
    error: Tensor
    strange: Tensor
    now: Tensor
    stayed: Tensor
    used: Tensor

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 12,
        most: int = 6,
        environments: Literal["inferred", "told"] = "inferred",
        recognition: Literal["error", "classifier"] = "error",
        contrast: bool = True,
        imagining: float = 2.0,
        masking: bool = True,
        atypical: float = 1.5,
        gamma: float = 10.0,
        capacity: float = 20.0,
        anneal: int = 1000,
        worse: float = 1.5,
        patience: int = 10,
        dreaming: float = 3.0,
        remember: int = 5000,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        require_at_least(1, most=most, worse=worse, patience=patience, remember=remember)
        require_at_least(0, atypical=atypical, gamma=gamma, capacity=capacity, anneal=anneal)
        require_at_least(0, dreaming=dreaming, imagining=imagining)
        if environments not in KNOWING:
            raise InvalidOption(f"environments must be one of {', '.join(KNOWING)}, but is {environments!r}")
        if recognition not in RECOGNITIONS:
            raise InvalidOption(f"recognition must be one of {', '.join(RECOGNITIONS)}, but is {recognition!r}")
        super().__init__(shape, latent_dim=latent_dim, likelihood=likelihood, network=network)
        self.most, self.environments, self.recognition = most, environments, recognition
        self.contrast, self.imagining = contrast, imagining
        self.masking, self.atypical = masking, atypical
        self.gamma, self.capacity, self.anneal, self.worse, self.patience = gamma, capacity, anneal, worse, patience
        self.dreaming, self.remember = dreaming, remember
        self.encoder = NETWORKS[network].encoder(shape, 2 * latent_dim + most)
        self.decoder = NETWORKS[network].decoder(latent_dim + most, shape)
        self.look = Contrast(most, shape[0], centre=0.0 if likelihood == "bernoulli" else 0.5)
        self.look.requires_grad_(contrast)
        self.aggregates = Aggregates(most, latent_dim)
        self.old = torch.nn.ModuleDict({name: Averaged(getattr(self, name), 0.0) for name in DREAMERS})
        self.register_buffer("seen", torch.zeros(most, dtype=torch.int64))
        self.register_buffer("error", torch.zeros(most))
        self.register_buffer("strange", torch.zeros((), dtype=torch.int64))
        self.register_buffer("now", torch.zeros((), dtype=torch.int64))
        self.register_buffer("stayed", torch.zeros((), dtype=torch.int64))
        self.register_buffer("used", torch.ones(most, latent_dim, dtype=torch.bool))

    @property
    def known(self) -> int:
        """How many environments there have been, at least 1: one more than the highest number of any."""
        there = torch.nonzero(self.seen)
        return int(there.max()) + 1 if len(there) else 1

    def encode(self, x: Tensor) -> Gaussian:
        """The posterior q(z|x)."""
        return self.read(self.encoder(x))[0]

    def read(self, said: Tensor) -> tuple[Gaussian, Tensor]:
        """What the encoder says: the posterior, and logits of the environments, ``(B, most)``."""
        return Gaussian(*said[:, : 2 * self.latent_dim].chunk(2, dim=1)), said[:, 2 * self.latent_dim :].float()

    def masks(self) -> Tensor:
        """Which latents each environment uses or leaves free, bool ``(most, latent_dim)``."""
        return self.used

    def draw(self, z: Tensor, environment: int | Tensor) -> Tensor:
        """The mean image of each code in an environment, or in one for each: ``(B, C, H, W)`` in 0 .. 1."""
        return self.observation.mean(self._out(z, environment))

    def decode(self, z: Tensor) -> Tensor:
        """The mean image of each code in the environment that was there last, ``(B, C, H, W)`` in 0 .. 1."""
        return self.draw(z, self.now.expand(len(z)))

    def recognise(self, x: Tensor) -> Tensor:
        """The logarithm of each known environment's probability, ``(B, C, H, W)`` to ``(B, known)``, in nats."""
        q, logits = self.read(self.encoder(x))
        return self._recognised(x, q.mean, logits)

    def loss(self, batch: EnvironmentBatch, step: int) -> Terms:
        """Reconstruction in the environment, the distance from its capacity, its name, and dreams of the others."""
        x = batch.x
        q, logits = self.read(self.encoder(x))
        z = q.rsample()
        environment, strange = self._environment(batch, z, logits)
        if self.training:
            self._live(q, environment, strange, x, z, step)
        mask = self.masks()[environment]
        masked = torch.where(mask, z, torch.randn_like(z))
        target = torch.full((len(x),), environment, device=x.device)
        # Nothing is learned from what may belong to an environment that has no name yet.
        share = 0.0 if strange else 1.0
        start = 0.0 if environment == 0 else self.capacity / 2
        allowed = linear(int(self.seen[environment]), start, self.capacity, self.anneal)
        terms = Terms(
            reconstruction=share * self.nll_in(x, masked, environment),
            capacity=share * self.gamma * (q.kl() - allowed).abs(),
            environment=share * F.cross_entropy(logits, target),
        )
        past = [s for s in range(self.known) if s != environment and self.seen[s] > 0]
        if past and self.dreaming:
            terms["dreams"] = self.dreaming * self._dreams(past, len(x))
        return terms

    def nll_in(self, x: Tensor, z: Tensor, environment: int | Tensor) -> Tensor:
        """The mean of -log p(x|z, s) over the batch: a scalar in nats per image."""
        return self.observation.nll(x, self._out(z, environment))

    def symptoms(self, batch: EnvironmentBatch) -> Mapping[str, float]:
        """The environment it thinks it is in, how many it knows, and how many latents all of them have."""
        common = self.masks()[: self.known].all(dim=0)
        parts = {"environment": int(self.now), "known": self.known, "common_latents": int(common.sum())}
        return {name: float(part) for name, part in parts.items()}

    @torch.no_grad()
    def _environment(self, batch: EnvironmentBatch, z: Tensor, logits: Tensor) -> tuple[int, bool]:
        """The environment of a batch, and whether it is strange there."""
        if self.environments == "told":
            told = int(batch.environment)
            if told >= self.most:
                raise InvalidData(f"environments are numbered 0 .. {self.most - 1}, but {told} is told: raise most")
            return told, False
        guess, now = int(self._recognised(batch.x, z, logits).mean(dim=0).argmax()), int(self.now)
        for one in (guess, now):
            if self._settled(one) and self._error(batch.x, z, one) <= self.worse * float(self.error[one]):
                return one, False
        # One that has just begun is not known well enough to be told.
        if not self._settled(now) or self.known == self.most:
            return now, False
        return (self.known, False) if int(self.strange) + 1 >= self.patience else (now, True)

    def _recognised(self, x: Tensor, z: Tensor, logits: Tensor) -> Tensor:
        if self.recognition == "classifier":
            return logits[:, : self.known].log_softmax(dim=1)
        usual = self.error[: self.known].clamp(min=1e-4)
        drawn = [self.draw(z, environment) for environment in range(self.known)]
        squares = torch.stack([(one - x).square().flatten(1).mean(dim=1) for one in drawn], dim=1)
        off = (squares.clamp(min=1e-8) / usual).log() / SPREAD
        return (-0.5 * off.square()).log_softmax(dim=1)

    def _settled(self, environment: int) -> bool:
        """Whether it has been there for long enough to know how well it is reconstructed."""
        return int(self.seen[environment]) >= SETTLED * self.patience

    @torch.no_grad()
    def _live(self, q: Gaussian, environment: int, strange: bool, x: Tensor, z: Tensor, step: int) -> None:
        """What changes with every batch besides the weights."""
        self.strange.copy_(self.strange + 1 if strange else torch.zeros_like(self.strange))
        if strange:
            return
        new = self.seen[environment] == 0
        # Else the environment that is left would be dreamed of by networks that have not lived in it.
        left = environment != int(self.now) and int(self.stayed) >= SETTLED * self.patience
        if step % self.remember == 0 or new or left:
            for name, old in self.old.items():
                assert isinstance(old, Averaged)  # a dictionary of modules does not say so
                old.follow(getattr(self, name), step)
        if new:
            self.aggregates.mean[environment], self.aggregates.variance[environment] = 0, 1
        error = self._error(x, z, environment)
        self.error[environment] = error if new else KEEP * self.error[environment] + (1 - KEEP) * error
        self.aggregates.follow(q, environment)
        self.seen[environment] += 1
        if self.masking and int(self.seen[environment]) == max(1, math.ceil(self.anneal / 2)):
            self.used[environment] = self.aggregates.typical(self.atypical)[environment]
        self.stayed.copy_(self.stayed + 1 if environment == int(self.now) else torch.ones_like(self.stayed))
        self.now.fill_(environment)

    def _error(self, x: Tensor, z: Tensor, environment: int) -> float:
        return float((self.draw(z, environment) - x).square().mean())

    def _dreams(self, past: list[int], count: int) -> Tensor:
        """How far encoder and decoder are from what they said of past environments: a scalar, in nats and squares."""
        encoder, decoder, look = (self.old[name] for name in DREAMERS)
        device = self.seen.device
        environment = torch.tensor(past, device=device)[torch.randint(len(past), (count,), device=device)]
        spread = self.aggregates.variance[environment].sqrt()
        z = self.aggregates.mean[environment] + spread * torch.randn_like(spread)
        with torch.no_grad():
            output = decoder(self.decoder, self._in(z, environment))
            x = self.observation.mean(look(self.look, output, environment))
            then, _ = self.read(encoder(self.encoder, x))
        q, logits = self.read(self.encoder(x))
        mask = self.masks()[environment]
        apart = _apart(q, then, mask)
        if self.imagining:
            with torch.no_grad():
                imagined = self.observation.mean(self.look(output, self.now))
            apart = apart + self.imagining * _apart(self.encode(imagined), then, mask)
        return apart + self.nll_in(x, z, environment) + F.cross_entropy(logits, environment)

    def _out(self, z: Tensor, environment: int | Tensor) -> Tensor:
        """What is drawn of each code in an environment, before it is read as an image."""
        output: Tensor = self.look(self.decoder(self._in(z, environment)), environment)
        return output

    def _in(self, z: Tensor, environment: int | Tensor) -> Tensor:
        """Codes beside the one-hot names of their environments, ``(B, latent_dim + most)``."""
        names = torch.as_tensor(environment, device=z.device).expand(len(z))
        return torch.cat([checked_codes(z, self.latent_dim), F.one_hot(names, self.most).to(z.dtype)], dim=1)


def _apart(q: Gaussian, then: Gaussian, mask: Tensor) -> Tensor:
    """The squared distance of two posteriors in the latents of a mask, after Wasserstein: a scalar."""
    spreads = ((0.5 * q.log_variance).exp() - (0.5 * then.log_variance).exp()).square()
    return (((q.mean - then.mean).square() + spreads) * mask).sum(dim=1).mean()
