"""3D Shapes from HDF5 files of every layout, in little memory."""

from __future__ import annotations

import runpy
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData, MissingExtra
from unbraid.files.hdf5 import Rows, hdf5_rows
from unbraid.files.kept import Kept
from unbraid.types import Factor, FactorSpace
from unbraid.worlds.shapes3d import Shapes3D

h5py = pytest.importorskip("h5py")
made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))
SPACE = FactorSpace([Shapes3D.space["floor hue"], Shapes3D.space["scale"], Shapes3D.space["shape"]])
IMAGES = made.noise(len(SPACE), 64, 64, 3)
FEW = made.few("shapes3d", space=SPACE)
LAYOUTS: dict[str, dict[str, Any]] = {
    "in one piece": {},
    "a chunk an image": {"chunks": (1, 64, 64, 3), "compression": "gzip"},
    "tiles of some images": {"chunks": (7, 32, 16, 1), "compression": "lzf"},
    "deep chunks": {"chunks": (100, 8, 8, 1), "compression": "gzip"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_are_those_of_the_file_in_any_layout_and_order(tmp_path: Path, layout: str) -> None:
    made.write_shapes(tmp_path / "3dshapes.h5", SPACE, IMAGES, **LAYOUTS[layout])
    world = FEW(path=str(tmp_path / "3dshapes.h5"))
    order = np.random.default_rng(1).integers(0, len(SPACE), 500)
    assert np.array_equal(world.images(order), IMAGES[order].transpose(0, 3, 1, 2))


def test_each_layout_is_read_in_the_way_that_serves_it(tmp_path: Path) -> None:
    kinds = {}
    for layout, options in LAYOUTS.items():
        made.write_shapes(tmp_path / "a.h5", SPACE, IMAGES, **options)
        kinds[layout] = type(hdf5_rows(tmp_path / "a.h5", "images", tmp_path / "a.npy"))
    assert list(kinds.values()) == [np.memmap, Rows, Rows, Kept]


def test_deep_chunks_are_unpacked_once(tmp_path: Path) -> None:
    made.write_shapes(tmp_path / "a.h5", SPACE, IMAGES, **LAYOUTS["deep chunks"])
    FEW(path=str(tmp_path / "a.h5")).images([0])
    written = (tmp_path / "a.images.npy").stat()
    FEW(path=str(tmp_path / "a.h5")).images([1])
    assert (tmp_path / "a.images.npy").stat() == written


def test_only_the_chunks_of_the_images_asked_for_are_read(tmp_path: Path) -> None:
    made.write_shapes(tmp_path / "a.h5", SPACE, IMAGES, chunks=(4, 64, 64, 3), compression="gzip")
    with h5py.File(tmp_path / "a.h5") as file:
        last = file["images"].id.get_chunk_info(len(SPACE) // 4 - 1)
    with (tmp_path / "a.h5").open("r+b") as raw:
        raw.seek(last.byte_offset)
        raw.write(bytes(last.size))
    world = FEW(path=str(tmp_path / "a.h5"))
    assert np.array_equal(world.images([0, 315])[0], IMAGES[0].transpose(2, 0, 1))
    with pytest.raises(InvalidData, match=r"a\.h5 is damaged"):
        world.images([0, 319])


def test_what_was_never_written_is_not_taken_for_black(tmp_path: Path) -> None:
    for options in ({"chunks": (1, 64, 64, 3)}, {}):
        made.write_shapes(tmp_path / "a.h5", SPACE, IMAGES)
        with h5py.File(tmp_path / "a.h5", "r+") as file:
            del file["images"]
            pixels = file.create_dataset("images", IMAGES.shape, np.uint8, **options)
            if options:
                pixels[:300] = IMAGES[:300]
        with pytest.raises(InvalidData, match=r"holds .* of its .*: fetch it again"):
            FEW(path=str(tmp_path / "a.h5"))


@pytest.mark.parametrize("images", [IMAGES[:-1], IMAGES[:, :32], IMAGES.astype(np.float32)])
def test_images_of_another_shape_or_type_are_refused(tmp_path: Path, images: Any) -> None:
    made.write_shapes(tmp_path / "a.h5", SPACE, images)
    with pytest.raises(InvalidData, match=r"must be bytes \(320, 64, 64, 3\).*is it the published"):
        FEW(path=str(tmp_path / "a.h5"))


def test_labels_in_another_order_are_refused(tmp_path: Path) -> None:
    made.write_shapes(tmp_path / "a.h5", FactorSpace(SPACE.all[::-1]), IMAGES)
    with pytest.raises(InvalidData, match=r"labels .* are not those of 3D Shapes in their order"):
        FEW(path=str(tmp_path / "a.h5"))


def test_a_file_without_images_is_answered_with_what_it_has(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["imgs"] = IMAGES[:3]
        file["images"] = np.array([b"text"])
    with pytest.raises(InvalidData, match="no array of numbers called 'images', but images, imgs"):
        Shapes3D(path=str(tmp_path / "a.h5"))


def test_an_absent_file_is_answered_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path))
    with pytest.raises(InvalidData, match=r"shapes3d/3dshapes\.h5: get it with `unbraid fetch shapes3d`"):
        Shapes3D()


def test_without_h5py_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.write_shapes(tmp_path / "a.h5", SPACE, IMAGES)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtra, match=r"pip install 'unbraid\[hdf5\]'"):
        FEW(path=str(tmp_path / "a.h5"))


LARGE = FactorSpace([*Shapes3D.space.all[:3], Factor("scale", 8), Factor("shape", 3, "categorical")])
READ = """
import resource, runpy, sys, numpy as np, h5py
made = runpy.run_path(sys.argv[1])
from unbraid.types import Factor, FactorSpace
from unbraid.worlds.shapes3d import Shapes3D
space = FactorSpace([*Shapes3D.space.all[:3], Factor("scale", 8), Factor("shape", 3, "categorical")])
cls = made["few"]("shapes3d", space=space)
held = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (held + (100 << 20),) * 2)
world = cls(path=sys.argv[2])
generator = np.random.default_rng(0)
for _ in range(20):
    index = generator.integers(0, len(world), 64)
    assert np.array_equal(world.images(index)[:, 0, 0, 0], index // int(sys.argv[3]) % 251)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by a means of Linux")
@pytest.mark.parametrize("depth", [0, 16, 2000])
def test_memory_stays_small_however_large_the_file(tmp_path: Path, depth: int) -> None:
    """24,000 images, 295 MB, of which every hundred (or every chunk) has its own grey; 0 means in one piece.

    They are read by a process that is allowed 100 MB beyond what it starts with; mapped files do not count.
    """
    file, each, image = tmp_path / "3dshapes.h5", depth or 100, 64 * 64 * 3
    made.write_shapes(file, LARGE, np.zeros((1, 64, 64, 3), np.uint8))
    with h5py.File(file, "r+") as data:
        del data["images"]
        shape = (len(LARGE), 64, 64, 3)
        if depth:
            pixels = data.create_dataset("images", shape, np.uint8, chunks=(depth, 64, 64, 3), compression="gzip")
            for i in range(len(LARGE) // depth):
                grey = bytes([i % 251]) * (depth * image)
                pixels.id.write_direct_chunk((i * depth, 0, 0, 0), zlib.compress(grey, 1))
        else:
            pixels = data.create_dataset("images", shape, np.uint8)
            for i in range(len(LARGE) // each):
                pixels[i * each : (i + 1) * each] = np.full((each, *shape[1:]), i % 251, np.uint8)
    arguments = [sys.executable, "-c", READ, str(Path(__file__).with_name("_files.py")), str(file), str(each)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
