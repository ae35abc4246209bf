"""Tables, questions and analysis of what a study has found."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from unbraid.errors import InvalidOption
from unbraid.study.analysis import agreement, explained
from unbraid.study.results import Row, ask, median, pivot, to_csv, to_parquet
from unbraid.study.spec import Cell
from unbraid.study.work import Outcome

FOUND = [
    Row(
        Cell(model, "digits", {"beta": beta}, seed=seed),
        Outcome("done", values={"mig": 0.1 * seed + beta, "dci.x": 1.0}),
    )
    for model in ("vae", "betavae")
    for beta in (1, 4)
    for seed in range(3)
] + [
    Row(Cell("ae", "digits"), Outcome("failed", "nan", "the loss is nan, at step 3")),
    Row(Cell("ae", "digits", seed=1), None),
]


def test_a_question_in_sql_is_answered_from_both_tables() -> None:
    names, answer = ask(FOUND, "select model, count(*) as n from scores where score = 'mig' group by model order by 1")
    assert (names, answer) == (["model", "n"], [("betavae", 6), ("vae", 6)])
    assert ask(FOUND, 'select sum("mig") from cells where "beta" = 4')[1] == [(pytest.approx(24.6),)]
    assert ask(FOUND, "select reason from cells where state = 'failed'")[1] == [("the loss is nan, at step 3",)]


@pytest.mark.parametrize(
    "question",
    [
        "delete from cells",
        "drop table scores",
        "attach 'x.db' as x",
        "vacuum into 'x.db'",
        "select nothing from nowhere",
        "select 1; select 2",
        "pragma query_only = off; delete from cells",
        "select load_extension('x')",
    ],
)
def test_a_question_that_is_none_or_would_change_something_is_a_sentence(
    question: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidOption, match="cannot be answered"):
        ask(FOUND, question)
    assert list(tmp_path.iterdir()) == []


def test_a_pivot_has_the_median_of_runs_that_are_alike() -> None:
    rows = pivot(FOUND, "mig")
    assert [row[:2] for row in rows] == [(m, o) for m in ("vae", "betavae") for o in ("beta=1", "beta=4")]
    assert rows[0][2] == pytest.approx(1.1)
    assert rows[0][-3:] == (1.0, 1.2, 3)
    assert [row[:1] for row in pivot(FOUND, "mig", by=("model",))] == [("vae",), ("betavae",)]
    with pytest.raises(InvalidOption, match=r"no run has 'migg': did you mean mig\?"):
        pivot(FOUND, "migg")


def test_csv_holds_every_row_to_the_last_digit() -> None:
    table = list(csv.DictReader(io.StringIO(to_csv(FOUND))))
    assert len(table) == 14
    assert float(table[2]["mig"]) == 0.1 * 2 + 1
    assert [row["state"] for row in table[-2:]] == ["failed", "open"]


def test_parquet_holds_the_same(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    to_parquet(FOUND, tmp_path / "a.parquet")
    table = polars.read_parquet(tmp_path / "a.parquet")
    assert table["mig"].to_list()[:3] == [1.0, 1.1, 1.2]
    assert table.height == 14


def test_the_interval_of_a_median_holds_it_and_narrows_with_more_runs() -> None:
    few, many = (np.random.default_rng(0).normal(size=n) for n in (5, 200))
    for values in (few, many):
        middle, low, high = median(values)
        assert low <= middle <= high
    assert median(many)[2] - median(many)[1] < median(few)[2] - median(few)[1]


def test_shares_of_variance_are_those_of_an_analysis_of_variance() -> None:
    generator = np.random.default_rng(0)
    model = np.repeat([0, 1, 2], 12)
    setting = np.tile(np.repeat([0, 1, 2, 3], 3), 3)
    y = 2.0 * model + 0.5 * setting * (model == 1) + generator.normal(size=36)
    total = np.square(y - y.mean()).sum()
    by_model = sum(12 * (y[model == m].mean() - y.mean()) ** 2 for m in range(3))
    rest = sum(
        np.square(y[(model == m) & (setting == s)] - y[(model == m) & (setting == s)].mean()).sum()
        for m in range(3)
        for s in range(4)
    )
    shares = explained(y.tolist(), model.tolist(), setting.tolist())
    assert shares == pytest.approx([by_model / total, 1 - by_model / total - rest / total, rest / total])


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=20))
def test_shares_of_variance_lie_between_0_and_1_and_make_the_whole(rows: list[tuple[float, int, int]]) -> None:
    y, first, second = zip(*rows, strict=True)
    shares = explained(y, first, second)
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in shares)
    assert sum(shares) == pytest.approx(1.0) or shares == [0.0, 0.0, 0.0]


def test_agreement_is_the_rank_correlation() -> None:
    generator = np.random.default_rng(0)
    table = [{"a": a, "b": b, "c": 1.0} for a, b in generator.integers(0, 6, (30, 2)).tolist()]
    expected = spearmanr([row["a"] for row in table], [row["b"] for row in table]).statistic
    found = agreement(table, ["a", "b"], ["a", "b", "c"])
    assert found == pytest.approx(np.array([[1, expected, 0], [expected, 1, 0]]))
