"""A small run, and the page's server on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.subject import Subject
from unbraid.explore.translating import Translating
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.study.drive import SPEC
from unbraid.study.spec import parse
from unbraid.study.work import Task, work
from unbraid.worlds.flatland import FlatLand
from unbraid.worlds.folders import Folders

HERE = "http://127.0.0.1:8700"
STUDY = """
name: strength
worlds: [digits]
models:
  - vae: {latent_dim: 2, network: patches}
  - betavae: {latent_dim: 2, network: patches, beta: 4}
seeds: 2
steps: 2
scores: [mig, sap]
samples: 200
"""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    path = tmp_path_factory.mktemp("explored") / "small"
    return train("vae", "digits", steps=3, batch_size=8, latent_dim=3, network="patches", out=path, progress=False).path


@pytest.fixture(scope="session")
def subject(run: Path) -> Subject:
    return Subject(Run(run), samples=200)


@pytest.fixture(scope="session")
def acting(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A run of a model with five actions in a world of 49 images, of which its view tells four."""
    path, world = tmp_path_factory.mktemp("acting") / "forward", FlatLand(columns=7, rows=7, size=32, radius=6.0)
    options = {"network": "patches", "actions": 5, "representation": "free"}
    return Subject(train("forwardvae", world, steps=2, batch_size=4, out=path, progress=False, **options), samples=49)


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """A run of a model that takes images apart, into three entities of six numbers."""
    path = tmp_path_factory.mktemp("objects") / "mvae"
    options = {"slots": 3, "entity_dim": 6, "channels": 4}
    return Subject(train("mvae", "scenes", steps=2, batch_size=2, out=path, progress=False, **options), samples=40)


@pytest.fixture(scope="session")
def translating(tmp_path_factory: pytest.TempPathFactory) -> Translating:
    """A run that translates between five dark and five bright pictures, in styles of three numbers."""
    place, noise = tmp_path_factory.mktemp("translating"), np.random.default_rng(0)
    for name, low in (("dark", 0), ("bright", 128)):
        (place / name).mkdir()
        for number in range(5):
            pixels = noise.integers(low, low + 128, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / name / f"{number}.png")
    world = Folders(a=str(place / "dark"), b=str(place / "bright"), size=32)
    options = {"width": 4, "critic_width": 4, "style_dim": 3}
    return Translating(train("munit", world, steps=2, batch_size=2, out=place / "run", progress=False, **options))


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study: two strengths, two seeds each."""
    root = tmp_path_factory.mktemp("studied") / "strength"
    spec = parse(STUDY)
    for cell in spec.cells:
        work(Task(str(root), cell, spec.scores, spec.samples))
    (root / SPEC).write_text(spec.text, "utf-8")
    return root


@pytest.fixture
def client(subject: Subject) -> Iterator[TestClient]:
    with TestClient(make(Gallery([subject])), base_url=HERE, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture(scope="session")
def from_npm(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a published JavaScript package, for what is tested with it; skips where it cannot be had."""

    def got(package: str) -> Path:
        npm, place = shutil.which("npm"), tmp_path_factory.mktemp("npm")
        if npm is None:
            pytest.skip(f"no npm to get {package} with")
        if subprocess.run([npm, "pack", package], cwd=place, capture_output=True, check=False).returncode:
            pytest.skip(f"{package} cannot be had here")
        shutil.unpack_archive(next(place.glob("*.tgz")), place, filter="data")
        return place / "package"

    return got
