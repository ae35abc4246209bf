"""Mixed-sample augmentation: FMix's masks against the published algorithm, and whole batches against other packages.

The published algorithm is written anew below, in numpy, from its formulas: half a spectrum of normal numbers, an
inverse real transform, a sort of all pixels, one mask at a time. Both take turns in one process on one thread; what is
shown is CPU time, the least of several turns, and the ratio of the two.

Run ``python benchmarks/mix.py``; it takes about two minutes. With ``--peers`` it is instead run in an environment that
has timm, kornia or torchvision, and times their batches beside ours. ``mix.md`` keeps what was found.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import torch

from unbraid.mix import CutMix, FMix, MixUp

BATCH, ROUNDS = 128, 9

Job = Callable[[], Any]


def published(rng: np.random.Generator, side: int, share: float, decay: float = 3.0) -> np.ndarray:
    """One mask as the published program makes it, frequencies and all."""
    across = np.fft.fftfreq(side)[: side // 2 + 1 + side % 2]
    frequency = np.sqrt(across**2 + np.fft.fftfreq(side)[:, None] ** 2)
    scale = 1 / np.maximum(frequency, 1 / side) ** decay
    normal = rng.normal(size=(*frequency.shape, 2))
    spectrum = (scale[..., None] * normal)[None]
    field = np.real(np.fft.irfftn(spectrum[:, 0] + 1j * spectrum[:, 1], (side, side), axes=(-2, -1)))[0]
    field = (field - field.min()) / (field.max() - field.min())
    order = field.reshape(-1).argsort()[::-1]
    pixels = side * side
    count = int(np.ceil(share * pixels) if rng.random() > 0.5 else np.floor(share * pixels))
    mask = np.zeros(pixels, dtype=np.float32)
    mask[order[:count]] = 1
    return mask.reshape(1, side, side)


def batch_of(rng: np.random.Generator, side: int) -> None:
    """As many masks as there are samples."""
    for share in rng.beta(1.0, 1.0, BATCH):
        published(rng, side, float(share))


def least(jobs: dict[str, Job], rounds: int = ROUNDS, times: int = 1) -> dict[str, float]:
    """The least CPU seconds of each job, which take turns; a turn is so many times, whose mean counts."""
    spent = dict.fromkeys(jobs, float("inf"))
    for turn in range(rounds + 1):
        for name, job in jobs.items():
            start = time.thread_time()
            for _ in range(times):
                job()
            if turn:  # the first turn prepares tables and memory
                spent[name] = min(spent[name], (time.thread_time() - start) / times)
    return spent


def masks() -> None:
    """Print what a mask costs."""
    print("| pixels a side | published, µs | exact area, µs | times as fast | alpha = 1, µs | times as fast |")
    print("| --- | --- | --- | --- | --- | --- |")
    for side in (32, 64, 224):
        rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
        x, order = torch.zeros(BATCH, 1, side, side), torch.arange(BATCH)
        # Next to 1 the weights are all but uniform, and their areas are exact.
        exact, free = FMix(alpha=1 + 1e-9), FMix(alpha=1.0)
        jobs: dict[str, Job] = {
            "published": partial(batch_of, rng, side),
            "exact": partial(exact.blend, x, order, BATCH, generator),
            "free": partial(free.blend, x, order, BATCH, generator),
        }
        cost = {name: seconds / BATCH * 1e6 for name, seconds in least(jobs).items()}
        ratios = {name: cost["published"] / cost[name] for name in ("exact", "free")}
        print(
            f"| {side} | {cost['published']:.0f} | {cost['exact']:.1f} | {ratios['exact']:.1f} | {cost['free']:.1f} | "
            f"{ratios['free']:.1f} |",
            flush=True,
        )


def peers(x: torch.Tensor, y: torch.Tensor) -> dict[str, Job]:
    """Whatever other packages are here, each with a batch of its own, since some write into it."""
    jobs: dict[str, Job] = {}
    classes = 10

    def add(package: str, make: Callable[[Any], dict[str, Job]]) -> None:
        try:
            module = import_module(package)
        except (ImportError, RuntimeError) as error:
            print(f"{package} is not here ({type(error).__name__})")
            return
        jobs.update(make(module))

    def timm(module: Any) -> dict[str, Job]:
        found: dict[str, Job] = {}
        for mode in ("batch", "elem"):
            for name, options in {
                "mixup": {"mixup_alpha": 1.0},
                "cutmix": {"mixup_alpha": 0.0, "cutmix_alpha": 1.0},
            }.items():
                mixer = module.Mixup(**options, mode=mode, num_classes=classes, label_smoothing=0.0)
                found[f"timm {name}, {mode}"] = lambda mixer=mixer: mixer(x.clone(), y)
        return found

    def vision(module: Any) -> dict[str, Job]:
        made = {"mixup": module.MixUp(num_classes=classes), "cutmix": module.CutMix(num_classes=classes)}
        return {f"torchvision {name}, batch": partial(mixer, x, y) for name, mixer in made.items()}

    def kornia(module: Any) -> dict[str, Job]:
        made = {"mixup": module.RandomMixUpV2(p=1.0), "cutmix": module.RandomCutMixV2(p=1.0)}
        return {f"kornia {name}, elem": partial(mixer, x, y) for name, mixer in made.items()}

    add("timm.data", timm)
    add("torchvision.transforms.v2", vision)
    add("kornia.augmentation", kornia)
    return jobs


def batches(others: bool) -> None:
    """Print what a batch costs."""
    print("| shape | what | ms a batch |")
    print("| --- | --- | --- |")
    for shape in ((3, 32, 32), (3, 224, 224)):
        count = BATCH if shape[1] < 100 else 32
        torch.manual_seed(0)
        x, y = torch.rand(count, *shape), torch.arange(count) % 10
        jobs: dict[str, Job] = {}
        for name, made in {"MixUp": MixUp, "CutMix": CutMix, "FMix": FMix}.items():
            for kind, shared in (("elem", False), ("batch", True)):
                mixer = made(shared=shared, classes=10)
                jobs[f"unbraid {name}, {kind}"] = partial(mixer, x, y)
        rng = np.random.default_rng(0)

        def loop(x: torch.Tensor = x, rng: np.random.Generator = rng, side: int = shape[1]) -> None:
            mask = np.stack([published(rng, side, float(share)) for share in rng.beta(1.0, 1.0, len(x))])
            kept = torch.from_numpy(mask)
            _ = kept * x + (1 - kept) * x[torch.randperm(len(x))]

        jobs["the published FMix, elem"] = loop
        if others:
            jobs |= peers(x, y)
        # What a batch with one box costs depends on the box: the least of single batches would be that of the smallest.
        for name, seconds in least(jobs, *((ROUNDS, 10) if shape[1] < 100 else (5, 3))).items():
            print(f"| {count} x {'x'.join(map(str, shape))} | {name} | {1000 * seconds:.2f} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peers", action="store_true", help="time the batches of other packages too")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if not arguments.peers:
        masks()
        print()
    batches(arguments.peers)


if __name__ == "__main__":
    main()
