"""Runs on a model hub: pushed with their card, and pulled as run folders; nothing that is pulled executes."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unbraid.errors import InvalidOption, RunError
from unbraid.files.needed import needed
from unbraid.runs import folder
from unbraid.runs.export import CARD, KEPT, export
from unbraid.runs.run import Run

__all__ = ["pull", "push"]

NAME = re.compile(r"[\w.-]+/[\w.-]+")
PICTURE = re.compile(rf"{folder.FIGURES}/[\w-]+\.png")
TAKEN = (*KEPT, CARD)
"""Of all that lies in a repository only these files are taken, and pictures."""


def push(run: Run | str | Path, name: str, *, private: bool = False) -> str:
    """Write a run to a repository of the Hugging Face hub, or of another that ``HF_ENDPOINT`` names.

    What is written is what :func:`~unbraid.runs.export.export` makes: weights as safetensors, settings, scores,
    pictures and a model card. Files that are there already and are no part of a run stay.

    Args:
        run: A finished run, or its folder.
        name: Whose, and what it is called: ``"somebody/something"``; made where there is none.
        private: Whether only its owners see it, when it is made.

    Returns:
        Its address.

    Raises:
        InvalidOption: When the name is none.
        RunError: When the run is not finished or cannot be read, or the hub refuses.
        MissingExtra: When the packages of the extra ``hub`` are missing.
    """
    hub = _hub(name)
    with tempfile.TemporaryDirectory() as place:
        made = Path(place) / "run"
        export(run, made)
        with _refusals(name):
            api = hub.HfApi(library_name="unbraid")
            address = api.create_repo(name, private=private, exist_ok=True)
            api.upload_folder(repo_id=name, folder_path=made, commit_message="A run of unbraid")
    return str(address)


def pull(name: str, out: str | Path, *, revision: str | None = None) -> Run:
    """Fetch a run that was pushed, as a run folder.

    Only the files of a run, its card and its pictures are taken. The folder appears when all of it is there and is a
    run; weights are read as safetensors and settings as JSON, so that nothing in it can execute.

    Args:
        name: Whose, and what it is called: ``"somebody/something"``.
        out: A folder that is new or empty.
        revision: A branch, tag or commit; the newest by default.

    Raises:
        InvalidOption: When the name is none.
        RunError: When the hub has no such run or refuses, or the folder holds something or cannot be written.
        MissingExtra: When the packages of the extra ``hub`` are missing.
    """
    hub, target = _hub(name), Path(out)
    folder.require_fresh(target)
    with _refusals(name):
        about = hub.HfApi(library_name="unbraid").model_info(name, revision=revision)
    files = [one.rfilename for one in about.siblings or []]
    wanted = [file for file in files if file in TAKEN or PICTURE.fullmatch(file)]
    if not {folder.RUN, folder.MODEL} <= set(wanted):
        raise RunError(f"{name} holds no run of unbraid: it has no {folder.RUN} or no {folder.MODEL}")
    with folder.whole(target) as got:
        with _refusals(name):
            hub.snapshot_download(
                name, revision=about.sha, local_dir=got, allow_patterns=wanted, library_name="unbraid"
            )
        shutil.rmtree(got / ".cache", ignore_errors=True)  # the hub's own notes
        _ = Run(got).model  # damaged, or of a model that is not on the shelf: said before anything is put in place
    return Run(target)


def _hub(name: str) -> Any:
    if not NAME.fullmatch(name):
        raise InvalidOption(f"a run on a hub is called like somebody/something, but not {name!r}")
    return needed("huggingface_hub", "a model hub", "hub")


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """What goes wrong on the way, as a sentence."""
    import httpx
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except (HfHubHTTPError, LocalTokenNotFoundError, httpx.HTTPError, ConnectionError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            reason = "it is private, or not yours: sign in with `hf auth login`"
        elif status == 404:
            reason = "there is no such repository, or it is private"
        else:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise RunError(f"the hub does not give or take {name}: {reason}") from error
