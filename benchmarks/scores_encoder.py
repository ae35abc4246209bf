"""What the classical scores cost with a real encoder: images encoded once, or batch by batch as the reference has it.

The reference asks the encoder anew for every batch of every score: 15000 times two batches of 64 for the beta-VAE
score, 15000 batches of 64 for the FactorVAE score, and batches of 16 for the samples of each of the others. Here an
untrained convolutional VAE on sprites stands for its encoder, on both sides. So many images take an hour one way, so
a part of the batches is timed, by turns with ours, and the reference's time is that part times how many there are.
The arithmetic of both is that of ``scores.py``, on the codes of this encoder.

    python benchmarks/scores_encoder.py
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable

import numpy as np
import torch
from _timing import cpu_seconds
from scores import PAIRS, Part, timed

from unbraid.models import VAE
from unbraid.runs.encode import encode
from unbraid.types import Integers
from unbraid.worlds import Sprites

TRAIN, TEST = 10_000, 5_000
LARGE, SMALL = 64, 16
BATCHES: dict[str, tuple[int, int]] = {
    "betavae": (2 * (TRAIN + TEST), 0),
    "factorvae": (TRAIN + TEST, TRAIN // SMALL),
    "mig": (0, TRAIN // SMALL),
    "dci": (0, (TRAIN + TEST) // SMALL),
    "modularity": (0, 0),
    "explicitness": (0, (TRAIN + TEST) // SMALL),
    "sap": (0, (TRAIN + TEST) // SMALL),
    "irs": (0, TRAIN // SMALL),
    "unsupervised": (0, TRAIN // SMALL),
}
"""How many batches of 64 and of 16 images the reference encodes. Modularity and explicitness are one score there: its
samples are counted once."""


def main() -> None:
    """Print a row for every score, and one for all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    parser.add_argument("--images", type=int, default=1920, help="images encoded in each way and turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns; the median time is used")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")  # liblinear says when it stops early
    world = Sprites()
    model = VAE(world.shape).eval()
    chosen = np.random.default_rng(0).choice(len(world), TRAIN + TEST, replace=False)
    some: Integers = chosen[: options.images]

    def by(size: int) -> Callable[[], object]:
        return lambda: [encode(model, world, some[at : at + size]) for at in range(0, len(some), size)]

    ways = {"once": lambda: encode(model, world, some), "large": by(LARGE), "small": by(SMALL)}
    encode(model, world, some[:SMALL])
    turns = [{way: cpu_seconds(work) / len(some) for way, work in ways.items()} for _ in range(options.rounds)]
    image = {way: statistics.median(turn[way] for turn in turns) for way in ways}
    print(", ".join(f"{way}: {1e3 * each:.3f} ms an image" for way, each in image.items()), "\n")

    codes, factors = encode(model, world, chosen), world.factors(chosen)
    train: Part = codes[:TRAIN], factors[:TRAIN]
    test: Part = codes[TRAIN:], factors[TRAIN:]
    print("| score | images, reference | encoding, reference, CPU s | arithmetic, CPU s | arithmetic, reference |")
    print("| --- | --- | --- | --- | --- |")
    total = np.zeros(4)
    for name in options.scores:
        large, small = (count * size for count, size in zip(BATCHES[name], (LARGE, SMALL), strict=True))
        encoding = large * image["large"] + small * image["small"]
        ours, reference = (timed(compute, train, test)[0] for compute in PAIRS[name])
        total += (large + small, encoding, ours, reference)
        print(f"| {name} | {large + small} | {encoding:.1f} | {ours:.3f} | {reference:.3f} |", flush=True)
    once = image["once"] * len(chosen)
    ours, reference = once + total[2], total[1] + total[3]
    print(f"| all | {int(total[0])} | {total[1]:.1f} | {total[2]:.3f} | {total[3]:.3f} |\n")
    print(
        f"{len(chosen)} images encoded once: {once:.1f} CPU s; ours in all {ours:.1f}, the reference {reference:.0f}: "
    )
    print(f"{reference / ours:.1f} times as fast")


if __name__ == "__main__":
    main()
