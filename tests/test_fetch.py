"""Downloads from a server on this machine that loses connections, lies, and sends what nobody asked for."""

from __future__ import annotations

import hashlib
import runpy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from unbraid import registry
from unbraid.cli.main import main
from unbraid.errors import InvalidData, InvalidOption
from unbraid.files.fetch import FetchError, digests
from unbraid.files.fetch import fetch as download
from unbraid.files.source import File
from unbraid.worlds.mnist import MNIST

CONTENT = np.random.default_rng(0).integers(0, 256, 1_000_000, dtype=np.uint8).tobytes()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@dataclass
class Served:
    """What the server has, how it behaves at each request in turn, and what it was asked."""

    content: bytes = CONTENT
    tag: str = '"one"'
    behaviour: list[Callable[[Any, Served], None]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    url: str = ""

    def file(self, **known: Any) -> File:
        return File("data.bin", f"{self.url}/data.bin", **known)


def send(request: Any, status: int, body: bytes, **headers: Any) -> None:
    request.send_response(status)
    for name, value in ({"Content_Length": len(body)} | headers).items():
        if value is not None:
            request.send_header(name.replace("_", "-"), str(value))
    request.end_headers()
    request.wfile.write(body)


def honest(request: Any, served: Served, *, cut: int | None = None) -> None:
    """What a good server does; with ``cut`` it loses the connection after so many bytes."""
    body, wanted = served.files.get(request.path.rpartition("/")[2], served.content), request.headers.get("Range")
    start = int(wanted[6:-1]) if wanted and request.headers.get("If-Range", served.tag) == served.tag else 0
    if start and start >= len(body):
        send(request, 416, b"", Content_Range=f"bytes */{len(body)}")
        return
    rest = body[start:]
    part = rest if cut is None else rest[:cut]
    served.sent += len(part)
    headers: dict[str, Any] = {"ETag": served.tag, "Content_Length": len(rest)}
    if start:
        headers["Content_Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    send(request, 206 if start else 200, part, **headers)


def lost(after: int) -> Callable[[Any, Served], None]:
    return lambda request, served: honest(request, served, cut=after)


def whole(body: bytes = CONTENT, **headers: Any) -> Callable[[Any, Served], None]:
    """Everything from the beginning, whatever was asked."""
    return lambda request, served: send(request, 200, body, **headers)


def refused(status: int, **headers: Any) -> Callable[[Any, Served], None]:
    return lambda request, served: send(request, status, b"no", **headers)


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(dict(self.headers))
            number = len(state.asked) - 1
            act = state.behaviour[min(number, len(state.behaviour) - 1)] if state.behaviour else honest
            act(self, state)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(file: File, folder: Path, **options: Any) -> Any:
    return download(file, folder, pause=0.0, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_alone(served: Served, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = fetch(served.file(md5=MD5), tmp_path / "new" / "folder", progress=lambda *now: seen.append(now))
    assert (tmp_path / "new" / "folder" / "data.bin").read_bytes() == CONTENT
    assert names(tmp_path / "new" / "folder") == ["data.bin"]
    assert found.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_lost_connections_are_taken_up_where_they_broke(served: Served, tmp_path: Path) -> None:
    served.behaviour = [lost(300_000), lost(1), lost(200_000), honest]
    fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert [request.get("Range") for request in served.asked] == [
        None,
        "bytes=300000-",
        "bytes=300001-",
        "bytes=500001-",
    ]
    assert served.sent == len(CONTENT)


def test_progress_made_forgives_earlier_failures(served: Served, tmp_path: Path) -> None:
    served.behaviour = [*(lost(100_000) for _ in range(9)), honest]
    fetch(served.file(md5=MD5), tmp_path, tries=2)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_an_interrupted_download_goes_on_at_the_next_call(served: Served, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(served.file(md5=MD5), tmp_path, progress=stop)
    kept = (tmp_path / "data.bin.part").stat().st_size
    assert 500_000 < kept < len(CONTENT)
    fetch(served.file(md5=MD5), tmp_path)
    assert served.asked[-1]["Range"] == f"bytes={kept}-"
    assert served.asked[-1]["If-Range"] == served.tag
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["data.bin"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(served: Served, tmp_path: Path) -> None:
    served.behaviour = [lost(300_000), refused(404)]
    with pytest.raises(FetchError, match="answers 404"):
        fetch(served.file(), tmp_path)
    assert (tmp_path / "data.bin.part").stat().st_size == 300_000
    served.content, served.tag, served.behaviour = CONTENT[::-1], '"two"', []
    fetch(served.file(), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT[::-1]


def test_without_checksum_and_tag_a_rest_is_never_joined_to_a_part(served: Served, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"of another file")
    fetch(served.file(), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [
    whole(),
    whole(ETag='"one"'),
    lambda request, served: send(request, 206, CONTENT[7:], Content_Range=f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}"),
    lambda request, served: send(request, 206, CONTENT[7:]),
])  # fmt: skip
def test_a_server_that_ignores_or_mistakes_the_range_gives_the_right_file(
    served: Served, tmp_path: Path, wrong: Any
) -> None:
    served.behaviour = [lost(300_000), wrong, honest]
    fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_length_too_long_is_seen_through(served: Served, tmp_path: Path) -> None:
    served.behaviour = [whole(Content_Length=len(CONTENT) + 100), honest]
    fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_server_that_always_sends_too_little_is_given_up(served: Served, tmp_path: Path) -> None:
    served.behaviour = [whole(Content_Length=len(CONTENT) + 100)]
    with pytest.raises(FetchError, match=r"1,000,000 of 1,000,100 bytes arrived; what is here is kept"):
        fetch(served.file(md5=MD5), tmp_path, tries=3)
    assert len(served.asked) == 4
    assert not (tmp_path / "data.bin").exists()


def test_a_length_too_short_is_found_by_the_checksum(served: Served, tmp_path: Path) -> None:
    served.behaviour = [whole(Content_Length=len(CONTENT) - 100)]
    with pytest.raises(FetchError, match=f"fetched twice, and its md5 is .* instead of {MD5}"):
        fetch(served.file(md5=MD5), tmp_path)
    assert not (tmp_path / "data.bin").exists()


def test_no_length_at_all_will_do(served: Served, tmp_path: Path) -> None:
    served.behaviour = [whole(Content_Length=None)]
    fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_damaged_bytes_are_fetched_once_more(served: Served, tmp_path: Path) -> None:
    served.behaviour = [whole(CONTENT[:-1] + b"?"), honest]
    fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_damaged_part_does_not_spoil_the_file(served: Served, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(bytes(400_000))
    fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("known", [{"md5": MD5}, {"size": len(CONTENT)}])
def test_what_is_damaged_again_is_never_put_in_place(served: Served, tmp_path: Path, known: dict[str, Any]) -> None:
    served.behaviour = [whole(b"<html>sign in</html>" + bytes(len(CONTENT)))]
    with pytest.raises(FetchError, match="the server has another file"):
        fetch(served.file(**known), tmp_path)
    assert not (tmp_path / "data.bin").exists()
    assert (tmp_path / "data.bin.part").stat().st_size == 0


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_not_asked_again(served: Served, tmp_path: Path, status: int) -> None:
    served.behaviour = [refused(status)]
    with pytest.raises(FetchError, match=f"data.bin cannot be fetched: the server answers {status}"):
        fetch(served.file(md5=MD5), tmp_path)
    assert len(served.asked) == 1


def test_a_busy_server_is_asked_again_until_patience_ends(served: Served, tmp_path: Path) -> None:
    served.behaviour = [refused(503, Retry_After="0"), refused(429, Retry_After="soon"), refused(500), honest]
    fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    served.behaviour, served.asked = [refused(503)], []
    with pytest.raises(FetchError, match="answers 503"):
        fetch(File("other.bin", f"{served.url}/other.bin"), tmp_path, tries=3)
    assert len(served.asked) == 3


def test_pauses_grow(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    served.behaviour = [refused(503)] * 3 + [refused(503, Retry_After="30"), honest]
    download(served.file(md5=MD5), tmp_path, pause=1.0)
    assert [pause for pause in pauses if pause >= 1] == [1, 2, 4, 30]


def test_a_server_that_is_not_there_is_said_so(tmp_path: Path, served: Served) -> None:
    with pytest.raises(FetchError, match=r"http://127\.0\.0\.1:1/x cannot be fetched: .*refused"):
        fetch(File("x", "http://127.0.0.1:1/x"), tmp_path, tries=2)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "", "data:,x"])
def test_only_the_web_is_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidOption, match="must begin with http"):
        fetch(File("x", url), tmp_path)
    assert not names(tmp_path)


def test_a_file_that_is_there_is_checked_and_left(served: Served, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(CONTENT)
    assert fetch(served.file(md5=MD5), tmp_path).size == len(CONTENT)
    assert not served.asked
    (tmp_path / "data.bin").write_bytes(b"mine")
    with pytest.raises(InvalidData, match=r"data\.bin is there, but its md5 is .*: move it away"):
        fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"mine"


def test_a_full_disk_is_said_and_loses_nothing(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served.behaviour = [lost(300_000), honest]
    # Room for all of it at first, then for a byte less than what is lacking.
    monkeypatch.setattr(
        "shutil.disk_usage", lambda _: SimpleNamespace(free=10**6 if len(served.asked) < 2 else 699_999)
    )
    with pytest.raises(FetchError, match=r"no room is left for .*data\.bin: make some"):
        fetch(served.file(md5=MD5), tmp_path)
    assert (tmp_path / "data.bin.part").stat().st_size == 300_000
    monkeypatch.undo()
    fetch(served.file(md5=MD5), tmp_path)
    assert served.asked[-1]["Range"] == "bytes=300000-"
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written_is_said(served: Served, tmp_path: Path) -> None:
    (tmp_path / "occupied").touch()
    with pytest.raises(FetchError, match=r"cannot be written .*choose another folder"):
        fetch(served.file(), tmp_path / "occupied")


def test_two_at_once_do_not_write_into_one_another(served: Served, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / "data.bin.part").open("ab") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        with pytest.raises(FetchError, match="another process is fetching"):
            fetch(served.file(), tmp_path)


def test_one_that_comes_as_another_puts_the_file_in_place_leaves_it_to_that(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("fcntl")
    replace, told = Path.replace, []

    def late(part: Path, target: Path) -> Path:
        monkeypatch.undo()
        with pytest.raises(FetchError, match="another process is fetching") as refusal:
            fetch(served.file(md5=MD5), tmp_path)
        told.append(str(refusal.value))
        return replace(part, target)

    monkeypatch.setattr(Path, "replace", late)
    fetch(served.file(md5=MD5), tmp_path)
    assert len(told) == 1
    assert names(tmp_path) == ["data.bin"]


@pytest.mark.parametrize("moment", ["flock", "open"])
def test_one_that_was_about_to_fetch_what_another_has_fetched_takes_it_as_it_is(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    fcntl = pytest.importorskip("fcntl")
    where, real = {"flock": (fcntl, fcntl.flock), "open": (Path, Path.open)}[moment]

    def late(*given: Any) -> Any:
        monkeypatch.undo()
        fetch(served.file(), tmp_path)
        return real(*given)

    monkeypatch.setattr(where, moment, late)
    assert fetch(served.file(), tmp_path).md5 == MD5
    assert served.sent == len(CONTENT), "it was fetched once"
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["data.bin"]


def test_checksums_are_those_of_hashlib(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    assert digests(tmp_path / "x").md5 == MD5


def test_every_published_file_has_a_name_of_its_own_and_a_web_address_or_none() -> None:
    for world in registry.names("worlds"):
        source = getattr(registry.load("worlds", world), "source", None)
        if source is None:
            continue
        assert source.world == world
        assert source.home.startswith("http")
        assert source.licence
        assert len({file.name for file in source.files}) == len(source.files)
        for file in source.files:
            assert not file.url or (file.url.startswith("http") and file.md5), "an address needs a checksum"
            assert len(file.md5) in (0, 32)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path / "data"))

    def run(command: str, code: int = 0) -> str:
        ended = 0
        try:
            main(command.split())
        except SystemExit as end:
            ended = int(end.code or 0)
        printed = capsys.readouterr()
        assert ended == code, printed.err
        return printed.err if code else printed.out

    return run


def mnist(served: Served) -> None:
    made = runpy.run_path(str(Path(__file__).parent / "worlds" / "_files.py"))
    for prefix in ("train-", "t10k-"):
        served.files[f"{prefix}images-idx3-ubyte.gz"] = made["idx"](made["noise"](9, 28, 28))
        served.files[f"{prefix}labels-idx1-ubyte.gz"] = made["idx"](np.arange(9))


def test_what_is_fetched_is_found_by_its_reader(cli: Callable[..., str], served: Served, tmp_path: Path) -> None:
    mnist(served)
    printed = cli(f"fetch mnist --mirror {served.url}/")
    assert printed.count("no checksum is known to compare with, its sha256 is ") == 4
    assert f"folder: {tmp_path / 'data' / 'mnist'}" in printed
    assert "lecun1998gradient" in printed
    assert len(MNIST()) == 9
    assert len(MNIST(split="test")) == 9


def test_some_files_can_be_put_elsewhere(cli: Callable[..., str], served: Served, tmp_path: Path) -> None:
    mnist(served)
    cli(f"fetch mnist --only train- --to {tmp_path / 'here'} --mirror {served.url}")
    assert names(tmp_path / "here") == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    assert len(MNIST(folder=str(tmp_path / "here"))) == 9


@pytest.mark.parametrize(("command", "parts"), [
    ("fetch", ["WORLD must be given"]),
    ("fetch digitz", ["unknown world 'digitz'", "digits"]),
    ("fetch digits", ["digits has no files to fetch"]),
    ("fetch folders", ["folders has no files to fetch"]),
    ("fetch mnist", ["no address is known for train-images-idx3-ubyte.gz", "by hand from http", "--mirror"]),
    ("fetch mpi3d", ["name some with --only", "mpi3d_toy.npz"]),
    ("fetch mpi3d --only toi", ["no file of mpi3d is called 'toi'", "mpi3d_toy.npz"]),
    ("fetch mnist --mirror here", ["must begin with http"]),
    ("fetch mnist --mirror http://127.0.0.1:1 --two", ["unknown option --two", "--to"]),
])  # fmt: skip
def test_what_cannot_be_fetched_is_answered_with_a_sentence(
    cli: Callable[..., str], command: str, parts: list[str]
) -> None:
    sentence = cli(command, 2)
    assert sentence.startswith("unbraid: ")
    assert sentence.count("\n") == 1
    assert all(part in sentence for part in parts), sentence


def test_another_file_under_a_published_name_is_not_believed(cli: Callable[..., str], served: Served) -> None:
    assert "fetched twice, and its md5 is" in cli(f"fetch shapes3d --mirror {served.url}", 2)


def test_the_sentence_of_an_absent_file_is_a_command_that_exists(cli: Callable[..., str], tmp_path: Path) -> None:
    sentence = cli("show mpi3d --world.variant real", 2)
    assert "`unbraid fetch mpi3d --only mpi3d_real.npz`" in sentence
    assert str(tmp_path / "data" / "mpi3d" / "mpi3d_real.npz") in sentence
