"""A model as ONNX: its encoder and its decoder, each a file that other programs run, in agreement with it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from unbraid.errors import RunError
from unbraid.files.needed import needed
from unbraid.model import Model
from unbraid.runs import folder
from unbraid.runs.run import Run
from unbraid.view import to_float

__all__ = ["TOLERANCE", "decoder_to_onnx", "to_onnx"]

TOLERANCE = 1e-4
"""How far a file may be from the model, in units of its codes and of brightness 0 .. 1."""
CHECKED = 5
"""Images it is compared on; another number than it is traced with, so that a batch of any size is known to go."""


class _Part(nn.Module):
    """One thing that a model does, as a module of its own, which is what the exporter takes."""

    def __init__(self, model: Model, what: Literal["represent", "decode"]) -> None:
        super().__init__()
        self.model, self.what = model, what

    def forward(self, given: Tensor) -> Tensor:
        done: Tensor = getattr(self.model, self.what)(given)
        return done


def to_onnx(run: Run | str | Path, out: str | Path) -> list[Path]:
    """Write ``encoder.onnx`` (``images``, float32 ``(B, C, H, W)`` in [0, 1], to ``codes``) and ``decoder.onnx``.

    The decoder takes ``codes`` ``(B, latent_dim)`` to ``images`` in [0, 1]. Both take a batch of any size. Each is run
    by onnxruntime beside the model, on images of its world and on their codes, before it is called written.

    Args:
        run: A finished run, or its folder.
        out: A folder; made where there is none.

    Returns:
        The two files.

    Raises:
        RunError: When the run is not finished or cannot be read, what it does cannot be said in ONNX, or a file
            disagrees with the model.
        MissingExtra: When the packages of the extra ``onnx`` are missing.
    """
    run = run if isinstance(run, Run) else Run(run)
    model, world = run.model, run.world
    images = to_float(world.images(world.sample(CHECKED, np.random.default_rng(0))))
    with torch.no_grad():
        codes = model.represent(images)
    folder.make(Path(out))
    return [
        _write(_Part(model, "represent"), images, "images", "codes", Path(out) / "encoder.onnx"),
        _write(_Part(model, "decode"), codes, "codes", "images", Path(out) / "decoder.onnx"),
    ]


def decoder_to_onnx(model: Model, codes: Tensor, path: Path) -> Path:
    """The decoder alone, compared on ``codes`` ``(B, latent_dim)``, B at least 3; errors as for :func:`to_onnx`."""
    return _write(_Part(model, "decode"), codes, "codes", "images", path)


def _write(part: nn.Module, given: Tensor, before: str, after: str, path: Path) -> Path:
    onnxruntime = needed("onnxruntime", "writing ONNX", "onnx")
    needed("onnxscript", "writing ONNX", "onnx")
    part = part.eval()
    try:
        with _quietly(), torch.no_grad():
            shapes = ({0: torch.export.Dim("batch")},)
            program = torch.onnx.export(
                part, (given[:2],), dynamo=True, input_names=[before], output_names=[after], dynamic_shapes=shapes,
                verbose=False,
            )  # fmt: skip
            assert program is not None  # it is when a file is asked for
            content = program.model_proto.SerializeToString()
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        answer = session.run([after], {before: given.numpy()})[0]
    except Exception as error:  # the exporter's and the runtime's own errors share no class
        reason = str(error).strip().partition("\n")[0]
        raise RunError(f"this model cannot be written as {path.name}: {reason}") from error
    with torch.no_grad():
        expected = part(given).numpy()
    if not np.allclose(answer, expected, rtol=0, atol=TOLERANCE):
        far = float(np.abs(answer - expected).max())
        raise RunError(f"{path.name} would differ from the model by {far:.2g}: a step of it depends on rounding")
    folder.write_bytes(path, content)
    return path


@contextmanager
def _quietly() -> Iterator[None]:
    """The exporter tells of operators of other packages, and of its own future."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
