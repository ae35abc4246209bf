"""The sliders of the page as a widget of a notebook."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from unbraid.errors import InvalidOption, MissingExtra
from unbraid.explore.subject import Subject
from unbraid.runs.run import Run
from unbraid.translation import TranslatingModel
from unbraid.types import Bytes, Floats, Integers

__all__ = ["Traversals"]

FRAMES = 9
"""Images of a film that stand side by side."""
SIDE = 184
"""Pixels a side at which an image is shown."""
STEP = 0.01
ACCENT = "#2f5f9f"
LOOK = """<style>
.unbraid { max-width: 46rem; }
.unbraid img { image-rendering: pixelated; border-radius: 6px; background: #000; }
.unbraid .unbraid-latent button { font-weight: 600; border-radius: 7px; }
.unbraid .noUi-connect { background: #2f5f9f; }
.unbraid .unbraid-told { font-size: 0.82rem; opacity: 0.8; } .unbraid .unbraid-dead { opacity: 0.55; }
</style>"""
"""The page's colours and corners; the letters and the ground are the notebook's, light or dark."""


class Traversals:
    """A slider for each latent of a run, those that carry most first, and the image of the code that they make.

    As the last value of a cell it is shown. A click on a latent's name lays its film out below. Other cells can read
    the code, and set it.

    Args:
        run: A finished run, or its folder.
        samples: How many images are encoded for what is said of all of them, at least 2.

    Attributes:
        widget: The ipywidgets box.
        code: The code that is shown, ``(latent_dim,)``; ``take`` sets it.

    Raises:
        MissingExtra: When ipywidgets is not installed.
        InvalidOption: When the run translates, or ``samples`` is out of range.
        RunError: When the run is not finished or cannot be read.
    """

    def __init__(self, run: Run | str | Path, *, samples: int = 2000) -> None:
        try:
            import ipywidgets
        except ImportError:
            raise MissingExtra("sliders in a notebook", "notebook") from None
        if samples < 2:
            raise InvalidOption(f"samples must be at least 2, but is {samples}")
        run = run if isinstance(run, Run) else Run(run)
        if isinstance(run.model, TranslatingModel):
            raise InvalidOption(f"{run.name} translates, and has no latents to move: look at it with `unbraid explore`")
        self.samples, self._subject = samples, Subject(run, samples=samples)
        about, self._make = self._subject.about, ipywidgets
        self._latents = {latent["index"]: latent for latent in about["latents"]}
        self.code: Floats = np.array([self._latents[j]["base"] for j in range(len(self._latents))])
        self._start, self._quiet = self.code, False
        self._given, self._made = (ipywidgets.Image(format="png", width=SIDE, height=SIDE) for _ in range(2))
        self._film = ipywidgets.Image(format="png", layout={"display": "none", "width": "100%"})
        self._said = ipywidgets.HTML()
        self._sliders = {index: self._slider(latent) for index, latent in self._latents.items()}
        self.widget: Any = ipywidgets.VBox(self._children(about))
        self.widget.add_class("unbraid")
        self.another()

    def another(self) -> None:
        """Begin with an image of the world, at random."""
        self.look(int(np.random.default_rng().integers(len(self._subject.run.world))))

    def look(self, image: int) -> None:
        """Begin with an image of the world, by its number."""
        number: Integers = np.array([image], dtype=np.int64)
        self._given.value = _png(self._subject.images(number)[0])
        self._start = self._subject.codes(number)[0]
        self.take(self._start)

    def take(self, code: Floats) -> None:
        """Show a code, ``(latent_dim,)``.

        Raises:
            InvalidOption: When it has another length.
        """
        given = np.array(code, dtype=np.float64)
        if given.shape != self.code.shape:
            raise InvalidOption(f"a code of this model has {len(self.code)} numbers, but this has shape {given.shape}")
        self.code, self._quiet = given, True
        for index, slider in self._sliders.items():
            slider.min, slider.max = min(slider.min, given[index]), max(slider.max, given[index])
            slider.value = given[index]
        self._quiet = False
        self._draw()

    def play(self, latent: int) -> None:
        """Lay out the film of a latent: its images from end to end, all else as it is.

        Raises:
            InvalidOption: When there is no such latent.
        """
        if latent not in self._latents:
            raise InvalidOption(f"latents are numbered 0 .. {len(self._latents) - 1}, but {latent} is asked for")
        low, high = self._latents[latent]["low"], self._latents[latent]["high"]
        codes = np.tile(self.code, (FRAMES, 1))
        codes[:, latent] = np.linspace(low, high, FRAMES)
        self._film.value = _png(np.concatenate(list(self._subject.decode(codes)), axis=2))
        self._film.layout.display = None
        self._said.value = f"z{latent} from {low:.1f} to {high:.1f}, all else as it is".replace("-", "−")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """What a notebook shows."""
        return self.widget._repr_mimebundle_(**options)

    def _children(self, about: dict[str, Any]) -> list[Any]:
        make = self._make
        title = f"<b>{about['name']}</b><br>{about['title']}: seed {about['seed']}, {about['steps']:,} steps. "
        buttons = []
        for text, act in (("Another image", self.another), ("Reset", lambda: self.take(self._start))):
            button = make.Button(description=text)
            button.on_click(lambda _, act=act: act())
            buttons.append(button)
        rows = [self._row(latent, about["factors"]) for latent in about["latents"]]
        named = ((self._given, "given"), (self._made, "decoded"))
        pictures = make.HBox([make.VBox([picture, make.Label(name)]) for picture, name in named])
        return [
            make.HTML(LOOK + title + about["summary"]), pictures, make.HBox(buttons), *rows, self._film, self._said
        ]  # fmt: skip

    def _row(self, latent: dict[str, Any], factors: list[dict[str, Any]]) -> Any:
        make, index, tells = self._make, latent["index"], latent["tells"]
        share = "tells of no factor" if tells is None else f"{factors[tells['factor']]['name']} {tells['share']:.0%}"
        told = "carries nothing" if latent["dead"] else share
        play = make.Button(description=f"z{index}", tooltip=f"Play what z{index} does", layout={"width": "3.2rem"})
        play.add_class("unbraid-latent")
        play.on_click(lambda _: self.play(index))
        says = make.Label(told, layout={"width": "9rem"})
        says.add_class("unbraid-told")
        row = make.HBox([play, self._sliders[index], says])
        if latent["dead"]:
            row.add_class("unbraid-dead")
        return row

    def _slider(self, latent: dict[str, Any]) -> Any:
        index = latent["index"]
        slider = self._make.FloatSlider(
            value=latent["base"], min=min(latent["low"], latent["base"]), max=max(latent["high"], latent["base"]),
            step=STEP, readout_format=".2f", layout={"flex": "1 1 auto", "width": "auto"},
            style={"handle_color": ACCENT},
        )  # fmt: skip

        def moved(change: dict[str, Any]) -> None:
            if not self._quiet:
                self.code = self.code.copy()
                self.code[index] = change["new"]
                self._draw()

        slider.observe(moved, names="value")
        return slider

    def _draw(self) -> None:
        self._made.value = _png(self._subject.decode(self.code[None])[0])


def _png(image: Bytes) -> bytes:
    """One image ``(C, H, W)`` as a file."""
    from PIL import Image

    pixels, file = image.transpose(1, 2, 0), io.BytesIO()
    Image.fromarray(pixels if len(image) == 3 else pixels[..., 0]).save(file, "PNG")
    return file.getvalue()
