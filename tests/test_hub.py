"""Runs on a model hub: a small server of this machine stands for it, and keeps what it is sent."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from unbraid.cli.main import main
from unbraid.errors import InvalidOption, RunError
from unbraid.runs.hub import pull, push
from unbraid.runs.run import Run
from unbraid.runs.train import train

pytest.importorskip("huggingface_hub")
pytestmark = pytest.mark.filterwarnings("default")
COMMIT = "0123456789" * 4


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a hub as a push and a pull need."""

    repositories: dict[str, dict[str, bytes]]
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, content: Any = b"", **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != "Bearer let-me-in":
            self.answer(401, {"error": "who are you?"})
        elif self.path == "/api/repos/create":
            given = json.loads(sent)
            name = f"{given['organization']}/{given['name']}" if given.get("organization") else given["name"]
            self.repositories.setdefault(name, {})
            self.answer(200, {"url": f"http://{self.headers['Host']}/{name}", "name": name})
        elif "/preupload/" in self.path:
            files = json.loads(sent)["files"]
            kept = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in files]
            self.answer(200, {"files": kept})
        elif "/commit/" in self.path:
            name = self.path.split("/commit/")[0].removeprefix("/api/models/")
            for line in map(json.loads, sent.splitlines()):
                if line["key"] == "file":
                    self.repositories[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            address = f"http://{self.headers['Host']}/{name}/commit/{COMMIT}"
            self.answer(200, {"commitUrl": address, "commitOid": COMMIT, "success": True})
        else:
            self.answer(200, {"errors": [], "warnings": []})  # the head of the card is fine

    def do_GET(self) -> None:
        if self.path.startswith("/api/models/"):
            name = "/".join(self.path.removeprefix("/api/models/").split("?")[0].split("/")[:2])
            files = self.repositories.get(name)
            if files is not None and "/tree/" in self.path:
                entries = [{"type": "file", "path": f, "size": len(c), "oid": COMMIT} for f, c in files.items()]
                self.answer(200, entries)
            elif files is None:
                self.answer(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
            else:
                self.answer(200, {"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]})
            return
        name, _, rest = self.path[1:].partition("/resolve/")
        content = self.repositories.get(name, {}).get(rest.partition("/")[2])
        if content is None:
            self.answer(404)
        else:
            self.answer(200, content, ETag=f'"{hashlib.sha1(content).hexdigest()}"', X_Repo_Commit=COMMIT)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, dict[str, bytes]]]:
    """The repositories of a hub that this process is pointed to."""
    from huggingface_hub import constants

    repositories: dict[str, dict[str, bytes]] = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Hub,), {"repositories": repositories}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_TOKEN", "let-me-in")
    yield repositories
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hub") / "run"
    return train("vae", "digits", steps=2, batch_size=8, latent_dim=2, network="dense", out=out, progress=False).path


def test_what_is_pushed_is_pulled_by_another(run: Path, hub: dict[str, dict[str, bytes]], tmp_path: Path) -> None:
    push(run, "ada/circle")
    assert {"run.json", "model.safetensors", "README.md", "figures/traversals.png"} <= hub["ada/circle"].keys()
    assert hub["ada/circle"]["README.md"].startswith(b"---\nlibrary_name: unbraid")
    got = pull("ada/circle", tmp_path / "got")
    for name, value in Run(run).model.state_dict().items():
        assert torch.equal(value, got.model.state_dict()[name])
    assert (tmp_path / "got" / "figures" / "traversals.png").read_bytes() == hub["ada/circle"]["figures/traversals.png"]
    assert not (tmp_path / "got" / ".cache").exists()


def test_only_the_files_of_a_run_are_taken(run: Path, hub: dict[str, dict[str, bytes]], tmp_path: Path) -> None:
    push(run, "ada/circle")
    hub["ada/circle"] |= {
        "setup.py": b"raise SystemExit", "figures/../../escaped.png": b"x", "figures/a.png.py": b"x", "model.pkl": b"x",
    }  # fmt: skip
    pull("ada/circle", tmp_path / "deep" / "got")
    names = {path.name for path in tmp_path.rglob("*") if path.is_file() and "cache" not in path.parts}
    assert not names & {"setup.py", "escaped.png", "a.png.py", "model.pkl"}


def test_damaged_weights_are_told_and_nothing_is_left(
    run: Path, hub: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    push(run, "ada/circle")
    hub["ada/circle"]["model.safetensors"] = b"\x80\x04pickled"
    with pytest.raises(RunError, match=r"model\.safetensors is damaged"):
        pull("ada/circle", tmp_path / "out" / "got")
    assert list((tmp_path / "out").iterdir()) == []


def test_refusals_are_sentences(
    run: Path, hub: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match="the hub does not give or take ada/none: there is no such repository"):
        pull("ada/none", tmp_path / "got")
    hub["ada/other"] = {"README.md": b""}
    with pytest.raises(RunError, match="ada/other holds no run of unbraid"):
        pull("ada/other", tmp_path / "got")
    with pytest.raises(InvalidOption, match="is called like somebody/something"):
        pull("../../etc", tmp_path / "got")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="holds something already"):
        pull("ada/other", tmp_path / "full")
    monkeypatch.setenv("HF_TOKEN", "guess")
    with pytest.raises(RunError, match="sign in with `hf auth login`"):
        push(run, "ada/circle")


def test_the_commands_push_and_pull(
    run: Path,
    hub: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["push", str(run), "ada/circle"])
    assert "/ada/circle" in capsys.readouterr().out
    main(["pull", "ada/circle"])
    assert "next: unbraid explore runs/circle" in capsys.readouterr().out
    assert Run(tmp_path / "runs" / "circle").finished
