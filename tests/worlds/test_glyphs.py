"""Glyphs: scale, slant and position are measured in the image, whatever the letter and the font."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.draw.letters import FONTS
from unbraid.errors import InvalidOption
from unbraid.types import Bytes, Floats, Integers
from unbraid.worlds.glyphs import Glyphs

WORLD = Glyphs(size=64)


def some(count: int = 100) -> Integers:
    return WORLD.factors(WORLD.sample(count, np.random.default_rng(0)))


def drawn(factors: Integers, **changed: int) -> Bytes:
    factors = factors.copy()
    for name, value in changed.items():
        factors[:, WORLD.space.position(name)] = value
    return WORLD.images(WORLD.index(factors))[:, 0]


def moments(images: Bytes) -> tuple[Floats, Floats, Floats]:
    """Ink, centre ``(B, 2)`` and covariance ``(B, 2, 2)`` in pixels."""
    weight, p = images / 255.0, np.stack(np.meshgrid(*2 * [np.arange(64) + 0.5]))
    total = weight.sum(axis=(1, 2))
    centre = np.einsum("bhw,khw->bk", weight, p) / total[:, None]
    away = p[None] - centre[:, :, None, None]
    return total, centre, np.einsum("bhw,bjhw,bkhw->bjk", weight, away, away) / total[:, None, None]


@pytest.mark.parametrize(("name", "column"), [("x", 0), ("y", 1)])
def test_position_moves_the_centre_of_mass_and_keeps_the_ink(name: str, column: int) -> None:
    (ink, centre, spread), (moved_ink, moved, moved_spread) = (moments(drawn(some(), **{name: v})) for v in (1, 6))
    values = WORLD.space[name].values
    shift = np.zeros(2)
    shift[column] = 64 * (float(values[6]) - float(values[1]))
    assert moved - centre == pytest.approx(np.tile(shift, (100, 1)), abs=0.03)
    assert moved_ink == pytest.approx(ink, rel=0.01)
    assert moved_spread == pytest.approx(spread, abs=0.3)


def test_ink_grows_with_the_square_of_the_scale() -> None:
    small, large = (moments(drawn(some(), scale=scale, x=4, y=4))[0] for scale in (0, 4))
    assert large / small == pytest.approx(np.full(100, (0.46 / 0.32) ** 2), rel=0.01)


def test_slant_shears_by_its_tangent_and_keeps_the_ink() -> None:
    (ink, _, upright), (leant_ink, _, leaning) = (moments(drawn(some(), slant=slant)) for slant in (2, 4))
    shear = leaning[:, 0, 1] / leaning[:, 1, 1] - upright[:, 0, 1] / upright[:, 1, 1]
    assert shear == pytest.approx(np.full(100, -0.22), abs=0.01)
    assert leant_ink == pytest.approx(ink, rel=0.01)


def test_the_mean_pictures_of_letters_tell_letters_in_other_fonts() -> None:
    every = np.array([[letter, face, 2, 2, 4, 4] for letter in range(26) for face in range(len(FONTS))])
    images = drawn(every).reshape(26, len(FONTS), -1) / 255.0
    known, asked = images[:, ::2].mean(axis=1), images[:, 1::2]
    nearest = ((asked[:, :, None] - known) ** 2).sum(axis=-1).argmin(axis=-1)
    assert (nearest == np.arange(26)[:, None]).mean() > 0.7


def test_bold_has_more_ink_than_its_regular() -> None:
    for regular, bold in (("DejaVuSans", "DejaVuSans-Bold"), ("STIXGeneral", "STIXGeneralBol"), ("cmr10", "cmb10")):
        thin, thick = (moments(drawn(some(), font=FONTS.index(name)))[0] for name in (regular, bold))
        assert (thick > 1.1 * thin).mean() > 0.95


def test_hardly_a_letter_touches_an_edge() -> None:
    images = drawn(some(3000))
    edge = np.concatenate([images[:, [0, -1]].reshape(3000, -1), images[:, :, [0, -1]].reshape(3000, -1)], axis=1)
    assert (edge.max(axis=1) > 0).mean() < 0.005


@pytest.mark.parametrize(("case", "count"), [("lower", 26), ("both", 52)])
def test_the_case_decides_the_letters(case: str, count: int) -> None:
    world = Glyphs(case=case)  # type: ignore[arg-type]
    assert world.space["letter"].size == count
    first = world.images(world.index([[0, 0, 2, 2, 4, 4]]))
    assert first.any()
    assert not np.array_equal(first, Glyphs().images(Glyphs().index([[0, 0, 2, 2, 4, 4]])))


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidOption, match="upper, lower or both, but is 'title'"):
        Glyphs(case="title")  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="size"):
        Glyphs(size=8)
