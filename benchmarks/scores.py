"""What MIG, DCI and SAP cost and say beside the reference arithmetic, on representations of known quality.

The reference is written out plainly here, as disentanglement_lib computes it: scikit-learn's ``mutual_info_score`` pair
by pair, ``GradientBoostingClassifier`` factor by factor, ``LinearSVC`` pair by pair. Both are timed by turns in one
process, in CPU seconds on one thread.

    python benchmarks/scores.py                                  # all three on one representation, about half a minute
    python benchmarks/scores.py --scores dci --cases all         # agreement on the dozen, about six minutes
    python benchmarks/scores.py --train 100 --test 50 --sizes 2 3 4
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from unbraid.scores.dci import dci
from unbraid.scores.mig import mig
from unbraid.scores.sap import sap
from unbraid.types import Floats, Integers

Part = tuple[Floats, Integers]


def representations(count: int, sizes: list[int], latents: int) -> tuple[Integers, dict[str, Floats]]:
    """Factors, and a dozen codes of them that are good and bad in known ways."""
    generator = np.random.default_rng(0)
    factors = generator.integers(0, sizes, size=(count, len(sizes)))
    x = (factors - factors.mean(axis=0)) / np.maximum(factors.std(axis=0), 1e-9)
    spare = max(latents - len(sizes), 0)

    def noise(columns: int) -> Floats:
        return generator.normal(size=(count, columns))

    def padded(columns: Floats) -> Floats:
        filled = np.column_stack([columns, np.zeros((count, max(latents - columns.shape[1], 0)))])
        return filled + 0.01 * generator.normal(size=filled.shape)

    angle = 2 * np.pi * factors[:, -1:] / sizes[-1]
    turn = np.eye(len(sizes))
    for first in range(len(sizes) % 2, len(sizes), 2):
        turn[first : first + 2, first : first + 2] = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    merged = factors[:, :1] * sizes[1] + factors[:, 1:2]
    return factors, {
        "perfect": padded(x)[:, generator.permutation(len(sizes) + spare)],
        "exact": x,
        "warped": padded(np.sinh(1.5 * x)),
        "periodic": padded(np.column_stack([x[:, :-1], np.cos(angle), np.sin(angle)])),
        "copied": padded(np.column_stack([x, x[:, -1]])),
        "merged": padded(np.column_stack([merged / merged.std(), x[:, 2:]])),
        "noisy": np.column_stack([x + 0.5 * noise(len(sizes)), noise(spare)]),
        "rotated": padded(x @ turn),
        "mixed": x @ generator.normal(size=(len(sizes), latents)) + 0.1 * noise(latents),
        "random": noise(latents),
        "partly dead": np.column_stack([x[:, 2:], np.zeros((count, latents - len(sizes) + 2))]),
        "dead": np.zeros((count, latents)),
    }


def reference_mig(train: Part, test: Part) -> list[float]:
    """The mutual information gap, pair by pair."""
    codes, factors = train
    gaps = []
    for f in range(factors.shape[1]):
        known = [
            mutual_info_score(factors[:, f], np.digitize(column, np.histogram(column, 20)[1][:-1]))
            for column in codes.T
        ]
        best, second = sorted(known)[:-3:-1]
        gaps.append((best - second) / mutual_info_score(factors[:, f], factors[:, f]))
    return [float(np.mean(gaps))]


def reference_dci(train: Part, test: Part) -> list[float]:
    """Disentanglement, completeness and test accuracy by scikit-learn's trees."""
    importance = np.zeros((train[0].shape[1], train[1].shape[1]))
    right = []
    for f in range(train[1].shape[1]):
        trees = GradientBoostingClassifier(random_state=0).fit(train[0], train[1][:, f])
        importance[:, f] = trees.feature_importances_
        right.append(trees.score(test[0], test[1][:, f]))

    def purity(rows: Floats) -> float:
        weights = rows.sum(axis=1) / rows.sum() if rows.sum() else np.full(len(rows), 1 / len(rows))
        return float((1 - entropy(rows.T + 1e-11, base=rows.shape[1])) @ weights)

    return [purity(importance), purity(importance.T), float(np.mean(right))]


def reference_sap(train: Part, test: Part) -> list[float]:
    """Separated attribute predictability by liblinear, pair by pair."""
    accuracy = np.zeros((train[0].shape[1], train[1].shape[1]))
    for d, f in np.ndindex(*accuracy.shape):
        machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        machine.fit(train[0][:, [d]], train[1][:, f])
        accuracy[d, f] = machine.score(test[0][:, [d]], test[1][:, f])
    ranked = np.sort(accuracy, axis=0)
    return [float(np.mean(ranked[-1] - ranked[-2]))]


def own_dci(train: Part, test: Part) -> list[float]:
    """Disentanglement, completeness and test accuracy by ours."""
    parts = dci(*train, test=test).parts
    return [parts["disentanglement"], parts["completeness"], parts["informativeness"]]


Compute = Callable[[Part, Part], list[float]]
PAIRS: dict[str, tuple[Compute, Compute]] = {
    "mig": (lambda train, test: [float(mig(*train))], reference_mig),
    "sap": (lambda train, test: [float(sap(*train, test=test))], reference_sap),
    "dci": (own_dci, reference_dci),
}


def timed(compute: Compute, train: Part, test: Part) -> tuple[float, list[float]]:
    """The CPU seconds of one computation, and its result."""
    start = time.process_time()
    values = compute(train, test)
    return time.process_time() - start, values


def main() -> None:
    """Print one row for every score and representation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=1000, help="samples to learn from")
    parser.add_argument("--test", type=int, default=500, help="samples to judge by")
    parser.add_argument("--latents", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="+", default=[3, 6, 40, 32, 32], help="values of each factor")
    parser.add_argument("--scores", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    parser.add_argument("--cases", nargs="+", default=["noisy"], help="representations, or 'all'")
    parser.add_argument("--rounds", type=int, default=1, help="turns; the median time is shown")
    options = parser.parse_args()
    factors, cases = representations(options.train + options.test, options.sizes, options.latents)
    chosen = list(cases) if options.cases == ["all"] else options.cases
    warnings.simplefilter("ignore")  # liblinear says when it stops early
    print("| score | representation | ours | reference | ours, CPU s | reference, CPU s | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in options.scores:
        for case in chosen:
            train = cases[case][: options.train], factors[: options.train]
            test = cases[case][options.train :], factors[options.train :]
            turns = [[timed(compute, train, test) for compute in PAIRS[name]] for _ in range(options.rounds)]
            seconds = [statistics.median(turn[side][0] for turn in turns) for side in (0, 1)]
            ours, reference = (" ".join(f"{value:.3f}" for value in turns[-1][side][1]) for side in (0, 1))
            cells = (
                name,
                case,
                ours,
                reference,
                f"{seconds[0]:.4f}",
                f"{seconds[1]:.3f}",
                f"{seconds[1] / seconds[0]:.1f}",
            )
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
