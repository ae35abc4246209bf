"""Policies over a few actions, and how they learn from rewards.

References:
    Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement learning", Machine
    Learning 1992 (REINFORCE).
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922 (punishment by log(1 - p)).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["entropy", "exact", "reinforce", "soft"]

LEAST = 1e-6
"""Probabilities are held this far from 0 and 1, whose logarithms have no bound."""


def entropy(logits: Tensor) -> Tensor:
    """Of the policy, ``(B, A)`` to ``(B,)``, in nats."""
    return -(logits.softmax(dim=1) * logits.log_softmax(dim=1)).sum(dim=1)


def reinforce(logits: Tensor, action: Tensor, reward: Tensor) -> Tensor:
    r"""What sampled actions teach a policy: a loss, ``(B,)``, whose gradient is REINFORCE's where rewards are positive.

    .. math:: -R \log \pi_a \;\text{ where } R \ge 0, \qquad -|R| \log (1 - \pi_a) \;\text{ where } R < 0

    A negative reward pushes its action down by the second form (Painter et al.): the first would divide by a
    probability that is on its way to 0.

    Args:
        logits: Of the policy, ``(B, A)``.
        action: That was taken, ``(B,)``.
        reward: For it, ``(B,)``; no gradient goes through it.

    >>> reinforce(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([2.0]))
    tensor([1.3863])
    """
    p = logits.softmax(dim=1).gather(1, action[:, None])[:, 0].clamp(LEAST, 1 - LEAST)
    reward = reward.detach()
    return -reward.abs() * torch.where(reward < 0, (1 - p).log(), p.log())


def exact(logits: Tensor, rewards: Tensor) -> Tensor:
    r"""Minus the expected reward :math:`\sum_a \pi_a R_a`, by enumeration: ``(B, A)`` twice to ``(B,)``."""
    return -(logits.softmax(dim=1) * rewards.detach()).sum(dim=1)


def soft(logits: Tensor, errors: Tensor, *, variance: float = 1.0) -> tuple[Tensor, Tensor]:
    r"""Responsibilities of actions for what they explain, and how far a policy is from them.

    .. math:: q_a \propto e^{-E_a / 2 \sigma^2}

    as if codes varied that much around the prediction of their action.

    Args:
        logits: Of the policy, ``(B, A)``.
        errors: Squared errors of every action, ``(B, A)``.
        variance: :math:`\sigma^2`, of each latent, above 0.

    Returns:
        q, ``(B, A)``, and the cross entropy of the policy with it, ``(B,)``; no gradient goes through q.
    """
    q = (-errors.detach() / (2 * variance)).softmax(dim=1)
    return q, F.cross_entropy(logits, q, reduction="none")
