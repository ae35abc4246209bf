"""Every reader, given files that are cut short, altered or something else: a sentence or the right images."""

from __future__ import annotations

import os
import pickle
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unbraid import registry
from unbraid.errors import UnbraidError

MADE = runpy.run_path(str(Path(__file__).with_name("_files.py")))["MADE"]
CHECKED = {".gz", ".png", ".npz"}
"""Formats that carry checksums, so that altered bytes are always found."""


class Executed(RuntimeError):
    """Something in a file was run."""


class Bomb:
    """What executes when it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("raise Executed", {"Executed": Executed})


@pytest.fixture(scope="module", params=sorted(MADE))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A world, and the published files that it was made from."""
    folder = tmp_path_factory.mktemp(request.param)
    world = MADE[request.param](folder)
    # One of many like pictures is enough, and so is a table that is used by default.
    files = {file.suffix: file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix != ".npy"}
    if request.param == "smallnorb":
        files = {file.name: file for file in folder.iterdir()}
    if request.param == "celeba":
        files[".txt"] = folder / "list_attr_celeba.txt"
    return world, list(files.values())


def everything(world: Any) -> Any:
    return world.images(np.arange(len(world))), world.factors(np.arange(len(world)))


def again(world: Any) -> Any:
    return everything(type(world)(**registry.options(world)))


def altered(files: list[Path]) -> Iterator[tuple[Path, bytes]]:
    """Each file in turn and what it holds; it is put back afterwards."""
    for file in files:
        raw, times = file.read_bytes(), file.stat()
        yield file, raw
        file.write_bytes(raw)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


def judge(world: Any, images: Any, factors: Any, what: str) -> None:
    """Either a sentence, or what the whole files give."""
    try:
        found = again(world)
    except UnbraidError:
        return
    assert np.array_equal(found[0], images), what
    assert np.array_equal(found[1], factors), what


def test_a_file_cut_short_is_never_a_wrong_image(made: Any) -> None:
    world, files = made
    images, factors = everything(world)
    for file, raw in altered(files):
        for keep in (0, 1, 30, len(raw) // 3, len(raw) // 2, len(raw) - 100, len(raw) - 9, len(raw) - 1):
            file.write_bytes(raw[: max(0, keep)])
            judge(world, images, factors, f"{file.name} cut to {keep} of {len(raw)} bytes")


def test_an_altered_byte_is_found_where_the_format_can_tell(made: Any) -> None:
    world, files = made
    images, factors = everything(world)
    for file, raw in altered([file for file in files if file.suffix in CHECKED]):
        if world.__class__.__name__ == "MPI3D":
            pytest.skip("stored without compression, it is mapped and its checksum never looked at")
        for place in np.random.default_rng(0).integers(0, len(raw), 6):
            file.write_bytes(raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :])
            judge(world, images, factors, f"{file.name} altered at {place}")


def test_another_file_of_that_name_is_refused_and_nothing_in_it_is_run(made: Any) -> None:
    world, files = made
    for file, _ in altered(files):
        if file.name in ("identity_CelebA.txt", "list_eval_partition.txt", "dataset_info.json"):
            continue
        for content in (pickle.dumps(Bomb()), b"<html>sign in</html>", bytes(range(256)) * 40):
            file.write_bytes(content)
            with pytest.raises(UnbraidError, match=r"\w+ \w+ \w+"):
                again(world)
