"""The laws of the shelf of plots, and what each figure must show."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import docstring_parser
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image, ImageColor

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption
from unbraid.groups import FactorAction
from unbraid.plots._draw import SEPARATOR, enlarge, tile
from unbraid.plots._frame import frame
from unbraid.plots._latents import dead, shares, telling
from unbraid.plots._options import GIVEN
from unbraid.plots._scenes import Lived, TakenApart
from unbraid.plots._strips import strips
from unbraid.plots._style import PALETTE, colours
from unbraid.plots.capacity import onsets
from unbraid.plots.information import information
from unbraid.plots.interpolations import between
from unbraid.plots.latent_space import Panel, side_by_side
from unbraid.plots.losses import losses
from unbraid.plots.reconstructions import reconstructions
from unbraid.plots.sheet import sheet, spread
from unbraid.runs.plot import Material
from unbraid.score import Sampler
from unbraid.types import Bytes, Factor, FactorSpace, Floats, Integers

UNKNOWN = {"divergence", "allowance", "look"}
"""What a plot takes where it is known, or where an option needs it."""
SPACE = FactorSpace([Factor("shape", 3, "categorical", ("square", "ellipse", "heart")), Factor("x", 8), Factor("y", 8)])
FACTORS = SPACE.sample(1200, np.random.default_rng(0))
NATS = np.array([0.02, 1.5, 2.5])


def blob(places: Floats, channels: int = 1) -> Bytes:
    """A bright spot for each of ``(B, 2)`` places in -2 .. 2, 32 pixels wide."""
    grid = np.linspace(-3, 3, 32)
    x = np.exp(-8 * np.square(grid - places[:, :1]))
    y = np.exp(-8 * np.square(grid - places[:, 1:2]))
    return np.repeat((255 * y[:, :, None] * x[:, None, :]).astype(np.uint8)[:, None], channels, axis=1)


def codes_of_xy() -> Floats:
    """Three latents: the first is dead, the second carries y, the third x."""
    noise = np.random.default_rng(1).normal(scale=0.05, size=(len(FACTORS), 3))
    return noise + np.stack([0 * FACTORS[:, 0], FACTORS[:, 2] / 2 - 1.75, FACTORS[:, 1] / 2 - 1.75], axis=1)


CODES = codes_of_xy()


def look(numbers: Integers) -> tuple[Bytes, Floats]:
    """Images and codes by number."""
    return blob(CODES[numbers, 1:]), CODES[numbers]


def circles(values: Integers) -> Floats:
    """x and y, each on a circle in two latents of its own."""
    angle = 2 * np.pi * values[:, 1:] / 8
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(len(values), 4)


ACTION = FactorAction(SPACE)
ELEMENTS = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 7.0], [7.0, 0.0]])
"""What the model's actions 0 .. 3 are: y up, x up, y down, x down."""


def inferred(before: Integers, after: Integers) -> Integers:
    """The model's action, by what it does."""
    moved = [(ACTION.act(before, np.broadcast_to(one, (len(before), 2))) == after).all(axis=1) for one in ELEMENTS]
    return np.argmax(moved, axis=0)


ACTING = Sampler(
    SPACE,
    circles,
    matrices=ACTION.ideal(ELEMENTS),
    infer=inferred,
    images=lambda values: blob(values[:, 1:] / 2 - 1.75) / 255,
    decode=lambda z: blob(np.rint(np.arctan2(z[:, 1::2], z[:, ::2]) / (np.pi / 4)) % 8 / 2 - 1.75) / 255,
)
HISTORY = [
    {"step": 10 * t, "loss": 80 + 300 / (t + 1), "reconstruction": 78.0, "kl": 2.0}
    | {"sign_actions_used": 4.0 - t / 10, "sign_greatest_angle": 0.9}
    | {"kl_z0": 0.02, "kl_z1": 1.5 * (t >= 20), "kl_z2": 2.5 * (t >= 10)}
    for t in range(30)
]
SPOTS = np.stack([blob(CODES[k : k + 20, 1:], 3) for k in (0, 20)], axis=1)
TAKEN = TakenApart(
    images=SPOTS.max(axis=1),
    whole=SPOTS.max(axis=1),
    alone=SPOTS,
    masks=SPOTS[:, :, :1],
    without=SPOTS[:, ::-1],
    grown=np.maximum.accumulate(SPOTS, axis=1),
    present=np.tile([True, False], (20, 1)),
    windows=np.tile([[0.25, 0.25, 0.5, 0.5], [0.0, 0.0, 0.5, 0.5]], (20, 1, 1)),
)
LIVED = Lived(
    images=SPOTS[:, 0],
    names=("black", "white"),
    drawn=np.stack([SPOTS[:, 0], 255 - SPOTS[:, 0], SPOTS[:, 1]]),
    used=np.array([[1.0, 1.0, 0.2], [1.0, 0.0, 0.2], [0.2, 0.2, 0.2]]),
)
DATA: dict[str, Any] = {
    "taken": TAKEN,
    "lived": LIVED,
    "acting": ACTING,
    "history": HISTORY,
    "codes": CODES,
    "factors": FACTORS,
    "space": SPACE,
    "images": blob(CODES[:20, 1:]),
    "reconstructions": blob(CODES[:20, 1:] + 0.1),
    "decode": lambda z: blob(z[:, :0:-1] if z.shape[1] > 2 else z),
    "divergence": NATS,
    "look": look,
    "allowance": np.linspace(0, 4, 30),
    "contents": 1,
    "rows": {"x": blob(np.stack([np.linspace(-2, 2, 8), np.zeros(8)], axis=1))},
}


def draw(name: str, **changed: Any) -> Figure:
    """Any plot of the shelf, from whatever it asks for, and options."""
    function: Callable[..., Figure] = registry.load("plots", name)
    data = DATA | ({"codes": CODES[:, 1:]} if name == "latent_space" else {}) | changed
    return function(**{key: data[key] for key in inspect.signature(function).parameters if key in data})


def png(figure: Figure, dpi: int = 100) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def axes_called(figure: Figure, label: str) -> list[Axes]:
    return [axes for axes in figure.axes if axes.get_label() == label]


def height_of(figure: Figure, word: str) -> float:
    return float(next(text for text in figure.texts if text.get_text() == word).get_position()[1])


@pytest.mark.parametrize("name", registry.names("plots"))
def test_every_plot_is_called_by_keywords_of_one_vocabulary_and_explains_its_options(name: str) -> None:
    function = registry.load("plots", name)
    parameters = inspect.signature(function).parameters
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())
    explained = {one.arg_name for one in docstring_parser.parse(inspect.getdoc(function) or "").params}
    assert explained == set(parameters)
    for one in parameters.values():
        if one.name in GIVEN:
            assert one.default is one.empty or (one.name in UNKNOWN and one.default is None)
        else:
            assert one.default is not one.empty, f"{one.name} is neither what runs have nor an option with a default"


def test_runs_have_what_plots_are_given_but_rows_of_factors() -> None:
    assert {name for name in vars(Material) if not name.startswith("_")} == GIVEN - {"rows"}


@pytest.mark.parametrize("name", registry.names("plots"))
def test_every_plot_says_in_a_sentence_what_it_shows(name: str) -> None:
    assert registry.summary("plots", name).endswith(".")
    assert len(registry.summary("plots", name)) <= 120


@pytest.mark.parametrize("name", registry.names("plots"))
def test_every_plot_is_a_wide_white_page_with_a_title_and_all_text_inside(name: str) -> None:
    figure = draw(name)
    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] * figure.dpi >= 1000
    assert figure.get_facecolor() == (1, 1, 1, 1)
    png(figure)
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert 0 <= drawn.x0 < drawn.x1 <= width
    assert 0 <= drawn.y0 < drawn.y1 <= height


def test_plots_drawn_in_threads_are_those_drawn_in_turn() -> None:
    names = registry.names("plots")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda name: png(draw(name)), names * 2)) == [png(draw(name)) for name in names] * 2


@pytest.mark.parametrize(("name", "label"), [("traversals", "traversals"), ("latent_space", "decoded"), ("sheet", "x")])
@pytest.mark.parametrize("times", [1, 2])
def test_images_are_crisp_at_whole_multiples_of_the_screen(name: str, label: str, times: int) -> None:
    figure = draw(name)
    page = np.asarray(Image.open(io.BytesIO(png(figure, dpi=100 * times))).convert("RGB"))
    axes = axes_called(figure, label)[0]
    pixels = np.asarray(axes.images[0].get_array()).repeat(times, axis=0).repeat(times, axis=1)
    top, left = round((1 - axes.get_position().y1) * len(page)), round(axes.get_position().x0 * page.shape[1])
    # Frames are drawn over the outermost pixels.
    shown = page[top + 3 : top + len(pixels) - 3, left + 3 : left + pixels.shape[1] - 3]
    assert np.array_equal(shown, pixels[3:-3, 3:-3])


def test_plots_leave_the_arrays_they_are_given_as_they_are() -> None:
    before = {name: DATA[name].copy() for name in ("codes", "factors", "images", "divergence")}
    for name in registry.names("plots"):
        draw(name)
    assert all(np.array_equal(before[name], DATA[name]) for name in before)


def test_shares_find_the_latent_that_carries_a_factor() -> None:
    share = shares(CODES, FACTORS)
    assert share[1, 2] > 0.95
    assert share[2, 1] > 0.95
    assert telling(CODES, FACTORS).tolist() == [[False, False, False], [False, False, True], [False, True, False]]


def test_shares_of_a_constant_factor_are_not_a_number() -> None:
    assert np.isnan(shares(CODES, np.zeros((len(CODES), 1), dtype=np.int64))).all()


def test_latents_of_little_variance_are_dead_only_beside_livelier_ones() -> None:
    assert dead(CODES, None).tolist() == [True, False, False]
    assert not dead(CODES * 0.01, None)[1:].any()
    assert not dead(CODES[:, :1], None).any()


def test_traversals_put_the_latent_with_most_nats_first_and_the_dead_last() -> None:
    figure = draw("traversals")
    assert height_of(figure, "z₂") > height_of(figure, "z₁") > height_of(figure, "z₀")
    assert {"2.50 nats", "1.50 nats", "0.02 nats", "dead"} <= set(words(figure))
    assert height_of(figure, "dead") == height_of(figure, "z₀")


def test_traversals_name_the_factor_that_a_latent_carries() -> None:
    figure = draw("traversals")
    rows = {word: height_of(figure, word) for word in ("x", "y", "z₂", "z₁")}
    assert abs(rows["x"] - rows["z₂"]) < 0.5 * abs(rows["z₂"] - rows["z₁"])
    assert abs(rows["y"] - rows["z₁"]) < 0.5 * abs(rows["z₂"] - rows["z₁"])


def test_traversals_name_no_factor_for_noise() -> None:
    noise = np.random.default_rng(2).normal(size=(len(FACTORS), 3))
    assert words(draw("traversals", codes=noise, divergence=None)).count("no factor") == 3


def test_traversals_order_by_variance_where_nats_are_unknown() -> None:
    figure = draw("traversals", codes=CODES * [1, 3, 1], divergence=None)
    assert height_of(figure, "z₁") > height_of(figure, "z₂") > height_of(figure, "z₀")
    assert not any("prior" in word for word in words(figure))


def test_traversals_move_one_latent_from_minus_two_to_two_around_a_real_code() -> None:
    asked: list[Floats] = []

    def decode(z: Floats) -> Bytes:
        asked.append(z)
        return blob(z[:, 1:])

    draw("traversals", decode=decode)
    moved = np.concatenate(asked).reshape(3, 9, 3)
    for row, latent in enumerate([2, 1, 0]):
        assert np.allclose(moved[row, :, latent], np.linspace(-2, 2, 9))
        others = [j for j in range(3) if j != latent]
        assert np.ptp(moved[row][:, others], axis=0).max() == 0
        assert (CODES[:, others] == moved[row, 0, others]).all(axis=1).any()


def test_traversals_refuse_a_decoder_of_another_number_of_images() -> None:
    with pytest.raises(InvalidData, match="an image for each code"):
        draw("traversals", decode=lambda z: blob(z[:5]))


def test_traversals_refuse_nats_of_other_latents() -> None:
    with pytest.raises(InvalidData, match="3 finite numbers"):
        draw("traversals", divergence=NATS[:2])


def test_traversals_over_quantiles_stay_within_the_codes() -> None:
    asked: list[Floats] = []

    def decode(z: Floats) -> Bytes:
        asked.append(z)
        return blob(z[:, 1:])

    figure = draw("traversals", decode=decode, over="quantiles")
    moved = asked[0].reshape(3, 9, 3)
    for row, j in enumerate([2, 1, 0]):
        assert np.allclose(moved[row, [0, 4, 8], j], np.quantile(CODES[:, j], [0.02, 0.5, 0.98]))
    assert {"2%", "50%", "98%"} <= set(words(figure))


@pytest.mark.parametrize("name", ["traversals", "manifold"])
def test_a_chosen_image_is_where_latents_start_and_is_shown(name: str) -> None:
    asked: list[Floats] = []

    def decode(z: Floats) -> Bytes:
        asked.append(z)
        return blob(z[:, 1:])

    figure = draw(name, decode=decode, image=123)
    moved = next(z for z in asked if len(z) > 1)
    assert (moved[:, 0] == CODES[123, 0]).sum() >= len(moved) - 9
    assert {"image", "made of it"} <= set(words(figure))
    assert any("the code of image 123" in word for word in words(figure))
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]
    assert any(np.array_equal(pixels, enlarge(look(np.array([123]))[0], 56)[0]) for pixels in shown)
    with pytest.raises(InvalidOption, match="needs look"):
        draw(name, look=None, image=123)


def test_manifold_moves_the_first_latent_to_the_right_and_the_second_upwards() -> None:
    asked: list[Floats] = []

    def decode(z: Floats) -> Bytes:
        asked.append(z)
        return blob(z[:, 1:])

    figure = draw("manifold", decode=decode, cells=5)
    grid = asked[0].reshape(5, 5, 3)
    assert np.allclose(grid[2, :, 2], np.linspace(-2, 2, 5)), "the latent with the most nats"
    assert np.allclose(grid[:, 2, 1], np.linspace(2, -2, 5))
    assert {"z₂ →", "z₁ ↑", "2.50 nats"} <= {word.rpartition("   ")[2] for word in words(figure)}
    draw("manifold", decode=decode, cells=3, latents=(0, 2), over="quantiles")
    other = asked[1].reshape(3, 3, 3)
    assert np.allclose(other[0, :, 0], np.quantile(CODES[:, 0], [0.02, 0.5, 0.98]))
    assert np.ptp(other[..., 1]) == 0


@pytest.mark.parametrize("latents", [(1, 1), (0, 3), (-1, 0)])
def test_manifold_refuses_latents_that_are_not_two(latents: tuple[int, int]) -> None:
    with pytest.raises(InvalidOption, match=r"two different numbers in 0 \.\. 2"):
        draw("manifold", latents=latents)
    with pytest.raises(InvalidData, match="the codes have 1"):
        draw("manifold", codes=CODES[:, :1], divergence=None)


def test_values_over_something_else_are_refused() -> None:
    with pytest.raises(InvalidOption, match="prior or quantiles"):
        draw("traversals", over="everything")


def test_interpolations_go_from_the_code_of_one_image_to_that_of_the_next() -> None:
    asked: list[Floats] = []

    def decode(z: Floats) -> Bytes:
        asked.append(z)
        return blob(z[:, 1:])

    figure = draw("interpolations", decode=decode, steps=5)
    path = asked[0].reshape(6, 5, 3)
    assert np.allclose(path[:, 0], CODES[0:12:2])
    assert np.allclose(path[:, 4], CODES[1:12:2])
    assert np.allclose(path[:, 2], (CODES[0:12:2] + CODES[1:12:2]) / 2)
    first = np.asarray(axes_called(figure, "first")[0].images[0].get_array())
    assert np.array_equal(first[:64], enlarge(DATA["images"][:1])[0])


def test_interpolations_of_two_chosen_images_show_just_these() -> None:
    figure = draw("interpolations", ends=(7, 300))
    assert {"image 7", "image 300"} <= set(words(figure))
    second = np.asarray(axes_called(figure, "second")[0].images[0].get_array())
    assert np.array_equal(second, enlarge(look(np.array([300]))[0])[0])
    with pytest.raises(InvalidOption, match="needs look"):
        draw("interpolations", ends=(7, 300), look=None)
    with pytest.raises(InvalidOption, match="linear or spherical"):
        draw("interpolations", way="crooked")
    with pytest.raises(InvalidData, match="2 images"):
        draw("interpolations", images=DATA["images"][:1])


def test_spherical_paths_keep_their_length_and_straight_ones_do_not() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 4, 50))
    a, b = (7 * z / np.linalg.norm(z, axis=1, keepdims=True) for z in (a, b))
    arc, line = between(a, b, 9, "spherical"), between(a, b, 9, "linear")
    assert np.allclose(np.linalg.norm(arc, axis=-1), 7)
    assert np.linalg.norm(line[:, 4], axis=-1).max() < 6
    angles = np.arccos((arc[:, :-1] * arc[:, 1:]).sum(axis=-1) / 49)
    assert np.allclose(angles, angles[:, :1]), "steps of one size"
    assert np.allclose(between(a, -a, 3, "spherical")[:, 1], 0), "opposite codes span no arc"
    assert np.allclose(between(a, 0 * a, 3, "spherical")[:, 1], a / 2)


def test_information_writes_the_share_of_every_cell() -> None:
    figure = information(codes=CODES, factors=FACTORS, space=SPACE)
    cells = [text.get_text() for text in axes_called(figure, "information")[0].texts]
    assert cells == [f"{share:.2f}" for share in shares(CODES, FACTORS).T.ravel()]


def test_information_orders_latents_by_nats_only_when_they_are_given() -> None:
    def ticks(figure: Figure) -> list[str]:
        return [label.get_text()[:2] for label in axes_called(figure, "information")[0].get_xticklabels()]

    assert ticks(draw("information")) == ["z₂", "z₁", "z₀"]
    assert ticks(draw("information", divergence=None)) == ["z₀", "z₁", "z₂"]


def test_information_marks_a_factor_that_never_varies() -> None:
    factors = FACTORS.copy()
    factors[:, 0] = 1
    assert words(draw("information", factors=factors)).count("–") == 3


def test_information_refuses_factors_outside_the_space() -> None:
    with pytest.raises(InvalidData, match="below the sizes"):
        draw("information", factors=FACTORS + 5)


def test_losses_part_terms_of_different_size() -> None:
    figure = losses(history=HISTORY)
    panels = axes_called(figure, "panel")
    assert [
        sorted(text.get_text().split()[0] for text in panel.texts if "↑" not in text.get_text()) for panel in panels
    ] == [
        ["loss", "reconstruction"],
        ["kl"],
    ]
    assert all(panel.get_ylabel() == "nats per image" for panel in panels)


def test_losses_show_a_single_row() -> None:
    figure = losses(history=HISTORY[:1])
    points = [line for panel in axes_called(figure, "panel") for line in panel.lines if line.get_marker() == "o"]
    assert sum(len(np.atleast_1d(line.get_xdata())) for line in points) == 3


def test_losses_leave_a_gap_where_a_value_is_not_finite_and_say_so() -> None:
    broken = [row | ({"kl": float("nan"), "loss": float("inf")} if row["step"] == 100 else {}) for row in HISTORY]
    figure = losses(history=broken)
    assert any("2 values are not finite" in word for word in words(figure))
    kl = max(axes_called(figure, "panel")[1].lines, key=lambda line: len(np.atleast_1d(line.get_xdata())))
    assert np.flatnonzero(np.isnan(np.asarray(kl.get_ydata()))).tolist() == [10]


def test_losses_do_not_let_the_first_value_flatten_the_rest() -> None:
    history = [{"step": t, "loss": 3000.0 if t == 0 else 60.0 + t % 3} for t in range(200)]
    figure = losses(history=history)
    assert axes_called(figure, "panel")[0].get_ylim()[1] < 100
    assert any("3,000" in word for word in words(figure))


def test_losses_take_rows_that_hold_only_some_names() -> None:
    figure = losses(history=[*HISTORY, {"step": 400, "validation_loss": 90.0}])
    assert any(word.startswith("validation loss") for word in words(figure))


def test_losses_do_not_draw_the_epoch() -> None:
    figure = losses(history=[row | {"epoch": 3} for row in HISTORY])
    assert words(figure) == words(losses(history=HISTORY))


def test_losses_leave_the_nats_of_single_latents_to_capacity() -> None:
    assert not any("kl z" in word for word in words(losses(history=HISTORY)))


def test_capacity_numbers_latents_in_the_order_in_which_they_are_switched_on() -> None:
    axes = axes_called(draw("capacity"), "latents")[0]
    pins = {text.get_text(): float(text.get_position()[0]) for text in axes.texts if text.get_text().isdigit()}
    assert pins == {"1": 100.0, "2": 200.0}
    assert {"z₂  x  2.50", "z₁  y  1.50", "1 latent off"} <= {text.get_text() for text in axes.texts}


def test_capacity_takes_a_threshold_above_which_a_latent_must_stay() -> None:
    nats = np.array([[3.0, 0.0], [0.1, 0.3], [0.6, 0.1], [0.6, 0.3]])
    assert onsets(nats, 0.2) == [2, 3]
    assert onsets(nats, 1.0) == [None, None]
    assert "all 3 latents off" in words(draw("capacity", threshold=9.0))


def test_capacity_draws_what_the_kl_is_held_to_only_where_it_is() -> None:
    assert "C(t)  4.00" in words(draw("capacity"))
    assert not any("C(t)" in word for word in words(draw("capacity", allowance=None)))


def test_capacity_skips_rows_that_do_not_tell_of_latents_and_refuses_a_history_without_any() -> None:
    some = [row if row["step"] % 20 else {"step": row["step"], "loss": 1.0} for row in HISTORY]
    drawn = axes_called(draw("capacity", history=some), "total")[0].lines[0]
    assert list(drawn.get_xdata()) == [row["step"] for row in HISTORY if row["step"] % 20]
    with pytest.raises(InvalidData, match="the KL of 3 latents"):
        draw("capacity", history=[{"step": 1.0, "loss": 2.0}])


def test_pins_of_latents_switched_on_together_stand_above_each_other() -> None:
    together = [row | {"kl_z1": row["kl_z2"] - 0.1 * (row["kl_z2"] > 0)} for row in HISTORY]
    axes = axes_called(draw("capacity", history=together), "latents")[0]
    (x0, y0), (x1, y1) = (text.get_position() for text in axes.texts if text.get_text().isdigit())
    assert x0 == x1
    assert abs(y1 - y0) * axes.bbox.height / np.ptp(axes.get_ylim()) > 12


def test_frames_of_a_film_are_of_one_size_and_show_dead_latents_pale() -> None:
    images = blob(np.zeros((9, 2)))
    moved = np.stack([images] * 3)
    first, last = (
        frame((step, 100), images, images, moved, np.array([0.0, n, n])) for step, n in ((0, 0.0), (100, 3.0))
    )
    assert first.shape == last.shape
    assert first.dtype == np.uint8
    rows = np.abs(first.astype(int) - last).max(axis=2)
    height = len(rows) - 14 - 3 * 34 + 2
    assert rows[height : height + 32, 90:].max() == 0, "the first latent is dead at both moments"
    assert rows[height + 34 : height + 66, 90:].max() > 100
    assert frame((1, 2), images, images, moved).shape == first.shape


@pytest.mark.parametrize("history", [[], [{"loss": 1.0}], [{"step": 0, "loss": float("nan")}]])
def test_losses_refuse_a_history_without_values(history: list[dict[str, float]]) -> None:
    with pytest.raises(InvalidData, match="finite value"):
        losses(history=history)


@pytest.mark.parametrize("channels", [1, 3])
def test_reconstructions_stand_below_their_originals(channels: int) -> None:
    above, below = np.full((2, 5, channels, 32, 32), 90, dtype=np.uint8)
    below = below // 3
    figure = reconstructions(images=above, reconstructions=below)
    pixels = np.asarray(axes_called(figure, "pairs")[0].images[0].get_array())
    assert (pixels[:64, :64] == 90).all()
    assert (pixels[66:130, :64] == 30).all()
    assert height_of(figure, "original") > height_of(figure, "reconstruction")


def test_reconstructions_refuse_other_shapes_and_floats() -> None:
    with pytest.raises(InvalidData, match="one shape"):
        draw("reconstructions", reconstructions=DATA["images"][:5])
    with pytest.raises(InvalidData, match="unsigned bytes"):
        draw("reconstructions", reconstructions=DATA["images"] / 255)


def test_sheet_has_a_row_for_each_factor_and_spreads_many_values() -> None:
    rows = {"x": blob(CODES[:40, 1:]), "shape": blob(CODES[:3, 1:], channels=1)}
    figure = sheet(images=DATA["images"], rows=rows, space=FactorSpace([SPACE["shape"], Factor("x", 40)]))
    assert {"x", "shape", "3 values", "11 of 40 values"} <= set(words(figure))
    picture = np.asarray(axes_called(figure, "x")[0].images[0].get_array())
    first, last = enlarge(rows["x"][[0, -1]])
    assert np.array_equal(picture[:, :64], first)
    assert np.array_equal(picture[:, -64:], last)


def test_sheet_tells_the_value_below_each_image_and_how_many_there_are() -> None:
    space = FactorSpace([Factor("shape", 3, "categorical", ("square", "ellipse", "heart")), Factor("x", 90)])
    rows = {"x": blob(CODES[:16, 1:]), "shape": blob(CODES[:3, 1:])}
    seen = words(sheet(images=DATA["images"], rows=rows, space=space))
    assert {"square", "ellipse", "heart", "3 values", "11 of 90 values"} <= set(seen)
    with pytest.raises(InvalidData, match="'shape' has 3 values, but 4 images"):
        sheet(images=DATA["images"], rows={"shape": blob(CODES[:4, 1:])}, space=space)
    ticks = [int(word) for word in seen if word.isdigit()]
    assert ticks == spread(90, 16)[spread(16, 11)].tolist()


def test_sheet_shows_whole_rows_of_random_images() -> None:
    shown = sheet(images=blob(CODES[:33, 1:]), rows={}, space=SPACE)
    height = np.asarray(axes_called(shown, "random images")[0].images[0].get_array()).shape[0]
    assert height == 2 * 64 + 2, "fourteen fit beside each other; five do not fill a third row"


def test_latent_space_shows_the_range_of_the_codes_on_its_axes() -> None:
    codes = CODES[:, 1:] * [10.0, 1.0] + [50.0, 0.0]
    figure = draw("latent_space", codes=codes)
    scatter, grid = axes_called(figure, "codes")[0], axes_called(figure, "decoded")[0]
    low, high = np.percentile(codes, [1, 99], axis=0)
    assert np.allclose([grid.get_xlim(), grid.get_ylim()], np.stack([low, high], axis=1))
    assert scatter.get_xlim()[0] < -2
    assert scatter.get_xlim()[1] > codes[:, 0].max()
    assert {"square", "ellipse", "heart", "shape"} <= set(words(figure))


def test_latent_space_decodes_each_image_where_it_stands() -> None:
    asked: list[Floats] = []

    def decode(z: Floats) -> Bytes:
        asked.append(z)
        return blob(z)

    figure = draw("latent_space", decode=decode)
    x0, x1, y0, y1 = axes_called(figure, "decoded")[0].images[0].get_extent()
    places = asked[0].reshape(11, 11, 2)
    assert np.allclose(places[0, 0], [x0 + (x1 - x0) / 22, y1 - (y1 - y0) / 22])
    assert np.allclose(places[-1, -1], [x1 - (x1 - x0) / 22, y0 + (y1 - y0) / 22])


def test_latent_space_refuses_ten_latents() -> None:
    with pytest.raises(InvalidData, match="2 latents, but the codes have 10"):
        draw("latent_space", codes=np.zeros((len(FACTORS), 10)))


def test_side_by_side_titles_each_model_with_the_range_of_its_codes() -> None:
    wide = Panel(CODES[:, 1:] * 20, FACTORS, SPACE, blob)
    figure = side_by_side({"AE": wide, "VAE": Panel(CODES[:, 1:], FACTORS, SPACE, blob)})
    assert height_of(figure, "AE") > height_of(figure, "VAE")
    assert len(axes_called(figure, "codes")) == len(axes_called(figure, "decoded")) == 2
    low = f"{CODES[:, 1].min() * 20:.1f}".replace("-", "−")
    assert any(word.startswith(f"z₀ from {low} to") for word in words(figure))


@pytest.mark.parametrize("kind", ["categorical", "ordinal", "cyclic"])
@pytest.mark.parametrize("size", [1, 10, 40])
def test_every_value_of_a_factor_has_a_colour_of_its_own(kind: Any, size: int) -> None:
    assert len(np.unique(colours(Factor("a", size, kind)), axis=0)) == size


def test_images_grow_by_whole_multiples_and_shrink_by_averages() -> None:
    assert enlarge(np.zeros((2, 1, 28, 28), dtype=np.uint8)).shape == (2, 56, 56, 3)
    stripes = np.zeros((1, 3, 128, 128), dtype=np.uint8)
    stripes[..., ::2] = 200
    assert (enlarge(stripes) == 100).all()


def test_tiles_are_parted_by_grey_and_the_last_row_is_filled() -> None:
    picture = tile(np.zeros((3, 4, 4, 3), dtype=np.uint8), columns=2, gap=1)
    assert picture.shape == (9, 9, 3)
    assert (picture[4, :4] == SEPARATOR).all()
    assert (picture[5:, 5:] == 255).all()
    assert not picture[:4, 5:].any()


def panels(name: str, label: str, acting: Sampler = ACTING) -> list[Axes]:
    return axes_called(draw(name, acting=acting), label)


def test_matrices_match_the_models_own_to_steps_and_stand_over_those_of_the_codes_and_the_ideal() -> None:
    meshes = [np.asarray(axes.collections[0].get_array()).reshape(4, 4) for axes in panels("matrices", "matrix")]
    assert len(meshes) == 12
    for own, found, best in zip(meshes[:4], meshes[4:8], meshes[8:], strict=True):
        assert np.allclose(own, found, atol=0.02)
        assert np.allclose(own, best, atol=0.02)
    turn = np.array([[np.cos(np.pi / 4), -np.sin(np.pi / 4)], [np.sin(np.pi / 4), np.cos(np.pi / 4)]])
    assert np.allclose(meshes[0][:2, :2], turn)
    assert len(panels("matrices", "matrix", Sampler(SPACE, circles))) == 8


def test_orbits_are_circles_where_a_factor_turns_and_points_elsewhere() -> None:
    shown = [axes.lines[1].get_xydata() for axes in panels("orbits", "orbit")]
    spread = [np.ptp(trace, axis=0).max() for trace in shown]
    assert spread[0] == pytest.approx(2, abs=0.1)
    assert spread[3] == pytest.approx(2, abs=0.1)
    assert max(spread[1:3]) < 0.05
    assert np.linalg.norm(shown[0], axis=1) == pytest.approx(np.ones(9), abs=0.05)


def test_an_action_taken_eight_times_is_decoded_to_where_it_began() -> None:
    for axes in panels("repeats", "repeats"):
        pixels = np.asarray(axes.images[0].get_array())
        rows = pixels[: pixels.shape[0] // 2 - 1], pixels[-(pixels.shape[0] // 2 - 1) :]
        assert np.abs(rows[0].astype(int) - rows[1]).mean() < 3
        first, second, ninth = (pixels[-64:, k * 66 : k * 66 + 64] for k in (0, 1, 8))
        assert np.abs(first.astype(int) - ninth).mean() < 3 < np.abs(first.astype(int) - second).mean()
    with pytest.raises(InvalidData, match="needs images and decode"):
        draw("repeats", acting=Sampler(SPACE, circles))


def test_confusion_puts_the_models_actions_in_the_order_of_the_true_ones() -> None:
    axes = panels("confusion", "confusion")[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "3", "0", "2"]
    assert np.allclose(np.asarray(axes.collections[0].get_array()).reshape(4, 4), np.eye(4))
    lazy = Sampler(SPACE, circles, infer=lambda before, after: np.zeros(len(before), dtype=np.int64))
    assert "25.0 % on the diagonal" in " ".join(words(draw("confusion", acting=lazy)))
    told = panels("confusion", "confusion", Sampler(SPACE, circles))[0]
    assert np.allclose(np.asarray(told.collections[0].get_array()).reshape(4, 4), np.eye(4))


def test_mirrorings_stand_beside_the_steps_where_the_view_has_them() -> None:
    plain, mirror = Sampler(SPACE, circles), Sampler(SPACE, circles, mirrored=("y",))
    for name in ("matrices", "confusion"):
        figure = draw(name, acting=mirror)
        assert "y mirrored" in words(figure)
        assert "y mirrored" not in words(draw(name, acting=plain))
    meshes = axes_called(draw("matrices", acting=mirror), "matrix")
    last = np.asarray(meshes[4].collections[0].get_array()).reshape(4, 4)
    assert np.allclose(last, np.diag([1, 1, 1, -1]), atol=0.02)


def asked_of(name: str, **changed: Any) -> tuple[Figure, Floats]:
    """A plot, and all codes that it had decoded."""
    asked: list[Floats] = []

    def decode(z: Floats) -> Bytes:
        asked.append(z)
        return blob(z[:, 1:])

    return draw(name, decode=decode, **changed), np.concatenate(asked)


def test_swaps_put_the_class_code_of_the_column_to_the_style_of_the_row() -> None:
    figure, grid = asked_of("swaps", count=3)
    grid = grid.reshape(3, 3, 3)
    assert np.array_equal(grid[1, :, 0], CODES[:3, 0])
    assert np.array_equal(grid[:, 1, 1:], CODES[10:13, 1:])
    above = np.asarray(axes_called(figure, "classes")[0].images[0].get_array())
    assert np.array_equal(above[:64, :64], enlarge(DATA["images"][:1])[0])


def test_blends_have_the_two_images_and_their_swaps_in_the_corners() -> None:
    _, grid = asked_of("blends", steps=4)
    grid = grid.reshape(2, 4, 4, 3)
    assert np.allclose(grid[0, 0, 0], CODES[0])
    assert np.allclose(grid[0, 3, 3], CODES[1])
    assert np.allclose(grid[0, 0, 3], [CODES[1, 0], *CODES[0, 1:]])
    assert np.allclose(grid[1, 3, 0], [CODES[2, 0], *CODES[3, 1:]])


def test_styles_are_drawn_once_for_all_classes() -> None:
    _, grid = asked_of("styles", count=200)
    grid = grid.reshape(8, 200, 3)
    assert np.array_equal(grid[:, 0, 0], CODES[:8, 0])
    assert np.ptp(grid[..., 1:], axis=0).max() == 0
    assert np.allclose(grid[0, :, 1:].mean(axis=0), 0, atol=0.3)
    assert np.allclose(grid[0, :, 1:].std(axis=0), 1, atol=0.2)
    assert not np.array_equal(asked_of("styles", count=200, seed=1)[1][:, 1:], grid.reshape(-1, 3)[:, 1:])


def test_codemaps_colour_both_codes_by_the_class_and_by_an_order() -> None:
    figure = draw("codemaps", way="pca", style="y")
    panels = {axes.get_label(): axes for axes in figure.axes}
    assert set(panels) == {f"{code} by {factor}" for code in ("class code", "style") for factor in ("shape", "y")}
    shown = panels["style by y"].collections[0]
    assert np.allclose(shown.get_facecolors(), colours(SPACE["y"])[FACTORS[:600, 2]])
    flat = shown.get_offsets()
    between = np.linalg.norm(flat[0] - flat[1])
    assert between == pytest.approx(np.linalg.norm(CODES[0, 1:] - CODES[1, 1:]), rel=1e-4)


def test_codemaps_by_tsne_keep_neighbours() -> None:
    points = draw("codemaps", samples=200, codes=np.repeat(CODES[:, :1] * 0 + FACTORS[:, :1], 4, axis=1) + CODES[:, :1],
                  contents=3).axes[0].collections[0].get_offsets()  # fmt: skip
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e9 * np.eye(200)
    assert (FACTORS[:200, 0][apart.argmin(axis=1)] == FACTORS[:200, 0]).mean() > 0.95


@pytest.mark.parametrize("spread", [0.0, 1e-9])
def test_codemaps_are_drawn_of_class_codes_that_say_nothing(spread: float) -> None:
    codes = np.repeat([[7.0, 7.3, -2.0, 0.1, 0.2, 0.3]], len(CODES), axis=0)
    codes += spread * np.random.default_rng(0).normal(size=codes.shape)
    points = draw("codemaps", samples=200, codes=codes, contents=3).axes[0].collections[0].get_offsets()
    assert np.isfinite(points).all()
    assert (np.ptp(points, axis=0) > 0).all() == (spread > 0)


@pytest.mark.parametrize("name", ["swaps", "blends", "styles", "codemaps"])
def test_pictures_of_class_and_style_are_not_drawn_of_other_models(name: str) -> None:
    with pytest.raises(InvalidData, match="of models that set class and style apart"):
        draw(name, contents=0)


def test_signs_are_drawn_one_panel_each_and_are_no_terms_of_the_loss() -> None:
    shown = axes_called(draw("signs"), "sign")
    assert len(shown) == 2
    assert shown[0].lines[0].get_ydata()[-1] == pytest.approx(1.1)
    assert {"actions used", "greatest angle"} <= set(words(draw("signs")))
    assert not any("angle" in word for word in words(draw("losses")))
    with pytest.raises(InvalidData, match="holds nothing"):
        draw("signs", history=[{"step": 1, "loss": 2.0}])


def shown(figure: Figure, label: str, k: int = 0) -> Bytes:
    return np.asarray(axes_called(figure, label)[k].images[0].get_array())


def test_windows_are_framed_in_the_colours_of_their_entities_where_those_are_present() -> None:
    first, second = (np.array(ImageColor.getrgb(PALETTE[k])) for k in (1, 2))
    page = shown(draw("entities"), "image")
    assert (page == first).all(axis=-1).any()
    assert not (page == second).all(axis=-1).any()
    both = replace(TAKEN, present=np.ones((20, 2), bool))
    assert (shown(draw("entities", taken=both), "image") == second).all(axis=-1).any()
    steps = draw("attention", taken=both)
    for label, mine, other in (("step 1", first, second), ("step 2", second, first)):
        assert (shown(steps, label) == mine).all(axis=-1).any()
        assert not (shown(steps, label) == other).all(axis=-1).any()


def test_what_steps_make_grows_and_what_is_taken_away_is_gone_or_pale() -> None:
    steps, without = draw("attention"), draw("deletions")
    assert shown(steps, "made so far", 0).sum() < shown(steps, "made so far", 1).sum()
    width = enlarge(SPOTS[:, 0]).shape[1]
    assert np.array_equal(shown(without, "without entity 1")[:width, :width], enlarge(SPOTS[:1, 1])[0])
    pale = shown(without, "without entity 2")[:width, :width]
    assert pale.min() > 150
    assert (pale == pale[..., :1]).all()


def test_models_that_look_everywhere_have_no_picture_of_where_they_look() -> None:
    with pytest.raises(InvalidData, match="look through windows"):
        draw("attention", taken=replace(TAKEN, windows=None))
    assert words(draw("entities", taken=replace(TAKEN, windows=None)))


def test_images_stand_over_what_each_environment_makes_of_them_and_latents_are_shaded() -> None:
    figure = draw("homologies")
    first = enlarge(SPOTS[:1, 0])[0]
    width = len(first)
    assert np.array_equal(shown(figure, "images")[:width, :width], first)
    assert np.array_equal(shown(figure, "drawn in 1")[:width, :width], 255 - first)
    latents = axes_called(figure, "latents")[0].collections[0]
    assert np.array_equal(np.asarray(latents.get_array()).reshape(3, 3), LIVED.used)
    with pytest.raises(InvalidData, match="as many images of each"):
        draw("homologies", lived=replace(LIVED, drawn=LIVED.drawn[:2]))


def test_strips_have_a_dot_for_every_run_and_a_line_at_the_median() -> None:
    values = {"VAE": {"mig": [0.1, 0.5, 0.2], "nats": [90.0]}, "AE": {"mig": [0.0], "nats": [80.0]}}
    mig, nats = strips(values, "Runs", free=["nats"]).axes
    drawn = [(line.get_marker(), np.asarray(line.get_data()).tolist()) for line in mig.lines]
    assert ("o", [[0.1, 0.5, 0.2], [0, 0, 0]]) in drawn
    assert ("None", [[0.2, 0.2], [-0.3, 0.3]]) in drawn
    assert (mig.get_xlim()[0], [label.get_text() for label in mig.get_yticklabels()]) == (0, ["VAE", "AE"])
    assert nats.get_xlim()[0] > 0
