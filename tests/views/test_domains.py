"""Each side of a batch is of one domain, and no image ever meets its counterpart."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid import registry
from unbraid.errors import InvalidData, InvalidOption, UnknownName
from unbraid.types import Factor, FactorSpace
from unbraid.views.domains import Domains
from unbraid.world import LabelledWorld, World

SPACE = FactorSpace([Factor("x", 30), Factor("domain", 2, "categorical"), Factor("shape", 3, "categorical")])


class Drawn(World):
    """Every combination."""

    def __init__(self, space: FactorSpace = SPACE) -> None:
        self.space, self.shape = space, (1, 1, 1)

    def images(self, indices):
        return (np.asarray(indices) % 251).astype(np.uint8)[:, None, None, None]


class Photographs(LabelledWorld):
    """Collected images that know their counterparts: 0 and 1, 2 and 3 ..."""

    def content(self, indices):
        return np.asarray(indices) // 2


def photographs(kind=Photographs) -> LabelledWorld:
    labels = np.column_stack([np.arange(200) // 2 % 5, np.arange(200) % 2])
    space = FactorSpace([Factor("class", 5, "categorical"), Factor("domain", 2, "categorical")])
    return kind(np.zeros((200, 1, 1, 1), np.uint8), labels, space)


def seen(view: Domains, steps: int = 40):
    """Every number that comes in either domain."""
    batches = [view.batch(step) for step in range(steps)]
    return [np.unique(np.concatenate([getattr(b, name).numpy() for b in batches])) for name in ("index", "other_index")]


def contents(world, index):
    """What a counterpart has too: all factors but the domain."""
    return {tuple(row) for row in np.delete(world.factors(index), 1, axis=1).tolist()}


def test_each_side_is_of_one_domain() -> None:
    for world in (Drawn(), photographs()):
        column = world.space.position("domain")
        first, second = seen(Domains(world))
        assert set(world.factors(first)[:, column]) == {0}
        assert set(world.factors(second)[:, column]) == {1}


@pytest.mark.parametrize("seed", range(3))
def test_no_content_is_ever_seen_in_both_domains(seed) -> None:
    world = Drawn()
    first, second = (contents(world, index) for index in seen(Domains(world, seed=seed)))
    assert not first & second
    assert len(first | second) == 90, "and none is lost"
    assert 20 < len(first) < 70
    pictures = photographs()
    first, second = (set((index // 2).tolist()) for index in seen(Domains(pictures, seed=seed)))
    assert not first & second
    assert len(first | second) == 100


def test_which_half_is_seen_where_depends_on_the_seed() -> None:
    halves = {frozenset(contents(Drawn(), seen(Domains(Drawn(), seed=seed))[0])) for seed in range(4)}
    assert len(halves) == 4


def test_contents_may_be_shared_where_that_is_asked_for() -> None:
    world = Drawn()
    first, second = (contents(world, index) for index in seen(Domains(world, disjoint=False)))
    assert first == second
    assert len(first) == 90


def test_collected_images_without_counterparts_are_all_seen() -> None:
    first, second = seen(Domains(photographs(LabelledWorld)))
    assert len(first) == len(second) == 100


def test_two_worlds_are_two_domains() -> None:
    world, other = Drawn(), Drawn()
    first, second = seen(Domains(world, other=other), 60)
    assert not set(first) & set(second), "worlds of the same factors have the same contents"
    assert len(first) + len(second) == 180
    alien = Drawn(FactorSpace([Factor("y", 40)]))
    batch = Domains(world, other=alien, batch_size=500).batch(0)
    assert (batch.index.max() > 150, batch.other_index.max() < 40) == (True, True)
    assert np.array_equal(batch.other[:, 0, 0, 0] * 255, batch.other_index)


def test_sides_are_drawn_independently() -> None:
    batch = Domains(Drawn(), batch_size=20000).batch(0)
    x = [Drawn().factors(index.numpy())[:, 0] for index in (batch.index, batch.other_index)]
    assert abs(np.corrcoef(*x)[0, 1]) < 5 / np.sqrt(20000)


def test_what_cannot_be_two_domains_is_refused(drawn) -> None:
    with pytest.raises(InvalidOption, match=r"'domain' of .* is not: give a second world as other"):
        Domains(drawn)
    with pytest.raises(InvalidOption, match=r"'shape' of .* is not: choose factor among domain, or give a second"):
        Domains(Drawn(), factor="shape")
    with pytest.raises(InvalidOption, match=r"need one shape, but theirs are \(1, 1, 1\) and \(1, 1, 5\)"):
        Domains(Drawn(), other=drawn)
    with pytest.raises(UnknownName, match="unknown world 'digitz': did you mean digits"):
        Domains(Drawn(), other="digitz")


def test_a_world_that_needs_options_cannot_be_given_by_name(monkeypatch) -> None:
    class Filed(Drawn):
        """Read from a file."""

        def __init__(self, *, path: str) -> None:
            super().__init__()

    monkeypatch.setattr(registry, "load", lambda shelf, name: Filed)
    with pytest.raises(InvalidOption, match="the world filed needs path: make it yourself and give it as other"):
        Domains(Drawn(), other="filed")


def test_a_domain_without_images_is_answered_with_a_sentence() -> None:
    few = Drawn(FactorSpace([Factor("domain", 2, "categorical")]))
    assert len(Domains(few, disjoint=False).batch(0)) == 64
    with pytest.raises(InvalidData, match=r"domain [01] of Drawn is almost empty: .* disjoint=False may help"):
        Domains(few).batch(0)
