"""Where the benchmarks keep other packages: in folders of their own, beside and not in the environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = ["PEERS", "installed"]

PEERS = Path(__file__).resolve().parent.parent / "runs" / "peers"


def installed(peer: str, packages: Iterable[str]) -> Path:
    """The folder that holds a peer, which pip fills the first time, without what the packages depend on."""
    folder = PEERS / peer
    if packages and not folder.exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), *packages]
        subprocess.run(command, check=True)
    return folder
