"""What is let in: requests to this machine's own name, from this page, no larger than a picture."""

from __future__ import annotations

import hmac
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["COOKIE", "LOOPBACK", "Guard"]

COOKIE = "unbraid"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses what a page in another tab, a rebound name or a stranger on the network might send.

    * The ``Host`` must be a name of this machine that was agreed on: a foreign name that points here (DNS rebinding) is
      refused.
    * Where a browser says from which page a request comes, it must be this one.
    * With a token, it must be in the address at first (``?token=``), then in a cookie that only this page can use.
    * A body may have ``limit`` bytes, whatever it says of its length.

    Args:
        app: What is guarded.
        hosts: Names besides this machine's loopback ones.
        token: The secret, or None where only this machine can ask.
        limit: Bytes of a body.
    """

    def __init__(self, app: ASGIApp, *, hosts: tuple[str, ...] = (), token: str | None = None, limit: int) -> None:
        self.app, self.token, self.limit = app, token, limit
        self.hosts = frozenset(name.lower() for name in (*LOOPBACK, *hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the guarded one answer."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # nothing here speaks anything else
        refusal = self._refusal(scope)
        if refusal is not None:
            for name, value in HEADERS.items():
                refusal.headers[name] = value
            await refusal(scope, receive, send)
            return
        await self.app(scope, _counted(receive, self.limit), _clad(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name(host) not in self.hosts:
            return _said(403, "this page answers only to the name it was started with")
        origin = headers.get("origin")
        if (origin is not None and urlsplit(origin).netloc.lower() != host.lower()) or headers.get(
            "sec-fetch-site", "same-origin"
        ) not in ("same-origin", "none"):
            return _said(403, "this request comes from another page")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.limit:
            return _said(413, f"a request may have {self.limit >> 20} MB")
        return self._stranger(scope, headers)

    def _stranger(self, scope: Scope, headers: Headers) -> Response | None:
        if self.token is None:
            return None
        try:
            kept = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except Exception:  # damaged cookies are no cookies
            kept = None
        if kept is not None and _same(kept.value, self.token):
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not _same(given, self.token):
            return _said(401, "open the address that `unbraid explore` printed: it holds the token")
        answer = RedirectResponse(scope["path"], 303)  # so that the token does not stay in the address
        answer.set_cookie(COOKIE, self.token, httponly=True, samesite="strict")
        return answer


def _name(host: str) -> str:
    """The name in a ``Host`` header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _said(status: int, sentence: str) -> Response:
    return PlainTextResponse(sentence + "\n", status)


def _counted(receive: Receive, limit: int) -> Receive:
    """The same messages, until their bodies are more than the limit; then the connection is as good as closed."""
    count = 0

    async def counted() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        return {"type": "http.disconnect"} if count > limit else message

    return counted


def _clad(send: Send) -> Send:
    """The same answers, with headers that forbid what the page does not need."""

    async def clad(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return clad
