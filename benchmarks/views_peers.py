"""What a batch costs beside the loader of disent, over worlds of the same kind: something simple at a place, in colour.

disent draws its ``XYObjectData`` (a square of one of several sizes and colours at 64 x 64 pixels) one image at a time
and hands it to a ``DataLoader``. Beside it stand ``FlatLand`` and ``Sprites`` in colour, as the view ``Images`` shows
them. All give float images of the same shape; they take turns, and the median of the ratios of neighbours is shown.

disent is installed with pip into ``runs/peers/disent``, without what it depends on. Of torchvision, which need not
exist for the torch that is installed, it imports a reader of folders that is not used here: an empty module stands
for it.

Run ``python benchmarks/views_peers.py``; it takes half a minute.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _timing import cpu_seconds
from torch.utils.data import DataLoader

from unbraid.views import Images
from unbraid.world import World
from unbraid.worlds import FlatLand, Sprites

VERSION, SIZES, SAMPLES, ROUNDS = "0.8.0", (64, 256), 1024, 7
FOLDER = Path(__file__).resolve().parent.parent / "runs" / "peers" / "disent"


def loader(batch_size: int) -> Any:
    """The peer's own way to batches of float images ``(B, 3, 64, 64)``."""
    if not FOLDER.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(FOLDER)]
        subprocess.run([*pip, f"disent=={VERSION}"], check=True)
    sys.path.append(str(FOLDER))
    vision, folders = types.ModuleType("torchvision"), types.ModuleType("torchvision.datasets")
    folders.ImageFolder = object  # type: ignore[attr-defined]
    vision.datasets = folders  # type: ignore[attr-defined]
    sys.modules.update({"torchvision": vision, "torchvision.datasets": folders})
    from disent.dataset import DisentDataset
    from disent.dataset.data import XYObjectData
    from disent.dataset.sampling import SingleSampler

    def to_float(image: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(image).permute(2, 0, 1).float() / 255

    return DataLoader(DisentDataset(XYObjectData(), SingleSampler(), transform=to_float), batch_size, shuffle=True)


def main() -> None:
    """Print one row for each world and size of batch."""
    torch.set_num_threads(1)
    worlds: list[World] = [FlatLand(hue=0.1), Sprites(colour="random")]
    print("| world | batch | stream, a batch | disent, a batch | ratio |\n| --- | --- | --- | --- | --- |")
    for size in SIZES:
        theirs, batches = loader(size), SAMPLES // size

        def loaded(theirs: Any = theirs, batches: int = batches) -> None:
            for _, batch in zip(range(batches), theirs, strict=False):
                assert batch["x_targ"][0].shape[1:] == (3, 64, 64)

        for world in worlds:
            view = Images(world, batch_size=size)

            def streamed(view: Images = view, batches: int = batches) -> None:
                for step in range(batches):
                    view.batch(step)

            streamed()
            loaded()
            rows = [(cpu_seconds(streamed), cpu_seconds(loaded)) for _ in range(ROUNDS)]
            ours, other = (statistics.median(column) / batches * 1e3 for column in zip(*rows, strict=True))
            ratio = statistics.median(b / a for a, b in rows)
            print(f"| {type(world).__name__} | {size} | {ours:.2f} ms | {other:.2f} ms | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
