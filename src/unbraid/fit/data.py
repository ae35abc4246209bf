"""Where batches come from: anything iterable, anything with ``batch(step)``, tensors, or nothing at all.

A source can be entered at any batch of any epoch, so that an interrupted trial goes on exactly where it was.
"""

from __future__ import annotations

import atexit
import queue
import random
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from unbraid.errors import InvalidData, InvalidOption, require_at_least
from unbraid.seed import torch_generator

__all__ = [
    "Cursor",
    "Indexed",
    "Nothing",
    "Passes",
    "Source",
    "Stream",
    "Tensors",
    "count",
    "finite",
    "kept_randomness",
    "prefetch",
    "random_state",
    "set_random_state",
    "source",
]

AHEAD = 4
"""How many batches are drawn ahead: enough to hide a hiccup, few enough to cost no memory."""


@runtime_checkable
class Indexed(Protocol):
    """An endless stream whose batch at any step can be asked for directly (every ``unbraid`` view is one)."""

    def batch(self, step: int) -> Any:
        """The batch at this step, counted from 0."""


class Source:
    """Batches by epoch.

    Args:
        length: Batches in an epoch, or None when it never ends or nobody knows.
        endless: Whether the first epoch never ends by itself.
    """

    def __init__(self, length: int | None = None, *, endless: bool = False) -> None:
        self.length, self.endless = length, endless

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """The batches of an epoch from number ``start`` on."""
        raise NotImplementedError  # abstract


class Nothing(Source):
    """No data: every batch is None, for ever."""

    def __init__(self) -> None:
        super().__init__(endless=True)

    def batches(self, epoch: int, start: int) -> Iterator[None]:
        """None, again and again."""
        while True:
            yield None


class Stream(Source):
    """An :class:`Indexed` stream, drawn ahead in a background thread."""

    def __init__(self, stream: Indexed) -> None:
        super().__init__(endless=True)
        self.stream = stream

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """The stream from batch ``start`` on."""
        return prefetch(self.stream, start)


class Tensors(Source):
    """Mini-batches of tensors of equal length, in an order that is a function of (seed, epoch).

    Args:
        tensors: One or more of shape ``(N, ...)``; several come as tuples.
        batch_size: Samples in a batch; the last one of an epoch may be smaller.
        shuffle: Whether each epoch has a new order.
        seed: What the orders depend on.

    >>> [batch.tolist() for batch in Tensors(torch.arange(5), batch_size=2, shuffle=False).batches(0, 0)]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, *tensors: Tensor, batch_size: int = 32, shuffle: bool = True, seed: int = 0) -> None:
        require_at_least(1, batch_size=batch_size)
        lengths = {len(tensor) for tensor in tensors}
        if len(lengths) != 1 or 0 in lengths:
            raise InvalidData(
                f"tensors must have one common length above 0, but have {sorted(lengths) or 'none at all'}"
            )
        self.tensors, self.batch_size, self.shuffle, self.seed = tensors, batch_size, shuffle, seed
        super().__init__(-(-len(tensors[0]) // batch_size))

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """The epoch's mini-batches from number ``start`` on."""
        n, size = len(self.tensors[0]), self.batch_size
        order = (
            torch.randperm(n, generator=torch_generator(self.seed, "order", epoch)) if self.shuffle else torch.arange(n)
        )
        for first in range(start * size, n, size):
            rows = order[first : first + size]
            yield self.tensors[0][rows] if len(self.tensors) == 1 else tuple(tensor[rows] for tensor in self.tensors)


class Passes(Source):
    """Anything that can be iterated again and again: a list, a ``DataLoader``.

    What was used of an interrupted epoch is drawn again and passed over, under the random state that the epoch began
    with, so that a shuffling loader finds the same order.
    """

    def __init__(self, iterable: Iterable[Any]) -> None:
        super().__init__(_length(iterable))
        self.iterable = iterable
        if self.length == 0:
            raise InvalidData("the data holds no batch: give at least one")

    def batches(self, epoch: int, start: int) -> Iterator[Any]:
        """One pass from batch ``start`` on."""
        iterator = iter(self.iterable)
        if iterator is self.iterable and epoch:
            raise InvalidData(
                "a one-shot iterator cannot be passed over twice: "
                "give a list, a DataLoader, or an object with batch(step)"
            )
        for _ in range(start):
            next(iterator, None)
        return iterator


def source(data: Any, *, batch_size: int = 32, shuffle: bool = True) -> Source:
    """Whatever a trial is given, as a :class:`Source`.

    Args:
        data: None, a source, an :class:`Indexed` stream, a tensor, a ``Dataset``, or any iterable of batches.
        batch_size: For a tensor or a ``Dataset``.
        shuffle: Whether a tensor or a ``Dataset`` is shuffled; False undoes the shuffling of :class:`Tensors` too.

    Raises:
        InvalidData: When it is none of these.
    """
    if data is None:
        return Nothing()
    if isinstance(data, Tensors) and not shuffle:
        return Tensors(*data.tensors, batch_size=data.batch_size, shuffle=False)
    if isinstance(data, Source):
        return data
    if isinstance(data, Indexed):
        return Stream(data)
    if isinstance(data, Tensor):
        return Tensors(data, batch_size=batch_size, shuffle=shuffle)
    if isinstance(data, Dataset):
        orders = shuffle and not isinstance(data, IterableDataset)  # which has an order of its own
        return Passes(DataLoader(data, batch_size=batch_size, shuffle=orders))
    if isinstance(data, Iterable):
        return Passes(data)
    raise InvalidData(
        f"cannot draw batches from {type(data).__name__}: give an iterable, a tensor, or an object with batch(step)"
    )


def finite(data: Any, steps: int | None, name: str = "steps") -> Source:
    """Data to look at once, in its own order.

    Args:
        data: As for :func:`source`.
        steps: How many batches at most, or None.
        name: What ``steps`` is called, for the message.

    Raises:
        InvalidOption: When it never ends, and nobody says how many.
    """
    if steps is not None:
        require_at_least(1, **{name: steps})
    batches = source(data, shuffle=False)
    if batches.endless and steps is None:
        raise InvalidOption(f"this data never ends: give {name}")
    return batches


def _length(iterable: Iterable[Any]) -> int | None:
    try:
        return len(iterable)  # type: ignore[arg-type]
    except TypeError:  # no length at all, or a DataLoader of an IterableDataset, which has one in name only
        return None


class Cursor:
    """Walks through a source, and can take up the walk in the middle of an epoch.

    Args:
        epoch_random: The state of the random generators when the epoch began, where one is to be taken up.
        now: Their state at the batch where the walk broke off.
    """

    def __init__(self, epoch_random: dict[str, Any] | None = None, now: dict[str, Any] | None = None) -> None:
        self.epoch_random, self._now = epoch_random, now

    def random_state(self) -> dict[str, Any]:
        """The state of the random generators at which the walk is to be taken up."""
        return self._now or random_state()

    def begin_epoch(self) -> None:
        """Before anything of an epoch happens: take up the random state where there is one."""
        if self._now is not None:
            set_random_state(self._now)
            self._now = None

    def windows(
        self,
        data: Source,
        epoch: int,
        start: int,
        size: int,
        length: int | None,
        failed: Callable[[Exception], None] = lambda error: None,
    ) -> Iterator[list[Any]]:
        """The rest of an epoch, ``size`` batches at a time; the last window may be smaller.

        Args:
            data: Where batches come from.
            epoch: Which epoch.
            start: How many of its batches are used already.
            size: Batches in a window.
            length: Where to cut the epoch, in batches, or None to go on to its end.
            failed: Is told of an error in the data before it is raised.
        """
        # A stream without end is cut into epochs by position alone.
        first = epoch * length + start if length and data.endless else start
        batches: Iterator[Any] | None = None
        try:
            if start == 0:
                self.begin_epoch()
                self.epoch_random = random_state()
                batches = data.batches(epoch, first)
            else:
                now, self._now = self.random_state(), None
                # A shuffling loader draws its order when it starts: it must find the generators as they were then.
                set_random_state(self.epoch_random or now)
                batches = data.batches(epoch, first)
                set_random_state(now)
            left = sys.maxsize if length is None else length - start
            while left > 0 and (window := list(islice(batches, min(size, left)))):
                left -= len(window)
                yield window
        except Exception as error:
            failed(error)
            raise
        finally:
            if isinstance(batches, Generator):
                batches.close()


def prefetch(stream: Indexed, start: int = 0, *, ahead: int = AHEAD) -> Iterator[Any]:
    """The batches of a stream from ``start`` on, drawn by a background thread while the last one is being used.

    The thread ends with the iterator, or with the program; what goes wrong in it is raised here.
    """
    ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(ahead)
    stopped = threading.Event()

    def put(item: tuple[Any, BaseException | None]) -> None:
        while not stopped.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    def draw() -> None:
        step = start
        try:
            while not stopped.is_set():
                put((stream.batch(step), None))
                step += 1
        except BaseException as error:  # whatever it is, it belongs to whoever asked for the batch
            put((None, error))

    thread = threading.Thread(target=draw, name="unbraid-prefetch", daemon=True)

    def end(seconds: float | None = None) -> None:
        stopped.set()
        thread.join(seconds)

    thread.start()
    # A thread that torch computes in as Python goes away would take the process with it (std::terminate); one that
    # waits for something is left to end with it.
    atexit.register(end, 10.0)
    try:
        while True:
            batch, error = ready.get()
            if error is not None:
                raise error
            yield batch
    finally:
        end()
        atexit.unregister(end)


def count(batch: Any) -> int:
    """How many samples a batch holds: the length of its first tensor, 1 when it has none."""
    if isinstance(batch, Tensor):
        return batch.shape[0] if batch.ndim else 1
    if isinstance(batch, Mapping):
        return count(next(iter(batch.values()), None))
    if isinstance(batch, (tuple, list)):
        return count(batch[0]) if batch else 1
    return len(batch) if hasattr(batch, "__len__") else 1


def random_state() -> dict[str, Any]:
    """The state of every global random generator, in types that a safe loader accepts."""
    # Whoever still uses numpy's global generator must find it as it was, too.
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "numpy": [str(kind), torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest],
        "python": random.getstate(),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state_all()
    if torch.backends.mps.is_available():
        state["mps"] = torch.mps.get_rng_state()
    return state


@contextmanager
def kept_randomness() -> Iterator[None]:
    """A context that leaves every global random generator as it found it."""
    before = random_state()
    try:
        yield
    finally:
        set_random_state(before)


def set_random_state(state: Mapping[str, Any]) -> None:
    """Take up what :func:`random_state` gave."""
    torch.set_rng_state(state["torch"])
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    random.setstate(state["python"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
    if "mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])
