"""Results are kept where the caller says so, for the very same arguments, and nobody can spoil them."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest

from unbraid.info import shared as module
from unbraid.info.shared import shared, sharing

calls: list[int] = []


@shared
def doubled(numbers: object, *, times: object = 2) -> np.ndarray:
    calls.append(1)
    return np.asarray(numbers) * times


@pytest.fixture(autouse=True)
def _afresh() -> None:
    calls.clear()


def test_outside_nothing_is_kept() -> None:
    doubled(np.arange(3))
    doubled(np.arange(3))
    with sharing():
        doubled(np.arange(3))
    with sharing():
        doubled(np.arange(3))
    assert len(calls) == 4


def test_equal_arrays_and_settings_are_computed_once_however_they_are_given() -> None:
    with sharing():
        results = [doubled(np.arange(3)), doubled(np.arange(3), times=2), doubled(numbers=np.arange(6)[:3])]
        with sharing():
            results.append(doubled(np.arange(3)))
    assert len(calls) == 1
    assert all(np.array_equal(result, [0, 2, 4]) for result in results)


def test_anything_else_is_computed_anew() -> None:
    base = np.arange(4)
    with sharing():
        for numbers in (base, base[::-1], base.astype(float), base.reshape(2, 2), base[:3]):
            assert np.array_equal(doubled(numbers), numbers * 2)
        assert np.array_equal(doubled(base, times=3), base * 3)
        base[0] = 9  # changed in place
        assert np.array_equal(doubled(base), base * 2)
    assert len(calls) == 7


def test_what_a_text_does_not_tell_apart_is_never_kept() -> None:
    with sharing():
        for last in (1, 2):
            assert doubled([*range(5000), last])[-1] == 2 * last
            assert np.array_equal(doubled(np.ones(2), times=np.float64(last)), [last, last])
        assert np.array_equal(doubled(np.ones(2), times=(np.arange(2000) == 1000)[[5, 1000]]), [0, 1])
    assert len(calls) == 5


def test_a_result_that_is_changed_is_not_what_the_next_caller_gets() -> None:
    with sharing():
        doubled(np.arange(3))[:] = -1
        doubled(np.arange(3))[:] = -1
        assert np.array_equal(doubled(np.arange(3)), [0, 2, 4])


def test_only_so_many_results_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    with sharing():
        for number in (0, 1, 0, 2, 0, 1):
            doubled(np.array([number]))
    assert len(calls) == 4, "0 was asked for most lately, so 1 made room"


def test_other_threads_share_nothing() -> None:
    with sharing():
        doubled(np.arange(3))
        thread = Thread(target=doubled, args=(np.arange(3),))
        thread.start()
        thread.join()
    assert len(calls) == 2
