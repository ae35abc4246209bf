"""A script may end wherever it likes: no thread of ours is left for the interpreter to fall over."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import atexit, weakref
group = lambda: None
atexit.register(lambda: print("there is" if group() else "there is no", "group"))  # the first is called last

import torch
from unbraid.fit import Distributed
from unbraid.fit.data import prefetch

class Stream:
    def batch(self, step):
        return torch.rand(300, 1000).sort(1)

runtime = Distributed("cpu")
group = weakref.ref(torch.distributed.group.WORLD)
assert group()
import torch.distributed.nn  # what the first optimizer loads
runtime.mean(torch.ones(()))
batches = prefetch(Stream())
next(batches)
"""


def test_a_script_that_ends_in_the_middle_leaves_no_group_and_no_thread(port: str) -> None:
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=os.environ | alone, capture_output=True, text=True, timeout=240
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "there is no group\n")
