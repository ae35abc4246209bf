"""Draw a sheet of a world's images, and a row for each of its factors."""

from __future__ import annotations

from pathlib import Path

from unbraid import registry
from unbraid.cli import _flags
from unbraid.errors import InvalidOption, RunError

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """``unbraid show WORLD [--out FILE] [--world.* ...]``."""
    if not arguments or arguments[0].startswith("-"):
        if {"-h", "--help"} & set(arguments):
            print(
                "usage: unbraid show WORLD [OPTIONS]\n\nDraw a sheet of a world's images, and a row for each factor.\n"
            )
            print(f"worlds: {', '.join(registry.names('worlds'))}\n\n`unbraid show WORLD --help` shows the options.")
            return
        raise InvalidOption("show needs a world, before any option: unbraid show sprites")
    name = arguments[0]
    registry.check("worlds", name)
    from unbraid.plots.sheet import sheet
    from unbraid.runs import folder
    from unbraid.runs.show import material

    cls = registry.load("worlds", name)
    given = _flags.parse(
        arguments[1:],
        _flags.fields(_settings),
        prog=f"unbraid show {name}",
        description=registry.summary("worlds", name),
        groups={"world": _flags.fields(cls)},
    )
    world = cls(**{option: getattr(given.world, option) for option in registry.parameters(cls)})
    out = given.out or Path(f"{name}.png")
    figure = sheet(**material(world, seed=given.seed))
    try:
        folder.write_picture(out, figure)
    except (OSError, ValueError) as error:  # a ValueError speaks of a format that is not known
        reason = error.strerror if isinstance(error, OSError) else error
        raise RunError(f"cannot write {out} ({reason}): choose another file with --out") from None
    print(world)
    print(out)


def _settings(*, out: Path | None = None, seed: int = 0) -> None:
    """Draw a sheet.

    Args:
        out: The picture's file; <world>.png by default.
        seed: Which images.
    """
