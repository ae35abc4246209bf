"""A fitting library in its own right: :class:`Trial`, callbacks, metrics, and data that can be taken up anywhere."""

from unbraid.fit.callback import HOOKS, Callback, hook
from unbraid.fit.callbacks.appearance import ClassAppearance
from unbraid.fit.callbacks.augment import Cutout, LabelSmoothing, RandomErase
from unbraid.fit.callbacks.average import EMA, SWA
from unbraid.fit.callbacks.checkpoint import Checkpoint, resume
from unbraid.fit.callbacks.freeze import Freeze
from unbraid.fit.callbacks.gradients import ClipGradients
from unbraid.fit.callbacks.grid import make_grid
from unbraid.fit.callbacks.history import History
from unbraid.fit.callbacks.images import Film, Images
from unbraid.fit.callbacks.init import LSUV, Init
from unbraid.fit.callbacks.liveplot import LivePlot
from unbraid.fit.callbacks.log import Log
from unbraid.fit.callbacks.mixing import Mixed, Mixing, mixed_loss
from unbraid.fit.callbacks.nan import NotFinite, StopOnNaN
from unbraid.fit.callbacks.note import Note
from unbraid.fit.callbacks.penalty import L1, L2, Penalty
from unbraid.fit.callbacks.progress import Progress
from unbraid.fit.callbacks.rates import Cosine, OneCycle, Warmup
from unbraid.fit.callbacks.save import Best, Interval
from unbraid.fit.callbacks.schedule import Schedule
from unbraid.fit.callbacks.stop import Budget, EarlyStopping
from unbraid.fit.callbacks.tables import CSV, Parquet, read_csv
from unbraid.fit.callbacks.tensorboard import Embeddings, TensorBoard, to_tensorboard
from unbraid.fit.callbacks.timing import Profile, Timer
from unbraid.fit.callbacks.trackers import MLflow, WandB
from unbraid.fit.data import Indexed, Source, Tensors, source
from unbraid.fit.decorators import (
    add_to_loss,
    bind,
    every,
    on_backward,
    on_checkpoint,
    on_criterion,
    on_criterion_validation,
    on_end,
    on_end_epoch,
    on_end_validation,
    on_exception,
    on_forward,
    on_forward_validation,
    on_record,
    on_sample,
    on_sample_validation,
    on_start,
    on_start_epoch,
    on_start_validation,
    on_step,
    on_step_validation,
    once,
    once_per_epoch,
    only_if,
)
from unbraid.fit.distributed import Distributed
from unbraid.fit.fabric import FabricRuntime
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
from unbraid.fit.minimise import Minimum, Parameters, minimise
from unbraid.fit.replay import replay
from unbraid.fit.runtime import Runtime
from unbraid.fit.state import Key, State
from unbraid.fit.trial import Trial

__all__ = [
    "CSV",
    "EMA",
    "HOOKS",
    "L1",
    "L2",
    "LSUV",
    "SWA",
    "AbsoluteError",
    "Accuracy",
    "Aggregated",
    "Averaged",
    "Best",
    "BinaryAccuracy",
    "Budget",
    "ByClass",
    "Callback",
    "CategoricalAccuracy",
    "Checkpoint",
    "ClassAppearance",
    "ClipGradients",
    "Confusion",
    "Cosine",
    "Cutout",
    "Distributed",
    "EarlyStopping",
    "Embeddings",
    "FabricRuntime",
    "Film",
    "Freeze",
    "GradNorm",
    "History",
    "Images",
    "Indexed",
    "Init",
    "Interval",
    "Key",
    "LabelSmoothing",
    "LivePlot",
    "Log",
    "MLflow",
    "Mean",
    "Metric",
    "Minimum",
    "Mixed",
    "Mixing",
    "NotFinite",
    "Note",
    "Now",
    "OneCycle",
    "Parameters",
    "Parquet",
    "Penalty",
    "Profile",
    "Progress",
    "RandomErase",
    "Recent",
    "RocAuc",
    "Runtime",
    "Schedule",
    "Source",
    "SquaredError",
    "State",
    "Std",
    "StopOnNaN",
    "Sums",
    "TensorBoard",
    "Tensors",
    "Time",
    "Timer",
    "TopKAccuracy",
    "TorchMetric",
    "Trial",
    "Var",
    "WandB",
    "Warmup",
    "Whole",
    "add_to_loss",
    "as_metric",
    "bind",
    "epoch_metric",
    "every",
    "hook",
    "make_grid",
    "mean",
    "metric",
    "minimise",
    "mixed_loss",
    "on_backward",
    "on_checkpoint",
    "on_criterion",
    "on_criterion_validation",
    "on_end",
    "on_end_epoch",
    "on_end_validation",
    "on_exception",
    "on_forward",
    "on_forward_validation",
    "on_record",
    "on_sample",
    "on_sample_validation",
    "on_start",
    "on_start_epoch",
    "on_start_validation",
    "on_step",
    "on_step_validation",
    "once",
    "once_per_epoch",
    "only_if",
    "read_csv",
    "register",
    "replay",
    "resume",
    "running_mean",
    "source",
    "std",
    "to_dict",
    "to_tensorboard",
    "var",
]
