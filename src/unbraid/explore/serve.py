"""Serving the page until Ctrl-C."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from unbraid.errors import InvalidOption, MissingExtra
from unbraid.runs.run import Run

__all__ = ["serve"]


def serve(
    runs: Sequence[str | Path],
    *,
    host: str = "127.0.0.1",
    port: int = 8700,
    samples: int = 2000,
    say: Callable[[str], None] = print,
) -> None:
    """Show runs and studies on a web page until interrupted.

    Args:
        runs: Folders of finished runs, or of studies, at least one.
        host: The address to listen at. On any but loopback a token is asked for, which is part of the address that is
            printed.
        port: 0 for any that is free.
        samples: How many images of each world are encoded before the page opens, at least 2.
        say: Told the address, once the page can be opened.

    Raises:
        InvalidOption: When there is no run, or the address cannot be listened at.
        MissingExtra: When FastAPI or uvicorn is not installed.
        RunError: When a run cannot be read or is not finished.
        InvalidData: When a study has nothing to show.
    """
    try:
        import uvicorn

        from unbraid.explore.app import make
        from unbraid.explore.guard import LOOPBACK
    except ImportError:
        raise MissingExtra("unbraid explore", "explore") from None
    import torch

    from unbraid.explore.gallery import Gallery, Shown, read
    from unbraid.explore.studied import Studied, is_study

    if not runs:
        raise InvalidOption("explore needs at least one run: unbraid explore runs/b4")
    if samples < 2:
        raise InvalidOption(f"samples must be at least 2, but is {samples}")
    torch.set_num_threads(1)  # a single image is decoded sooner by one thread than by several
    with _listening(host, port) as listener:
        subjects, studies = list[Shown](), list[Studied]()
        for path in map(Path, runs):
            if is_study(path):
                studies.append(Studied(path))
                say(f"reading {path}: {len(studies[-1])} runs of the study {studies[-1].name}")
                continue
            run = Run(path)
            say(f"reading {run.path}: {run.name}")
            subjects.append(read(run, samples=samples))
        gallery = Gallery(subjects, studies, samples=samples)
        if not subjects:  # a page begins with something to look at
            gallery.open(studies[0].best)
        token = None if host in LOOPBACK else secrets.token_urlsafe(16)
        name = f"[{host}]" if ":" in host else host
        if token is not None:
            say(f"note: {host} can be reached from other machines; only who has the token below sees anything")
        where = f"http://{name}:{listener.getsockname()[1]}/" + (f"?token={token}" if token else "")
        app = make(gallery, hosts=() if token is None else (host, socket.gethostname()), token=token)
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none", server_header=False)
        say(f"open {where}  (Ctrl-C ends it)")
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidOption(
            f"the page cannot be served at {host}, port {port} ({reason}): give another with --port, or 0 for any"
        ) from None
