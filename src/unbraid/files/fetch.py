"""Downloads that continue where they stopped, are checked, and are put in place whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from unbraid.errors import InvalidData, InvalidOption, UnbraidError
from unbraid.files.source import File
from unbraid.files.whole import PART, claimed, put

__all__ = ["Digests", "FetchError", "digests", "fetch"]

BLOCK = 1 << 18
TIMEOUT = 30.0
AGAIN = {408, 425, 429, 500, 502, 503, 504}
"""Answers that may be better the next time."""

Progress = Callable[[int, int], None]


class FetchError(UnbraidError):
    """A file that could not be fetched."""


@dataclass(frozen=True)
class Digests:
    """The checksums of a file.

    Args:
        md5: In hexadecimal digits.
        sha256: In hexadecimal digits.
        size: Bytes.
    """

    md5: str
    sha256: str
    size: int


def digests(path: Path) -> Digests:
    """The checksums of a file."""
    # MD5 is what was published; it guards against damage, not against malice.
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            md5.update(block)
            sha256.update(block)
            size += len(block)
    return Digests(md5.hexdigest(), sha256.hexdigest(), size)


def fetch(
    file: File, folder: Path, *, progress: Progress = lambda done, total: None, tries: int = 5, pause: float = 1.0
) -> Digests:
    """Download a file into a folder, unless it is there already.

    What has arrived is kept in ``<name>.part``, and the next call goes on from there. The file appears under its own
    name only when it is complete and its checksum, where one is known, is right.

    Args:
        file: What to fetch.
        folder: Where to put it.
        progress: Told the bytes that are there and those there will be (0 where that is not known).
        tries: How often in a row nothing may arrive before it is given up, at least 1.
        pause: Seconds before the second try; each pause is twice the one before.

    Returns:
        The checksums of what was put in place.

    Raises:
        InvalidOption: When the address is not one of the web.
        FetchError: When the server refuses, does not answer, or sends something else, or the disk is full.
        InvalidData: When a file of that name is there and is another.
    """
    target = folder / file.name
    if target.exists():
        return _there(file, target)
    if urllib.parse.urlsplit(file.url).scheme not in ("http", "https"):
        raise InvalidOption(f"an address must begin with http:// or https://, but is {file.url!r}")
    place = folder / f"{file.name}{PART}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with claimed(place, wait=False) as part:
            if target.exists():  # another process had it in hand, and is done
                place.unlink()
                return _there(file, target)
            download = _Download(file, part, target, progress, tries, pause)
            found = download.run()
            put(part, target)
            download.tag_file.unlink(missing_ok=True)
        return found
    except BlockingIOError as error:
        raise FetchError(f"another process is fetching {place}: wait for it") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise FetchError(
                f"no room is left for {target}: make some, and give the same command again; nothing is lost"
            ) from error
        raise FetchError(f"{target} cannot be written ({error.strerror or error}): choose another folder") from error


def _there(file: File, target: Path) -> Digests:
    """The checksums of a file that is there."""
    found = digests(target)
    if _complaint(file, found):
        raise InvalidData(f"{target} is there, but {_complaint(file, found)}: move it away and fetch it again")
    return found


def _complaint(file: File, found: Digests) -> str:
    """What is wrong with the bytes that arrived, or nothing."""
    if file.md5 and found.md5 != file.md5:
        return f"its md5 is {found.md5} instead of {file.md5}"
    if file.size and found.size != file.size:
        return f"it has {found.size:,} bytes instead of {file.size:,}"
    return ""


class _Download:
    """One file on its way."""

    def __init__(self, file: File, part: BinaryIO, target: Path, progress: Progress, tries: int, pause: float) -> None:
        self.file, self.part, self.target, self.progress = file, part, target, progress
        self.tries, self.pause = tries, pause
        # A server may have a newer file than the one of which a part is here: it is told which one is meant.
        self.tag_file = target.with_name(f"{target.name}.tag")
        self.total = 0

    @property
    def have(self) -> int:
        return os.fstat(self.part.fileno()).st_size

    def run(self) -> Digests:
        damaged = False
        while True:
            self._complete()
            self.part.flush()
            os.fsync(self.part.fileno())
            found = digests(Path(self.part.name))
            complaint = _complaint(self.file, found)
            if not complaint:
                return found
            self._restart()
            if damaged:
                raise FetchError(f"{self.file.url} was fetched twice, and {complaint}: the server has another file")
            damaged = True

    def _restart(self) -> None:
        self.part.truncate(0)
        self.tag_file.unlink(missing_ok=True)

    def _complete(self) -> None:
        """Ask until everything has arrived."""
        failures, most = 0, self.have
        while True:
            wait, reason = 0.0, "the connection was lost"
            try:
                if self._ask():
                    return
            except urllib.error.HTTPError as error:
                error.close()
                reason = f"the server answers {error.code} {error.reason}"
                if error.code not in AGAIN:
                    raise FetchError(f"{self.file.url} cannot be fetched: {reason}") from error
                wait = _seconds(error.headers.get("Retry-After"))
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                cause = error.reason if isinstance(error, urllib.error.URLError) else error
                reason = str(cause) or type(cause).__name__
            failures = 0 if self.have > most else failures + 1
            most = max(most, self.have)
            if failures >= self.tries:
                missing = f", {self.have:,} of {self.total:,} bytes arrived" if self.total else ""
                raise FetchError(
                    f"{self.file.url} cannot be fetched: {reason}{missing}; what is here is kept, and the same command "
                    "goes on from there"
                )
            time.sleep(max(wait, self.pause * 2 ** max(0, failures - 1)))

    def _ask(self) -> bool:
        """Ask for what is lacking; whether nothing lacks afterwards."""
        tag = self.tag_file.read_text("ascii") if self.tag_file.exists() else ""
        if not tag and not self.file.md5:
            self._restart()  # Nothing would tell whether the rest belongs to what is here.
        have = self.have
        headers = {"User-Agent": "unbraid", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if tag:
                headers["If-Range"] = tag
        request = urllib.request.Request(self.file.url, headers=headers)
        try:
            answer = urllib.request.urlopen(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
                raise
            error.close()
            length = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", ""))
            if length and int(length[1]) == have:
                return True
            self._restart()  # What is here is longer than the file: it is of another.
            return False
        with answer:
            return self._receive(answer, have)

    def _receive(self, answer: Any, have: int) -> bool:
        length = answer.headers.get("Content-Length") or ""
        stretch = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if answer.status == http.HTTPStatus.PARTIAL_CONTENT and stretch and int(stretch[1]) == have:
            self.total = int(stretch[3]) if stretch[3] != "*" else 0
        else:
            if have:
                self._restart()  # The server sends the file from its beginning, or from somewhere else.
            if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
                return False
            have, self.total = 0, int(length) if length.isdecimal() else 0
            tag = answer.headers.get("ETag") or ""
            if not tag.startswith('"'):  # None, or a weak one, which stands for more than the very same bytes.
                tag = answer.headers.get("Last-Modified") or ""
            self.tag_file.write_text(tag if tag.isascii() else "", "ascii")
        lacking = (self.total or self.file.size) - have
        if lacking > shutil.disk_usage(self.target.parent).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.progress(have, self.total or self.file.size)
        try:
            while block := _read(answer):
                self.part.write(block)
                have += len(block)
                self.progress(have, self.total or self.file.size)
        finally:
            self.part.flush()
        # Without a length the end of the connection is the end of the file; the checksum tells whether it truly was.
        return have >= (self.total or self.file.size)


def _read(answer: Any) -> bytes:
    try:
        block: bytes = answer.read(BLOCK)
    except OSError as error:  # Kept apart from what goes wrong with the disk.
        raise ConnectionError(str(error) or "the connection was lost") from error
    return block


def _seconds(header: str | None) -> float:
    """How long a server asks to be left alone, at most a minute."""
    try:
        return min(60.0, max(0.0, float(header or 0)))
    except ValueError:
        return 0.0
