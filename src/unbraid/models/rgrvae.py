"""The RGrVAE: actions that nobody told, estimated by a policy that is rewarded for good predictions.

References:
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from unbraid.acting import ActingModel
from unbraid.errors import InvalidOption, require_at_least
from unbraid.groups.learnable import RepresentationName
from unbraid.model import Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NETWORKS, NetworkName
from unbraid.nn.policy import entropy, exact, reinforce, soft
from unbraid.types import Shape
from unbraid.view import OrbitBatch

__all__ = ["RGrVAE"]

ESTIMATORS = ("reinforce", "exact", "soft")
SETTLED = 1 / 3
"""The variance of codes around their prediction from ``settle`` on: about twice what that of a sample is at least."""
COLLAPSED, SMALLEST = 1.5, 0.1
"""Fewer actions, and a smaller angle, are a collapse: no world has one action, or more than sixty steps to a turn."""


class RGrVAE(ActingModel):
    r"""A VAE with matrices for actions that it must find out: a policy looks at two images and takes one of them.

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + \beta\, \mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + \gamma\, \| A_a z - \mu(x') \|^2 + \mathcal L_\pi, \qquad a \sim \pi(\cdot \mid x, x')

    The policy is rewarded by how much nearer its action leads to the code of the second image than to stay,

    .. math:: R(a) = \|z - \mu(x')\|^2 - \|A_a z - \mu(x')\|^2

    and learns by :func:`~unbraid.nn.policy.reinforce`. With a ``horizon`` of several actions, images in between are
    never seen: the policy takes one after the other, each time looking at the decoded image of where it is. What the
    view tells of the actions is not looked at.

    A policy can be sure and yet wrong: an action that leads nearer is made likelier even where another leads nearer
    still, until no other is tried. From step ``settle`` on all actions count by how well they explain a pair, and the
    policy learns that (:func:`~unbraid.nn.policy.soft`): what reinforcement has found stays, and what it was wrong
    about is mended. Before it has found something this does not help, since then all actions explain a pair alike.

    Departures from the authors' program: the policy's logits are taken as they are, not their absolute values; the
    matrices have a learning rate of 0.01 and angles that begin between 0.5 and 1 (with 0.1 they fall towards 0 before
    the policy knows anything); see also :class:`~unbraid.acting.SequenceModel`.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1.
        actions: How many actions there may be, at least 2.
        horizon: How many actions lie between two images shown, at least 1; the view's ``length`` where it shows the
            first and the last alone.
        beta: The weight of the KL for images of 4096 numbers, at least 0.
        gamma: The weight of the predictions' error, likewise.
        entropy: The weight of the policy's entropy, at least 0.
        estimator: How the policy learns: ``"reinforce"`` from the action it took (the paper), ``"exact"`` from the
            expectation over all actions, ``"soft"`` from how well each explains the pair; the last two take the mean of
            all actions' errors in place of the error of one.
        settle: From which step on the policy is mended, at least 0; 0 for never (the paper). A good one is when the
            policy is about sure, and ``"exponentials"`` go with it: bound to planes, a wrong policy stays wrong.
        representation: ``"rotations"`` of planes (the paper), ``"blocks"`` for any matrix in a plane, ``"free"`` for
            any matrix, or ``"exponentials"`` for rotations of all latents.
        rate: The learning rate of the matrices, at least 0.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.
        policy_network: That of the policy, likewise. Convolutions, which see a step alike wherever it is taken, are
            worth more here than in the encoder.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> RGrVAE((1, 32, 32), actions=4).infer(torch.rand(3, 1, 32, 32), torch.rand(3, 1, 32, 32)).shape
    torch.Size([3])
    """

    citation = """@inproceedings{painter2020linear, author = {Painter, Matthew and Pr{\\"u}gel-Bennett, Adam and
  Hare, Jonathon}, title = {Linear Disentangled Representations and Unsupervised Action Estimation},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2020}}"""
    timed = ("settle",)

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 4,
        actions: int = 4,
        horizon: int = 1,
        beta: float = 1.0,
        gamma: float = 10.0,
        entropy: float = 0.01,
        estimator: Literal["reinforce", "exact", "soft"] = "reinforce",
        settle: int = 0,
        representation: RepresentationName = "rotations",
        rate: float = 0.01,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
        policy_network: NetworkName = "conv",
    ) -> None:
        super().__init__(
            shape, latent_dim=latent_dim, actions=actions, beta=beta, gamma=gamma, representation=representation,
            rate=rate, likelihood=likelihood, network=network,
        )  # fmt: skip
        require_at_least(2, actions=actions)
        require_at_least(1, horizon=horizon)
        require_at_least(0, entropy=entropy, settle=settle)
        if estimator not in ESTIMATORS:
            raise InvalidOption(f"estimator must be one of {', '.join(ESTIMATORS)}, but is {estimator!r}")
        if policy_network not in NETWORKS:
            raise InvalidOption(f"policy_network must be one of {', '.join(NETWORKS)}, but is {policy_network!r}")
        self.horizon, self.entropy, self.estimator = horizon, entropy, estimator
        self.settle, self.policy_network = settle, policy_network
        self.policy = NETWORKS[policy_network].encoder((2 * shape[0], *shape[1:]), actions)
        with torch.no_grad():  # nearly uniform at first; all 0 would let no gradient through
            next(p for p in reversed(list(self.policy.parameters())) if p.ndim > 1).mul_(0.01)

    def judge(self, before: Tensor, after: Tensor) -> Tensor:
        """The policy's logits for pairs of images, ``(B, C, H, W)`` twice to ``(B, A)``."""
        logits: Tensor = self.policy(torch.cat((before, after), dim=1))
        return logits.float()

    def infer(self, before: Tensor, after: Tensor) -> Tensor:
        """The action that the policy thinks most likely, ``(B, C, H, W)`` twice to ``(B,)``."""
        return self.judge(before, after).argmax(dim=1)

    def loss(self, batch: OrbitBatch, step: int) -> Terms:
        """Reconstruction, KL, the error of the last predicted code, and what the policy has to learn."""
        terms, mean, z = self.bound(batch)
        now, target = z[:, :-1].flatten(0, 1), mean[:, 1:].flatten(0, 1)
        seen, last = batch.x[:, :-1].flatten(0, 1), batch.x[:, 1:].flatten(0, 1)
        error, learned = torch.zeros_like(target[:, 0]), torch.zeros_like(target[:, 0])
        for turn in range(self.horizon):
            logits = self.judge(seen, last)
            errors = self.errors(now, target)
            rewards = (now - target).square().sum(dim=1, keepdim=True) - errors
            taken, weights, lesson = self._take(logits, errors, rewards, settled=0 < self.settle <= step)
            error = (weights * errors).sum(dim=1)
            learned = learned + lesson - self.entropy * entropy(logits)
            if turn + 1 < self.horizon:
                now = torch.einsum("bij,bj->bi", self.matrices()[taken], now)
                seen = self.decode(now).detach()
        terms["prediction"] = self.gamma * self.scale * error.mean()
        terms["policy"] = learned.mean()
        return terms

    def _take(self, logits: Tensor, errors: Tensor, rewards: Tensor, *, settled: bool) -> tuple[Tensor, Tensor, Tensor]:
        """The action taken, ``(B,)``, what each counts in the error, ``(B, A)``, and the policy's loss, ``(B,)``."""
        if settled or self.estimator == "soft":
            weights, lesson = soft(logits, errors, variance=SETTLED if settled else 1.0)
            return torch.multinomial(weights, 1)[:, 0], weights, lesson
        taken = torch.multinomial(logits.softmax(dim=1).detach(), 1)[:, 0]
        if self.estimator == "exact":
            return taken, logits.softmax(dim=1).detach(), exact(logits, rewards)
        once = torch.nn.functional.one_hot(taken, self.actions).to(errors)
        return taken, once, reinforce(logits, taken, rewards.gather(1, taken[:, None])[:, 0])

    @torch.no_grad()
    def symptoms(self, batch: OrbitBatch) -> Mapping[str, float]:
        """How many actions the policy uses, how sure it is, and the greatest angle by which a matrix turns."""
        policy = self.judge(batch.x[:, 0], batch.x[:, -1]).softmax(dim=1)
        mean = policy.mean(dim=0)
        angles = torch.linalg.eigvals(self.matrices().cpu()).angle().abs()
        return {
            "actions_used": float((-(mean * mean.clamp_min(1e-12).log()).sum()).exp()),
            "policy_sure": float(policy.amax(dim=1).mean()),
            "greatest_angle": float(angles.max()),
        }

    def diagnosis(self, symptoms: Mapping[str, float]) -> list[str]:
        """A policy that has collapsed to one action, and matrices that have collapsed to the identity."""
        found = []
        if symptoms["actions_used"] < COLLAPSED:
            found.append(
                f"the policy has collapsed: of {self.actions} actions it uses {symptoms['actions_used']:.1f}. Give "
                "entropy more weight"
            )
        if symptoms["greatest_angle"] < SMALLEST:
            found.append(
                f"the angles have collapsed: no action turns a code by more than {symptoms['greatest_angle']:.2f} "
                "radians. Lower rate, or raise gamma"
            )
        return found
