"""A verdict that is nothing but named numbers: how it is shown, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["Numbers"]


@dataclass(frozen=True)
class Numbers:
    """What is found, number by number; a kind of verdict is a subclass.

    Args:
        parts: Named numbers.

    Attributes:
        kind: What it is kept under.
        width: Characters of a name, where it is shown.
        digits: Behind the point, likewise.
    """

    kind: ClassVar[str]
    width: ClassVar[int]
    digits: ClassVar[int]
    parts: Mapping[str, float]

    def __str__(self) -> str:
        return "\n".join(
            f"{name.replace('_', ' '):{self.width}}{value:9.{self.digits}f}" for name, value in self.parts.items()
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain numbers, ready for JSON."""
        return {self.kind: dict(self.parts)}
