"""Metrics: accuracies, errors, moments, confusion matrices, whole-epoch metrics, and those of ``torchmetrics``.

Each module gives its metrics their short-hands when it is imported, and all are imported here.
"""

from unbraid.fit.metrics import accuracy, auc, confusion, error, moments, watch

__all__ = ["accuracy", "auc", "confusion", "error", "moments", "watch"]
