"""Two processes that fit one model together, over gloo: a test file is their script, too."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 240  # seconds until two processes on a busy machine are believed to wait for ever


@pytest.fixture(scope="session")
def pair() -> Callable[[str, Path], list[Any]]:
    """Run ``script folder`` as two processes, as torchrun would; give what each left in ``<rank>.found``."""

    def run(script: str, folder: Path) -> list[Any]:
        import torch

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        common = {**os.environ, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "OMP_NUM_THREADS": "1"}
        common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "tests"}
        processes = [
            subprocess.Popen(
                [sys.executable, script, str(folder)],
                env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in (0, 1)
        ]
        try:
            errors = [process.communicate(timeout=PATIENCE)[1] for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()
        assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)
        return [torch.load(folder / f"{rank}.found", weights_only=True) for rank in (0, 1)]

    return run
