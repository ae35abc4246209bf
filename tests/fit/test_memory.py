"""Memory is kept while a trial computes, and given back afterwards."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

LOOKS = """
import resource
import torch
from unbraid.fit.memory import memory_kept

def faults(times: int = 4) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        b"1" * (100 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
"""
"""A hundred megabytes are more than any threshold outside, so that all bytes are mapped anew there."""

glibc = pytest.mark.skipif(
    os.name != "posix" or not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="needs the GNU C library"
)


def printed(code: str, environment: Mapping[str, str] = {}) -> list[int]:
    """The numbers that a fresh process prints."""
    told = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    command = [sys.executable, "-c", LOOKS + code]
    done = subprocess.run(command, env=told | environment, capture_output=True, text=True, check=True)
    return [int(float(word)) for word in done.stdout.split()]


@glibc
def test_pages_are_cleared_once_within_and_every_time_outside() -> None:
    before, within, again, after = printed("""
print(faults())
with memory_kept():
    faults(1)
    with memory_kept():
        print(faults())
    print(faults())
print(faults())
""")
    assert before > 100, "pages were not cleared outside either: the test measures nothing"
    assert max(within, again) < before / 20
    assert after > before / 2


@glibc
def test_a_trial_keeps_memory_from_step_to_step_unless_somebody_said_how_memory_is_kept() -> None:
    code = """
from statistics import median
from unbraid.fit import Runtime, Trial, on_step
model, rows, counts = torch.nn.Linear(256, 256), torch.zeros(1 << 12, 256), []

@on_step
def count(state):
    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

Trial(model, closure=lambda state: model(rows).square().mean(), callbacks=[count], runtime=Runtime("cpu")).fit(steps=40)
print(median(after - before for before, after in zip(counts, counts[1:])))
"""
    # Told to map everything of a megabyte, the library does what it does by itself at first, and is let alone.
    (kept,), (told,) = printed(code), printed(code, {"MALLOC_MMAP_THRESHOLD_": str(1 << 20)})
    assert told > 1000
    assert kept < told / 20


@glibc
def test_what_somebody_said_of_memory_is_kept() -> None:
    told = {"MALLOC_MMAP_THRESHOLD_": str(1 << 20)}
    within, outside = printed("with memory_kept():\n    print(faults())\nprint(faults())", told)
    assert within > outside / 2
