"""Small files in the true format of every data set that a world reads, and the worlds that read them.

It is read by ``runpy.run_path``, since tests are no package.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from unbraid import registry
from unbraid.types import Factor, FactorSpace
from unbraid.world import World

Array = npt.NDArray[Any]


def noise(*shape: int) -> Array:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def blocks(*shape: int, side: int = 8) -> Array:
    """Black and white blocks, whose extremes outlive resizing."""
    coarse = np.random.default_rng(0).integers(0, 2, (*shape[:-2], -(-shape[-2] // side), -(-shape[-1] // side)))
    fine = (coarse * 255).astype(np.uint8).repeat(side, axis=-2).repeat(side, axis=-1)
    return fine[..., : shape[-2], : shape[-1]]


def few(name: str, **attributes: Any) -> Any:
    """The reader of that name, for fewer images."""
    reader = registry.load("worlds", name)
    return type(reader.__name__, (reader,), attributes)


def idx(array: Array) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def write_idx(folder: Path, prefix: str, images: Array, labels: Array, pack: Callable[[bytes], bytes] = bytes) -> None:
    ending = "" if pack is bytes else ".gz"
    (folder / f"{prefix}images-idx3-ubyte{ending}").write_bytes(pack(idx(images)))
    (folder / f"{prefix}labels-idx1-ubyte{ending}").write_bytes(pack(idx(labels)))


def matrix(array: Array) -> bytes:
    """A binary matrix file: a magic number, the number of sizes, at least three sizes, and the numbers."""
    magic = {"u": 0x1E3D4C55, "i": 0x1E3D4C54}[array.dtype.kind]
    sizes = [*array.shape, 1, 1, 1][: max(3, array.ndim)]
    numbers = array.astype("<i4") if array.dtype.kind == "i" else array
    return np.array([magic, array.ndim, *sizes], "<u4").tobytes() + numbers.tobytes()


NORB = "smallnorb-5x46789x9x18x6x2x96x96-training"


def write_norb(
    folder: Path, count: int = 60, stem: str = NORB, pack: Callable[[bytes], bytes] = bytes
) -> dict[str, Array]:
    generator = np.random.default_rng(1)
    instances = [int(digit) for digit in stem[12:17]]
    columns = (
        generator.choice(instances, count),
        generator.integers(0, 9, count),
        2 * generator.integers(0, 18, count),
    )
    written = {
        "dat": blocks(count, 2, 96, 96),
        "cat": generator.integers(0, 5, count),
        "info": np.stack([*columns, generator.integers(0, 6, count)], axis=1),
    }
    for kind, array in written.items():
        ending = "" if pack is bytes else ".gz"
        (folder / f"{stem}-{kind}.mat{ending}").write_bytes(pack(matrix(array)))
    return written


def write_shapes(file: Path, space: FactorSpace, images: Array, **options: Any) -> None:
    h5py = pytest.importorskip("h5py")
    values = [range(factor.size) if factor.kind == "categorical" else factor.values for factor in space]
    factors = space.factors(np.arange(len(space)))
    labels = np.stack([np.asarray(v, np.float64)[i] for v, i in zip(values, factors.T, strict=True)], axis=1)
    with h5py.File(file, "w") as data:
        data.create_dataset("images", data=images, **options)
        data.create_dataset("labels", data=labels)


def car(number: int) -> Array:
    """What a file of Cars3D holds: rows, columns, colours, directions, heights."""
    directions = np.arange(24 * 4).reshape(24, 4)
    pixels = blocks(3, 128, 128, side=16).transpose(1, 2, 0)[..., None, None] * np.ones((1, 1, 1, 24, 4), np.uint8)
    pixels[:16, :16] = 2 * directions
    pixels[:16, 16:32] = 10 * number
    return pixels


def mat(**arrays: Array) -> bytes:
    from scipy.io import savemat

    stream = io.BytesIO()
    savemat(stream, arrays, do_compression=True)
    return stream.getvalue()


def cars(count: int) -> dict[str, bytes]:
    return {f"data/cars/car_{number:03}_mesh.mat": mat(im=car(number)) for number in range(count)}


def write_tar(file: Path, contents: dict[str, bytes]) -> None:
    with tarfile.open(file, "w:gz", compresslevel=1) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_files(folder: Path, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def sprite(number: int, frames: int = 2) -> list[Array]:
    """The 21 animations of a character, each of some frames, as MATLAB has them: 10,800 numbers by frames."""
    drawn = blocks(21, frames, 3, 60, 60, side=6) / 255.0
    drawn[..., :6, :6] = number / 8
    # Down a column first, then from column to column, then from colour to colour.
    return [animation.transpose(0, 1, 3, 2).reshape(frames, -1).T for animation in drawn]


def mat73(cells: list[Array], labels: Array) -> bytes:
    """A MATLAB 7.3 file: HDF5 after 512 bytes of text, axes from last to first, cells as references."""
    h5py = pytest.importorskip("h5py")
    stream = io.BytesIO()
    with h5py.File(stream, "w", userblock_size=512) as file:
        held = [file.create_dataset(f"#refs#/{i}", data=cell.T) for i, cell in enumerate(cells)]
        references = np.array([[cell.ref] for cell in held], dtype=h5py.ref_dtype)
        file.create_dataset("sprites", data=references, dtype=h5py.ref_dtype).attrs["MATLAB_class"] = np.bytes_("cell")
        file.create_dataset("labels", data=labels[:, None].astype(np.float64))
    raw = bytearray(stream.getvalue())
    raw[:19] = b"MATLAB 7.3 MAT-file"
    return bytes(raw)


def characters(count: int) -> dict[str, bytes]:
    traits = np.array([[n % 2, n // 2 % 2, 0, n // 4, 1, 2, n % 2] for n in range(count)])
    return {f"data/sprites/sprites_{n}.mat": mat73(sprite(n), traits[n]) for n in range(count)}


def write_faces(folder: Path, count: int = 20) -> Array:
    attributes = np.random.default_rng(2).integers(0, 2, (count, 40))
    names = [f"{i + 1:06}.jpg" for i in range(count)]
    rows = [f"{name} {' '.join(f'{2 * v - 1:2}' for v in row)}" for name, row in zip(names, attributes, strict=True)]
    heading = " ".join(f"Attribute_{i}" for i in range(40))
    (folder / "list_attr_celeba.txt").write_text("\n".join([str(count), heading, *rows]) + "\n")
    (folder / "identity_CelebA.txt").write_text("".join(f"{name} {100 + i // 3}\n" for i, name in enumerate(names)))
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {i % 3}\n" for i, name in enumerate(names)))
    (folder / "img_align_celeba").mkdir()
    for name, pixels in zip(names, blocks(count, 3, 218, 178, side=30), strict=True):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / "img_align_celeba" / name, quality=95)
    return attributes


def write_pictures(folder: Path) -> None:
    for i, pixels in enumerate(blocks(12, 80, 96, side=16)):
        place = folder / ("cats", "dogs", "emus")[i % 3]
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels[: 40 + 3 * i]).save(place / f"{i}.png")


def table(rows: int = 12, **columns: Any) -> Any:
    """A data set of the Hugging Face library, with images stored as PNG."""
    datasets = pytest.importorskip("datasets")
    stored = []
    for pixels in blocks(rows, 70, 90, side=10):
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        stored.append({"bytes": stream.getvalue(), "path": None})
    columns = columns or {"label": [i % 3 for i in range(rows)], "count": [i % 2 for i in range(rows)]}
    features = {"image": datasets.Image()}
    for name in columns:
        names = ["cat", "dog", "emu"]
        features[name] = datasets.ClassLabel(names=names) if name == "label" else datasets.Value("int64")
    return datasets.Dataset.from_dict({"image": stored, **columns}, features=datasets.Features(features))


def dsprites(folder: Path) -> World:
    space = FactorSpace([Factor("shape", 3, "categorical"), Factor("x", 4), Factor("y", 5)])
    np.savez_compressed(folder / "dsprites.npz", imgs=noise(len(space), 64, 64) % 2)
    world: World = few("dsprites", space=space)(path=str(folder / "dsprites.npz"))
    return world


def shapes3d(folder: Path) -> World:
    full = registry.load("worlds", "shapes3d").space
    space = FactorSpace([full["floor hue"], full["scale"]])
    images = noise(len(space), 64, 64, 3)
    write_shapes(folder / "3dshapes.h5", space, images, chunks=(4, 64, 64, 3), compression="gzip")
    world: World = few("shapes3d", space=space)(path=str(folder / "3dshapes.h5"))
    return world


def mpi3d(folder: Path) -> World:
    space = FactorSpace([Factor("colour", 6, "categorical"), Factor("horizontal axis", 12)])
    np.savez(folder / "mpi3d_toy.npz", images=noise(len(space), 64, 64, 3))
    world: World = few("mpi3d", spaces={"toy": space})(path=str(folder / "mpi3d_toy.npz"))
    return world


def cars3d(folder: Path) -> World:
    space = FactorSpace([*registry.load("worlds", "cars3d").space.all[:2], Factor("object", 3, "categorical")])
    write_tar(folder / "cars.tar.gz", cars(3))
    world: World = few("cars3d", space=space)(path=str(folder / "cars.tar.gz"))
    return world


def smallnorb(folder: Path) -> World:
    write_norb(folder)
    world: World = registry.load("worlds", "smallnorb")(folder=str(folder))
    return world


def reedsprites(folder: Path) -> World:
    write_tar(folder / "analogy.tar.gz", characters(4))
    world: World = few("reedsprites", characters=4)(path=str(folder / "analogy.tar.gz"))
    return world


def celeba(folder: Path) -> World:
    write_faces(folder)
    world: World = registry.load("worlds", "celeba")(folder=str(folder))
    return world


def folders(folder: Path) -> World:
    write_pictures(folder)
    world: World = registry.load("worlds", "folders")(path=str(folder))
    return world


def saved(folder: Path) -> World:
    table().save_to_disk(folder / "saved")
    world: World = registry.load("worlds", "datasets")(path=str(folder / "saved"))
    return world


def labelled(name: str, prefix: str, classes: int, first: int = 0, **options: str) -> Callable[[Path], World]:
    def made(folder: Path) -> World:
        write_idx(folder, prefix, noise(50, 28, 28), np.arange(50) % classes + first)
        world: World = registry.load("worlds", name)(folder=str(folder), **options)
        return world

    return made


MADE: dict[str, Callable[[Path], World]] = {
    "cars3d": cars3d,
    "celeba": celeba,
    "datasets": saved,
    "dsprites": dsprites,
    "emnist": labelled("emnist", "emnist-letters-train-", 26, 1, kind="letters"),
    "fashionmnist": labelled("fashionmnist", "train-", 10),
    "folders": folders,
    "garments": labelled("garments", "train-", 10),
    "kmnist": labelled("kmnist", "train-", 10),
    "mnist": labelled("mnist", "train-", 10),
    "mpi3d": mpi3d,
    "reedsprites": reedsprites,
    "shapes3d": shapes3d,
    "smallnorb": smallnorb,
}


def damaged(file: Path, *, keep: float = 0.5) -> None:
    """Cut a file short."""
    raw = file.read_bytes()
    file.write_bytes(raw[: int(keep * len(raw))])


def zipped(file: Path, contents: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
