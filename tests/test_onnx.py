"""Encoders and decoders as ONNX: other programs get what PyTorch gives, for batches of any size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from unbraid.cli.main import main
from unbraid.errors import MissingExtra, RunError
from unbraid.runs import onnx as module
from unbraid.runs.onnx import to_onnx
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.view import to_float

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def trained(model: str, out: Path, **options: object) -> Path:
    return train(model, "digits", steps=2, batch_size=8, out=out, progress=False, **options).path


@pytest.mark.parametrize(
    ("model", "options"),
    [("vae", {"network": "patches"}), ("qlae", {"network": "modulated"}), ("betatcvae", {"network": "residual"})],
    ids=["patches", "quantised and modulated", "residual"],
)
def test_the_files_do_what_the_model_does(model: str, options: dict[str, str], tmp_path: Path) -> None:
    run = Run(trained(model, tmp_path / "run", **options))
    files = to_onnx(run, tmp_path / "onnx")
    assert [file.name for file in files] == ["encoder.onnx", "decoder.onnx"]
    encoder, decoder = (onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]) for file in files)
    for count in (1, 7):
        images = to_float(run.world.images(np.arange(count)))
        codes = encoder.run(["codes"], {"images": images.numpy()})[0]
        with torch.no_grad():
            assert np.abs(codes - run.model.represent(images).numpy()).max() < 1e-4
            expected = run.model.decode(torch.from_numpy(codes)).numpy()
        assert np.abs(decoder.run(["images"], {"codes": codes})[0] - expected).max() < 1e-4


def test_what_differs_or_cannot_be_said_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = trained("vae", tmp_path / "run", network="patches", latent_dim=2)
    run = Run(path)
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(RunError, match=r"encoder\.onnx would differ from the model by"):
        to_onnx(run, tmp_path / "onnx")
    monkeypatch.setattr(run.model, "represent", lambda x: x if float(x.sum()) > 0 else -x)
    with pytest.raises(RunError, match=r"this model cannot be written as encoder\.onnx"):
        to_onnx(run, tmp_path / "onnx")
    assert not list((tmp_path / "onnx").iterdir())


def test_without_its_packages_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = trained("vae", tmp_path / "run", network="patches", latent_dim=2)

    def missing(*_: object) -> None:
        raise MissingExtra("writing ONNX", "onnx")

    monkeypatch.setattr(module, "needed", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'unbraid\[onnx\]'"):
        to_onnx(path, tmp_path / "onnx")


def test_the_command_writes_them_beside_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = trained("vae", tmp_path / "run", network="dense", latent_dim=2)
    main(["export", str(path), "--format", "onnx"])
    assert str(tmp_path / "run-onnx" / "decoder.onnx") in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["export", str(path), "--format", "onnx", "--runtime", "."])
    assert "--runtime is for --format web" in capsys.readouterr().err
