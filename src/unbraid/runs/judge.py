"""Judging how far a model sets class and style apart, by networks that had no part in it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.model import Model
from unbraid.nn.gaussian import Gaussian
from unbraid.nn.judge import Judge, explained, reader
from unbraid.nn.networks import NETWORKS, require_judging
from unbraid.runs import folder
from unbraid.runs.run import Run, measured
from unbraid.seed import derive, torch_generator
from unbraid.types import Integers
from unbraid.view import GroupBatch
from unbraid.views.classes import Classes
from unbraid.weak import dependence
from unbraid.world import World

__all__ = ["Bench", "Verdict", "judge"]

ACTIVE = 0.05
"""Nats from which on a latent counts as used."""


@dataclass(frozen=True)
class Verdict:
    """What the judges say of a model.

    Args:
        chance: The accuracy of a guess at the class.
        parts: Named numbers: accuracies from 0 to 1, R² up to 1, which a world without ordered styles does not have;
            ``dependence`` is the change of images with the class code over that with the style.
        kept: R² of each style factor in swapped images, by its name: from the ``style`` donor, from the ``class``
            donor, of ``real`` images, and of a reader of the style ``code``.
    """

    chance: float
    parts: Mapping[str, float]
    kept: Mapping[str, Mapping[str, float]]

    def __str__(self) -> str:
        lines = [f"{name.replace('_', ' '):32}{value:7.3f}" for name, value in self.parts.items()]
        return "\n".join([f"{'chance':32}{self.chance:7.3f}", *lines])

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain numbers, ready for JSON."""
        return {"chance": self.chance, "parts": dict(self.parts), "kept": {k: dict(v) for k, v in self.kept.items()}}


class Bench:
    """The judge of a world's images, fitted once, and the images on which models are judged.

    The judge and the readers of codes learn from images of their own, none of which models are judged on: of a world of
    few images at most a third are. In a world that is drawn, no model is likely to have seen any of them; of a
    collected one give a part that no model saw.

    Args:
        world: The world.
        factors: The factors that are the class, as in the view :class:`~unbraid.views.classes.Classes`.
        images: How many images are drawn for the judge to learn from, at least 1.
        samples: How many are drawn to judge models on, at least 1; as many again for readers of codes to learn from.
        steps: How many steps the judge takes, at least 1.
        network: Of the judge.
        seed: What images and weights depend on, at least 0.

    Attributes:
        classes: The factors that are the class.
        real: The judge's own accuracy on the images that models are judged on.
        real_style: Its R² of every style factor, likewise.

    Raises:
        InvalidOption: When an option is out of range.
        InvalidData: When the world has too few images to keep some for judging.
    """

    def __init__(
        self,
        world: World,
        *,
        factors: tuple[str, ...] = (),
        images: int = 8000,
        samples: int = 2000,
        steps: int = 800,
        network: str = "conv",
        seed: int = 0,
    ) -> None:
        require_at_least(1, images=images, samples=samples, steps=steps)
        require_judging(network, world.shape)
        self.world, self.seed = world, seed
        views = [
            Classes(world, batch_size=size, seed=derive(seed, purpose) >> 1, factors=factors, group=1)
            for size, purpose in ((images, "judge"), (samples, "readers"), (samples, "judged"))
        ]
        batches = _apart([one.batch(0) for one in views])
        self.values, found = np.unique(np.concatenate([one.label.numpy() for one in batches]), return_inverse=True)
        self.labels = torch.from_numpy(found).split([len(one) for one in batches])
        space, self.classes = world.space, views[0].classes.names
        self.names = tuple(
            one.name for one in space if one.kind == "ordinal" and one.size > 1 and one.name not in self.classes
        )
        columns = [space.position(name) for name in self.names]
        self.x = [one.x[:, 0] for one in batches]
        self.styles = [self._style(one.index[:, 0].numpy(), columns) for one in batches]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "judge"))
            made = NETWORKS[network].encoder(world.shape, len(self.values) + len(columns))
        self.judge = self._fitted(made, 0, self.x[0], steps)
        said = self.judge(self.x[2])
        self.real, self.real_style = said.accuracy(self.labels[2]), explained(said.style, self.styles[2])

    def _style(self, index: Integers, columns: list[int]) -> Tensor:
        return torch.from_numpy(self.world.factors(index)[:, columns]).float()

    def _fitted(self, network: torch.nn.Module, part: int, x: Tensor, steps: int) -> Judge:
        generator = torch_generator(self.seed, "judge", part)
        return Judge(
            network,
            x,
            self.labels[part],
            self.styles[part],
            classes=len(self.values),
            steps=steps,
            generator=generator,
        )

    def read(self, codes: tuple[Tensor, Tensor], steps: int) -> tuple[float, Tensor]:
        """What a reader of codes, fitted to the first, tells of the second: its accuracy, and R² of every factor."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(self.seed, "reader"))
            network = reader(codes[0].shape[1], len(self.values) + len(self.names))
        said = self._fitted(network, 1, codes[0], steps)(codes[1])
        return said.accuracy(self.labels[2]), explained(said.style, self.styles[2])


def _apart(batches: list[GroupBatch]) -> list[GroupBatch]:
    """Batches of single images such that no image of the last is in another; those of a large world as they are."""
    drawn, population = batches[-1].index[:, 0].numpy(), batches[-1].population
    _, first = np.unique(drawn, return_index=True)
    asked = drawn[np.sort(first)][: max(1, population // 3)]
    parts = []
    for batch in batches:
        rows = torch.from_numpy(np.isin(batch.index[:, 0].numpy(), asked, invert=batch is not batches[-1]))
        if not rows.any():
            raise InvalidData(f"a judge is asked about images it did not learn from, but the world has {population}")
        parts.append(GroupBatch(batch.x[rows], batch.index[rows], batch.label[rows], population))
    return parts


def judge(
    run_or_model: Run | Model | str | Path,
    world: World | None = None,
    *,
    bench: Bench | None = None,
    steps: int = 600,
    seed: int = 0,
) -> Verdict:
    """Judge how far a model sets class and style apart, and whether it keeps both.

    How a class is looked for in a style decides what is found, so three readers look: at the means of the latents that
    carry more than 0.05 nats, at samples, and at all means as they are, where traces in latents that the decoder never
    sees still count. That nothing is found proves little by itself, since an empty style tells nothing: what is kept of
    the style in swapped images stands beside. The verdict on a run is also kept in its ``verdict.json``. Of a run that
    learned other classes than the bench reads a sentence is said: its class codes are asked for what they never saw.

    Args:
        run_or_model: A run, its folder, or a model.
        world: The world; by default the run's own.
        bench: The judge, where one is fitted already; by default one is fitted to the classes of the run.
        steps: How many steps a reader of codes takes, at least 1.
        seed: What samples and swaps depend on, at least 0.

    Raises:
        InvalidOption: When the model does not set a class code apart, or is given without a world.
        UnknownName: When the world lacks a factor that was the class of the run.
        RunError: When the run cannot be read.
    """
    require_at_least(1, steps=steps)
    run, model, world = measured(run_or_model, world if world is not None else bench.world if bench else None)
    if not model.contents:
        raise InvalidOption(f"{type(model).__name__} has no class code: take a model that sees the world as classes")
    learned = run.classes if run is not None else ()
    bench = bench or Bench(world, factors=learned, seed=seed)
    if learned and set(learned) != set(bench.classes):
        print(f"unbraid: {_others(learned, bench.classes)}", file=sys.stderr)
    model.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "judge"))
        codes = [_codes(model, x) for x in bench.x[1:]]
        content, style = codes[1]
        order = torch.roll(torch.arange(len(content)), 1)
        swapped = bench.judge(_decoded(model, content, style.mean[order]))
        drawn = bench.judge(_decoded(model, content, torch.randn_like(style.mean)))
        used = style.divergences().mean(dim=0) > ACTIVE
        samples = [one.rsample() for _, one in codes]
    means = [one.mean for _, one in codes]
    label, truth = bench.labels[2], bench.styles[2]
    others = label[order] != label
    told = {"style": explained(swapped.style, truth[order]), "class": explained(swapped.style, truth)}
    active = bench.read((means[0][:, used], means[1][:, used]), steps) if used.any() else None
    sampled, _ = bench.read((samples[0], samples[1]), steps)
    raw, code = bench.read((means[0], means[1]), steps)
    of_class, _ = bench.read((codes[0][0], content), steps)
    chance = float(torch.bincount(label).max() / len(label))
    on_class, on_style = dependence(model, bench.x[2][:256])
    kept = {"real": bench.real_style, **told, "code": code}
    parts = {
        "class_from_style_active": active[0] if active else chance,
        "class_from_style_sampled": sampled,
        "class_from_style_mean": raw,
        "active_latents": float(used.sum()),
        "class_from_class_code": of_class,
        "swapped_class": swapped.accuracy(label),
        "swapped_class_of_style_donor": float((swapped.label == label[order])[others].float().mean()),
        "prior_class": drawn.accuracy(label),
        "judge": bench.real,
        "dependence": on_class / max(on_style, 1e-12),
    }
    if bench.names:
        of = {"style_kept": told["style"], "style_of_class_donor": told["class"], "style_in_code": code}
        parts |= {name: float(r2.mean()) for name, r2 in {**of, "judge_style": bench.real_style}.items()}
    named = {name: dict(zip(bench.names, r2.tolist(), strict=True)) for name, r2 in kept.items()}
    verdict = Verdict(chance, parts, named)
    if run is not None:
        folder.write_json(run.path / folder.VERDICT, verdict.to_dict())
    return verdict


def _others(learned: tuple[str, ...], read: tuple[str, ...]) -> str:
    """What is wrong where a judge reads other classes than a run has learned, and how it is mended."""
    return (
        f"the run's classes are told by {', '.join(learned)}, but the judge's by {', '.join(read)}: class codes are "
        f"asked for what they never learned. Give Bench factors={learned}, or train with view={{'factors': {read}}}"
    )


def _codes(model: Model, x: Tensor) -> tuple[Tensor, Gaussian]:
    """Class codes, and posteriors of the style."""
    parts = [(model.represent(part)[:, : model.contents], model.style(part)) for part in x.split(250)]
    styles = [style for _, style in parts if style is not None]
    joined = Gaussian(torch.cat([one.mean for one in styles]), torch.cat([one.log_variance for one in styles]))
    return torch.cat([content for content, _ in parts]), joined


def _decoded(model: Model, content: Tensor, style: Tensor) -> Tensor:
    codes = torch.cat([content, style], dim=1)
    return torch.cat([model.decode(part) for part in codes.split(250)])
