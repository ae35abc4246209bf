"""Judging translations between two domains, by networks that had no part in them and by pairs no model has seen.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018, section 5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from unbraid.draw.hashing import uniforms
from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.info.realism import frechet_distance, kernel_distance
from unbraid.info.ridge import readable
from unbraid.nn.judge import Judge
from unbraid.nn.networks import NETWORKS, require_judging
from unbraid.nn.perception import features, perceived
from unbraid.nn.silhouette import Silhouette
from unbraid.runs import folder
from unbraid.runs.outlines import Masks, outlines, overlap
from unbraid.runs.run import Run
from unbraid.runs.visible import Visible
from unbraid.seed import derive, numpy_generator, torch_generator
from unbraid.translation import TranslatingModel
from unbraid.types import Bytes, Integers
from unbraid.view import to_bytes, to_float
from unbraid.world import World

__all__ = ["DomainBench", "Translations", "judge_translation"]

LEARNED = 0.7
"""Of all contents, what part the judges learn from; of the others nobody has told them."""
FEWEST = 4
"""How many images of a domain can be judged: half of them are compared with the others, and one has no covariance."""
STYLES = 8
"""In how many styles an image is translated to see how they differ."""
VARIED = 32
"""How many images are."""
CHUNK = 128


@dataclass(frozen=True)
class Translations:
    """What is found of translations, for each direction by its name (``"outline to garment"``).

    Args:
        parts: Named numbers, by direction.
    """

    parts: Mapping[str, Mapping[str, float]]

    def __str__(self) -> str:
        lines = []
        for direction, found in self.parts.items():
            lines += [direction, *(f"  {name.replace('_', ' '):38}{value:9.3f}" for name, value in found.items())]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """As plain numbers, ready for JSON."""
        return {"translations": {direction: dict(found) for direction, found in self.parts.items()}}


class DomainBench:
    """A judge for each of two domains, fitted once, and images of both that they did not learn from.

    Each judge learns every factor that can be seen in its domain; where nothing is known of images but the domain, one
    learns to tell the domains. Where a content stands in both domains, the judges learn from some contents and models
    are judged on others.

    Args:
        world: The world, with a factor of two values for the domain.
        factor: Its name.
        images: How many images of each domain a judge learns from, at least 1.
        samples: On how many of each domain models are judged, at least 4.
        steps: How many steps a judge takes, at least 1.
        network: Of the judges: one of ``NETWORKS``.
        seed: What images and weights depend on, at least 0.

    Raises:
        InvalidOption: When an option is out of range, or the world has no such factor.
        InvalidData: When the world has too few images.

    Attributes:
        index: Numbers of the images that models are judged on, for each domain.
        x: The images.
        rule: The world's own, by which silhouettes are told of images; None where it has none.
    """

    def __init__(
        self,
        world: World,
        *,
        factor: str = "domain",
        images: int = 8000,
        samples: int = 1000,
        steps: int = 600,
        network: str = "conv",
        seed: int = 0,
    ) -> None:
        require_at_least(1, images=images, steps=steps)
        require_at_least(FEWEST, samples=samples)
        require_judging(network, world.shape)
        if factor not in world.space.names or world.space[factor].size != 2:
            raise InvalidOption(f"translation is between the two values of a factor, which {factor!r} is not")
        self.world, self.seed, self.column = world, seed, world.space.position(factor)
        self.rule: Callable[[Bytes], Masks] | None = getattr(world, "silhouettes", None)
        self.domains = tuple(str(value) for value in world.space[factor].values)
        drawn = world.measured(6 * (images + samples), numpy_generator(seed, "judge"))
        heaps = [self._split(drawn[world.factors(drawn)[:, self.column] == d], images, samples) for d in (0, 1)]
        self.index = [judged for _, judged in heaps]
        self.x = [self.shown(judged) for judged in self.index]
        self.visible = [Visible(world.space, self._seen(self.index[d])) for d in (0, 1)]
        # What both domains show can still be of the style, as the hour is of a landscape.
        styled = {name for names in getattr(world, "styles", ()) for name in names}
        both = (name for name in self.visible[0].names if name in self.visible[1].names)
        self.shared = tuple(name for name in both if name not in styled)
        self.judges = [self._judge(d, [learned for learned, _ in heaps], steps, network) for d in (0, 1)]
        self._silhouettes = [self._silhouette(d, heaps[d][0], steps) for d in (0, 1)]

    def shown(self, index: Integers) -> Tensor:
        """The images with these numbers, ``(B, C, H, W)`` in 0 .. 1."""
        return to_float(self.world.images(index))

    def told(self, domain: int, x: Tensor) -> Tensor:
        """What the judge of a domain says of images: columns of :class:`Visible`."""
        return self.judges[domain](x).style

    def features(self, domain: int, x: Tensor) -> Tensor:
        """What the judge of a domain makes of images before it answers, ``(B, D)``."""
        with torch.no_grad():
            return torch.cat([features(self.network(domain), part)[1] for part in x.split(CHUNK)])

    def silhouettes(self, domain: int, images: Bytes) -> Masks | None:
        """What stands out in images of a domain, ``(B, C, H, W)`` bytes to ``(B, 1, H, W)``.

        The world says so, or a network that was fitted to the world's masks; None where there is neither.
        """
        if self.rule is not None:
            return self.rule(images)
        network = self._silhouettes[domain]
        return None if network is None else network.told(to_float(images)).numpy()

    def network(self, domain: int) -> nn.Sequential:
        """The judge's network."""
        network = self.judges[domain].network
        assert isinstance(network, nn.Sequential)  # as all encoders are
        return network

    def _split(self, index: Integers, images: int, samples: int) -> tuple[Integers, Integers]:
        """Numbers to learn from, and others of other contents."""
        content = self.world.content(index) if hasattr(self.world, "content") else index
        learned = uniforms(content, 1, seed=self.seed, purpose="judged")[:, 0] < LEARNED
        mine, others = index[learned][:images], index[~learned][:samples]
        if len(mine) < 2 or len(others) < FEWEST:
            raise InvalidData(f"{type(self.world).__name__} has only {len(index)} images of a domain: too few to judge")
        return mine, others

    def _seen(self, index: Integers) -> tuple[str, ...]:
        """The factors besides the domain that can be seen in these images and are not always the same."""
        values = self.world.factors(index)
        relevant: Any = getattr(self.world, "relevant", lambda given: np.ones(given.shape, dtype=bool))
        seen = relevant(values).all(axis=0) & (values.min(axis=0) < values.max(axis=0))
        return tuple(name for name, there in zip(self.world.space.names, seen, strict=True) if there)

    def _judge(self, domain: int, heaps: list[Integers], steps: int, network: str) -> Judge:
        visible = self.visible[domain]
        index = heaps[domain] if visible.names else np.concatenate(heaps)
        columns = visible.columns(self.world.factors(index))
        label = torch.from_numpy(self.world.factors(index)[:, self.column])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(self.seed, "judge", domain))
            made = NETWORKS[network].encoder(self.world.shape, 2 + columns.shape[1])
        generator = torch_generator(self.seed, "judge", domain)
        return Judge(made, self.shown(index), label, columns, classes=2, steps=steps, generator=generator)

    def _silhouette(self, domain: int, index: Integers, steps: int) -> Silhouette | None:
        """What tells all things of a domain from what is behind them, where it takes a network."""
        world: Any = self.world
        needed = self.rule is None and hasattr(world, "masks") and hasattr(world, "counterpart")
        if not needed or any(side % 4 for side in world.shape[1:]):
            return None
        masks = torch.from_numpy(world.masks(index).any(axis=1, keepdims=True))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(self.seed, "silhouette", domain))
            return Silhouette(
                self.shown(index), masks, steps=steps, generator=torch_generator(self.seed, "silhouette", domain)
            )


def judge_translation(run_or_model: Run | TranslatingModel, bench: DomainBench, *, seed: int = 0) -> Translations:
    """Translate the images of a bench in both directions and see what is kept, how real it looks, and how varied.

    For each direction: what the target's judge reads of the factors both domains share, from real images
    (``real_class``), from translations in drawn styles (``kept_class``), and in the styles of other images
    (``guided_class``); of the other factors that the target shows, whether a translation has those of the image that
    gave the style (``guided_hue``, and for two unrelated images ``chance_hue``); how well they can be read linearly
    from contents and styles of real images (``hue_in_content``, ``hue_in_style``, R²); how far translations are from
    real images (``kid``, ``frechet``), beside other real ones (``_floor``) and what was to be translated (``_source``);
    how different translations of one image look, over how different real images do (``diversity``, left out where all
    of these are alike); how far drawn styles are recovered (``style_recovered``, R²), and how spread out encoded ones
    are (``style_spread``, 1 in what styles are drawn from). Where the world knows the pair that nobody was shown,
    ``overlap`` is the intersection over union of what is drawn, and ``lines`` the harmonic mean of precision and recall
    within a pixel, both beside those with another's pair (``chance_``). Where a world has masks and no rule by which
    silhouettes are told, a network tells them, of real images as well as ``real_overlap`` says, and ``lines`` are of
    edges.

    Args:
        run_or_model: A run of a translating model, in whose folder the verdict is kept, or a model.
        bench: The judges and images.
        seed: What styles depend on, at least 0.

    Raises:
        InvalidOption: When the model does not translate.
    """
    model = run_or_model.model if isinstance(run_or_model, Run) else run_or_model
    if not isinstance(model, TranslatingModel):
        raise InvalidOption(f"{type(model).__name__} does not translate between domains")
    model.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "judge"))
        found = {
            f"{bench.domains[source]} to {bench.domains[1 - source]}": _direction(model, bench, source)
            for source in (0, 1)
        }
    verdict = Translations(found)
    if isinstance(run_or_model, Run):
        folder.write_json(run_or_model.path / folder.VERDICT, verdict.to_dict())
    return verdict


def _direction(model: TranslatingModel, bench: DomainBench, source: int) -> dict[str, float]:
    """Everything of one direction."""
    target, x, real = 1 - source, bench.x[source], bench.x[1 - source]
    count = min(len(x), len(real))
    x, real = x[:count], real[:count]
    values = [bench.world.factors(index[:count]) for index in bench.index]
    content = _parts(lambda part: model.content_of(part, source), x)
    given, own = model.any_style(x), _parts(lambda part: model.style_of(part, target), real)
    made, guided = (
        torch.cat([model.drawn(*both, target) for both in zip(content.split(CHUNK), style.split(CHUNK), strict=True)])
        for style in (given, own)
    )
    visible = bench.visible[target]
    read = [bench.told(target, images) for images in (real, made, guided)]
    said = [visible.agreement(one, values[d]) for one, d in zip(read, (target, source, source), strict=True)]
    parts = {
        f"{how}_{name}": one[name]
        for name in bench.shared
        for how, one in zip(("real", "kept", "guided"), said, strict=True)
    }
    styled = visible.agreement(read[2], values[target])
    chance = visible.agreement(read[0][_others(count, bench.seed)], values[target])
    for name in visible.names:
        if name not in bench.shared:
            parts |= {f"real_{name}": said[0][name], f"guided_{name}": styled[name], f"chance_{name}": chance[name]}
            told = Visible(bench.world.space, (name,)).columns(values[target])
            codes = _parts(lambda part: model.content_of(part, target), real).flatten(1)
            parts[f"{name}_in_content"] = readable(codes, told)
            parts[f"{name}_in_style"] = readable(own, told) if model.style_dim else 0.0
    parts |= _looks(bench, target, x, real, made) | _variety(model, bench, target, content, real)
    if model.style_dim:
        back = _parts(lambda part: model.style_of(part, target), made)
        parts["style_recovered"] = 1 - float((back - given).square().mean() / given.var())
        parts["style_spread"] = float(own.std(dim=0).mean())
    return parts | _pairs(bench, source, made)


def _looks(bench: DomainBench, target: int, x: Tensor, real: Tensor, made: Tensor) -> dict[str, float]:
    """How far from real images translations are, and what else is."""
    half = len(real) // 2
    seen, source, translated = (bench.features(target, images) for images in (real, x, made))
    parts = {}
    for name, distance in (("kid", kernel_distance), ("frechet", frechet_distance)):
        # Halves against halves throughout, for the Fréchet distance grows as samples shrink.
        parts[name] = distance(translated[:half], seen[half:])
        parts |= {f"{name}_floor": distance(seen[:half], seen[half:])}
        parts |= {f"{name}_source": distance(source[:half], seen[half:])}
    return parts


def _variety(
    model: TranslatingModel, bench: DomainBench, target: int, content: Tensor, real: Tensor
) -> dict[str, float]:
    """How different translations of one image look, over how different real images do."""
    some = content[:VARIED].repeat_interleave(STYLES, dim=0)
    images = _parts(lambda part: model.drawn(part, model.any_style(part), target), some)
    pairs = images.unflatten(0, (-1, STYLES))
    within = perceived(bench.network(target), pairs[:, :-1].flatten(0, 1), pairs[:, 1:].flatten(0, 1))
    others = real[: len(images)]
    between = perceived(bench.network(target), others, others.roll(1, dims=0))
    # Where all real images are one, nothing can be as varied as they are.
    return {"diversity": float(within.mean() / between.mean())} if between.any() else {}


def _pairs(bench: DomainBench, source: int, made: Tensor) -> dict[str, float]:
    """What a translation has in common with the image that it should have become in shape."""
    world: Any = bench.world
    if not hasattr(world, "counterpart"):
        return {}
    other = world.counterpart(bench.index[source][: len(made)])
    images, truth = to_bytes(made), world.images(other)
    drawn, real = (bench.silhouettes(1 - source, one) for one in (images, truth))
    found: dict[str, float] = {}
    if drawn is not None and real is not None:
        # What a world says needs no limit: it is right of real images.
        right = real if bench.rule is not None else world.masks(other).any(axis=1, keepdims=True)
        found = _beside_chance(drawn, right, bench.seed)
        if right is not real:
            found["real_overlap"] = overlap(real, right)["overlap"]
    if bench.rule is None:
        # No lines are drawn there; what can be compared is where edges are.
        edges = _beside_chance(outlines(images), outlines(truth), bench.seed)
        found |= {name: edges[name] for name in ("lines", "chance_lines")}
    return found


def _beside_chance(drawn: Masks, right: Masks, seed: int) -> dict[str, float]:
    """How far masks agree with the right ones, and with those of other images."""
    wrong = overlap(drawn, right[_others(len(right), seed)])
    return overlap(drawn, right) | {f"chance_{name}": value for name, value in wrong.items()}


def _others(count: int, seed: int) -> Integers:
    """Another one of ``count`` images for each, every one once: in a small world neighbours in order are alike.

    >>> _others(5, 0).tolist()
    [2, 3, 1, 4, 0]
    """
    order = numpy_generator(seed, "others").permutation(count)
    found = np.empty_like(order)
    found[order] = np.roll(order, 1)  # one round through all of them: nobody meets himself
    return found


def _parts(function: Any, x: Tensor) -> Tensor:
    """A function of images or contents, some at a time."""
    return torch.cat([function(part) for part in x.split(CHUNK)])
