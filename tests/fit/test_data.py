"""Where batches come from: every kind of source, entered anywhere, and batches drawn ahead in a thread."""

from __future__ import annotations

import random
import threading
from collections import namedtuple
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import Indexed, Tensors, source
from unbraid.fit.data import Cursor, count, kept_randomness, prefetch, random_state, set_random_state
from unbraid.views.images import Images
from unbraid.worlds.digits import Digits


class Numbers:
    """Batch ``step`` is ``step``; it fails at one of them."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at, self.threads = fails_at, set()

    def batch(self, step: int) -> int:
        self.threads.add(threading.current_thread())
        if step == self.fails_at:
            raise ArithmeticError("no such batch")
        return step


class Counting(IterableDataset):
    """A dataset with an order of its own and no length."""

    def __iter__(self):
        return iter(torch.arange(10.0))


def test_a_view_is_a_stream():
    assert isinstance(Images(Digits(), batch_size=2), Indexed)


def test_a_stream_is_drawn_ahead_in_order_from_anywhere():
    assert list(islice(prefetch(Numbers(), 5), 20)) == list(range(5, 25))


def test_batches_are_drawn_in_another_thread_which_ends_with_the_iterator():
    numbers = Numbers()
    batches = prefetch(numbers)
    assert next(batches) == 0
    (thread,) = numbers.threads
    assert thread is not threading.current_thread()
    assert thread.is_alive()
    batches.close()
    assert not thread.is_alive()


def test_no_more_batches_are_drawn_ahead_than_agreed():
    drawn, full = [], threading.Event()

    class Watched:
        def batch(self, step: int) -> int:
            drawn.append(step)
            if len(drawn) == 4:
                full.set()
            return step

    batches = prefetch(Watched(), ahead=2)
    next(batches)
    assert full.wait(60)  # one used, two waiting, one in the hand that cannot put it down
    threading.Event().wait(0.2)  # for a fifth, if one were drawn
    assert drawn == [0, 1, 2, 3]
    batches.close()


def test_an_error_in_the_thread_surfaces_where_the_batch_was_asked_for():
    numbers = Numbers(fails_at=2)
    batches = prefetch(numbers)
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(ArithmeticError, match="no such batch"):
        next(batches)
    assert not any(thread.is_alive() for thread in numbers.threads)


def test_tensors_come_in_a_new_order_every_epoch_and_each_row_once():
    data = Tensors(torch.arange(10), batch_size=3)
    epochs = [torch.cat(list(data.batches(epoch, 0))).tolist() for epoch in (0, 1, 0)]
    assert epochs[0] != epochs[1]
    assert epochs[0] == epochs[2]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))


def test_tensors_depend_on_their_seed_and_on_no_global_generator():
    x = torch.arange(50)
    before = random_state()["torch"]
    one, other = (next(Tensors(x, batch_size=50, seed=seed).batches(0, 0)).tolist() for seed in (0, 1))
    assert one != other
    assert torch.equal(before, random_state()["torch"])


def test_tensors_of_different_length_are_refused():
    with pytest.raises(InvalidData, match=r"one common length above 0, but have \[2, 3\]"):
        Tensors(torch.ones(2), torch.ones(3))
    with pytest.raises(InvalidData, match="none at all"):
        Tensors()
    with pytest.raises(InvalidOption, match="batch_size"):
        Tensors(torch.ones(2), batch_size=0)


LISTED = [torch.full((2,), float(i)) for i in range(7)]


@pytest.mark.parametrize("kind", ["tensors", "list", "loader", "stream"])
@given(start=st.integers(0, 6), epoch=st.integers(0, 2))
def test_a_source_entered_later_goes_on_as_the_one_entered_at_the_beginning(kind, start, epoch):
    data = {
        "tensors": Tensors(torch.arange(14), batch_size=2),
        "list": source(LISTED),
        "loader": source(DataLoader(TensorDataset(torch.arange(14)), batch_size=2)),
        "stream": source(Numbers()),
    }[kind]
    whole = list(islice(data.batches(epoch, 0), 7))
    rest = list(islice(data.batches(epoch, start), 7 - start))
    assert [torch.as_tensor(b[0] if isinstance(b, list) else b).tolist() for b in whole[start:]] == [
        torch.as_tensor(b[0] if isinstance(b, list) else b).tolist() for b in rest
    ]


def test_a_dataset_is_shuffled_unless_told():
    dataset = TensorDataset(torch.arange(100))
    shuffled, ordered = (
        torch.cat([batch[0] for batch in source(dataset, shuffle=shuffle).batches(0, 0)]).tolist()
        for shuffle in (True, False)
    )
    assert ordered == list(range(100))
    assert shuffled != ordered
    assert sorted(shuffled) == ordered


@pytest.mark.parametrize("data", [Counting(), DataLoader(Counting(), batch_size=4)])
def test_data_may_have_no_length(data):
    batches = source(data, batch_size=4)
    assert batches.length is None
    assert torch.cat(list(batches.batches(0, 0))).tolist() == list(range(10))


def test_an_empty_list_is_refused():
    with pytest.raises(InvalidData, match="holds no batch"):
        source([])


def test_what_cannot_be_iterated_is_refused():
    with pytest.raises(InvalidData, match=r"cannot draw batches from int.*batch\(step\)"):
        source(3)


def test_windows_join_batches_and_the_last_may_be_smaller():
    windows = list(Cursor().windows(source(list(range(7))), 0, 0, 3, None))
    assert windows == [[0, 1, 2], [3, 4, 5], [6]]


def test_windows_stop_at_the_length_of_an_epoch():
    assert list(Cursor().windows(source(Numbers()), 2, 1, 2, 4)) == [[9, 10], [11]]


Pair = namedtuple("Pair", "x y")


@pytest.mark.parametrize(
    ("batch", "samples"),
    [
        (torch.ones(5, 2), 5),
        (torch.tensor(1.0), 1),
        ((torch.ones(4), torch.ones(3)), 4),
        ([torch.ones(4)], 4),
        (Pair(torch.ones(6), None), 6),
        ({"x": torch.ones(3, 2)}, 3),
        ({}, 1),
        ((), 1),
        (None, 1),
        (np.ones((8, 2)), 8),
        (Images(Digits(), batch_size=9).batch(0), 9),
    ],
)
def test_the_samples_of_a_batch_are_counted(batch, samples):
    assert count(batch) == samples


def test_a_random_state_taken_up_gives_the_same_numbers():
    def numbers():
        return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()  # noqa: NPY002

    state = random_state()
    first = numbers()
    with kept_randomness():
        numbers()
    assert numbers() != first
    set_random_state(state)
    assert numbers() == first
