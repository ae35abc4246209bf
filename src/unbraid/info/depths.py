"""One decision tree, judged at every depth: the loss of a probe as a function of its capacity."""

from __future__ import annotations

import numpy as np

from unbraid.types import Floats, Integers

__all__ = ["errors_by_depth"]


def errors_by_depth(
    codes: Floats, values: Integers, test_codes: Floats, test_values: Integers, *, depth: int, seed: int = 0
) -> Floats:
    """The share of test samples that a decision tree of each depth names wrongly, depth 0 first.

    A tree is grown greedily, by information gained, so that the tree of depth d is the upper part of any deeper one:
    one is grown, and the answer of each of its nodes read on the way down.

    Args:
        codes: ``(N, D)``.
        values: The classes of one factor, ``(N,)``.
        test_codes: ``(M, D)``.
        test_values: ``(M,)``.
        depth: The greatest depth, at least 1.
        seed: Decides between equally good splits.

    Returns:
        Errors of the trees of depth 0 (the commonest class for all) to ``depth``, ``(depth + 1,)``.
    """
    from sklearn.tree import DecisionTreeClassifier

    # Trees see only order, but scikit-learn's see it in single precision.
    least, span = codes.min(axis=0), np.maximum(np.ptp(codes, axis=0), 1e-300)
    scaled, test_scaled = (((x - least) / span).clip(-1.0, 2.0) for x in (codes, test_codes))
    # To the Gini index, every cut between classes of equal numbers is as good: it may take K - 1 levels to part K.
    grown = DecisionTreeClassifier(criterion="entropy", max_depth=depth, random_state=seed % 2**32)
    fitted = grown.fit(scaled, values)
    tree, inputs = fitted.tree_, test_scaled.astype(np.float32)
    answers = fitted.classes_[tree.value[:, 0].argmax(axis=1)]
    node, rows, errors = np.zeros(len(inputs), dtype=np.int64), np.arange(len(inputs)), []
    for _ in range(depth + 1):
        errors.append(float(np.mean(answers[node] != test_values)))
        left = inputs[rows, np.maximum(tree.feature[node], 0)] <= tree.threshold[node]
        below = np.where(left, tree.children_left[node], tree.children_right[node])
        node = np.where(below >= 0, below, node)
    return np.array(errors)
