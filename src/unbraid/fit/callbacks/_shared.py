"""What callbacks share: extras, whole files, looking at a model without a trace, and lists that thin themselves."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import nn

from unbraid.errors import MissingExtra
from unbraid.files.whole import writing
from unbraid.fit.data import kept_randomness
from unbraid.fit.processes import is_main
from unbraid.types import Bytes

__all__ = ["Thinning", "extra", "is_main", "looking", "own_loss", "png", "write_whole"]

T = TypeVar("T")


def extra(module: str, feature: str, name: str) -> Any:
    """An optional module, imported now.

    Raises:
        MissingExtra: When it is not installed; ``feature`` needs it and the extra ``name`` brings it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(feature, name) from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that at every moment the old or the new one is there, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as file:
        file.write(data)


def png(picture: Bytes) -> bytes:
    """A picture ``(height, width, 3)`` as a PNG file."""
    from PIL import Image  # late: who makes no pictures need not wait for it

    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    return data.getvalue()


def own_loss(model: Any, batch: Any, step: int) -> Any:
    """The loss that a model states itself; where it has several players, that of each."""
    players = getattr(model, "players", None)
    names = [*players()] if callable(players) else []
    return [model.loss(batch, step, name) for name in names] if len(names) > 1 else model.loss(batch, step)


@contextmanager
def looking(model: nn.Module) -> Iterator[None]:
    """A context in which a model evaluates, and after which nothing shows that it did.

    Every module's own mode comes back (some may be frozen), and so do the random generators.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with kept_randomness():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


class Thinning(Generic[T]):
    """A list that never grows beyond a limit: when it is full, every second item goes, and from then on fewer come.

    Args:
        limit: Items at most, at least 2.

    >>> numbers = Thinning(4)
    >>> for n in range(10):
    ...     numbers.add(n)
    >>> numbers.items
    [0, 4, 8]
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.stride, self.offered = limit, 1, 0
        self.items: list[T] = []

    def add(self, item: T) -> None:
        """Take an item in, if it is due."""
        if self.offered % self.stride == 0:
            if len(self.items) == self.limit:
                self.items = self.items[::2]
                self.stride *= 2
            if self.offered % self.stride == 0:
                self.items.append(item)
        self.offered += 1

    def begin(self, items: Iterable[T] = ()) -> None:
        """Start again with these items."""
        self.stride, self.offered, self.items = 1, 0, []
        for item in items:
            self.add(item)

    def state_dict(self) -> dict[str, Any]:
        """What must survive an interruption."""
        return {"items": list(self.items), "stride": self.stride, "offered": self.offered}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        self.items, self.stride, self.offered = list(state["items"]), state["stride"], state["offered"]
