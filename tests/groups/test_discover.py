"""Actions found in pairs of codes whose true actions are known."""

from __future__ import annotations

import numpy as np
import pytest

from unbraid.errors import InvalidData
from unbraid.groups import FactorAction
from unbraid.groups.discover import discover
from unbraid.info.matching import match
from unbraid.types import Factor, FactorSpace, Floats, Integers


def pairs(
    periods: tuple[int, ...],
    count: int = 600,
    noise: float = 0.02,
    weights: tuple[float, ...] | None = None,
    kind: str = "cyclic",
    seed: int = 0,
) -> tuple[Floats, Floats, Integers]:
    """Codes of a torus in a skewed basis before and after a step (or mirroring), and which it was."""
    generator = np.random.default_rng(seed)
    space = FactorSpace([Factor(f"f{i}", n, "cyclic") for i, n in enumerate(periods)])
    action = FactorAction(space, kind=kind)  # type: ignore[arg-type]
    up = action.steps()
    elements = np.concatenate([up, action.group.inverse(up), *([action.mirrorings()] if kind == "dihedral" else [])])
    values = space.sample(count, generator)
    taken = generator.choice(len(elements), count, p=weights)
    after = action.act(values, elements[taken])
    size = 2 * len(periods)
    basis = np.linalg.qr(generator.normal(size=(size, size)))[0] * generator.uniform(0.5, 2.0, size)

    def codes(v: Integers) -> Floats:
        angle = 2 * np.pi * v / np.array(periods)
        circles = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(len(v), -1)
        return circles @ basis + 3 + noise * generator.normal(size=(len(v), size))

    return codes(values), codes(after), taken


def accuracy(found: Integers, true: Integers) -> float:
    table = np.zeros((found.max() + 1, true.max() + 1))
    np.add.at(table, (found, true), 1.0)
    rows, columns = match(table)
    return float(table[rows, columns].sum() / len(true))


CASES = {
    "equal periods": {"periods": (7, 7)},
    "different periods": {"periods": (5, 9)},
    "three factors": {"periods": (7, 5, 9), "count": 1200},
    "one factor": {"periods": (6,)},
    "unequal frequencies": {"periods": (7, 7), "weights": (0.5, 0.2, 0.2, 0.1)},
    "noise of a fifth of a step": {"periods": (7, 7), "noise": 0.12},
}


@pytest.mark.parametrize("case", CASES)
def test_the_number_of_actions_their_labels_and_the_subgroups_are_found(case: str) -> None:
    before, after, true = pairs(**CASES[case])  # type: ignore[arg-type]
    found = discover(before, after, most=8 if case == "three factors" else 6, restarts=15)
    factors = len(CASES[case]["periods"])  # type: ignore[arg-type]
    assert len(found.maps) == 2 * factors
    assert accuracy(found.action, true) >= 0.95
    assert sorted(found.sizes) == [2] * factors
    # Step and step back of a factor move one part, and each is what undoes the other.
    for part in range(factors):
        one, other = found.maps[found.part == part]
        assert np.linalg.norm(one @ other - np.eye(2 * factors)) < 0.3


def test_maps_are_block_diagonal_in_the_basis_that_is_found_with_the_angles_of_the_periods() -> None:
    before, after, _ = pairs((5, 9))
    found = discover(before, after, most=5, restarts=15)
    ends = np.cumsum([0, *found.sizes])
    angles = []
    for one, part in zip(found.maps, found.part, strict=True):
        inside = np.zeros((4, 4), dtype=bool)
        block = slice(ends[part], ends[part + 1])
        inside[block, block] = True
        assert np.abs(one - np.eye(4))[~inside].max() < 0.05
        angles.append(np.abs(np.angle(np.linalg.eigvals(one[block, block]))).max())
    assert np.sort(angles) == pytest.approx(2 * np.pi * np.array([1 / 9, 1 / 9, 1 / 5, 1 / 5]), abs=0.03)
    predicted = np.einsum("nij,nj->ni", found.maps[found.action], (before - found.centre) @ found.basis)
    assert np.abs(predicted - (after - found.centre) @ found.basis).max() < 0.4


def test_a_step_and_a_mirroring_that_do_not_commute_are_found_in_one_part() -> None:
    before, after, true = pairs((7,), kind="dihedral", noise=0.01)
    found = discover(before, after, most=5, restarts=15)
    assert len(found.maps) == 3
    # One of the seven places is mirrored to where a step leads too: such pairs can be told by nobody.
    explained = np.einsum("kij,nj->nki", found.maps, (before - found.centre) @ found.basis)
    told = np.linalg.norm(explained - ((after - found.centre) @ found.basis)[:, None], axis=2)
    clear = np.sort(told, axis=1)[:, 1] > 0.5
    assert 0.6 < clear.mean() < 0.95
    assert accuracy(found.action[clear], true[clear]) >= 0.95
    assert found.part.tolist() == [0, 0, 0]
    signs = sorted(np.linalg.det(found.maps).round(3).tolist())
    assert signs == pytest.approx([-1, 1, 1])
    turn, mirror = (found.maps[np.linalg.det(found.maps) * sign > 0][0] for sign in (1, -1))
    assert np.linalg.norm(turn @ mirror - mirror @ turn) > 0.5
    assert np.linalg.norm(mirror @ turn @ mirror @ turn - np.eye(2)) < 0.1, "a mirroring turns a step round"


def test_directions_in_which_codes_hardly_vary_are_not_taken_for_more_than_they_are(monkeypatch) -> None:
    before, after, taken = pairs((7, 7))
    generator = np.random.default_rng(1)
    idle = [0.2 * generator.normal(size=(len(before), 2)) for _ in range(2)]
    wide = [np.hstack([codes, more]) for codes, more in zip((before, after), idle, strict=True)]
    found = discover(*wide)
    assert len(found.maps) == 4
    assert accuracy(found.action, taken) == 1.0
    assert found.sizes == (2, 2)
    assert np.allclose(found.maps[:, 4:], np.eye(6)[4:]), "nothing moves them"
    assert np.linalg.matrix_rank(found.basis) == 6
    spread = ((wide[0] - found.centre) @ found.basis).std(axis=0)
    assert spread[:4] == pytest.approx([1] * 4, abs=0.1)
    assert spread[4:].max() < 0.4
    monkeypatch.setattr("unbraid.groups.discover.WEAK", 0.0)
    assert len(discover(*wide).maps) == 1, "whitened, they are noise in which the actions drown"


def test_pairs_without_actions_have_one_map_and_it_moves_nothing() -> None:
    before, _, _ = pairs((7, 7))
    found = discover(before, before + 1e-3 * np.random.default_rng(0).normal(size=before.shape), most=4)
    assert len(found.maps) == 1
    assert np.allclose(found.maps[0], np.eye(4), atol=0.01)


def test_the_same_seed_finds_the_same() -> None:
    before, after, _ = pairs((7, 7))
    assert np.array_equal(*(discover(before, after, most=2, seed=3).maps for _ in range(2)))


def test_codes_that_do_not_vary_and_too_few_pairs_are_refused() -> None:
    before, after, _ = pairs((7, 7))
    with pytest.raises(InvalidData, match="spread vanishes in 1"):
        discover(before * [1, 1, 1, 0], after * [1, 1, 1, 0])
    with pytest.raises(InvalidData, match="at least 45"):
        discover(before[:40], after[:40])
