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
from unbraid.fit.metric import Mean, Metric, as_metric, metric, register
from unbraid.fit.metrics.accuracy import Accuracy, BinaryAccuracy, CategoricalAccuracy, TopKAccuracy
from unbraid.fit.metrics.auc import RocAuc
from unbraid.fit.metrics.confusion import Averaged, ByClass, Confusion
from unbraid.fit.metrics.contract import Sums
from unbraid.fit.metrics.error import AbsoluteError, SquaredError
from unbraid.fit.metrics.mean import Aggregated
from unbraid.fit.metrics.moments import Recent, Std, Var, mean, running_mean, std, to_dict, var
from unbraid.fit.metrics.torchmetric import TorchMetric
from unbraid.fit.metrics.watch import GradNorm, Now, Time
from unbraid.fit.metrics.whole import Whole, epoch_metric
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import Key, State
from unbraid.fit.trial import Trial

__all__ = [
    "CSV",
    "HOOKS",
    "AbsoluteError",
    "Accuracy",
    "Aggregated",
    "Averaged",
    "BinaryAccuracy",
    "ByClass",
    "Callback",
    "CategoricalAccuracy",
    "Checkpoint",
    "ClassAppearance",
    "Confusion",
    "Cutout",
    "Embeddings",
    "Film",
    "GradNorm",
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
    "Now",
    "Parquet",
    "Progress",
    "RandomErase",
    "Recent",
    "RocAuc",
    "Runtime",
    "Source",
    "SquaredError",
    "State",
    "Std",
    "Sums",
    "TensorBoard",
    "Tensors",
    "Time",
    "TopKAccuracy",
    "TorchMetric",
    "Trial",
    "Var",
    "WandB",
    "Whole",
    "as_metric",
    "cut_mix",
    "epoch_metric",
    "hook",
    "make_grid",
    "mean",
    "metric",
    "mix_up",
    "mixed_loss",
    "read_csv",
    "register",
    "resume",
    "running_mean",
    "source",
    "std",
    "to_dict",
    "to_tensorboard",
    "var",
]
