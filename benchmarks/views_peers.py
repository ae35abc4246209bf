"""What a batch costs beside the loader of disent: over one file of dSprites, and over simple worlds in colour.

The file is written here in the published form, with the images of ``Sprites``, all 737,280; ours is the reader of it,
and disent, spared its own HDF5, gets an array of the same bytes, mapped from the disk (3 GB). In colour, disent draws
its ``XYObjectData`` (a square of one of several sizes and colours at 64 x 64 pixels) one image at a time; beside it
stand ``FlatLand`` and ``Sprites`` in colour. disent's images go to a ``DataLoader``, ours are shown by the view
``Images``. All are float images; those of one row take turns, and the median of the ratios of neighbours is shown.

disent is installed with pip into ``runs/peers/disent``, without what it depends on. Of torchvision, which need not
exist for the torch that is installed, it imports a reader of folders that is not used here: an empty module stands
for it.

Run ``python benchmarks/views_peers.py``; it takes three minutes, most of them for writing the files, which are kept.
"""

from __future__ import annotations

import statistics
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from _peers import PEERS, installed
from _timing import cpu_seconds
from torch.utils.data import DataLoader

from unbraid.views import Images
from unbraid.world import World
from unbraid.worlds import DSprites, FlatLand, Sprites

VERSION, SIZES, SAMPLES, ROUNDS = "0.8.0", (64, 256), 1024, 7
FILE, ARRAY = PEERS / "dsprites.npz", PEERS / "dsprites.npy"


def install() -> None:
    """Make disent importable."""
    sys.path.append(str(installed("disent", [f"disent=={VERSION}"])))
    vision, folders = types.ModuleType("torchvision"), types.ModuleType("torchvision.datasets")
    folders.ImageFolder = object  # type: ignore[attr-defined]
    vision.datasets = folders  # type: ignore[attr-defined]
    sys.modules.update({"torchvision": vision, "torchvision.datasets": folders})


def written() -> DSprites:
    """The file and the array, made when they are not there: ones and noughts in the published order."""
    if not FILE.exists():
        sprites = Sprites()
        array = np.lib.format.open_memmap(ARRAY, "w+", np.uint8, (len(sprites), 64, 64))
        for start in range(0, len(sprites), 4096):
            rows = np.arange(start, min(start + 4096, len(sprites)))
            array[rows] = sprites.images(rows)[:, 0] > 0
        np.savez_compressed(FILE.with_suffix(".half.npz"), imgs=array)
        FILE.with_suffix(".half.npz").rename(FILE)
    return DSprites(path=str(FILE))


def drawn(batch_size: int) -> Any:
    """The peer's own way to batches of float images ``(B, 3, 64, 64)``."""
    from disent.dataset.data import XYObjectData

    return loader(XYObjectData(), 255, batch_size)


def mapped(batch_size: int) -> Any:
    """The peer's own way to batches of float images ``(B, 1, 64, 64)`` from an array."""
    from disent.dataset.data import ArrayGroundTruthData

    space, array = Sprites().space, np.load(ARRAY, mmap_mode="r")[..., None]
    return loader(ArrayGroundTruthData(array, space.names, space.sizes), 1, batch_size)


def loader(data: Any, top: int, batch_size: int) -> Any:
    """A DataLoader over one of the peer's sets, whose numbers go from 0 to ``top``."""
    from disent.dataset import DisentDataset
    from disent.dataset.sampling import SingleSampler

    def to_float(image: np.ndarray) -> torch.Tensor:
        values = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        return values if top == 1 else values / top

    return DataLoader(DisentDataset(data, SingleSampler(), transform=to_float), batch_size, shuffle=True)


def main() -> None:
    """Print one row for each world and size of batch."""
    torch.set_num_threads(1)
    install()
    rows: list[tuple[World, Callable[[int], Any]]] = [
        (written(), mapped),
        (FlatLand(hue=0.1), drawn),
        (Sprites(colour="random"), drawn),
    ]
    print("| world | batch | stream, a batch | disent, a batch | ratio |\n| --- | --- | --- | --- | --- |")
    for size in SIZES:
        for world, peer in rows:
            print(compared(world, peer(size), size), flush=True)


def compared(world: World, theirs: Any, size: int) -> str:
    """One row."""
    view, batches = Images(world, batch_size=size), SAMPLES // size

    def streamed() -> None:
        for step in range(batches):
            view.batch(step)

    def loaded() -> None:
        for _, batch in zip(range(batches), theirs, strict=False):
            assert batch["x_targ"][0].shape[1:] == tuple(world.shape)

    streamed()
    loaded()
    rows = [(cpu_seconds(streamed), cpu_seconds(loaded)) for _ in range(ROUNDS)]
    ours, other = (statistics.median(column) / batches * 1e3 for column in zip(*rows, strict=True))
    ratio = statistics.median(b / a for a, b in rows)
    return f"| {type(world).__name__} | {size} | {ours:.2f} ms | {other:.2f} ms | {ratio:.1f} |"


if __name__ == "__main__":
    main()
