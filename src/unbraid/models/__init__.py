"""Models: one published thing per file; ``unbraid list models`` shows them. See :mod:`unbraid.registry`."""

import sys

from unbraid.registry import Shelf

sys.modules[__name__].__class__ = Shelf
