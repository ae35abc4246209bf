"""The EM-VAE: actions that nobody told or counted, found by expectation maximisation in slow codes.

References:
    Wiskott and Sejnowski, "Slow feature analysis: unsupervised learning of invariances", Neural Computation 2002.
    Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 1977.
    Painter, Hare and Prügel-Bennett, "Linear disentangled representations and unsupervised action estimation",
    NeurIPS 2020, arXiv:2008.07922 (the task).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from unbraid.acting import SequenceModel
from unbraid.errors import InvalidData, require_at_least
from unbraid.groups.discover import discover
from unbraid.model import Terms
from unbraid.nn.likelihood import LikelihoodName
from unbraid.nn.networks import NetworkName
from unbraid.types import Shape
from unbraid.view import OrbitBatch

__all__ = ["EMVAE"]

KEPT = 0.99
"""What a step keeps of the sums from which the maps are made: about a hundred batches count."""


class EMVAE(SequenceModel):
    r"""A VAE that first learns slow codes, then finds out what acts on them, then learns codes on which that acts well.

    Until step ``slow`` the codes of images that follow each other are drawn together: the slowest functions on a
    product of circles are the cosine and sine of each, in some basis. Then :func:`unbraid.groups.discover.discover`
    finds in the codes of the last pairs how many actions there are, a map for each, and which of them move the same
    part of the space. From there on each pair is taken for the action that explains it best,

    .. math:: \mathcal L = -\mathbb E \log p(x \mid z) + \beta\, \mathrm{KL}(q(z \mid x) \,\|\, p(z))
              + \gamma \min_k \| A_k z - \mu(x') \|^2

    with codes in the basis that was found, in which every part has latents of its own, and each :math:`A_k` the
    rotation (or mirroring) of its part nearest to the running sum of :math:`\mu(x') \mu(x)^\top` over its pairs: the M
    step, in closed form. Nothing is told: no action, not how many there are, nor a group.

    Args:
        shape: Channels, height (32, 64 or 128), width of the images.
        latent_dim: How many latents, at least 1; two for every circle.
        most: How many actions there may be, at least 1.
        slow: Until which step codes are only slow, at least 1.
        memory: In how many of the last pairs actions are looked for, at least 1.
        beta: The weight of the KL for images of 4096 numbers, at least 0.
        gamma: The weight of slowness, and then of the predictions' error, likewise.
        likelihood: ``"bernoulli"``, ``"gaussian"``, ``"learned"`` (a Gaussian whose variance is) or ``"laplace"``.
        network: ``"conv"``, ``"locatello"``, ``"dense"``, ``"patches"``, ``"residual"`` or ``"modulated"``.

    >>> EMVAE((1, 32, 32)).matrices().shape  # nothing has been found yet
    torch.Size([0, 4, 4])
    """

    citation = """@article{wiskott2002slow, author = {Wiskott, Laurenz and Sejnowski, Terrence J.},
  title = {Slow Feature Analysis: Unsupervised Learning of Invariances}, journal = {Neural Computation},
  year = {2002}}"""
    timed = ("slow",)

    def __init__(
        self,
        shape: Shape,
        *,
        latent_dim: int = 4,
        most: int = 8,
        slow: int = 2500,
        memory: int = 1000,
        beta: float = 1.0,
        gamma: float = 10.0,
        likelihood: LikelihoodName = "bernoulli",
        network: NetworkName = "conv",
    ) -> None:
        super().__init__(shape, latent_dim=latent_dim, beta=beta, gamma=gamma, likelihood=likelihood, network=network)
        require_at_least(1, most=most, slow=slow, memory=memory)
        self.most, self.slow, self.memory = most, slow, memory
        for name, value in {
            "pairs": torch.zeros(memory, 2, latent_dim),
            "seen": torch.zeros((), dtype=torch.int64),
            "count": torch.zeros((), dtype=torch.int64),
            "centre": torch.zeros(latent_dim),
            "basis": torch.eye(latent_dim),
            "maps": torch.zeros(most, latent_dim, latent_dim),
            "sums": torch.zeros(most, latent_dim, latent_dim),
            "part": torch.zeros(most, latent_dim),
        }.items():
            self.register_buffer(name, value)

    def represent(self, x: Tensor) -> Tensor:
        """The posterior mean in the basis that was found, ``(B, latent_dim)``."""
        return self._seen_from(self.encode(x).mean)

    def decode(self, z: Tensor) -> Tensor:
        """The mean image of each code: ``(B, latent_dim)`` to ``(B, C, H, W)`` in ``[0, 1]``."""
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            return super().decode(z)  # which says what is wrong with it
        return super().decode(z @ torch.linalg.inv(self.get_buffer("basis")) + self.get_buffer("centre"))

    def matrices(self) -> Tensor:
        """The maps that were found, ``(K, latent_dim, latent_dim)``; none before step ``slow``."""
        return self.get_buffer("maps")[: int(self.get_buffer("count"))]

    def infer(self, before: Tensor, after: Tensor) -> Tensor:
        """Which action leads from one image to the other, ``(B, C, H, W)`` twice to ``(B,)``; 0 while none is known."""
        if not len(self.matrices()):
            return torch.zeros(len(before), dtype=torch.int64, device=before.device)
        return self._errors(self.represent(before), self.represent(after)).argmin(dim=1)

    def loss(self, batch: OrbitBatch, step: int) -> Terms:
        """Reconstruction, KL, and slowness or the error of predicted codes, in nats per image."""
        terms, mean, z = self.bound(batch)
        drawn, before, after = z[:, :-1].flatten(0, 1), mean[:, :-1].flatten(0, 1), mean[:, 1:].flatten(0, 1)
        if self.training:
            self._remember(before.detach(), after.detach())
            if step >= self.slow and not len(self.matrices()):
                self._discover()
        if not len(self.matrices()):
            terms["prediction"] = self.gamma * self.scale * (drawn - after).square().sum(dim=1).mean()
            return terms
        drawn, before, after = self._seen_from(drawn), self._seen_from(before), self._seen_from(after)
        taken = self._errors(before.detach(), after.detach()).argmin(dim=1)
        made = torch.einsum("bij,bj->bi", self.matrices()[taken], drawn)
        terms["prediction"] = self.gamma * self.scale * (made - after).square().sum(dim=1).mean()
        if self.training:
            self._maximise(before.detach(), after.detach(), taken)
        return terms

    def _seen_from(self, z: Tensor) -> Tensor:
        # In half precision circles would be polygons.
        with torch.autocast(z.device.type, enabled=False):
            return (z.float() - self.get_buffer("centre")) @ self.get_buffer("basis")

    def _errors(self, before: Tensor, after: Tensor) -> Tensor:
        """Squared errors of every map, ``(B, D)`` twice to ``(B, K)``."""
        made = torch.einsum("kij,bj->bki", self.matrices(), before)
        return (made - after[:, None]).square().sum(dim=2)

    def _remember(self, before: Tensor, after: Tensor) -> None:
        """Keep the latest pairs of codes, the oldest go."""
        pairs, seen = self.get_buffer("pairs"), self.get_buffer("seen")
        new = torch.stack((before, after), dim=1)[-self.memory :].to(pairs)
        place = (torch.arange(len(new), device=pairs.device) + seen) % self.memory
        pairs[place] = new
        seen += len(new)

    def _discover(self) -> None:
        """Find the actions in the pairs that are remembered, if they are enough."""
        enough = (self.most + 1) * (self.latent_dim + 1)
        known = min(int(self.get_buffer("seen")), self.memory)
        if known < enough:
            return
        pairs = self.get_buffer("pairs")[:known].double().cpu().numpy()
        try:
            found = discover(pairs[:, 0], pairs[:, 1], most=self.most)
        except InvalidData:  # a latent is still constant: look again at the next step
            return
        unit = float(pairs.std(axis=(0, 1)).mean())  # codes keep their size, so that the weights keep their meaning
        self._set("centre", torch.from_numpy(found.centre))
        self._set("basis", torch.from_numpy(found.basis * unit))
        count = len(found.maps)
        self.get_buffer("count").fill_(count)
        ends = [0]
        for size in found.sizes:
            ends.append(ends[-1] + size)
        for action in range(count):
            of = int(found.part[action])
            self.get_buffer("part")[action, ends[of] : ends[of + 1]] = 1.0
        self.get_buffer("maps")[:count] = self._nearest(torch.from_numpy(found.maps).to(self.get_buffer("maps")), count)
        # As if they had been seen in a hundred batches: the first steps shall not throw them over.
        weight = unit**2 * len(pairs) / (1 - KEPT) / count
        self.get_buffer("sums")[:count] = weight * self.matrices()

    def _maximise(self, before: Tensor, after: Tensor, taken: Tensor) -> None:
        """Each map becomes the best one for the pairs it was taken for, lately."""
        count = len(self.matrices())
        once = torch.nn.functional.one_hot(taken, count).to(before)
        sums = self.get_buffer("sums")[:count]
        sums.mul_(KEPT).add_(torch.einsum("bk,bi,bj->kij", once, after, before))
        self.get_buffer("maps")[:count] = self._nearest(sums, count)

    def _nearest(self, sums: Tensor, count: int) -> Tensor:
        """The nearest orthogonal maps that move nothing but their part."""
        inside = self.get_buffer("part")[:count]
        block = sums * inside[:, :, None] * inside[:, None] + torch.diag_embed(1 - inside)
        left, _, right = torch.linalg.svd(block)
        return cast("Tensor", left @ right)

    def _set(self, name: str, value: Tensor) -> None:
        self.get_buffer(name).copy_(value)
