"""What is left out is left out: of the count, of every draw and of every view."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.types import Factor, FactorSpace
from unbraid.view import view
from unbraid.world import LabelledWorld, World
from unbraid.worlds.heldout import HeldOut

SPACE = FactorSpace(
    [
        Factor("shape", 3, "categorical", ("square", "ellipse", "heart")),
        Factor("x", 5, "ordinal", (0.0, 0.25, 0.5, 0.75, 1.0)),
        Factor("wall hue", 4, "cyclic", (0.0, 1 / 3, 2 / 3, 0.9)),
        Factor("digit", 2, "categorical", ("8", "1")),
    ]
)
ALL = SPACE.factors(np.arange(len(SPACE)))
SHAPE, X, HUE, DIGIT = ALL.T


class Drawn(World):
    """Every combination; a pixel tells the number."""

    def __init__(self) -> None:
        self.space, self.shape = SPACE, (1, 1, 1)

    def images(self, indices):
        return np.asarray(indices, dtype=np.uint8)[:, None, None, None]

    def masks(self, indices):
        return self.images(indices) > 60

    def relevant(self, factors):
        return np.asarray(factors) >= 0


class Skewed(Drawn):
    """The later the more often."""

    def sample(self, count, generator):
        return (len(self) * np.sqrt(generator.random(count))).astype(np.int64)


def collected() -> LabelledWorld:
    """Some combinations have several images, others none; a pixel tells the number of the combination."""
    labels = SPACE.sample(150, np.random.default_rng(0))
    return LabelledWorld(SPACE.index(labels).astype(np.uint8)[:, None, None, None], labels, SPACE)


CONDITIONS: dict[str, npt.NDArray[np.bool_]] = {
    "shape=2": SHAPE == 2,
    "shape = heart": SHAPE == 2,
    "shape!=heart": SHAPE != 2,
    "shape=square|heart": SHAPE != 1,
    "digit=1": DIGIT == 1,
    "digit=0": DIGIT == 0,
    "x>=0.5": X >= 2,
    "x>0.5": X > 2,
    "x<=.5": X <= 2,
    "x < 0.5": X < 2,
    "x>0.6": X > 2,
    "x!=0.25": X != 1,
    "wall hue=0.333|0.667": (HUE == 1) | (HUE == 2),
    "wall hue>=0.667": HUE >= 2,
    "shape=2,x>=0.5": (SHAPE == 2) & (X >= 2),
    "x>=0.25,x<0.75": (X >= 1) & (X < 3),
    "shape=heart,x>=0.5; wall hue=0": ((SHAPE == 2) & (X >= 2)) | (HUE == 0),
    "shape=0,digit=8;shape=1,digit=1": ((SHAPE == 0) & (DIGIT == 0)) | ((SHAPE == 1) & (DIGIT == 1)),
}


@pytest.mark.parametrize(("leave", "out"), CONDITIONS.items(), ids=CONDITIONS)
def test_a_condition_leaves_out_what_it_says(leave: str, out: npt.NDArray[np.bool_]) -> None:
    for part, mine in (("train", ~out), ("test", out)):
        world = HeldOut(of=Drawn(), leave=leave, part=part)
        assert len(world) == mine.sum()
        numbers = world.images(np.arange(len(world))).ravel()
        assert sorted(numbers) == np.flatnonzero(mine).tolist()
        assert np.array_equal(world.factors(np.arange(len(world))), ALL[numbers])
        assert np.array_equal(world.masks(np.arange(len(world))).ravel(), numbers > 60)
        assert np.array_equal(world.index(ALL[numbers]), np.arange(len(world)))
        assert world.relevant(ALL).all()


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("made", [Drawn, Skewed, collected])
def test_a_draw_is_the_worlds_own_without_what_is_left_out(made: Any, part: str) -> None:
    world, inner = HeldOut(of=made(), leave="shape=2,x>=0.5", part=part), made()
    index = world.sample(40_000, np.random.default_rng(0))
    drawn = np.bincount(SPACE.index(world.factors(index)), minlength=len(SPACE)) / len(index)
    assert np.array_equal(world.images(index).ravel(), SPACE.index(world.factors(index)))
    law = np.bincount(
        SPACE.index(inner.factors(inner.sample(200_000, np.random.default_rng(1)))), minlength=len(SPACE)
    ) * (CONDITIONS["shape=2,x>=0.5"] == (part == "test"))
    assert np.abs(drawn - law / law.sum()).max() < 0.006
    assert not drawn[law == 0].any()


def test_collected_images_are_looked_through() -> None:
    inner = collected()
    parts = [HeldOut(of=collected(), leave="shape=2;x=1", part=part) for part in ("train", "test")]
    assert sum(map(len, parts)) == len(inner) == 150
    assert {tuple(row) for row in parts[1].factors(np.arange(len(parts[1]))).tolist()} == {
        tuple(row) for row in inner.factors(np.arange(150)).tolist() if row[0] == 2 or row[1] == 4
    }
    for world in parts:
        factors = world.factors(np.arange(len(world)))
        assert np.array_equal(world.factors(world.index(factors)), factors)


@pytest.mark.parametrize("made", [Drawn, collected])
def test_what_is_left_out_is_refused_with_where_it_is(made: Any) -> None:
    world = HeldOut(of=made(), leave="shape=heart")
    with pytest.raises(InvalidData, match=r"\[2, 0, 0, 0\] are not in the train part, but in test"):
        world.index([[0, 0, 0, 0], [2, 0, 0, 0]])
    with pytest.raises(InvalidData, match="must lie below the sizes"):
        world.index([[3, 0, 0, 0]])
    for index in (-1, len(world)):
        with pytest.raises(InvalidData, match="must lie in 0"):
            world.images([index])


@pytest.mark.parametrize("name", registry.names("views"))
@pytest.mark.parametrize("made", [Drawn, Skewed, collected])
def test_no_view_comes_upon_what_is_left_out(name: str, made: Any) -> None:
    world = HeldOut(of=made(), leave="shape=2,x>=0.5; wall hue=0")
    options: dict[str, Any] = {"labelled": {"labels": 4}, "domains": {"factor": "digit"}}.get(name, {})
    stream = view(name)(world, batch_size=64, **options)
    for step in range(3):
        batch = stream.batch(step)
        shown = [batch.x] + [getattr(batch, one) for one in ("other", "labelled") if hasattr(batch, one)]
        for x in shown:
            numbers = (x.flatten() * 255).round().int().numpy()
            assert not CONDITIONS["shape=heart,x>=0.5; wall hue=0"][numbers].any()


@given(
    column=st.integers(0, 3),
    values=st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True),
    sign=st.sampled_from(["=", "!="]),
)
def test_both_parts_make_the_world(column: int, values: list[int], sign: str) -> None:
    factor = SPACE.all[column]
    leave = f"{factor.name}{sign}{'|'.join(str(factor.values[v]) for v in values)}"
    if len(values) == factor.size:
        return
    train, test = (HeldOut(of=Drawn(), leave=leave, part=part) for part in ("train", "test"))
    numbers = np.concatenate([world.images(np.arange(len(world))).ravel() for world in (train, test)])
    assert sorted(numbers) == list(range(len(SPACE)))


def test_a_huge_world_is_not_looked_through() -> None:
    world = HeldOut(of="scenes", leave="shape_1=0")
    assert len(world) * 3 == len(world.world) * 2 > 10**9
    index = world.sample(50, np.random.default_rng(0))
    assert (world.factors(index)[:, 1] != 0).all()
    assert np.array_equal(world.index(world.factors(index)), index)
    assert world.masks(index).shape[0] == len(world.count(index)) == 50


def test_parts_of_parts_are_left_out_too() -> None:
    world = HeldOut(of=HeldOut(of=Drawn(), leave="shape=0"), leave="x=0")
    assert sorted(world.images(np.arange(len(world))).ravel()) == np.flatnonzero((SHAPE != 0) & (X != 0)).tolist()


def test_without_a_condition_it_is_the_world_itself() -> None:
    world = HeldOut(of=Drawn())
    assert np.array_equal(world.images(np.arange(len(SPACE))), Drawn().images(np.arange(len(SPACE))))


def test_a_world_is_made_again_from_what_a_run_keeps() -> None:
    inner = registry.load("worlds", "correlated")(of="flatland", of_options="rows=4", sigma=0.3)
    kept = json.loads(json.dumps(registry.options(HeldOut(of=inner, leave="x=4"))))
    again = HeldOut(**kept)
    assert again.world.sigma == 0.3
    assert again.world.world.rows == 4
    assert len(again) == 28


@pytest.mark.parametrize(
    ("leave", "kind", "sentence"),
    [
        ("shap=2", UnknownName, "unknown factor 'shap': did you mean shape"),
        ("shape", InvalidOption, "has the part 'shape'"),
        ("shape=2,", InvalidOption, "has the part ''"),
        ("shape=2;", InvalidOption, "has the part ''"),
        ("0<x<1", InvalidOption, "has the part '0<x<1'"),
        ("__import__('os')", InvalidOption, "has the part"),
        ("shape=star", InvalidOption, "no value 'star': it has square, ellipse, heart"),
        ("shape=hart", InvalidOption, "no value 'hart': it has square, ellipse, heart"),
        ("shape=3", InvalidOption, "no value '3'"),
        ("shape>1", InvalidOption, "without an order, and can only be compared by = and !="),
        ("x=0.6", InvalidOption, "no value '0.6': nearest are 0.5 and 0.75"),
        ("x=left", InvalidOption, "no value 'left': it runs from 0 to 1"),
        ("x>left", InvalidOption, "must be compared with one number, but is with 'left'"),
        ("x>=0.5|0.75", InvalidOption, "must be compared with one number"),
        ("x>1", InvalidOption, "no value of 'x' meets 'x>1'"),
        ("x>0.5,x<0.5", InvalidOption, "no value of 'x' meets 'x>0.5,x<0.5'"),
        ("x>=0", InvalidOption, "leaves nothing in part='train'"),
    ],
)
def test_a_condition_that_cannot_be_is_answered_with_a_sentence(
    leave: str, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        HeldOut(of=Drawn(), leave=leave)


def test_parts_that_are_not_there_are_refused() -> None:
    with pytest.raises(InvalidOption, match="part must be train or test"):
        HeldOut(of=Drawn(), part="valid")
    with pytest.raises(InvalidOption, match="leaves nothing in part='test'"):
        HeldOut(of=Drawn(), part="test")
