"""Write a run as a folder to share, as ONNX, or as a page that decodes in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from unbraid.cli import _flags
from unbraid.errors import InvalidOption

__all__ = ["export", "main"]


def export(
    run: Path,
    /,
    *,
    out: Path | None = None,
    format: Literal["folder", "onnx", "web"] = "folder",
    runtime: Path | None = None,
) -> None:
    """Write a run so that others can use it.

    `folder` is the run itself with a model card: weights, settings, scores, pictures. `onnx` is its encoder and its
    decoder for other programs, checked against it. `web` is a page of sliders whose decoder runs in the browser, for
    any server of files.

    Args:
        run: The run folder.
        out: A folder that is new or empty; RUN-shared, RUN-onnx or RUN-web beside the run by default.
        format: What to write.
        runtime: Of `web`: the folder `dist` of onnxruntime-web; by default its three files are fetched once.
    """
    if runtime is not None and format != "web":
        raise InvalidOption(f"--runtime is for --format web, but the format is {format}: leave it out")
    target = out or run.with_name(f"{run.name}-{'shared' if format == 'folder' else format}")
    if format == "folder":
        from unbraid.runs.export import export as write

        files, following = write(run, target), f"unbraid explore {target}"
    elif format == "onnx":
        from unbraid.runs.onnx import to_onnx

        files, following = to_onnx(run, target), ""
    else:
        from unbraid.explore.web import to_web

        files, following = to_web(run, target, runtime=runtime), f"python -m http.server --directory {target}"
    for file in files:
        print(file)
    if following:
        print(f"next: {following}")


def main(arguments: list[str]) -> None:
    """``unbraid export RUN [--out FOLDER] [--format folder|onnx|web]``."""
    _flags.call(export, arguments, prog="unbraid export")
