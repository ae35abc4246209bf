"""Mixed-sample augmentation: FMix's masks against the published algorithm, and whole batches against other packages.

The published algorithm is written anew below, in numpy, from its formulas: half a spectrum of normal numbers, an
inverse real transform, a sort of all pixels, one mask at a time. All take turns in a process on one thread, of some
batches each (as many as last about as long), and find memory as in a trial, which keeps it; what is shown is
CPU time: of masks the least of several turns, and the ratio of the two; of batches the median, and of the ratios of
neighbours the median and the middle half, over several processes, since where a process happens to have its memory
makes a difference of a tenth and more.

timm (its file ``mixup.py`` alone, which needs only torch) and kornia are installed with pip into ``runs/peers/mix``,
without what they depend on; torchvision, whose releases each need their own torch, is timed where it can be imported.

Run ``python benchmarks/mix.py``; it takes one minute to three. ``mix.md`` keeps what was found.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import numpy as np
import torch
from _peers import installed
from _timing import turns

from unbraid.fit.memory import memory_kept
from unbraid.mix import CutMix, FMix, MixUp

BATCH, ROUNDS, PROCESSES = 128, 9, 5
TURN = 0.03
"""How many seconds a turn takes, about: what takes less than a millisecond would else pay for what ran before it."""
PACKAGES = ("timm==1.0.31", "kornia==0.9.0", "kornia_rs==0.2.0", "packaging")

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


def timed(jobs: dict[str, Job], rounds: int) -> dict[str, list[float]]:
    """The CPU seconds of each job in so many turns."""
    return turns(jobs, rounds, seconds=TURN, least=2, clock=time.thread_time)


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
        cost = {name: min(seconds) / BATCH * 1e6 for name, seconds in timed(jobs, ROUNDS).items()}
        ratios = {name: cost["published"] / cost[name] for name in ("exact", "free")}
        print(
            f"| {side} | {cost['published']:.0f} | {cost['exact']:.1f} | {ratios['exact']:.1f} | {cost['free']:.1f} | "
            f"{ratios['free']:.1f} |",
            flush=True,
        )


def install() -> dict[str, Any]:
    """The modules of other packages, by the packages' names."""
    folder = installed("mix", PACKAGES)
    sys.path.append(str(folder))
    spec = spec_from_file_location("mixup", folder / "timm" / "data" / "mixup.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(timm := module_from_spec(spec))
    found = {"timm": timm, "kornia": import_module("kornia.augmentation")}
    try:
        found["torchvision"] = import_module("torchvision.transforms.v2")
    except (ImportError, RuntimeError) as error:
        print(f"torchvision is not here ({type(error).__name__})\n")
    return found


def peers(modules: dict[str, Any], x: torch.Tensor, y: torch.Tensor) -> dict[str, Job]:
    """What other packages do with a batch; timm works in place, and gets a copy."""
    classes, kornia = 10, modules["kornia"]
    jobs: dict[str, Job] = {}
    for mode in ("batch", "elem"):
        for name, alphas in {"mixup": (1.0, 0.0), "cutmix": (0.0, 1.0)}.items():
            mixer = modules["timm"].Mixup(*alphas, mode=mode, num_classes=classes, label_smoothing=0.0)
            jobs[f"timm {name}, {mode}"] = lambda mixer=mixer: mixer(x.clone(), y)
    jobs["kornia mixup, elem"] = partial(kornia.RandomMixUpV2(p=1.0), x, y)
    jobs["kornia cutmix, elem"] = partial(kornia.RandomCutMixV2(p=1.0), x, y)
    if vision := modules.get("torchvision"):
        jobs["torchvision mixup, batch"] = partial(vision.MixUp(num_classes=classes), x, y)
        jobs["torchvision cutmix, batch"] = partial(vision.CutMix(num_classes=classes), x, y)
    return jobs


def batch_size(side: int) -> int:
    """How many images of this size there are in a batch."""
    return BATCH if side < 100 else 32


def batch_times(modules: dict[str, Any], side: int) -> dict[str, list[float]]:
    """The CPU seconds of each job with batches of images of this size."""
    count = batch_size(side)
    torch.manual_seed(0)
    x, y = torch.rand(count, 3, side, side), torch.arange(count) % 10
    jobs: dict[str, Job] = {}
    for name, made in {"MixUp": MixUp, "CutMix": CutMix, "FMix": FMix}.items():
        for kind, shared in (("elem", False), ("batch", True)):
            mixer = made(shared=shared, classes=10)
            jobs[f"unbraid {name}, {kind}"] = partial(mixer, x, y)
    rng = np.random.default_rng(0)

    def loop(count: int) -> None:
        mask = np.stack([published(rng, side, float(share)) for share in rng.beta(1.0, 1.0, count)])
        kept = torch.from_numpy(mask)
        _ = kept * x + (1 - kept) * x[torch.randperm(len(x))]

    jobs |= {"the published FMix, elem": partial(loop, count), "the published FMix, batch": partial(loop, 1)}
    jobs |= peers(modules, x, y)
    return timed(jobs, 24 if side < 100 else 4)


def batches() -> None:
    """Print what a batch costs."""
    print("| shape | what | ms a batch | over the fastest other one for whole batches |")
    print("| --- | --- | --- | --- |")
    for side in (32, 224):
        found: list[dict[str, list[float]]] = []
        for _ in range(PROCESSES):
            command = [sys.executable, __file__, "--batches", str(side)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            found.append(json.loads(done.stdout.splitlines()[-1]))
        # One after the other, so that neighbours are turns of one process.
        spent = {name: [seconds for one in found for seconds in one[name]] for name in found[0]}
        for name, seconds in spent.items():
            # What a batch with one box costs depends on the box: the least of all would be that of the smallest.
            cost = f"{1000 * statistics.median(seconds):.2f}"
            shape = f"{batch_size(side)} x 3x{side}x{side}"
            print(f"| {shape} | {name} | {cost} | {beside(name, spent)} |", flush=True)


def beside(name: str, spent: dict[str, list[float]]) -> str:
    """Our time over that of the fastest of other packages that mixes alike for a whole batch: median, middle half."""
    ours, _, kind = name.partition(" ")
    rivals = {"MixUp": "mixup", "CutMix": "cutmix", "FMix": "published FMix"}
    if ours != "unbraid":
        return ""
    rival = rivals[kind.split(",")[0]]
    others = [one for one in spent if rival in one and one.endswith("batch") and not one.startswith("unbraid")]
    best = min(others, key=lambda one: statistics.median(spent[one]))
    low, middle, high = statistics.quantiles([a / b for a, b in zip(spent[name], spent[best], strict=True)], n=4)
    return f"{middle:.2f} ({low:.2f} .. {high:.2f})"


def main() -> None:
    """Print the tables, or as JSON the times of one process for batches of images of a size."""
    torch.set_num_threads(1)
    modules = install()
    with memory_kept():
        if "--batches" in sys.argv:
            print(json.dumps(batch_times(modules, int(sys.argv[sys.argv.index("--batches") + 1]))))
            return
        masks()
        print()
        batches()


if __name__ == "__main__":
    main()
