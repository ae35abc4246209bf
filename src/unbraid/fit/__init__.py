"""A fitting library in its own right: :class:`Trial`, callbacks, metrics, and data that can be taken up anywhere."""

from unbraid.fit.callback import HOOKS, Callback, hook
from unbraid.fit.callbacks.appearance import ClassAppearance
from unbraid.fit.callbacks.augment import Cutout, LabelSmoothing, RandomErase
from unbraid.fit.callbacks.checkpoint import Checkpoint, resume
from unbraid.fit.callbacks.grid import make_grid
from unbraid.fit.callbacks.history import History
from unbraid.fit.callbacks.images import Film, Images
from unbraid.fit.callbacks.liveplot import LivePlot
from unbraid.fit.callbacks.log import Log
from unbraid.fit.callbacks.manifold import ManifoldMixUp
from unbraid.fit.callbacks.mixing import Mixed, Mixing, cut_mix, mix_up, mixed_loss
from unbraid.fit.callbacks.progress import Progress
from unbraid.fit.callbacks.tables import CSV, Parquet, read_csv
from unbraid.fit.callbacks.tensorboard import Embeddings, TensorBoard, to_tensorboard
from unbraid.fit.callbacks.trackers import MLflow, WandB
from unbraid.fit.data import Indexed, Source, Tensors, source
from unbraid.fit.metric import Mean, Metric, metric
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import Key, State
from unbraid.fit.trial import Trial

__all__ = [
    "CSV",
    "HOOKS",
    "Callback",
    "Checkpoint",
    "ClassAppearance",
    "Cutout",
    "Embeddings",
    "Film",
    "History",
    "Images",
    "Indexed",
    "Key",
    "LabelSmoothing",
    "LivePlot",
    "Log",
    "MLflow",
    "ManifoldMixUp",
    "Mean",
    "Metric",
    "Mixed",
    "Mixing",
    "Parquet",
    "Progress",
    "RandomErase",
    "Runtime",
    "Source",
    "State",
    "TensorBoard",
    "Tensors",
    "Trial",
    "WandB",
    "cut_mix",
    "hook",
    "make_grid",
    "metric",
    "mix_up",
    "mixed_loss",
    "read_csv",
    "resume",
    "source",
    "to_tensorboard",
]
