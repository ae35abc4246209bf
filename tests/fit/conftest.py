"""Two processes that fit one model together, over gloo: a test file is their script, too."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 240  # seconds until two processes on a busy machine are believed to wait for ever
TWO = """
import importlib, os, runpy, sys
import torch._dynamo, unbraid.fit  # loaded once, before there are two
for name in sys.argv[3:]:
    importlib.import_module(name)
for rank in ("0", "1"):
    if os.fork() == 0:
        os.environ |= {"RANK": rank, "LOCAL_RANK": rank}
        sys.argv = sys.argv[1:]
        runpy.run_path(sys.argv[0], run_name="__main__")
        sys.exit()
sys.exit(any([os.wait()[1] for _ in range(2)]))
"""


@pytest.fixture(scope="session")
def pair() -> Callable[..., list[Any]]:
    """Run ``script folder`` as two processes, as torchrun would; give what each left in ``<rank>.found``.

    What both need beside the fitting layer is loaded once when its modules are named after the folder.
    """

    def run(script: str, folder: Path, *modules: str) -> list[Any]:
        import torch

        with reserved() as port:
            around = {**os.environ, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0"}
            around |= {"OMP_NUM_THREADS": "1", "TORCHELASTIC_RUN_ID": "tests"}
            around |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            words = [sys.executable, "-c", TWO, script, str(folder), *modules]
            with subprocess.Popen(words, env=around, stderr=subprocess.PIPE, text=True, start_new_session=True) as both:
                try:
                    errors = both.communicate(timeout=PATIENCE)[1]
                except BaseException:
                    os.killpg(both.pid, signal.SIGKILL)
                    raise
        assert both.returncode == 0, errors
        return [torch.load(folder / f"{rank}.found", weights_only=True) for rank in (0, 1)]

    return run


@pytest.fixture
def port() -> Iterator[str]:
    """A port that is free for this test."""
    with reserved() as number:
        yield number


@contextmanager
def reserved() -> Iterator[str]:
    """A port that no other process is given as a free one, and that whoever knows it can listen at."""
    with socket.socket() as held:
        # Two sockets that both say so may have the same port as long as only one of them listens.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield str(held.getsockname()[1])
