"""A fitting library in its own right: :class:`Trial`, callbacks, metrics, and data that can be taken up anywhere."""

from unbraid.fit.callback import HOOKS, Callback, hook
from unbraid.fit.callbacks.checkpoint import Checkpoint, resume
from unbraid.fit.callbacks.history import History
from unbraid.fit.callbacks.progress import Progress
from unbraid.fit.data import Indexed, Source, Tensors, source
from unbraid.fit.metric import Mean, Metric, metric
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import Key, State
from unbraid.fit.trial import Trial

__all__ = [
    "HOOKS",
    "Callback",
    "Checkpoint",
    "History",
    "Indexed",
    "Key",
    "Mean",
    "Metric",
    "Progress",
    "Runtime",
    "Source",
    "State",
    "Tensors",
    "Trial",
    "hook",
    "metric",
    "resume",
    "source",
]
