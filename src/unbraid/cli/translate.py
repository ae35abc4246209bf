"""Translate pictures of one domain to the other with a run, in drawn styles or those of examples."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["main", "translate"]


def translate(
    run: Path,
    /,
    *,
    image: tuple[Path, ...],
    source: str = "a",
    style: tuple[Path, ...] = (),
    styles: int = 8,
    between: int = 0,
    out: Path | None = None,
    seed: int = 0,
) -> None:
    """Translate pictures of one domain to the other, and keep them and a grid of all in the run's figures folder.

    Args:
        run: The run folder, of munit, unit, cyclegan or ddib.
        image: The pictures, with spaces between.
        source: The domain they are of: a or b, or its name in the world; `--from` is the same.
        style: Pictures of the other domain whose styles are taken; by default styles are drawn.
        styles: How many styles are drawn.
        between: How many styles to show between one and the next.
        out: Where to keep them; by default figures/translations in the run folder.
        seed: What drawn styles depend on.
    """
    from unbraid.runs.run import Run
    from unbraid.runs.translate import translate as translated

    files = translated(
        Run(run), image, source=source, examples=style, styles=styles, between=between, out=out, seed=seed
    )
    print(files[0])
    print(f"and {len(files) - 1} translations beside it")


def main(arguments: list[str]) -> None:
    """``unbraid translate RUN --from a --image FILE [--style FILE | --styles 8]``."""
    # `from` is no name that a parameter can have.
    named = ["--source" + a.removeprefix("--from") if a.partition("=")[0] == "--from" else a for a in arguments]
    _flags.call(translate, named, prog="unbraid translate")
