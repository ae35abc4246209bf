"""Who is let in."""

from __future__ import annotations

import asyncio

import pytest
from fastapi.testclient import TestClient

from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.guard import COOKIE, Guard
from unbraid.explore.subject import Subject
from unbraid.explore.uploads import BYTES


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:8700", "[::2]", "]["]
)
def test_foreign_names_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/api/runs", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8700", "127.0.0.1", "LOCALHOST", "[::1]:8700"])
def test_this_machines_own_names_are_not(client: TestClient, host: str) -> None:
    assert client.get("/page/main.js", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_pages_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/runs/0/decode", json={"codes": [[0, 0, 0]]}, headers=headers)
    assert answer.status_code == 403
    same = {"Origin": "http://127.0.0.1:8700", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/runs/0/decode", json={"codes": [[0, 0, 0]]}, headers=same).status_code == 200


def test_every_answer_forbids_what_the_page_does_not_need(client: TestClient) -> None:
    for path in ("/", "/api/runs", "/page/none", "/nowhere"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert "content-security-policy" in client.get("/", headers={"Host": "evil.example"}).headers


def test_large_bodies_are_refused_whatever_they_say_of_their_length(client: TestClient) -> None:
    assert client.post("/api/runs/0/encode", content=b"x" * (BYTES + 2000)).status_code == 413
    pieces = (b"x" * (1 << 20) for _ in range(BYTES // (1 << 20) + 2))
    assert client.post("/api/runs/0/encode", content=pieces).status_code >= 400


def test_strangers_need_the_token_once(subject: Subject) -> None:
    app = make(Gallery([subject]), hosts=("model.lan",), token="a-secret")
    with TestClient(app, base_url="http://model.lan:8700", follow_redirects=False) as stranger:
        assert stranger.get("/").status_code == 401
        assert stranger.get("/?token=a-guess").status_code == 401
        assert stranger.get("/api/runs", headers={"Cookie": f"{COOKIE}=a-guess"}).status_code == 401
        welcome = stranger.get("/?token=a-secret")
        assert (welcome.status_code, welcome.headers["location"]) == (303, "/")
        kept = welcome.headers["set-cookie"].lower()
        assert "httponly" in kept
        assert "samesite=strict" in kept
        assert stranger.get("/").status_code == 200
        assert stranger.get("/api/runs").status_code == 200


def test_nothing_but_http_is_spoken() -> None:
    reached = []

    async def inner(scope, receive, send) -> None:
        reached.append(scope["type"])

    guard = Guard(inner, limit=10)
    for kind in ("websocket", "lifespan", "telnet"):
        asyncio.run(guard({"type": kind}, None, None))  # type: ignore[arg-type]
    assert reached == ["lifespan"]
