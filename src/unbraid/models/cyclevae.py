"""The cycle-consistent VAE.

References:
    Jha, Anand, Singh and Veeravasarapu, "Disentangling factors of variation with cycle-consistent variational
    auto-encoders", ECCV 2018, arXiv:1804.10469.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import GroupBatch
from unbraid.weak import ContentModel

__all__ = ["CycleVAE"]

TARGETS = ("other", "drawn")


class CycleVAE(ContentModel):
    r"""Two images of a class swap their class codes and are still themselves; a style put to two classes is still one.

    Forward, images :math:`x_1, x_2` of one class have class codes s and styles z, and encoder and decoder learn by

    .. math:: \mathcal L = \tfrac12 \big(-\mathbb E \log p(x_1 \mid s_2, z_1) - \mathbb E \log p(x_2 \mid s_1, z_2)
              + \beta\,\mathrm{KL}(q(z_1 \mid x_1) \,\|\, p(z)) + \beta\,\mathrm{KL}(q(z_2 \mid x_2) \,\|\, p(z))\big)

    In reverse a style :math:`z \sim N(0, I)` is drawn, decoded with the class codes of two unrelated images, and
    encoded again; the encoder alone, with an optimiser of its own, learns to see one style in both:

    .. math:: \mathcal R = \lambda\,\| \mu(D(s_a, z)) - \mu(D(s_b, z)) \|_1

    The paper writes 2 squared error + 3 KL over pixels, which is ``beta`` 0.75 with a Gaussian of unit variance. Adam
    divides gradients by their size, so that :math:`\lambda` hardly matters to an optimiser of its own; how fast it
    moves does, ``reverse_rate``.

    Two holes are known. A decoder that ignores s makes the reverse cycle zero: with ``consistency`` the class code of a
    decoded image must be nearest to the one it was decoded with, among those of the other classes in the batch. And
    styles become alike if they become small: with ``target="drawn"`` both are compared with the z they came from.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many numbers a code has, at least 2.
        content_dim: How many of them, the first, are the class code; 0 for half.
        beta: The weight of the KL, at least 0.
        reverse: The weight :math:`\lambda` of the reverse cycle, at least 0; 0 leaves it out.
        reverse_rate: The learning rate of its optimiser, at least 0; 0 for that of the run.
        target: What a style is compared with in reverse: the ``"other"``, as in the paper, or the one ``"drawn"``.
        consistency: The weight of the class code's way back, at least 0; 0 (the paper) leaves it out.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> list(CycleVAE((1, 32, 32), latent_dim=16).players()), list(CycleVAE((1, 32, 32), reverse=0.0).players())
    (['model', 'encoder'], ['model'])
    """

    citation = """@inproceedings{jha2018disentangling,
  author = {Jha, Ananya Harsh and Anand, Saket and Singh, Maneesh and Veeravasarapu, V. S. R.},
  title = {Disentangling Factors of Variation with Cycle-Consistent Variational Auto-Encoders}, booktitle = {ECCV},
  year = {2018}}"""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "jha": {"latent_dim": 32, "content_dim": 16, "steps": 94_000, "batch_size": 64, "learning_rate": 1e-4},
    }

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 10,
        content_dim: int = 0,
        beta: float = 0.75,
        reverse: float = 1.0,
        reverse_rate: float = 0.0,
        target: Literal["other", "drawn"] = "other",
        consistency: float = 0.0,
        likelihood: LikelihoodName = "gaussian",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, content_dim=content_dim, likelihood=likelihood, network=network)
        require_at_least(0, beta=beta, reverse=reverse, reverse_rate=reverse_rate, consistency=consistency)
        if target not in TARGETS:
            raise InvalidOption(f"target must be one of {', '.join(TARGETS)}, but is {target!r}")
        self.beta, self.reverse, self.reverse_rate = beta, reverse, reverse_rate
        self.target, self.consistency = target, consistency

    def loss(self, batch: GroupBatch, step: int, player: str = "model") -> Terms:
        """Of the model: the forward cycle, in nats per image; of the encoder: the reverse cycle."""
        if player == "encoder":
            return Terms(reverse=self.reverse * self._returned(batch))
        x = torch.cat([batch.x[:, 0], batch.x[:, -1]])
        content, style = self.encode(x)
        terms = Terms(
            reconstruction=self.nll(x, torch.cat([content.roll(len(batch), dims=0), style.rsample()], dim=1)),
            kl=self.beta * style.kl(),
        )
        if self.consistency:
            terms["consistency"] = self.consistency * self._recognised(content[: len(batch)], batch.label)
        return terms

    def players(self) -> dict[str, list[nn.Parameter] | dict[str, Any]]:
        """Everyone for the forward cycle, then the encoder again for the reverse, where there is one."""
        # Two styles stay as far apart when the last layer's offset moves: their difference does not feel it.
        still = self.encoder[-1].bias if self.target == "other" else None
        own: dict[str, Any] = {"params": [p for p in self.encoder.parameters() if p is not still]}
        if self.reverse_rate:
            own["lr"] = self.reverse_rate
        return {"model": list(self.parameters())} | ({"encoder": own} if self.reverse else {})

    def _returned(self, batch: GroupBatch) -> Tensor:
        """How far apart the styles of two images are that were decoded from one."""
        with torch.no_grad():
            content, _ = self.encode(batch.x[:, 0])
            z = torch.randn(len(batch), self.latent_dim - self.contents, device=content.device)
            # Beside each stands another, mostly of another class.
            both = torch.cat([content, content.roll(1, dims=0)])
            images = self.decode(torch.cat([both, z.repeat(2, 1)], dim=1))
        seen = self.style(images).mean
        if self.target == "drawn":
            return (seen - z.repeat(2, 1)).abs().sum(dim=1).mean()
        first, second = seen.chunk(2)
        return (first - second).abs().sum(dim=1).mean()

    def _recognised(self, content: Tensor, label: Tensor) -> Tensor:
        """How badly the class codes of decoded images are told from those of other classes, in nats."""
        z = torch.randn(len(content), self.latent_dim - self.contents, device=content.device)
        back, _ = self.encode(self.decode(torch.cat([content, z], dim=1)))
        likeness = -torch.cdist(back, content).square()
        same = label[:, None] == label
        same.fill_diagonal_(False)
        return F.cross_entropy(likeness.masked_fill(same, -torch.inf), torch.arange(len(content), device=label.device))
