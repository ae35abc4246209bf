"""A study's file: what it says, and that what is wrong in it is pointed at before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from unbraid.errors import InvalidData
from unbraid.study.marked import read
from unbraid.study.spec import Cell, load, parse

GOOD = """
name: small
worlds: [digits]
models:
  - vae
  - betavae: {beta: [1, 4], network: dense}
seeds: [0, 7]
steps: 10
fit: {learning_rate: 1e-3}
scores: [mig, sap]
"""


def test_every_value_of_a_list_is_a_cell_with_every_seed() -> None:
    spec = parse(GOOD)
    assert [(cell.model, dict(cell.options), cell.seed) for cell in spec.cells] == [
        ("vae", {}, 0),
        ("vae", {}, 7),
        ("betavae", {"beta": 1, "network": "dense"}, 0),
        ("betavae", {"beta": 1, "network": "dense"}, 7),
        ("betavae", {"beta": 4, "network": "dense"}, 0),
        ("betavae", {"beta": 4, "network": "dense"}, 7),
    ]
    assert all(cell.fit == {"learning_rate": 0.001} and cell.steps == 10 for cell in spec.cells)
    assert (spec.name, spec.scores) == ("small", ("mig", "sap"))


def test_a_number_of_seeds_counts_from_0_and_worlds_have_options_too() -> None:
    spec = parse("{models: [vae], worlds: [{clutter: {}}, digits], seeds: 2, steps: 1}")
    assert [(cell.world, cell.seed) for cell in spec.cells] == [
        ("clutter", 0), ("clutter", 1), ("digits", 0), ("digits", 1),
    ]  # fmt: skip


def test_what_is_said_twice_is_one_cell() -> None:
    assert len(parse("{models: [vae, vae, {vae: {}}], worlds: [digits], steps: 1}").cells) == 1


def test_a_cells_key_hangs_on_all_it_says_and_on_nothing_else() -> None:
    first = Cell("betavae", "digits", {"beta": 4.0, "start": 2.0}, steps=10)
    assert first.key == Cell("betavae", "digits", {"start": 2.0, "beta": 4.0}, steps=10).key
    others = [
        Cell("betavae", "digits", {"beta": 4.5, "start": 2.0}, steps=10),
        Cell("betavae", "digits", {"beta": 4.0, "start": 2.0}, steps=11),
        Cell("betavae", "digits", {"beta": 4.0, "start": 2.0}, steps=10, seed=1),
        Cell("betavae", "digits", {"beta": 4.0, "start": 2.0}, steps=10, fit={"batch_size": 2}),
        Cell("betavae", "digits", {"beta": 4.0, "start": 2.0}, steps=10, view={"k": 1}),
        Cell("betavae", "digits", {"beta": 4.0, "start": 2.0}, {"noise": 1}, steps=10),
    ]
    assert len({first.key, *(other.key for other in others)}) == 7


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("- vae", "- vaee", r"a\.yaml, line 5: unknown model 'vaee': did you mean vae"),
        ("[digits]", "[digit]", r"line 3: unknown world 'digit': did you mean digits\?"),
        ("beta:", "betta:", r"line 6: unknown option of betavae 'betta': did you mean beta\?"),
        ("[1, 4]", "[1, -4]", r"line 6: betavae: beta must be a finite number of at least 0, but is -4"),
        ("dense", "dens", r"line 6: betavae: network must be one of .*dense.*, but is 'dens'"),
        ("[mig, sap]", "[mig, sapp]", r"line 10: unknown score 'sapp': did you mean sap\?"),
        ("steps: 10", "steps: 0", r"line 8: steps must be a whole number of at least 1, but is 0"),
        ("beta: [1, 4]", "beta: [1, four]", r"line 6: beta must be a number, but is 'four'"),
        ("beta: [1, 4]", "latent_dim: 2.5", r"line 6: latent_dim must be a whole number, but is 2.5"),
        ("beta: [1, 4]", "latent_dim: null", r"line 6: latent_dim must be a whole number, but is None"),
        ("learning_rate: 1e-3", "learning_rate: fast", r"line 9: learning_rate must be a number, but is 'fast'"),
        ("learning_rate: 1e-3", "learning_rate: -1", r"line 9: fit: learning_rate must be a finite number above 0"),
        ("learning_rate: 1e-3", "batch_size: [4, 0]", r"line 9: fit: batch_size must be a finite number of at least 1"),
        ("fit: {", "view: {k: 1}\nfit: {", r"line 9: unknown option of the view in which vae sees \(images\) 'k'"),
        ("[mig, sap]", "[mig, udr]", r"line 10: udr compares several runs"),
        ("name: small", "name: ../small", r"line 2: name is also that of a folder"),
        ("[digits]", "[{smaller: {side: 7}}]", r"line 3: smaller: side must divide the 64 x 64 pixels of Sprites"),
        ("steps: 10", "step: 10", r"line 8: unknown field 'step': did you mean steps\?"),
        ("[0, 7]", "0", r"line 7: seeds must be a whole number of at least 1, but is 0"),
        ("[0, 7]", "[0, x]", r"line 7: seeds must be whole numbers of at least 0"),
        (
            "learning_rate",
            "learningrate",
            r"line 9: unknown option of fit 'learningrate': did you mean learning_rate\?",
        ),
        ("models:\n  - vae", "models: []\nname2:\n  - vae", r"unknown field 'name2'"),
        ("seeds: [0, 7]", "seeds: [0, 7", r"is not YAML"),
        ("steps: 10", "steps: 10\nsteps: 11", r"line 9: 'steps' is given twice"),
        ("[digits]", "&a [*a]", r"line 3: aliases \(\*a\) are not read"),
        ("name: small", "name: !!python/object/apply:os.system [ls]", r"line 2: tags .* are not read"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_what_would_fit(before: str, after: str, message: str) -> None:
    assert before in GOOD
    with pytest.raises(InvalidData, match=message):
        parse(GOOD.replace(before, after), "a.yaml")


@pytest.mark.parametrize("text", ["", "- a", "just words", "{models: [vae]}", "{worlds: [digits]}"])
def test_a_file_that_is_no_study_is_a_sentence(text: str) -> None:
    with pytest.raises(InvalidData, match="study"):
        parse(text)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="cannot be read"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidData, match="not text"):
        load(tmp_path / "binary.yaml")


def test_numbers_with_an_exponent_are_numbers_and_text_in_quotes_is_text() -> None:
    assert read("{a: 1e-3, b: '1e-3', c: 12, d: 2.5e4, e: true}", "f").value == {
        "a": 0.001, "b": "1e-3", "c": 12, "d": 25000.0, "e": True,
    }  # fmt: skip


def test_a_deep_nest_is_a_sentence() -> None:
    with pytest.raises(InvalidData, match="more than 20 lists within lists"):
        parse("[" * 5000 + "]" * 5000)


SEARCH = """
worlds: [digits]
models:
  - vae
  - betavae:
      beta: {low: 1, high: 100, log: true}
      network: [dense, conv]
seeds: 2
steps: 10
scores: [mig, dci]
search: {score: mig, trials: 7}
"""


def test_a_range_is_searched_once_for_every_value_of_a_list_and_the_rest_is_a_grid() -> None:
    spec = parse(SEARCH)
    assert [str(cell.model) for cell in spec.cells] == ["vae", "vae"]
    assert [one.cell.options["network"] for one in spec.searches] == ["dense", "conv"]
    assert str(spec.searches[0].ranges["beta"]) == "1..100 (log)"
    assert spec.searches[0].seeds == (0, 1)
    assert spec.total == 2 + 2 * 7 * 2
    assert not spec.searches[0].goal.lower
    assert parse(SEARCH.replace("score: mig", "score: loss")).searches[0].goal.lower
    assert not parse(SEARCH.replace("score: mig", "score: elbo")).searches[0].goal.lower


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("search: {score: mig, trials: 7}", "", r"beta=1..100 \(log\) is to be searched: add search: \{score: mig"),
        ("beta: {low: 1, high: 100, log: true}", "beta: 4", r"line 11: there is nothing to search: give an option a"),
        ("high: 100", "hihg: 100", r"line 6: unknown field of a range 'hihg': did you mean high\?"),
        ("low: 1,", "low: 200,", r"line 6: a range of beta is numbers, .* with low below high"),
        ("low: 1,", "low: one,", r"line 6: a range of beta is numbers"),
        ("low: 1,", "low: 0,", r"line 6: log of a range is true or false, and true only where low is above 0"),
        ("low: 1, high: 100, log: true", "low: -4, high: 1", r"line 6: betavae: beta must be a finite number of at"),
        ("beta: {low: 1, high: 100, log: true}", "latent_dim: {low: 1.5, high: 4}", r"line 6: .* is whole numbers"),
        ("score: mig", "score: migg", r"line 11: search cannot go by 'migg', .*: did you mean mig\?"),
        ("score: mig", "score: sap", r"line 11: search cannot go by 'sap', which is not measured: it must be one of"),
        ("trials: 7", "trial: 7", r"line 11: unknown field of search 'trial': did you mean trials\?"),
        ("trials: 7", "trials: 0", r"line 11: trials must be a whole number of at least 1, but is 0"),
        ("trials: 7", "sampler: best", r"line 11: sampler must be one of tpe, random, but is 'best'"),
        (
            "[digits]",
            "[{smaller: {of: digits, side: {low: 4, high: 8}}}]",
            r"line 2: side cannot be searched, only options of models",
        ),
    ],
)
def test_a_search_that_cannot_be_is_pointed_at(before: str, after: str, message: str) -> None:
    assert before in SEARCH
    with pytest.raises(InvalidData, match=message):
        parse(SEARCH.replace(before, after), "a.yaml")
