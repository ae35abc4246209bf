"""Information: estimators on plain arrays and tensors, usable with any model anywhere."""
