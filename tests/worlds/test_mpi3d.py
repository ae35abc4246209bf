"""MPI3D from .npz files."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid.errors import InvalidData, InvalidOption
from unbraid.types import Factor, FactorSpace
from unbraid.worlds.mpi3d import MPI3D

made = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("_files.py"))))
SPACE = FactorSpace([Factor("colour", 4), Factor("horizontal axis", 9)])
IMAGES = made.noise(len(SPACE), 64, 64, 3)
FEW = made.few("mpi3d", spaces=dict.fromkeys(MPI3D.spaces, SPACE))


@pytest.mark.parametrize(("save", "left"), [
    (np.savez, ["a.npz"]),
    (np.savez_compressed, ["a.images.npy", "a.npz"]),
])  # fmt: skip
def test_a_stored_file_is_used_as_it_is_and_a_compressed_one_unpacked_once(
    tmp_path: Path, save: Callable[..., None], left: list[str]
) -> None:
    save(tmp_path / "a.npz", images=IMAGES)
    order = np.random.default_rng(1).permutation(len(SPACE))
    for _ in range(2):
        world = FEW(path=str(tmp_path / "a.npz"), variant="real")
        assert np.array_equal(world.images(order), IMAGES[order].transpose(0, 3, 1, 2))
    assert sorted(file.name for file in tmp_path.iterdir()) == left


def test_the_variants_have_the_published_numbers_of_images() -> None:
    assert {variant: len(space) for variant, space in MPI3D.spaces.items()} == {
        "toy": 1_036_800,
        "realistic": 1_036_800,
        "real": 1_036_800,
        "complex": 460_800,
    }
    assert MPI3D.spaces["real"].sizes == (6, 6, 2, 3, 3, 40, 40)
    assert MPI3D.spaces["complex"].sizes == (4, 4, 2, 3, 3, 40, 40)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidData, match="plain numbers"):
        FEW(path=str(tmp_path / "a.npz"))


@pytest.mark.parametrize("images", [IMAGES[:-1], IMAGES[:, :32], IMAGES.astype(np.int16)])
def test_images_of_another_shape_or_type_are_refused(tmp_path: Path, images: Any) -> None:
    np.savez(tmp_path / "a.npz", images=images)
    with pytest.raises(InvalidData, match=r"must be bytes \(36, 64, 64, 3\).*is it MPI3D's toy variant"):
        FEW(path=str(tmp_path / "a.npz"))


@pytest.mark.parametrize("variant", MPI3D.spaces)
def test_each_variant_is_looked_for_under_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: Any
) -> None:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path))
    with pytest.raises(InvalidData, match=r"mpi3d/\w+\.npz: get it with `unbraid fetch mpi3d --only \w+\.npz`"):
        MPI3D(variant=variant)


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(InvalidOption, match="toy, realistic, real, complex, but is 'unreal'"):
        MPI3D(variant="unreal")  # type: ignore[arg-type]
