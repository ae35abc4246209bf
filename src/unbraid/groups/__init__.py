"""Groups: what acts on factors, how it can be represented by real matrices, and matrices that learn to do so."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unbraid.groups.action import FactorAction as FactorAction
    from unbraid.groups.cyclic import Cyclic as Cyclic
    from unbraid.groups.dihedral import Dihedral as Dihedral
    from unbraid.groups.group import Group as Group
    from unbraid.groups.group import Irrep as Irrep
    from unbraid.groups.learnable import Blocks as Blocks
    from unbraid.groups.learnable import Exponentials as Exponentials
    from unbraid.groups.learnable import Free as Free
    from unbraid.groups.learnable import Rotations as Rotations
    from unbraid.groups.product import Product as Product
    from unbraid.groups.so2 import SO2 as SO2
    from unbraid.groups.so3 import SO3 as SO3

_HOMES = {
    "Blocks": "learnable",
    "Cyclic": "cyclic",
    "Dihedral": "dihedral",
    "Exponentials": "learnable",
    "FactorAction": "action",
    "Free": "learnable",
    "Group": "group",
    "Irrep": "group",
    "Product": "product",
    "Rotations": "learnable",
    "SO2": "so2",
    "SO3": "so3",
}

__all__ = [
    "SO2",
    "SO3",
    "Blocks",
    "Cyclic",
    "Dihedral",
    "Exponentials",
    "FactorAction",
    "Free",
    "Group",
    "Irrep",
    "Product",
    "Rotations",
]


def __getattr__(name: str) -> Any:
    # Groups themselves need no torch; it is loaded by the first matrices that learn.
    if name in _HOMES:
        return getattr(import_module(f"unbraid.groups.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'unbraid.groups' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
