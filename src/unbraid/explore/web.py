"""A run as a static page: the decoder runs in the reader's browser, and any server of files can host it."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unbraid.errors import InvalidData, RunError
from unbraid.explore.subject import Subject
from unbraid.files.fetch import digests, fetch
from unbraid.files.source import File, data_folder
from unbraid.runs import folder
from unbraid.runs.encode import choose
from unbraid.runs.onnx import decoder_to_onnx
from unbraid.runs.run import Run
from unbraid.translation import TranslatingModel

__all__ = ["RUNTIME", "to_web"]

HERE = Path(__file__).parent
OURS = ("web/index.html", "web/web.js", "page/dom.js", "page/style.css", "page/icon.svg")
VERSION = "1.30.0"
ADDRESS = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist"
RUNTIME = tuple(
    File(name, f"{ADDRESS}/{name}", md5, size)
    for name, md5, size in (
        ("ort.wasm.min.mjs", "29f125871d3623378a83f2bab346eebb", 50126),
        ("ort-wasm-simd-threaded.mjs", "7f02cb35b3579ac0b155eed58fe17853", 24381),
        ("ort-wasm-simd-threaded.wasm", "bf7105678a03865282d172dab08b1ac6", 14239897),
    )
)
"""The parts of onnxruntime-web that decode: they are copied beside the page, which then needs nobody else."""
EXAMPLES = 12


def to_web(run: Run | str | Path, out: str | Path, *, runtime: str | Path | None = None) -> list[Path]:
    """Write a folder with a page of sliders that decodes by itself, for ``python -m http.server`` or any host.

    Args:
        run: A finished run, or its folder.
        out: A folder that is new or empty.
        runtime: A folder with the three files of onnxruntime-web (its ``dist``); by default they are fetched once.

    Returns:
        The files.

    Raises:
        RunError: When the run is not finished or cannot be read, it translates, its decoder cannot be said in ONNX, or
            the folder holds something or cannot be written.
        InvalidData: When a file of the runtime is missing or is another.
        FetchError: When they cannot be fetched.
        MissingExtra: When the packages of the extra ``onnx`` are missing.
    """
    run = run if isinstance(run, Run) else Run(run)
    if isinstance(run.model, TranslatingModel):
        raise RunError(
            f"{run.path} translates, and has no latents for sliders to move: look at it with `unbraid explore`"
        )
    subject, target = Subject(run), Path(out)
    folder.require_fresh(target)
    parts = _runtime(runtime)
    codes = subject.codes(choose(run.world, EXAMPLES, seed=0))
    given = torch.from_numpy(np.resize(codes, (max(len(codes), 3), codes.shape[1]))).float()
    about: dict[str, Any] = {**subject.about, "examples": codes.astype(np.float64).round(5).tolist()}
    about["first"] = base64.b64encode(subject.decode(codes[:1]).tobytes()).decode()  # to be seen while the rest loads
    del about["title"]  # a folder of the machine that made it
    sources = (*(HERE / name for name in OURS), *parts)
    with folder.whole(target) as staged:
        decoder_to_onnx(run.model, given, staged / "decoder.onnx")
        folder.write_bytes(staged / "about.json", json.dumps(about).encode())
        for source in sources:
            shutil.copyfile(source, staged / source.name)
    return [target / name for name in ("decoder.onnx", "about.json", *(source.name for source in sources))]


def _runtime(given: str | Path | None) -> list[Path]:
    """Where the parts of onnxruntime-web are, known to be what they should."""
    if given is None:
        place = data_folder() / f"onnxruntime-web-{VERSION}"
        for file in RUNTIME:
            fetch(file, place)
        return [place / file.name for file in RUNTIME]
    place = Path(given)
    for file in RUNTIME:
        found = place / file.name
        if not found.is_file():
            raise InvalidData(f"there is no {found}: give the folder dist of onnxruntime-web {VERSION}")
        if digests(found).md5 != file.md5:
            raise InvalidData(f"{found} is not that of onnxruntime-web {VERSION}: give that version's folder dist")
    return [place / file.name for file in RUNTIME]
