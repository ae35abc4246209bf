"""What every test starts from: one thread, no window, the same random numbers in whatever order tests run."""

from __future__ import annotations

import os

# Before anything imports numpy, torch or matplotlib: they read these once.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

import gc
import random
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings

settings.register_profile("unbraid", derandomize=True, deadline=None, max_examples=25)
settings.load_profile("unbraid")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Whatever is loaded stays: to look among all of it for what could be forgotten took a fifth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        # Tests make so much that nothing refers to in a circle that the usual thresholds look through everything often.
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """What stands in docstrings is run where there is some: in the package, not in tests."""
    return [one for one in (yield) if not isinstance(one, DoctestModule)]


@pytest.hookimpl(trylast=True)  # after they are shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, and whole: at the end no process waits for one that has just begun the longest.

    Together the tests of a file share what they have made.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="session")
def _data_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is read from or left in the user's own folder of data; worker processes inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNBRAID_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def _same_randomness() -> Iterator[None]:
    """Global generators start each test alike, so that a test that leans on them does not depend on its neighbours."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    if "torch" in sys.modules:  # the generator itself: torch.manual_seed writes down three stacks for absent devices
        sys.modules["torch"].default_generator.manual_seed(0)
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
