"""Mixed-sample augmentation: one published way a file; ``unbraid list mix`` shows them. See :mod:`unbraid.mixer`."""

import sys

from unbraid.registry import Shelf

sys.modules[__name__].__class__ = Shelf
