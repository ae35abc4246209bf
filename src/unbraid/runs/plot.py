"""Pictures of a run: every plot on the shelf that suits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption, RunError
from unbraid.runs import folder
from unbraid.runs.encode import abilities, choose, decoder, divergence, encode, represented
from unbraid.runs.run import Run
from unbraid.runs.taken import lived, taken_apart
from unbraid.score import Sampler
from unbraid.types import Bytes, FactorSpace, Floats, Integers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from unbraid.plots._scenes import Lived, TakenApart

__all__ = ["Material", "figures", "plot"]

Options: TypeAlias = Mapping[str, Mapping[str, Any]]


class Material:
    """What plots may ask for by the names of their parameters; each is computed once, when first asked for.

    Args:
        run: The run.
        samples: How many images are encoded.
        seed: Which.
    """

    def __init__(self, run: Run, *, samples: int = 2000, seed: int = 0) -> None:
        self.run, self.seed = run, seed
        self.indices = choose(run.world, samples, seed)
        """Numbers of the chosen images."""

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """The rows of the run's history."""
        return self.run.history

    @cached_property
    def codes(self) -> Floats:
        """Codes of the chosen images."""
        return encode(self.run.model, self.run.world, self.indices)

    @cached_property
    def factors(self) -> Integers:
        """Factor values of the chosen images."""
        return self.run.world.factors(self.indices)

    @cached_property
    def space(self) -> FactorSpace:
        """The world's factors."""
        return self.run.world.space

    @cached_property
    def images(self) -> Bytes:
        """The first few of the chosen images."""
        return self.run.world.images(self.indices[:16])

    @cached_property
    def reconstructions(self) -> Bytes:
        """The same images, encoded and decoded."""
        return self.decode(self.codes[:16])

    @cached_property
    def decode(self) -> Callable[[Floats], Bytes]:
        """From codes to images."""
        return decoder(self.run.model)

    @cached_property
    def look(self) -> Callable[[Integers], tuple[Bytes, Floats]]:
        """From numbers of images in the world to the images and their codes."""

        def look(numbers: Integers) -> tuple[Bytes, Floats]:
            world = self.run.world
            if numbers.min() < 0 or numbers.max() >= len(world):
                raise InvalidOption(f"images are numbered 0 .. {len(world) - 1:,}, but {numbers.tolist()} is asked for")
            return world.images(numbers), encode(self.run.model, world, numbers)

        return look

    @cached_property
    def acting(self) -> Sampler:
        """Codes and images of any factor values, and what a model that acts does to them.

        Raises:
            InvalidData: When the model does not act.
        """
        able = abilities(self.run.model, self.run.world, view=self.run.config["view"])
        if "matrices" not in able:
            raise InvalidData(f"{self.run.name}: the model has no actions")
        return Sampler(self.space, represented(self.run.model, self.run.world), **able)

    @cached_property
    def lived(self) -> Lived:
        """Images of each environment, drawn in each that the model knows.

        Raises:
            InvalidData: When the model does not live through environments.
        """
        return lived(self.run.model, self.run.world, self.run.config["view"]["options"].get("factor", ""))

    @cached_property
    def taken(self) -> TakenApart:
        """The first few of the chosen images, taken apart into objects.

        Raises:
            InvalidData: When the model does not take images apart.
        """
        return taken_apart(self.run.model, self.images)

    @cached_property
    def contents(self) -> int:
        """How many numbers of a code are the class code; 0 where none is set apart."""
        return self.run.model.contents

    @cached_property
    def divergence(self) -> Floats | None:
        """Mean KL of every latent, in nats."""
        return divergence(self.run.model, self.run.world, self.indices[:1000])

    @cached_property
    def allowance(self) -> Floats | None:
        """How many nats the model holds its KL to at every row of the history."""
        found = [self.run.model.allowance(int(row["step"])) for row in self.history]
        return None if not found or None in found else np.array(found, dtype=np.float64)


def figures(
    run: Run, *, plots: Sequence[str] | None = None, options: Options | None = None
) -> tuple[dict[str, Figure], dict[str, str]]:
    """Draw a run.

    Args:
        run: A finished run.
        plots: Names from ``unbraid list plots``; by default all for which a run has the material.
        options: Options of plots, by the plot's name: ``{"traversals": {"over": "quantiles"}}``.

    Returns:
        The figures by name, and the reasons of those that do not suit this run.
    """
    drawn: dict[str, Figure] = {}
    unsuited: dict[str, str] = {}
    material = Material(run)
    for name in plots if plots is not None else registry.names("plots"):
        function = registry.load("plots", name)
        parameters = registry.parameters(function)
        missing = [p for p, given in parameters.items() if not hasattr(Material, p) and given.default is given.empty]
        if missing:
            if plots is not None:
                unsuited[name] = f"{name} needs {', '.join(missing)}, which a run does not have"
            continue
        try:
            material_of: dict[str, Any] = {p: getattr(material, p) for p in parameters if hasattr(Material, p)}
            drawn[name] = function(**material_of, **(options or {}).get(name, {}))
        except InvalidData as error:
            unsuited[name] = str(error)
    return drawn, unsuited


def plot(run: Run | str | Path, *, plots: Sequence[str] | None = None, options: Options | None = None) -> list[Path]:
    """Draw a run and keep the figures as PNG in its ``figures`` folder.

    Args:
        run: A finished run, or its folder.
        plots: Names from ``unbraid list plots``; by default all that suit it.
        options: Options of plots, by the plot's name: ``{"traversals": {"over": "quantiles"}}``.

    Returns:
        The files.

    Raises:
        UnknownName: When there is no such plot.
        InvalidOption: When an option cannot be used.
        RunError: When the run is not finished, or a plot asked for does not suit it.
    """
    run = run if isinstance(run, Run) else Run(run)
    drawn, unsuited = figures(run, plots=plots, options=options)
    if plots is not None and unsuited:
        raise RunError(f"{run.path}: {'; '.join(unsuited.values())}")
    target = run.path / folder.FIGURES
    folder.make(target)
    files = []
    for name, figure in drawn.items():
        files.append(target / f"{name}.png")
        folder.write_picture(files[-1], figure)
    return files
