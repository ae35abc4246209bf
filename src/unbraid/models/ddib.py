"""DDIB: two diffusion models, each of one domain, and the noise between them.

References:
    Su, Song, Meng and Ermon, "Dual diffusion implicit bridges for image-to-image translation", ICLR 2023,
    arXiv:2203.08382.
    Song, Meng and Ermon, "Denoising diffusion implicit models", ICLR 2021, arXiv:2010.02502 (DDIM).
    Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020, arXiv:2006.11239 (the loss, and the
    schedule).
    Karras, Aittala, Aila and Laine, "Elucidating the design space of diffusion-based generative models", NeurIPS 2022,
    arXiv:2206.00364 (Heun's method).
    Salimans and Ho, "Progressive distillation for fast sampling of diffusion models", ICLR 2022, arXiv:2202.00512 (the
    velocity).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from unbraid.errors import InvalidOption, require_at_least
from unbraid.model import Terms
from unbraid.nn.averaged import Averaged
from unbraid.nn.image import checked_images
from unbraid.nn.unet import UNet
from unbraid.translation import TranslatingModel
from unbraid.types import Shape
from unbraid.view import DomainBatch

__all__ = ["DDIB", "SolverName", "TargetName", "cumulative", "ddim"]

SolverName = Literal["heun", "ddim"]
TargetName = Literal["velocity", "noise"]
BETAS = (1e-4, 0.02)
"""The first and the last variance of the noise that 1000 steps add, as Ho et al. have it."""
LEAST_STEPS = 25
"""Of a schedule: with 20 the last one would leave nothing of what was there."""


def cumulative(timesteps: int) -> Tensor:
    r"""What is left of an image's variance after each of T steps, :math:`\bar\alpha_0 = 1` to :math:`\bar\alpha_T`.

    .. math:: \bar\alpha_t = \prod_{s \le t} (1 - \beta_s)

    with :math:`\beta` linear in s. Fewer steps than 1000 add so much more noise each, and at least 25 are needed: below
    that the last ones would add more than there is room for.

    >>> [round(float(a), 4) for a in cumulative(1000)[[0, 1, 500, 1000]]]
    [1.0, 0.9999, 0.0786, 0.0]
    """
    betas = torch.linspace(*BETAS, timesteps, dtype=torch.float64) * (1000 / timesteps)
    left = torch.cumprod(1 - betas, dim=0)
    return torch.cat([torch.ones(1, dtype=torch.float64), left])


def ddim(
    noise: Callable[[Tensor, int], Tensor], x: Tensor, left: Sequence[float], times: Sequence[int], solver: SolverName
) -> Tensor:
    r"""Follow the ODE of a diffusion model from one time to the next, towards noise or away from it.

    .. math:: x_s = \sqrt{\bar\alpha_s} \, \frac{x_t - \sqrt{1 - \bar\alpha_t} \, \epsilon_\theta(x_t, t)}
              {\sqrt{\bar\alpha_t}} + \sqrt{1 - \bar\alpha_s} \, \epsilon_\theta(x_t, t)

    Args:
        noise: :math:`\epsilon_\theta`: what in images of a time is noise.
        x: Images of the first time, ``(B, C, H, W)``.
        left: :math:`\bar\alpha`, for every time.
        times: Which ones, rising (an image becomes noise) or falling (noise becomes an image).
        solver: ``"ddim"``, or ``"heun"``: the step is taken again with the mean of the noise at both of its ends. With
            :math:`x / \sqrt{\bar\alpha}` as a function of :math:`\sqrt{1 / \bar\alpha - 1}` that is Heun's method, and
            the first one Euler's.

    Returns:
        Images of the last time.
    """

    def moved(e: Tensor, t: int, s: int) -> Tensor:
        clean = (x - math.sqrt(1 - left[t]) * e) / math.sqrt(left[t])
        return math.sqrt(left[s]) * clean + math.sqrt(1 - left[s]) * e

    for t, s in pairwise(times):
        e = noise(x, t)
        if solver == "heun":
            e = (e + noise(moved(e, t, s), s)) / 2
        x = moved(e, t, s)
    return x


class DDIB(TranslatingModel):
    r"""Two diffusion models that never meet: a's turns an image into noise, and b's makes an image of that.

    Each learns from images of its own domain alone what has been added to them, at any of T times:

    .. math:: \mathcal L = \sum_{d \in \{a, b\}} \Big\| \epsilon - \epsilon_d\big(\sqrt{\bar\alpha_t} \, x_d
              + \sqrt{1 - \bar\alpha_t} \, \epsilon, t\big) \Big\|^2, \qquad \epsilon \sim N(0, I)

    as a mean over pixels. With the ``target`` ``"velocity"`` a network says :math:`v = \sqrt{\bar\alpha_t} \, \epsilon
    - \sqrt{1 - \bar\alpha_t} \, x`, from which the noise follows, and errors of v count: those of the noise over
    :math:`\bar\alpha_t`. Where an image is nearly all noise a network need not repeat it, and what is left of the image
    counts.

    Translation follows the ODE of :func:`ddim` from 0 to T with :math:`\epsilon_a`, and from T to 0 with
    :math:`\epsilon_b`; the way back is the same one, up to the errors of finite steps. Nothing says that what a noise
    is in a and what it is in b should have a content in common, but that the ways are, in a sense, short ones. The
    content of an image is its noise, an image again; there is no style, and an image has one translation.

    The networks are small ones of convolutions; the authors', for 256 pixels a side, have 256 channels and attention.

    Args:
        shape: Channels, height, width of the images, 32 to 256 pixels a side.
        timesteps: T, at least 25; 1000 in the authors' programs, for images.
        ode_steps: In how many steps the ODE is followed from end to end, 1 to T; they are shorter near the image. Where
            noise is known exactly, five of Heun's bring an image back 0.07 off at most, of 0 .. 1, and fifteen 0.002.
        solver: ``"ddim"`` (the paper), or ``"heun"``: steps take twice as long, and the error falls with the square of
            their number.
        target: What networks are to say: the ``"velocity"``, or the ``"noise"`` (the paper).
        width: Channels at full size, at least 1; smaller maps have twice as many.
        halvings: How often maps are halved, 0 to 3.
        blocks: Residual blocks at each size, down and up, at least 1; the authors have 2.
        patch: Pixels a side that the networks see at once, 1, 2 or 4; the authors have 1.
        average: What averaged weights keep in a step, from 0 to below 1.

    >>> list(DDIB((3, 48, 40)).players())
    ['model']
    """

    citation = """@inproceedings{su2023dual, author = {Su, Xuan and Song, Jiaming and Meng, Chenlin and Ermon, Stefano},
  title = {Dual Diffusion Implicit Bridges for Image-to-Image Translation},
  booktitle = {International Conference on Learning Representations}, year = {2023}}"""

    def __init__(
        self,
        shape: Shape,
        *,
        timesteps: int = 1000,
        ode_steps: int = 15,
        solver: SolverName = "heun",
        target: TargetName = "velocity",
        width: int = 48,
        halvings: int = 2,
        blocks: int = 1,
        patch: int = 2,
        average: float = 0.999,
    ) -> None:
        super().__init__(shape, style_dim=0)
        require_at_least(LEAST_STEPS, timesteps=timesteps)
        require_at_least(1, ode_steps=ode_steps, width=width, blocks=blocks)
        for option, value, kind in (("solver", solver, SolverName), ("target", target, TargetName)):
            if value not in get_args(kind):
                raise InvalidOption(f"{option} must be one of {', '.join(get_args(kind))}, but is {value!r}")
        if ode_steps > timesteps:
            raise InvalidOption(f"ode_steps must be at most timesteps, {timesteps}, but is {ode_steps}")
        if not 0 <= halvings <= 3 or patch not in (1, 2, 4):
            raise InvalidOption(f"halvings must be 0 to 3 and patch 1, 2 or 4, but are {halvings} and {patch}")
        self.timesteps, self.ode_steps, self.width, self.halvings = timesteps, ode_steps, width, halvings
        self.blocks, self.patch, self.average, self.solver, self.target = blocks, patch, average, solver, target
        self.content_shape, self.latent_dim = shape, math.prod(shape)
        self.networks = nn.ModuleList(
            UNet(shape[0], width=width, halvings=halvings, blocks=blocks, patch=patch) for _ in range(2)
        )
        self.averaged = nn.ModuleList(Averaged(network, average) for network in self.networks)
        left = cumulative(timesteps)
        self.left: list[float] = left.tolist()
        # The same where the images are, made once.
        self.register_buffer("left_there", left.float(), persistent=False)
        # One of the two ways of DDIM: with even steps what is fine in images is lost on the way to the first time.
        self.times = [max(i, round(timesteps * (i / ode_steps) ** 2)) for i in range(ode_steps + 1)]

    def content_of(self, x: Tensor, domain: int) -> Tensor:
        """The noise that images of a domain become, ``(B, C, H, W)`` in 0 .. 1 to ``(B, C, H, W)``.

        Raises:
            InvalidData: When the images have another shape, or are not floating-point numbers.
        """
        return self._along(2 * checked_images(x, self.shape).float() - 1, domain, self.times)

    def style_of(self, x: Tensor, domain: int) -> Tensor:
        """No numbers, ``(B, 0)``; raises as ``content_of``."""
        return checked_images(x, self.shape).new_zeros(len(x), 0)

    def drawn(self, content: Tensor, style: Tensor, domain: int) -> Tensor:
        """What noise becomes in a domain, ``(B, C, H, W)`` in 0 .. 1."""
        return (self._along(content, domain, self.times[::-1]) / 2 + 0.5).clamp(0, 1)

    def noise(self, x: Tensor, t: Tensor, domain: int) -> Tensor:
        r""":math:`\epsilon_d(x, t)`: what is noise in images of a domain at times ``(B,)`` in 1 .. T."""
        network, time = self.networks[domain], t / self.timesteps
        said: Tensor = network(x, time) if self.training else self.averaged[domain](network, x, time)
        if self.target == "noise":
            return said
        a = self._left(t)
        return a.sqrt() * said + (1 - a).sqrt() * x

    def loss(self, batch: DomainBatch, step: int) -> Terms:
        """How wrong the networks are about the noise in images of their domains at random times."""
        terms = Terms()
        for domain, x in enumerate((batch.x, batch.other)):
            if self.training:
                self.averaged[domain].follow(self.networks[domain], step)  # type: ignore[operator]
            t = torch.randint(1, self.timesteps + 1, (len(x),), device=x.device)
            e = torch.randn_like(x)
            a = self._left(t)
            noisy = a.sqrt() * (2 * x - 1) + (1 - a).sqrt() * e
            error = (self.noise(noisy, t, domain) - e).square()
            terms[f"noise_{'ab'[domain]}"] = (error / a if self.target == "velocity" else error).mean()
        return terms

    def _left(self, t: Tensor) -> Tensor:
        """What is left of an image at times ``(B,)``: ``(B, 1, 1, 1)``."""
        return self.get_buffer("left_there")[t][:, None, None, None]

    def _along(self, x: Tensor, domain: int, times: Sequence[int]) -> Tensor:
        # An image is of time 0, of which networks know nothing: they are asked about the nearest one.
        def noise(now: Tensor, t: int) -> Tensor:
            return self.noise(now, torch.full((len(now),), max(t, 1), device=now.device), domain)

        # What is rounded at one step goes on into all others: the whole way is taken in single precision.
        with torch.autocast(x.device.type, enabled=False):
            return ddim(noise, x, self.left, times, self.solver)
