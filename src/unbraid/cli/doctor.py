"""Say what this machine has, what is missing, and how to mend it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata, util

from unbraid.cli import _flags

__all__ = ["doctor", "main"]

LIBRARIES = (
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "lightgbm",
    "safetensors",
    "matplotlib",
    "pillow",
    "rich",
    "tyro",
)


def doctor() -> None:
    """Say what this machine has, what is missing, and how to mend it."""
    from unbraid import __version__

    print(f"unbraid {__version__} on Python {platform.python_version()}, {platform.platform()}")
    print("libraries:")
    for name in LIBRARIES:
        try:
            print(f"  {name:<14} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            print(f"  {name:<14} missing: pip install {name}")
    print("hardware:")
    print(f"  processors     {os.cpu_count()}, free disk {shutil.disk_usage('.').free / 2**30:.0f} GiB")
    if util.find_spec("torch") is None:
        sys.exit("unbraid: torch is missing: pip install torch")
    import torch

    from unbraid.fit.runtime import find_device

    device = find_device("auto")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    print(f"  device         {name}, {torch.get_num_threads()} threads")
    print("data:")
    from unbraid import registry
    from unbraid.errors import UnbraidError

    for world in registry.names("worlds"):
        cls = registry.load("worlds", world)
        needed = [p for p, parameter in registry.parameters(cls).items() if parameter.default is parameter.empty]
        if needed:
            print(f"  {world:<14} needs --world.{needed[0]}")
            continue
        try:
            print(f"  {world:<14} {len(cls()):,} images")
        except UnbraidError as error:
            print(f"  {world:<14} absent: {error}")


def main(arguments: list[str]) -> None:
    """``unbraid doctor``."""
    _flags.call(doctor, arguments, prog="unbraid doctor")
