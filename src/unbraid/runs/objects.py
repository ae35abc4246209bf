"""Judging how images are taken apart into objects: how many are found, where, what is told of each, and taken away.

References:
    Greff et al., "Multi-object representation learning with iterative variational inference", ICML 2019,
    arXiv:1903.00450 (the adjusted Rand index over foreground pixels).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.info.objects import adjusted_rand, overlaps, owners, paired
from unbraid.model import Model
from unbraid.nn.judge import Judge, reader
from unbraid.objects import ObjectModel
from unbraid.runs import folder
from unbraid.runs.encode import CHUNK, choose, device_of
from unbraid.runs.run import Run, measured
from unbraid.runs.verdict import Numbers
from unbraid.runs.visible import Visible
from unbraid.seed import derive, torch_generator
from unbraid.types import Integers
from unbraid.view import to_float
from unbraid.world import World

__all__ = ["ObjectVerdict", "judge_objects"]

CHANGED = 0.25
"""By how much a pixel must change to count as changed."""
GONE, LEFT = 2 / 3, 1 / 3
"""An object of which more than so many pixels change is taken away; one of which fewer do is left."""


class ObjectVerdict(Numbers):
    """What is found of objects."""

    kind, width, digits = "objects", 24, 3


class _Looked(NamedTuple):
    """What is found in some images, and what is there."""

    codes: Tensor
    """``(B, N, D)``."""
    found: Tensor
    """How many objects are found, ``(B,)``."""
    true: Tensor
    """How many there are, ``(B,)``."""
    ari: Tensor
    """``(B,)``, NaN where there is no object."""
    entity: Tensor
    """The entity of each object, ``(B, M)``, or -1."""
    overlap: Tensor
    """Theirs, ``(B, M)``."""
    single: Tensor
    """Which entities take exactly one object away, ``(B, N)``."""
    present: Tensor
    """Which entities stand for an object, ``(B, N)``."""
    error: Tensor
    """The mean square of what is not reconstructed, ``(B,)``."""


def judge_objects(
    run_or_model: Run | Model | str | Path,
    world: World | None = None,
    *,
    samples: int = 1000,
    steps: int = 600,
    seed: int = 0,
) -> ObjectVerdict:
    """Judge how far a model's entities are the objects of a world.

    - ``count``: how often as many objects are found as there are; ``found_2``: the mean number found where there are 2.
    - ``ari``: the adjusted Rand index of pixels by their greatest mask, over the pixels of objects alone; the mean over
      images that have some.
    - ``iou``: the mean over objects of the intersection over union with the entity paired with it, by masks above 0.5.
    - ``deletion``: of entities that are present in images with objects, how many leave the image without exactly one
      object when they are taken away, the others being as they were; ``deletion_images``: in how many images all do so,
      and there are as many as objects.
    - ``own_x``: what a small network tells of an object's factor from the code of its entity, and ``other_x`` from that
      of another object's. Of unordered factors it is how often the value is right, which has a ``chance_x``; of ordered
      ones R². The network learns from half of the images.
    - ``error``: the mean square of what is not reconstructed.

    The verdict on a run is also kept in its ``verdict.json``.

    Args:
        run_or_model: A run, its folder, or a model.
        world: The world; by default the run's own.
        samples: How many images are judged, at least 2.
        steps: How many steps readers of codes take, at least 1.
        seed: What the choice of images and readers depend on, at least 0.

    Raises:
        InvalidOption: When the model does not find objects, or is given without a world.
        InvalidData: When the world cannot tell where its objects are.
        RunError: When the run cannot be read.
    """
    require_at_least(2, samples=samples)
    require_at_least(1, steps=steps)
    run, model, world = measured(run_or_model, world)
    if not isinstance(model, ObjectModel):
        raise InvalidOption(f"{type(model).__name__} does not find objects: take a model that sees the world as scenes")
    told: Any = world
    if not hasattr(world, "masks") or not hasattr(world, "count"):
        raise InvalidData(f"{type(world).__name__} cannot tell where its objects are: take the world scenes")
    index = choose(world, samples, seed)
    model.eval()
    with torch.no_grad():
        parts = [_looked(model, told, index[i : i + CHUNK]) for i in range(0, len(index), CHUNK)]
    seen = _Looked(*(torch.cat(some) for some in zip(*parts, strict=True)))
    verdict = ObjectVerdict(
        {**_found(seen), **(_read(seen, told, index, steps, seed) if hasattr(world, "slots") else {})}
    )
    if run is not None:
        folder.write_json(run.path / folder.VERDICT, verdict.to_dict())
    return verdict


def _looked(model: ObjectModel, world: Any, index: Integers) -> _Looked:
    x = to_float(world.images(index)).to(device_of(model))
    truth = torch.from_numpy(world.masks(index)).to(x.device)
    codes = model.entities(x)
    layers = model.layers(codes)
    kept = torch.ones_like(layers.present)
    whole = model.compose(layers, kept).float()
    single = []
    for k in range(model.slots):
        kept[:, k] = False
        away = (whole - model.compose(layers, kept).float()).abs().amax(dim=1) > CHANGED
        kept[:, k] = True
        share = (truth & away[:, None]).flatten(2).sum(dim=2) / truth.flatten(2).sum(dim=2).clamp(min=1)
        there = truth.flatten(2).any(dim=2)
        gone, left = (share > GONE) & there, (share < LEFT) | ~there
        single.append((gone.sum(dim=1) == 1) & (gone | left).all(dim=1))
    whose = owners(layers.masks)
    entity, overlap = paired(overlaps(whose & (layers.masks > 0.5), truth))
    looked = _Looked(
        codes=codes.float(),
        found=layers.present.sum(dim=1),
        true=torch.from_numpy(world.count(index)),
        ari=adjusted_rand(whose, truth),
        entity=entity,
        overlap=torch.where(truth.flatten(2).any(dim=2), overlap, torch.nan),
        single=torch.stack(single, dim=1),
        present=layers.present,
        error=(whole - x).square().flatten(1).mean(dim=1),
    )
    return _Looked(*(one.cpu() for one in looked))


def _found(seen: _Looked) -> dict[str, float]:
    """What can be said without looking into codes."""
    some = seen.true > 0
    single, present = seen.single[some], seen.present[some]
    every = (single | ~present).all(dim=1) & (present.sum(dim=1) == seen.true[some])
    counts = {f"found_{k}": seen.found[seen.true == k] for k in seen.true.unique().tolist()}
    parts = {
        "count": seen.found == seen.true,
        **counts,
        "ari": seen.ari[some],
        "iou": seen.overlap[~seen.overlap.isnan()],
        "deletion": single[present],
        "deletion_images": every,
        "error": seen.error,
    }
    return {name: float(part.float().mean()) if len(part) else 0.0 for name, part in parts.items()}


def _read(seen: _Looked, world: Any, index: Integers, steps: int, seed: int) -> dict[str, float]:
    """What readers tell of objects from the codes of their entities, and of others."""
    space, slots = world.slot, world.slots(index)
    visible = Visible(space, tuple(space.names))
    image, k = torch.nonzero(seen.entity >= 0, as_tuple=True)
    own = seen.codes[image, seen.entity[image, k]]
    values = slots[image.numpy(), k.numpy()]
    readings = [("own", own, image >= 0)]
    objects = seen.entity.shape[1]
    if objects > 1:  # the next object of the image that has an entity
        others = torch.stack([seen.entity[image, (k + s) % objects] for s in range(1, objects)], dim=1)
        first = (others >= 0).float().argmax(dim=1, keepdim=True)
        other = others.gather(1, first)[:, 0]
        readings.append(("other", seen.codes[image, other.clamp(min=0)], other >= 0))
    parts: dict[str, float] = {}
    for who, codes, rows in readings:
        learned, told = (rows & (image % 2 == side) for side in (0, 1))
        if learned.sum() < 2 or not told.any():
            continue
        codes = _standardised(codes, codes[learned])
        said = _reader(codes[learned], visible.columns(values[learned.numpy()]), steps, seed)(codes[told])
        found = visible.agreement(said.style, values[told.numpy()])
        parts |= {f"{who}_{name}": value for name, value in found.items()}
    for column, factor in enumerate(space):
        if factor.kind == "categorical":
            many = torch.from_numpy(slots[..., column][slots[..., column] >= 0]).bincount()
            parts[f"chance_{factor.name}"] = float(many.max() / many.sum())
    return parts


def _standardised(codes: Tensor, by: Tensor) -> Tensor:
    return (codes - by.mean(dim=0)) / by.std(dim=0).clamp(min=1e-6)


def _reader(codes: Tensor, columns: Tensor, steps: int, seed: int) -> Judge:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "reader"))
        network = reader(codes.shape[1], 1 + columns.shape[1])
    label = torch.zeros(len(codes), dtype=torch.int64)
    return Judge(network, codes, label, columns, classes=1, steps=steps, generator=torch_generator(seed, "reader"))
