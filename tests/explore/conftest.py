"""A small run, and the page's server on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from unbraid.explore.app import make
from unbraid.explore.subject import Subject
from unbraid.runs.run import Run
from unbraid.runs.train import train

HERE = "http://127.0.0.1:8700"


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    path = tmp_path_factory.mktemp("explored") / "small"
    return train("vae", "digits", steps=3, batch_size=8, latent_dim=3, network="patches", out=path, progress=False).path


@pytest.fixture(scope="session")
def subject(run: Path) -> Subject:
    return Subject(Run(run), samples=200)


@pytest.fixture
def client(subject: Subject) -> Iterator[TestClient]:
    with TestClient(make([subject]), base_url=HERE, raise_server_exceptions=False) as made:
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
