"""The laws of groups and of their irreps, over every group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbraid.errors import InvalidOption
from unbraid.groups import SO2, SO3, Cyclic, Dihedral, Group, Irrep, Product
from unbraid.types import Floats

GROUPS: list[Group] = [
    *(Cyclic(n) for n in (1, 2, 3, 7, 10)),
    *(Dihedral(n) for n in (1, 2, 3, 4, 7)),
    SO2(),
    SO3(),
    Product(Cyclic(3), Cyclic(4)),
    Product(Cyclic(3), Cyclic(5), Cyclic(4)),
    Product(Dihedral(3), Cyclic(5)),
    Product(SO2(), SO3()),
    Product(SO2(), Cyclic(3)),
]
FINITE = [group for group in GROUPS if group.order is not None]
every_group = pytest.mark.parametrize("group", GROUPS, ids=str)
every_finite_group = pytest.mark.parametrize("group", FINITE, ids=str)


def drawn(group: Group, seed: int, count: int = 5) -> Floats:
    return group.sample(count, np.random.default_rng(seed))


@every_group
@given(seed=st.integers(0, 10_000))
def test_products_are_associative_and_have_an_identity_and_inverses(group: Group, seed: int) -> None:
    a, b, c = (drawn(group, 3 * seed + i) for i in range(3))
    one = np.broadcast_to(group.identity, a.shape)
    assert group.same(group.compose(group.compose(a, b), c), group.compose(a, group.compose(b, c)))
    assert group.same(group.compose(a, one), a)
    assert group.same(group.compose(one, a), a)
    assert group.same(group.compose(a, group.inverse(a)), one)
    assert group.same(group.compose(group.inverse(a), a), one)
    assert group.same(group.power(a, 3), group.compose(a, group.compose(a, a)))


@every_finite_group
def test_a_product_of_two_elements_is_one_of_the_elements_and_no_two_are_the_same(group: Group) -> None:
    elements, weights = group.quadrature(0)
    listed = {tuple(row) for row in elements}
    assert len(listed) == group.order
    assert np.allclose(weights, 1 / len(elements))
    for one in elements:
        moved = group.compose(np.broadcast_to(one, elements.shape), elements)
        assert {tuple(row) for row in moved} == listed
    matrices = group.matrices(elements)
    assert len({tuple(row) for row in matrices.reshape(len(elements), -1).round(6)}) == group.order


@every_group
@given(seed=st.integers(0, 10_000))
def test_every_representation_turns_products_into_products_by_orthogonal_matrices(group: Group, seed: int) -> None:
    a, b = drawn(group, 2 * seed), drawn(group, 2 * seed + 1)
    for matrices in (group.matrices, *(irrep.matrices for irrep in group.irreps(2))):
        assert np.allclose(matrices(group.compose(a, b)), matrices(a) @ matrices(b), atol=1e-9)
        assert np.allclose(matrices(a) @ matrices(a).swapaxes(1, 2), np.eye(matrices(a).shape[1]), atol=1e-9)


@every_group
def test_what_is_averaged_over_the_group_commutes_with_it_so_that_irreps_cannot_be_split(group: Group) -> None:
    elements, weights = group.quadrature(2)
    generator = np.random.default_rng(0)
    assert weights.sum() == pytest.approx(1)
    for irrep in group.irreps(2):
        matrices, d = irrep.matrices(elements), irrep.dimension
        assert matrices.shape == (len(elements), d, d)
        kept = []
        for _ in range(4):
            drawn = generator.normal(size=(d, d))
            mean = np.einsum("g,gij,jk,glk->il", weights, matrices, drawn, matrices)
            assert np.allclose(matrices @ mean, mean @ matrices, atol=1e-9)
            expected = np.trace(drawn) / d * np.eye(d)
            if irrep.turn is not None:
                expected = expected - np.trace(irrep.turn @ drawn) / d * irrep.turn
            assert np.allclose(mean, expected, atol=1e-9), "Schur: only one and the turn commute with an irrep"
            kept.append(mean.ravel())
        assert np.linalg.matrix_rank(np.array(kept), tol=1e-8) == irrep.commuting
        if irrep.turn is not None:
            assert np.allclose(irrep.turn @ irrep.turn, -np.eye(d))


@every_group
def test_characters_of_different_irreps_are_orthogonal(group: Group) -> None:
    elements, weights = group.quadrature(2)
    irreps = group.irreps(2)
    characters = np.array([irrep.character(elements) for irrep in irreps])
    products = (characters * weights) @ characters.T
    assert np.allclose(products, np.diag([irrep.commuting for irrep in irreps]), atol=1e-9)
    assert np.allclose(characters[0], 1), "the trivial one stands first"


@every_finite_group
def test_a_finite_group_has_as_many_elements_as_its_irreps_have_entries(group: Group) -> None:
    assert sum(irrep.dimension**2 / irrep.commuting for irrep in group.irreps()) == group.order


def test_a_rotation_of_space_by_an_irrep_of_degree_one_is_the_rotation_in_another_basis() -> None:
    group = SO3()
    a = drawn(group, 0, 50)
    assert np.allclose(group.irreps(1)[1].character(a), np.trace(group.matrices(a), axis1=1, axis2=2))
    for degree in (1, 2, 3):
        angle = np.linalg.norm(a, axis=1)
        known = np.sin((2 * degree + 1) * angle / 2) / np.sin(angle / 2)
        assert np.allclose(group.irreps(3)[degree].character(a), known)


def test_half_a_turn_of_space_and_no_turn_at_all_are_elements_like_others() -> None:
    group = SO3()
    half, none = np.array([[np.pi, 0.0, 0.0]]), np.zeros((1, 3))
    assert group.same(group.compose(half, half), none)
    assert group.same(group.compose(none, none), none)


def test_a_dihedral_group_of_three_permutes_three_things() -> None:
    group = Dihedral(3)
    elements = group.quadrature()[0]
    corners = np.array([[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(3) / 3])
    moved = np.einsum("gij,cj->gci", group.matrices(elements), corners)
    places = np.linalg.norm(moved[:, :, None] - corners, axis=-1)
    assert len({tuple(row) for row in places.argmin(axis=2).tolist()} if places.size else ()) == 6
    assert places.min(axis=2).max() < 1e-9
    step, mirror = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert not group.same(group.compose(step, mirror), group.compose(mirror, step))


def test_an_irrep_tells_its_kind() -> None:
    names: dict[str, Irrep] = {irrep.name: irrep for irrep in Cyclic(4).irreps()}
    assert [names[name].commuting for name in "012"] == [1, 2, 1]
    assert names["2"].matrices(np.array([[1.0]])).item() == pytest.approx(-1)


@pytest.mark.parametrize("made", [lambda: Cyclic(0), lambda: Dihedral(0), Product])
def test_a_group_of_nothing_is_refused(made) -> None:
    with pytest.raises(InvalidOption, match="at least"):
        made()
