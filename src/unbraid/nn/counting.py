"""How many there are: a posterior over counts in steps, its prior, and two ways to learn it.

References:
    Eslami et al., "Attend, infer, repeat: fast scene understanding with generative models", NIPS 2016,
    arXiv:1603.08575.
    Mnih and Gregor, "Neural variational inference and learning in belief networks", ICML 2014, arXiv:1402.0030 (the
    sampled estimator and its baseline).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Baseline", "chosen", "doubted", "geometric", "log_counts", "reinforced"]


def log_counts(logits: Tensor) -> Tensor:
    r"""The logarithm of each count's probability, ``(B, N)`` to ``(B, N + 1)``, in nats.

    .. math:: q(n) = (1 - p_{n+1}) \prod_{i \le n} p_i, \qquad q(N) = \prod_i p_i

    Args:
        logits: Of going on at each step: of p.

    >>> log_counts(torch.zeros(1, 2)).exp()
    tensor([[0.5000, 0.2500, 0.2500]])
    """
    on, stop = F.logsigmoid(logits.float()), F.logsigmoid(-logits.float())
    reached = F.pad(on.cumsum(dim=1), (1, 0))
    return reached + F.pad(stop, (0, 1))


def doubted(log_q: Tensor, doubt: float) -> Tensor:
    r"""The logarithm of a posterior over counts of which a part is uniform, ``(B, N + 1)`` likewise.

    .. math:: q'(n) = (1 - d)\, q(n) + \frac{d}{N + 1}

    Args:
        log_q: The logarithm of q, ``(B, N + 1)``.
        doubt: d, at least 0 and below 1.

    >>> doubted(torch.tensor([[1.0, 0.0]]).log(), 0.5).exp()
    tensor([[0.7500, 0.2500]])
    """
    even = log_q.new_tensor(doubt / log_q.shape[1]).log()
    return torch.logaddexp(log_q + math.log1p(-doubt), even)


def geometric(success: float, most: int) -> Tensor:
    r"""The logarithm of the prior :math:`p(n) \propto s^n` over 0 .. ``most``, ``(most + 1,)``, in nats.

    >>> geometric(0.5, 2).exp()
    tensor([0.5714, 0.2857, 0.1429])
    """
    return (torch.arange(most + 1) * math.log(success)).log_softmax(dim=0)


def chosen(values: Tensor, count: Tensor) -> Tensor:
    """Of each row the value of its count: ``(B, N + 1)`` and ``(B,)`` to ``(B,)``."""
    return values.gather(1, count[:, None])[:, 0]


def reinforced(logits: Tensor, count: Tensor, cost: Tensor, guess: Tensor) -> tuple[Tensor, Tensor]:
    r"""What a sampled count teaches: a loss with the gradient of the expected cost, and the baseline's, ``(B,)`` each.

    .. math:: \sum_{t \le \min(n + 1, N)} (c_t - b_t)\, \log q(\text{go on at } t), \qquad \sum_t (c_t - b_t)^2

    The sums are over the steps at which it was decided whether to go on. What was spent before step t is no
    consequence of it, so that :math:`c_t` may leave it out.

    Args:
        logits: Of going on at each step, ``(B, N)``.
        count: Sampled from them, ``(B,)``.
        cost: What follows from each step's decision, ``(B, N)``; no gradient goes through it.
        guess: What the baseline thought that it would be, ``(B, N)``.
    """
    step = torch.arange(logits.shape[1], device=logits.device)
    decided, on = (step <= count[:, None]).float(), step < count[:, None]
    log_q = F.logsigmoid(torch.where(on, logits.float(), -logits.float()))
    away = cost.detach() - guess.float()
    return (away.detach() * log_q * decided).sum(dim=1), (away.square() * decided).sum(dim=1)


class Baseline(nn.Module):
    """Guesses from the image, and from what was found in it so far, what each step's decision will cost.

    Args:
        pixels: How many numbers an image has.
        found: How many are found at each step.
        width: Of the recurrent net.

    Attributes:
        scale: In which units it guesses: a cost is a sum over pixels, and weights begin small.
    """

    def __init__(self, pixels: int, found: int, width: int = 128) -> None:
        super().__init__()
        self.scale = pixels / 25
        self.see, self.remember = nn.Linear(pixels, width), nn.LSTMCell(width + found, width)
        self.guess = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x: Tensor, found: Tensor) -> Tensor:
        """A guess for each step, ``(B, N)``, from images ``(B, pixels)`` and what each step found, ``(B, N, D)``."""
        seen = self.see(x)
        state: tuple[Tensor, Tensor] | None = None
        guesses = []
        for one in F.pad(found[:, :-1], (0, 0, 1, 0)).unbind(dim=1):
            state = self.remember(torch.cat([seen, one], dim=1), state)
            guesses.append(self.guess(state[0]))
        return self.scale * torch.cat(guesses, dim=1).float()
