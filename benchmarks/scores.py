"""What the classical scores cost and say beside the reference arithmetic, on representations of known quality.

The reference is written out plainly here, as disentanglement_lib computes it: scikit-learn's ``mutual_info_score`` pair
by pair, ``GradientBoostingClassifier`` factor by factor, ``LinearSVC`` pair by pair, batches one by one. Both are timed
by turns in one process on the same arrays, in CPU seconds on one thread.

    python benchmarks/scores.py                                  # all on one representation, about a minute
    python benchmarks/scores.py --scores dci --cases all         # agreement on the dozen, about six minutes
    python benchmarks/scores.py --train 100 --test 50 --sizes 2 3 4
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import resource
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
from scipy.linalg import sqrtm
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score, roc_auc_score
from sklearn.svm import LinearSVC

from unbraid.score import Pool
from unbraid.scores.betavae_score import betavae_score
from unbraid.scores.dci import dci
from unbraid.scores.explicitness import explicitness
from unbraid.scores.factorvae_score import factorvae_score
from unbraid.scores.irs import irs
from unbraid.scores.mig import mig
from unbraid.scores.modularity import modularity
from unbraid.scores.mutualinformation import mutualinformation
from unbraid.scores.sap import sap
from unbraid.scores.totalcorrelation import totalcorrelation
from unbraid.types import Factor, FactorSpace, Floats, Integers

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


def binned(column: Floats | Integers) -> Integers:
    """Twenty bins of equal width."""
    return np.digitize(column, np.histogram(column, 20)[1][:-1])


def reference_mig(train: Part, test: Part) -> list[float]:
    """The mutual information gap, pair by pair."""
    codes, factors = train
    gaps = []
    for f in range(factors.shape[1]):
        known = [mutual_info_score(factors[:, f], binned(column)) for column in codes.T]
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


def reference_modularity(train: Part, test: Part) -> list[float]:
    """Modularity from the squares of pairwise information."""
    known = np.array(
        [[mutual_info_score(values, binned(column)) ** 2 for values in train[1].T] for column in train[0].T]
    )
    most = known.max(axis=1)
    each = 1 - (known.sum(axis=1) - most) / np.where(most > 0, most * (known.shape[1] - 1), 1)
    return [float(np.mean(np.where(most > 0, each, 0)))]


def reference_explicitness(train: Part, test: Part) -> list[float]:
    """Mean areas under the curves of a softmax regression; a constant latent, which ends the original, is left out."""
    alive = train[0].std(axis=0) > 0
    if not alive.any():
        return [float("nan")]
    mean, spread = train[0][:, alive].mean(axis=0), train[0][:, alive].std(axis=0)
    scaled, asked = ((codes[:, alive] - mean) / spread for codes in (train[0], test[0]))
    areas = []
    for f in range(train[1].shape[1]):
        fitted = LogisticRegression().fit(scaled, train[1][:, f])
        # The original computes the areas of the samples learned from as well.
        for x, values in ((scaled, train[1][:, f]), (asked, test[1][:, f])):
            chance = fitted.predict_proba(x)
            areas.append(np.mean([roc_auc_score(values == v, chance[:, k]) for k, v in enumerate(fitted.classes_)]))
    return [float(np.mean(areas[1::2]))]


def reference_irs(train: Part, test: Part) -> list[float]:
    """The interventional robustness score, value by value."""
    codes = train[0][:, train[0].var(axis=0) > 0]
    if codes.size == 0:
        return [0.0]
    greatest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    columns = []
    for f in range(train[1].shape[1]):
        values = binned(train[1][:, f])
        strayed = []
        for value in np.unique(values):
            group = codes[values == value]
            strayed.append(np.quantile(np.abs(group - group.mean(axis=0)), 0.99, axis=0))
        columns.append(1 - np.mean(strayed, axis=0) / greatest)
    return [float(np.average(np.max(columns, axis=0), weights=greatest))]


def reference_unsupervised(train: Part, test: Part) -> list[float]:
    """Gaussian total correlation, Wasserstein correlation, mutual information of latents."""
    covariance = np.cov(train[0].T)
    variance = np.diag(covariance)
    with np.errstate(all="ignore"):
        correlation = 0.5 * (np.log(variance).sum() - np.linalg.slogdet(covariance)[1])
        distance = 2 * np.trace(covariance) - 2 * np.trace(sqrtm(covariance * variance[:, None])).real
    cut = [binned(column) for column in train[0].T]
    shared = [[mutual_info_score(a, b) for b in cut] for a in cut]
    np.fill_diagonal(matrix := np.array(shared), 0)
    return [float(correlation), float(distance), float(matrix.sum() / (len(cut) ** 2 - len(cut)))]


class Batches:
    """Codes at hand, by the value of a factor, as a data set with a table of codes would give them."""

    def __init__(self, part: Part) -> None:
        self.codes, self.factors = part
        self.generator = np.random.default_rng(0)
        self.rows = [[np.flatnonzero(column == value) for value in np.unique(column)] for column in part[1].T]
        self.tables = [np.concatenate(rows) for rows in self.rows]
        self.places = [np.argsort(table) for table in self.tables]
        lengths = [np.array([len(rows) for rows in of]) for of in self.rows]
        which = [np.repeat(np.arange(len(of)), of)[places] for of, places in zip(lengths, self.places, strict=True)]
        self.sizes = [of[own] for of, own in zip(lengths, which, strict=True)]
        self.starts = [(np.cumsum(of) - of)[own] for of, own in zip(lengths, which, strict=True)]

    def alike(self, k: int, count: int) -> Floats:
        """Codes that share one value of factor k."""
        rows = self.rows[k][self.generator.integers(len(self.rows[k]))]
        return self.codes[rows[self.generator.integers(len(rows), size=count)]]

    def partners(self, k: int, count: int) -> tuple[Floats, Floats]:
        """Pairs of codes, each pair with a value of factor k of its own."""
        first = self.generator.integers(len(self.codes), size=count)
        # As far round as drawn among the samples of the same value, in one table of them all.
        place, start, size = self.places[k][first], self.starts[k][first], self.sizes[k][first]
        second = self.tables[k][start + (place - start + self.generator.integers(len(self.codes), size=count)) % size]
        return self.codes[first], self.codes[second]


def reference_betavae(train: Part, test: Part) -> list[float]:
    """The beta-VAE score, batch by batch."""
    batches = Batches(train)
    features, shared = [], []
    for _ in range(15_000):
        k = int(batches.generator.integers(train[1].shape[1]))
        first, second = batches.partners(k, 64)
        features.append(np.abs(first - second).mean(axis=0))
        shared.append(k)
    fitted = LogisticRegression().fit(features[:10_000], shared[:10_000])
    return [float(fitted.score(features[10_000:], shared[10_000:]))]


def reference_factorvae(train: Part, test: Part) -> list[float]:
    """The FactorVAE score, vote by vote."""
    batches = Batches(train)
    variance = train[0].var(axis=0, ddof=1)
    active = np.sqrt(variance) >= 0.05
    if not active.any():
        return [0.0]
    votes = np.zeros((2, train[1].shape[1], int(active.sum())))
    for turn in range(15_000):
        k = int(batches.generator.integers(train[1].shape[1]))
        local = batches.alike(k, 64)[:, active].var(axis=0, ddof=1)
        votes[int(turn >= 10_000), k, np.argmin(local / variance[active])] += 1
    named = votes[0].argmax(axis=0)
    return [float(votes[1][named, np.arange(votes.shape[2])].sum() / 5000)]


def pool(train: Part) -> Pool:
    """A sampler over the codes at hand."""
    space = FactorSpace([Factor(str(f), int(column.max()) + 1) for f, column in enumerate(train[1].T)])
    return Pool(space, lambda factors: np.zeros((len(factors), train[0].shape[1])), train[0], train[1])


def own_unsupervised(train: Part, test: Part) -> list[float]:
    """Total correlation, Wasserstein correlation and mutual information by ours."""
    found = totalcorrelation(train[0])
    shared = mutualinformation(train[0], count_dead=True)
    return [found.value, found.parts["wasserstein"], shared.value]


def own_dci(train: Part, test: Part) -> list[float]:
    """Disentanglement, completeness and test accuracy by ours."""
    parts = dci(*train, test=test).parts
    return [parts["disentanglement"], parts["completeness"], parts["informativeness"]]


Compute = Callable[[Part, Part], list[float]]
PAIRS: dict[str, tuple[Compute, Compute]] = {
    "betavae": (lambda train, test: [float(betavae_score(pool(train)))], reference_betavae),
    "factorvae": (lambda train, test: [float(factorvae_score(pool(train)))], reference_factorvae),
    "mig": (lambda train, test: [float(mig(*train))], reference_mig),
    "dci": (own_dci, reference_dci),
    "modularity": (lambda train, test: [float(modularity(*train, count_dead=True))], reference_modularity),
    "explicitness": (lambda train, test: [float(explicitness(*train, test=test))], reference_explicitness),
    "sap": (lambda train, test: [float(sap(*train, test=test))], reference_sap),
    "irs": (lambda train, test: [float(irs(*train))], reference_irs),
    "unsupervised": (own_unsupervised, reference_unsupervised),
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
    total = np.zeros(2)
    for name in options.scores:
        for case in chosen:
            train = cases[case][: options.train], factors[: options.train]
            test = cases[case][options.train :], factors[options.train :]
            turns = [[timed(compute, train, test) for compute in PAIRS[name]] for _ in range(options.rounds)]
            seconds = [statistics.median(turn[side][0] for turn in turns) for side in (0, 1)]
            ours, reference = (" ".join(f"{value:.3f}" for value in turns[-1][side][1]) for side in (0, 1))
            total += seconds
            show(name, case, ours, reference, seconds)
    if len(options.scores) > 1:
        show("all", "", "", "", total.tolist())
    print(f"\nGreatest memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB")


def show(name: str, case: str, ours: str, reference: str, seconds: list[float]) -> None:
    """One row of the table."""
    ratio = f"{seconds[1] / seconds[0]:.1f}"
    cells = (name, case, ours, reference, f"{seconds[0]:.4f}", f"{seconds[1]:.3f}", ratio)
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
