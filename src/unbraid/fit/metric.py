"""What an engine needs of metrics; the metrics themselves are in ``fit.metrics``."""

from __future__ import annotations

from unbraid.fit.metrics.contract import Metric, Sums, reduce
from unbraid.fit.metrics.mean import Mean, Terms, metric
from unbraid.fit.metrics.names import MetricLike, as_metric, named, register
from unbraid.fit.metrics.together import called, joined

__all__ = [
    "Mean",
    "Metric",
    "MetricLike",
    "Sums",
    "Terms",
    "as_metric",
    "called",
    "joined",
    "metric",
    "named",
    "reduce",
    "register",
]
