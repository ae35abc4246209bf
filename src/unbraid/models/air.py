"""AIR: attend to one object after the other, infer what and where it is, repeat until nothing is left.

References:
    Eslami, Heess, Weber, Tassa, Szepesvari, Kavukcuoglu and Hinton, "Attend, infer, repeat: fast scene understanding
    with generative models", NIPS 2016, arXiv:1603.08575.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Terms
from unbraid.nn.counting import Baseline, chosen, doubted, geometric, log_counts, reinforced
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.image import checked_images, require_sides
from unbraid.nn.likelihood import gaussian_nll
from unbraid.nn.window import framed, look, place
from unbraid.objects import Layers, ObjectModel
from unbraid.types import Shape
from unbraid.view import SceneBatch

__all__ = ["AIR"]

ESTIMATORS = ("exact", "sampled")
SIGHTS = ("dense", "convolutional")
SMALLEST = 0.1
"""The least size of a window, in parts of the image: one of no pixels could not be drawn into."""
SPREAD = 0.3
"""The prior's standard deviation of a window's size, before the sigmoid."""
DARK = -2.0
"""Where the decoder's outputs begin: windows that show something grey everywhere are never used again."""


class _Found(NamedTuple):
    """What every step found, as if there were as many objects as steps."""

    logits: Tensor
    """Of going on, ``(B, N)``."""
    kl: Tensor
    """Nats of where and what, ``(B, N)``."""
    nll: Tensor
    """-log p(x) of 0 to N objects, ``(B, N + 1)``."""
    objects: Tensor
    """Windows and codes, ``(B, N, 3 + what_dim)``."""


class AIR(ObjectModel):
    r"""A recurrent net that attends to an object at each step, and stops when none is left.

    .. math:: \log p(x) \ge \sum_{n=0}^N q(n \mid x, z) \Big[ \log p(x \mid z_{1:n})
              - \sum_{i \le n} \mathrm{KL}(q(z_i \mid x) \,\|\, p(z)) + \log p(n) - \log q(n \mid x, z) \Big]

    An object's code z is where its window lies, and what is in it; an image is the sum of all windows. The count n is
    stopping at step n + 1, so that one pass of N steps yields the images of all counts, and the sum over them costs as
    much as one sample: no gradient has to be estimated from it. The paper samples n and learns by REINFORCE with a
    baseline (``estimator="sampled"``).

    The net also sees the residual, what the steps before leave of the image. Without it many trainings end where every
    image that is not empty has one object too many, with exact gradients too.

    The first four numbers of an entity's code are the probability that it is there, the size of its window, and the
    window's middle, across and down in -1 .. 1.

    Args:
        shape: Channels, height, width of the images, 32 to 256 pixels a side.
        slots: N, how many objects there may be, at least 1.
        what_dim: How many latents tell what an object is, at least 1.
        window: Pixels a side of what is seen through a window, at least 4; 28 in the paper.
        scale: The prior's middle of a window's size, in parts of the image, above 0.1 and below 1.
        prior: s of the prior of counts, p(n) proportional to s to the n, above 0 and below 1.
        prior_first: The same at the first step; it falls to ``prior`` geometrically.
        anneal: Over how many steps it does, at least 0.
        doubt: How much of the posterior of counts is uniform, at least 0 and below 1; 0 where counts are sampled. Above
            0, windows learn from counts that are unlikely, too: the first to show what it can of every image, and not
            to leave some to the second.
        deviation: The standard deviation of pixels, above 0.
        estimator: How the count is learned: ``"exact"`` by the sum over all, ``"sampled"`` by REINFORCE (the paper).
        baseline_rate: The learning rate of the sampled estimator's baseline, at least 0.
        residual: Whether the recurrent net sees the residual; not so in the paper.
        sight: How it sees images and residuals: through one dense layer (the paper), or through two convolutions first,
            which need not learn anew for every place what an object is.
        hidden_width: Of the recurrent net, at least 1.
        layer_width: Of the hidden layers of the other nets, at least 1.

    Raises:
        InvalidOption: When the shape or an option is out of range.

    >>> AIR((1, 50, 50), slots=2, what_dim=8).represent(torch.rand(3, 1, 50, 50)).shape
    torch.Size([3, 24])
    """

    citation = """@inproceedings{eslami2016attend, author = {Eslami, S. M. Ali and Heess, Nicolas and Weber, Theophane
  and Tassa, Yuval and Szepesvari, David and Kavukcuoglu, Koray and Hinton, Geoffrey E.}, title = {Attend, Infer,
  Repeat: Fast Scene Understanding with Generative Models}, booktitle = {Advances in Neural Information Processing
  Systems}, volume = {29}, year = {2016}}"""
    timed: ClassVar[tuple[str, ...]] = ("anneal",)

    def __init__(
        self,
        shape: Shape,
        *,
        slots: int = 3,
        what_dim: int = 20,
        window: int = 20,
        scale: float = 0.4,
        prior: float = 0.01,
        prior_first: float = 0.01,
        anneal: int = 0,
        doubt: float = 0.0,
        deviation: float = 0.3,
        estimator: Literal["exact", "sampled"] = "exact",
        baseline_rate: float = 0.005,
        residual: bool = True,
        sight: Literal["dense", "convolutional"] = "dense",
        hidden_width: int = 256,
        layer_width: int = 200,
    ) -> None:
        require_sides(shape, 32, 256)
        require_at_least(1, slots=slots, what_dim=what_dim, hidden_width=hidden_width, layer_width=layer_width)
        require_at_least(4, window=window)
        require_at_least(0, anneal=anneal, baseline_rate=baseline_rate)
        for option, value, least, most in (
            ("scale", scale, SMALLEST, 1.0),
            ("prior", prior, 0.0, 1.0),
            ("prior_first", prior_first, 0.0, 1.0),
            ("deviation", deviation, 0.0, math.inf),
        ):
            if not least < value < most:
                raise InvalidOption(f"{option} must be above {least} and below {most}, but is {value}")
        if estimator not in ESTIMATORS:
            raise InvalidOption(f"estimator must be one of {', '.join(ESTIMATORS)}, but is {estimator!r}")
        if sight not in SIGHTS:
            raise InvalidOption(f"sight must be one of {', '.join(SIGHTS)}, but is {sight!r}")
        if not 0 <= doubt < 1 or (doubt and estimator == "sampled"):
            raise InvalidOption(f"doubt must be at least 0 and below 1, and 0 where counts are sampled, but is {doubt}")
        super().__init__(shape, slots=slots, entity_dim=4 + what_dim)
        self.what_dim, self.window, self.scale, self.deviation = what_dim, window, scale, deviation
        self.prior, self.prior_first, self.anneal, self.doubt = prior, prior_first, anneal, doubt
        self.estimator, self.baseline_rate, self.residual, self.sight = estimator, baseline_rate, residual, sight
        self.hidden_width, self.layer_width = hidden_width, layer_width
        pixels, seen = math.prod(shape), shape[0] * window**2
        self.see = self._sight(bias=True)
        self.see_left = self._sight(bias=False) if residual else None
        self.recall = nn.Linear(3 + what_dim, hidden_width, bias=False)
        self.remember = nn.LSTMCell(hidden_width, hidden_width)
        self.attend = _layers(hidden_width, layer_width, 7)
        self.encoder = _layers(seen, layer_width, 2 * what_dim)
        self.decoder = _layers(what_dim, layer_width, seen)
        with torch.no_grad():  # windows begin where the prior has them
            self.attend[-1].weight.mul_(0.1)
            self.attend[-1].bias.zero_()
            self.decoder[-1].bias.add_(DARK)
        self.baseline = Baseline(pixels, 3 + what_dim) if estimator == "sampled" else None

    def find(self, x: Tensor, *, sampled: bool) -> _Found:
        """As many objects as there are slots: ``(B, C, H, W)``, by samples of where and what, or by their means."""
        seen = self.see(x.flatten(1))
        state: tuple[Tensor, Tensor] | None = None
        found, canvas = x.new_zeros(len(x), 3 + self.what_dim), torch.zeros_like(x)
        logits, kls, nlls, objects = [], [], [gaussian_nll(x, canvas, self.deviation)], []
        for _ in range(self.slots):
            left = 0 if self.see_left is None else self.see_left((x - canvas).flatten(1))
            state = self.remember(F.relu(seen + self.recall(found) + left), state)
            said = self.attend(state[0])
            where = Gaussian(*said[:, 1:].chunk(2, dim=1))
            window = self._windows(where.rsample() if sampled else where.mean)
            what = Gaussian(*self.encoder(look(x, window, (self.window, self.window)).flatten(1)).chunk(2, dim=1))
            found = torch.cat([window, what.rsample() if sampled else what.mean], dim=1)
            canvas = canvas + self._drawn(found)
            logits.append(said[:, 0].float())
            kls.append(where.divergences().sum(dim=1) + what.divergences().sum(dim=1))
            nlls.append(gaussian_nll(x, canvas, self.deviation))
            objects.append(found)
        return _Found(*(torch.stack(some, dim=1) for some in (logits, kls, nlls, objects)))

    def entities(self, x: Tensor) -> Tensor:
        """For each object how likely it is there, its window, and what it is: ``(B, slots, 4 + what_dim)``."""
        found = self.find(x, sampled=False)
        there = F.logsigmoid(found.logits).cumsum(dim=1).exp()
        return torch.cat([there[:, :, None], found.objects], dim=2)

    def layers(self, entities: Tensor) -> Layers:
        """What entities look like, ``(B, slots, 4 + what_dim)``."""
        window = torch.cat([entities[..., 1:2].clamp(SMALLEST, 1), entities[..., 2:4].clamp(-1, 1)], dim=2)
        held = torch.cat([window, entities[..., 4:]], dim=2)
        pictures = self._drawn(held.flatten(0, 1)).float().clamp(0, 1).unflatten(0, entities.shape[:2])
        present = entities[..., 0] > 0.5
        return Layers(pictures, pictures.amax(dim=2) * present[..., None, None], present, framed(window))

    def compose(self, layers: Layers, kept: Tensor) -> Tensor:
        """The sum of the objects that are present and kept, ``(B, C, H, W)``."""
        return (kept[:, :, None, None, None] * self.alone(layers)).sum(dim=1).clamp(max=1)

    def alone(self, layers: Layers) -> Tensor:
        """Each object that is present by itself, ``(B, slots, C, H, W)``."""
        return layers.present[:, :, None, None, None] * layers.pictures

    def loss(self, batch: SceneBatch, step: int) -> Terms:
        """Minus the bound: reconstruction, KL of where and what, and of the count; what the estimator adds."""
        x = checked_images(batch.x, self.shape)
        found = self.find(x, sampled=True)
        log_q, log_p = log_counts(found.logits), geometric(self.success(step), self.slots).to(x.device)
        if self.doubt:
            log_q = doubted(log_q, self.doubt)
        kl = F.pad(found.kl.cumsum(dim=1), (1, 0))
        if self.baseline is None:
            q = log_q.exp()
            parts = {"reconstruction": found.nll, "kl": kl, "count": log_q - log_p}
            return Terms({name: (q * part).sum(dim=1).mean() for name, part in parts.items()})
        count = torch.multinomial(log_q.exp().detach(), 1)[:, 0]
        # The score has an expectation of 0: without it, fewer gradients are noise.
        taken = [chosen(part, count) for part in (found.nll, kl, (log_q - log_p).detach())]
        cost = torch.stack(taken).sum(dim=0)[:, None] - kl[:, :-1]
        guess = self.baseline(x.flatten(1), found.objects.detach())
        policy, error = reinforced(found.logits, count, cost, guess)
        means = [part.mean() for part in (*taken, policy, error / self.baseline.scale**2)]
        return Terms(zip(("reconstruction", "kl", "count", "policy", "baseline"), means, strict=True))

    def success(self, step: int) -> float:
        """S of the prior of counts at a step."""
        left = max(0.0, 1 - step / self.anneal) if self.anneal else 0.0
        return float(self.prior * (self.prior_first / self.prior) ** left)

    def players(self) -> dict[str, list[dict[str, Any]]]:
        """One player; the baseline has a learning rate of its own."""
        own = [] if self.baseline is None else list(self.baseline.parameters())
        rest = [p for p in self.parameters() if all(p is not one for one in own)]
        return {"model": [{"params": rest}, *([{"params": own, "lr": self.baseline_rate}] if own else [])]}

    @torch.no_grad()
    def symptoms(self, batch: SceneBatch) -> Mapping[str, float]:
        """The mean count, and how often it is none or as many as there may be."""
        count = log_counts(self.find(batch.x, sampled=False).logits).argmax(dim=1)
        parts = {"count": count, "none": count == 0, "all": count == self.slots}
        return {name: float(part.float().mean()) for name, part in parts.items()}

    def _sight(self, *, bias: bool) -> nn.Module:
        """From flat images to what the recurrent net takes in."""
        if self.sight == "dense":
            return nn.Linear(math.prod(self.shape), self.hidden_width, bias=bias)
        channels, height, width = self.shape
        return nn.Sequential(
            nn.Unflatten(1, self.shape),
            nn.Conv2d(channels, 16, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * -(-height // 4) * -(-width // 4), self.hidden_width, bias=bias),
        )

    def _windows(self, where: Tensor) -> Tensor:
        """Size and middle, from latents of which the prior is N(0, 1): ``(B, 3)``."""
        middle = math.log((self.scale - SMALLEST) / (1 - self.scale))
        size = SMALLEST + (1 - SMALLEST) * torch.sigmoid(middle + SPREAD * where[:, :1])
        return torch.cat([size, torch.tanh(where[:, 1:])], dim=1)

    def _drawn(self, found: Tensor) -> Tensor:
        """Objects by themselves, ``(B, 3 + what_dim)`` to ``(B, C, H, W)``."""
        seen = torch.sigmoid(self.decoder(found[:, 3:])).unflatten(1, (self.shape[0], self.window, self.window))
        return place(seen, found[:, :3], (self.shape[1], self.shape[2]))


def _layers(inputs: int, width: int, outputs: int) -> Any:
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, outputs))
