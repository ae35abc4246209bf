"""Look at runs and studies on a web page: move latents, drop pictures in, see what each one means."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["explore", "main"]


def explore(
    runs: tuple[Path, ...], /, *, host: str = "127.0.0.1", port: int = 8700, samples: int = 2000, browser: bool = False
) -> None:
    """Look at runs and studies on a web page, until Ctrl-C.

    Args:
        runs: Folders of finished runs, or of studies (`runs/studies/strength`), with spaces between.
        host: The address to listen at; any but this machine's own asks for a token, which is printed.
        port: The port; 0 for any that is free.
        samples: How many images of each world are encoded before the page opens.
        browser: Whether to open the page in this machine's browser.
    """
    from unbraid.explore.serve import serve

    def say(text: str) -> None:
        print(text, flush=True)
        if browser and text.startswith("open "):
            import webbrowser

            webbrowser.open(text.split()[1])

    serve(runs, host=host, port=port, samples=samples, say=say)


def main(arguments: list[str]) -> None:
    """``unbraid explore RUN [RUN ...] [--port 8700]``."""
    _flags.call(explore, arguments, prog="unbraid explore")
