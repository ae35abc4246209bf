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
    from unbraid.info.estimators.channel import channel_information as channel_information
    from unbraid.info.estimators.critic import critic_information as critic_information
    from unbraid.info.estimators.densities import barber_agakov as barber_agakov
    from unbraid.info.estimators.densities import difference_of_entropies as difference_of_entropies
    from unbraid.info.estimators.estimate import Estimate as Estimate
    from unbraid.info.estimators.gaussian import covariance_information as covariance_information
    from unbraid.info.estimators.gaussian import gaussian_information as gaussian_information
    from unbraid.info.estimators.ksg import ksg_information as ksg_information
    from unbraid.info.estimators.ksg import mixed_information as mixed_information
    from unbraid.info.estimators.plugin import plugin_information as plugin_information
    from unbraid.info.estimators.plugin import table_information as table_information
    from unbraid.info.estimators.usable import usable_information as usable_information
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
    "Estimate": "estimators.estimate",
    "barber_agakov": "estimators.densities",
    "boost": "boosting",
    "channel_information": "estimators.channel",
    "completeness": "importance",
    "covariance_information": "estimators.gaussian",
    "critic_information": "estimators.critic",
    "decompose": "decomposition",
    "difference_of_entropies": "estimators.densities",
    "discretise": "discrete",
    "disentanglement": "importance",
    "entropy": "discrete",
    "gaps": "importance",
    "gaussian_information": "estimators.gaussian",
    "independent_groups": "importance",
    "ksg_information": "estimators.ksg",
    "linear_cross_entropy": "softmax",
    "mean_discrepancy": "discrepancy",
    "minibatch_stratified": "aggregate",
    "minibatch_weighted": "aggregate",
    "mixed_information": "estimators.ksg",
    "mutual_information": "discrete",
    "neighbour_information": "neighbours",
    "plugin_information": "estimators.plugin",
    "purity": "importance",
    "single_latent_accuracy": "svm",
    "table_information": "estimators.plugin",
    "usable_information": "estimators.usable",
}

__all__ = [
    "Decomposition",
    "Estimate",
    "barber_agakov",
    "boost",
    "channel_information",
    "completeness",
    "covariance_information",
    "critic_information",
    "decompose",
    "difference_of_entropies",
    "discretise",
    "disentanglement",
    "entropy",
    "gaps",
    "gaussian_information",
    "independent_groups",
    "ksg_information",
    "linear_cross_entropy",
    "mean_discrepancy",
    "minibatch_stratified",
    "minibatch_weighted",
    "mixed_information",
    "mutual_information",
    "neighbour_information",
    "plugin_information",
    "purity",
    "single_latent_accuracy",
    "table_information",
    "usable_information",
]


def __getattr__(name: str) -> Any:
    # Estimators on arrays must not cost the import of torch, which those on tensors need.
    if name in _HOMES:
        return getattr(import_module(f"unbraid.info.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'unbraid.info' has no attribute {name!r}")
