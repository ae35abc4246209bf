"""One thread for everybody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from unbraid.explore.decoding import AT_ONCE, Decoding


def picture(key: int, codes: np.ndarray) -> np.ndarray:
    return (codes[:, :1, None, None] + key).astype(np.uint8)


def test_everybody_gets_what_they_asked_for() -> None:
    def ask(n: int) -> bool:
        codes = np.full((1 + n % 5, 2), n % 50)
        images = decoding.submit(n % 3, codes).result(timeout=60)
        return images.shape == (1 + n % 5, 1, 1, 1) and bool((images == n % 50 + n % 3).all())

    with Decoding(picture) as decoding, ThreadPoolExecutor(16) as people:
        assert all(people.map(ask, range(500)))


def test_what_waits_together_is_decoded_together_and_models_are_kept_apart() -> None:
    batches, gate, begun = [], threading.Event(), threading.Event()

    def slow(key: int, codes: np.ndarray) -> np.ndarray:
        batches.append((key, len(codes)))
        begun.set()
        gate.wait(60)
        return picture(key, codes)

    with Decoding(slow) as decoding:
        first = decoding.submit(0, np.zeros((1, 2)))
        assert begun.wait(60)
        others = [decoding.submit(n % 2, np.zeros((AT_ONCE // 4, 2))) for n in range(10)]
        gate.set()
        assert all(len(future.result(60)) == AT_ONCE // 4 for future in others)
        assert len(first.result(60)) == 1
    assert batches == [(0, 1), (0, AT_ONCE), (1, AT_ONCE), (0, AT_ONCE // 4), (1, AT_ONCE // 4)]


def test_an_error_is_theirs_who_caused_it_and_the_next_are_served() -> None:
    def picky(key: int, codes: np.ndarray) -> np.ndarray:
        if key == 1:
            raise ValueError("not this one")
        return picture(key, codes)

    with Decoding(picky) as decoding:
        with pytest.raises(ValueError, match="not this one"):
            decoding.submit(1, np.zeros((1, 2))).result(60)
        assert decoding.submit(0, np.zeros((1, 2))).result(60).shape == (1, 1, 1, 1)


def test_who_went_away_is_not_computed_for() -> None:
    computed, gate, begun = [], threading.Event(), threading.Event()

    def slow(key: int, codes: np.ndarray) -> np.ndarray:
        computed.append(key)
        begun.set()
        gate.wait(60)
        return picture(key, codes)

    with Decoding(slow) as decoding:
        first = decoding.submit(0, np.zeros((1, 2)))
        assert begun.wait(60)
        assert decoding.submit(5, np.zeros((1, 2))).cancel()
        last = decoding.submit(7, np.zeros((1, 2)))
        gate.set()
        assert len(first.result(60)) == len(last.result(60)) == 1
    assert computed == [0, 7]
