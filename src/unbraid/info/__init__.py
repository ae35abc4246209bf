"""Information: estimators on plain arrays and tensors, usable with any model anywhere."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unbraid.info.aggregate import minibatch_stratified as minibatch_stratified
    from unbraid.info.aggregate import minibatch_weighted as minibatch_weighted
    from unbraid.info.boosting import boost as boost
    from unbraid.info.decomposition import Decomposition as Decomposition
    from unbraid.info.decomposition import decompose as decompose
    from unbraid.info.discrepancy import mean_discrepancy as mean_discrepancy
    from unbraid.info.discrete import discretise as discretise
    from unbraid.info.discrete import entropy as entropy
    from unbraid.info.discrete import mutual_information as mutual_information
    from unbraid.info.importance import completeness as completeness
    from unbraid.info.importance import disentanglement as disentanglement
    from unbraid.info.importance import gaps as gaps
    from unbraid.info.importance import independent_groups as independent_groups
    from unbraid.info.importance import purity as purity
    from unbraid.info.neighbours import neighbour_information as neighbour_information
    from unbraid.info.softmax import linear_cross_entropy as linear_cross_entropy
    from unbraid.info.svm import single_latent_accuracy as single_latent_accuracy

_HOMES = {
    "Decomposition": "decomposition",
    "boost": "boosting",
    "completeness": "importance",
    "decompose": "decomposition",
    "discretise": "discrete",
    "disentanglement": "importance",
    "entropy": "discrete",
    "gaps": "importance",
    "independent_groups": "importance",
    "linear_cross_entropy": "softmax",
    "mean_discrepancy": "discrepancy",
    "minibatch_stratified": "aggregate",
    "minibatch_weighted": "aggregate",
    "mutual_information": "discrete",
    "neighbour_information": "neighbours",
    "purity": "importance",
    "single_latent_accuracy": "svm",
}

__all__ = [
    "Decomposition",
    "boost",
    "completeness",
    "decompose",
    "discretise",
    "disentanglement",
    "entropy",
    "gaps",
    "independent_groups",
    "linear_cross_entropy",
    "mean_discrepancy",
    "minibatch_stratified",
    "minibatch_weighted",
    "mutual_information",
    "neighbour_information",
    "purity",
    "single_latent_accuracy",
]


def __getattr__(name: str) -> Any:
    # Estimators on arrays must not cost the import of torch, which those on tensors need.
    if name in _HOMES:
        return getattr(import_module(f"unbraid.info.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'unbraid.info' has no attribute {name!r}")
