"""Sliders in a notebook, without one: what the widgets hold is what a browser would show."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from unbraid.errors import InvalidOption, MissingExtra
from unbraid.explore.notebook import FRAMES, Traversals
from unbraid.explore.translating import Translating


@pytest.fixture
def widgets() -> Any:
    return pytest.importorskip("ipywidgets", reason="no ipywidgets: pip install 'unbraid[notebook]'")


@pytest.fixture
def sliders(widgets: Any, run: Path) -> Traversals:
    return Traversals(run, samples=100)


def seen(picture: Any) -> np.ndarray:
    with Image.open(io.BytesIO(picture.value)) as opened:
        return np.asarray(opened)


def of_kind(box: Any, kind: type) -> list[Any]:
    """The widgets of a kind in a box, in their order."""
    inside = [found for one in getattr(box, "children", ()) for found in of_kind(one, kind)]
    return [box] if isinstance(box, kind) else inside


def pictures(sliders: Traversals, widgets: Any) -> list[Any]:
    return of_kind(sliders.widget, widgets.Image)


def test_a_slider_shows_what_the_decoder_says(sliders: Traversals, widgets: Any) -> None:
    _, made, _ = pictures(sliders, widgets)
    first = of_kind(sliders.widget, widgets.FloatSlider)[0]
    index = sliders._subject.about["latents"][0]["index"]
    for value in (-2.5, 2.0):
        first.value = value
        assert sliders.code[index] == value
        assert (seen(made) == sliders._subject.decode(sliders.code[None])[0, 0]).all()


def test_sliders_stand_in_the_order_of_what_latents_carry(sliders: Traversals, widgets: Any) -> None:
    buttons = [one.description for one in of_kind(sliders.widget, widgets.Button)]
    assert buttons == ["Another image", "Reset", *(f"z{one['index']}" for one in sliders._subject.about["latents"])]


def test_an_image_of_the_world_is_shown_with_its_code(sliders: Traversals, widgets: Any) -> None:
    sliders.look(7)
    given, _, _ = pictures(sliders, widgets)
    numbers, subject = np.array([7]), sliders._subject
    assert (seen(given) == subject.images(numbers)[0, 0]).all()
    assert sliders.code == pytest.approx(subject.codes(numbers)[0])
    values = [one.value for one in of_kind(sliders.widget, widgets.FloatSlider)]
    assert values == pytest.approx([sliders.code[one["index"]] for one in subject.about["latents"]])


def test_reset_goes_back_to_the_image(sliders: Traversals, widgets: Any) -> None:
    before, (_, made, _) = sliders.code.copy(), pictures(sliders, widgets)
    image = seen(made)
    of_kind(sliders.widget, widgets.FloatSlider)[1].value = 2.75
    assert (seen(made) != image).any()
    of_kind(sliders.widget, widgets.Button)[1].click()
    assert sliders.code == pytest.approx(before)
    assert (seen(made) == image).all()


def test_a_latents_name_lays_out_its_film(sliders: Traversals, widgets: Any) -> None:
    film = pictures(sliders, widgets)[2]
    assert film.layout.display == "none"
    of_kind(sliders.widget, widgets.Button)[2].click()
    assert film.layout.display is None
    latent = sliders._subject.about["latents"][0]
    codes = np.tile(sliders.code, (FRAMES, 1))
    codes[:, latent["index"]] = np.linspace(latent["low"], latent["high"], FRAMES)
    assert (seen(film) == np.concatenate(list(sliders._subject.decode(codes)[:, 0]), axis=1)).all()


def test_a_code_that_is_far_out_is_taken_as_it_is(sliders: Traversals) -> None:
    sliders.take(np.array([9.0, 0.0, -9.0]))
    assert sliders.code.tolist() == [9.0, 0.0, -9.0]


def test_a_notebook_is_given_the_widget(sliders: Traversals) -> None:
    view = sliders._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == sliders.widget.model_id


def test_what_cannot_be_shown_is_refused_in_a_sentence(
    sliders: Traversals, translating: Translating, run: Path
) -> None:
    with pytest.raises(InvalidOption, match="a code of this model has 3 numbers"):
        sliders.take(np.zeros(2))
    with pytest.raises(InvalidOption, match=r"latents are numbered 0 \.\. 2, but 3"):
        sliders.play(3)
    with pytest.raises(InvalidOption, match="look at it with `unbraid explore`"):
        Traversals(translating.run)
    with pytest.raises(InvalidOption, match="samples must be at least 2"):
        Traversals(run, samples=1)


def test_who_has_no_widgets_is_told_what_to_install(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(MissingExtra, match=r"unbraid\[notebook\]"):
        Traversals(run)
