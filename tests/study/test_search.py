"""A search: where it ends, that it does not depend on who is faster, and that it is taken up where it was left."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from unbraid.errors import InvalidData
from unbraid.study.drive import drive
from unbraid.study.engine import Engine, Lost
from unbraid.study.results import rows, to_csv
from unbraid.study.search import Hunt, Visit
from unbraid.study.spec import Cell, parse
from unbraid.study.work import CELLS, Outcome, Task, work

pytest.importorskip("optuna")

SEARCH = """
worlds: [digits]
models:
  - betavae: {beta: {low: 1, high: 100, log: true}}
fit: {learning_rate: {low: 1e-4, high: 1e-2, log: true}}
seeds: 3
steps: 900
scores: [mig]
search: {score: mig, trials: 30, after: 100}
"""
REAL = """
worlds: [digits]
models:
  - vae: {latent_dim: {low: 2, high: 4}, network: patches}
  - ae: {latent_dim: 2, network: patches}
steps: 6
fit: {learning_rate: {low: 1e-3, high: 1e-1, log: true}, batch_size: 4}
scores: [mig]
samples: 100
search: {score: loss, trials: 5, ahead: 2, after: 2}
"""


def worth(visit: Visit) -> Outcome:
    """The best setting is beta 10 with a learning rate of 1e-3; more steps are better, and seeds are a nuisance."""
    beta, rate = visit.cell.options["beta"], visit.cell.fit["learning_rate"]
    far = math.log10(beta / 10) ** 2 + math.log10(rate / 1e-3) ** 2
    nuisance = 0.01 * (visit.cell.seed - 1) * (1 if beta > 10 else 3)
    return Outcome("done", values={"mig": 1 - far - 10 / (visit.until or 900) + nuisance})


def hunt(text: str = SEARCH) -> Hunt:
    spec = parse(text)
    return Hunt(spec.searches[0], spec.scores)


def hunted(of: Hunt, answer: Callable[[Visit], Outcome] = worth, order: int | None = None) -> Hunt:
    """Answer all that is asked; with a number, what is open in an order of its own."""
    known: dict[tuple[str, int | None], Outcome] = {}
    shuffle = random.Random(order)

    def ask(visit: Visit) -> Outcome | None:
        return known.get(visit.key)

    while todo := [visit for visit in of.visits(ask) if visit.key not in known]:
        for visit in todo if order is None else [shuffle.choice(todo)]:
            known[visit.key] = answer(visit)
    return of


def settings(of: Hunt) -> list[tuple[object, ...]]:
    return [(one.cells[0].options["beta"], one.cells[0].fit["learning_rate"], one.state) for one in of.trials]


def test_a_search_ends_near_the_best_setting() -> None:
    best = hunted(hunt(SEARCH.replace(", after: 100", ""))).best()
    assert len(best) == 30
    assert best[0].cells[0].options["beta"] == pytest.approx(10, rel=0.5)
    assert best[0].cells[0].fit["learning_rate"] == pytest.approx(1e-3, rel=0.5)
    middle = best[15].values[-1]
    assert best[0].values[-1] > middle > best[-1].values[-1]


def test_of_a_setting_the_median_over_its_seeds_counts_and_less_may_be_better() -> None:
    found = hunted(hunt())
    assert {cell.seed for cell in found.trials[0].cells} == {0, 1, 2}
    done = found.best()[0]
    assert done.values[-1] == (worth(Visit(done.cells[1], ("mig",))).values or {})["mig"]

    def loss(visit: Visit) -> Outcome:
        return Outcome("done", values={"loss": 1 - (worth(visit).values or {})["mig"]})

    lower = hunted(hunt(SEARCH.replace("score: mig", "score: loss")), loss)
    assert settings(lower) == settings(found), "the same search, turned over"
    assert lower.best()[0].values[-1] == min(one.values[-1] for one in lower.best())


def test_whoever_is_faster_the_same_settings_are_tried_and_stopped() -> None:
    straight = settings(hunted(hunt()))
    for order in range(3):
        assert settings(hunted(hunt(), order=order)) == straight
    assert settings(hunted(hunt(SEARCH.replace("after: 100", "after: 100, seed: 1")))) != straight
    states = [state for _, _, state in straight]
    assert 10 <= states.count("stopped") < 30
    assert states.count("done") == 30 - states.count("stopped")


def test_a_trial_goes_on_while_it_is_among_the_best_third_of_those_before_it() -> None:
    found = hunted(hunt())
    assert found.rungs == [100, 300, None]
    for trial in found.trials:
        for place in range(len(trial.values) - (trial.state == "done")):
            before = found.trials[: max(0, trial.number - 3)]
            others = [one.values[place] for one in before if len(one.values) > place]
            better = sum(value > trial.values[place] for value in others)
            goes_on = better < -(-(len(others) + 1) // 3)
            assert goes_on == (len(trial.values) > place + 1)
    assert found.trials[0].state == "done", "there is nothing yet that is better"


def test_a_cell_that_fails_is_no_setting_to_learn_from_and_stops_no_search() -> None:
    def bad(visit: Visit) -> Outcome:
        return Outcome("failed", "nan", "the loss is nan") if visit.cell.options["beta"] > 20 else worth(visit)

    found = hunted(hunt(), bad)
    assert {one.state for one in found.trials if one.cells[0].options["beta"] > 20} == {"failed"}
    assert len(found.trials) == 30
    assert found.best()[0].cells[0].options["beta"] == pytest.approx(10, rel=0.6)


def test_a_part_that_no_cell_has_is_named() -> None:
    with pytest.raises(InvalidData, match=r"cells have no 'mig.size' to search by, only mig: choose one of these"):
        hunted(hunt(SEARCH.replace("score: mig", "score: mig.size")))


class Leaving(Engine):
    """One worker, this process, which is interrupted after some work."""

    def __init__(self, after: int) -> None:
        self.left, self.tasks = after, list[Task]()

    def free(self) -> int:
        return 1 - len(self.tasks)

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def wait(self, seconds: float) -> list[tuple[Task, Outcome | Lost]]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        task = self.tasks.pop()
        return [(task, work(task))]

    def close(self, *, grace: float = 30.0) -> None:
        self.tasks.clear()


def table(root: Path) -> list[str]:
    lines = to_csv(rows(parse(REAL), root)).splitlines()
    leave = {lines[0].split(",").index(name) for name in ("seconds", "host")}
    return [",".join(cell for i, cell in enumerate(line.split(",")) if i not in leave) for line in lines]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search that was never interrupted."""
    root = tmp_path_factory.mktemp("straight")
    progress = drive(parse(REAL), root, Leaving(1000))
    assert progress.total == progress.settled == 10
    assert progress.failed == 0
    assert progress.stopped > 0
    return root


def test_a_search_that_is_interrupted_is_taken_up_from_its_records(straight: Path, tmp_path: Path) -> None:
    begun = 0
    for _ in range(20):
        try:
            drive(parse(REAL), tmp_path, Leaving(4))
            break
        except KeyboardInterrupt:
            begun += 1
    assert begun > 1
    assert table(tmp_path) == table(straight)
    assert drive(parse(REAL), tmp_path, Leaving(0)).settled == 10, "nothing is computed again"
    assert {file.name for file in tmp_path.iterdir()} == {"study.yaml", CELLS}, "no second database"


def test_rows_tell_the_trial_and_why_it_was_stopped(straight: Path) -> None:
    found = rows(parse(REAL), straight)
    assert sorted({row.trial for row in found if row.trial is not None}) == [0, 1, 2, 3, 4]
    stopped = [row for row in found if row.state == "stopped"]
    assert stopped
    for row in stopped:
        assert row.outcome is not None
        assert row.outcome.reason.startswith(f"trial {row.trial} had a median loss of ")
        assert "after 2 steps, which is not among the best 1/3" in row.outcome.reason
        assert not (straight / CELLS / row.cell.key / "model.safetensors").exists()


def test_a_cell_that_was_judged_on_the_way_ends_with_the_same_weights(straight: Path, tmp_path: Path) -> None:
    row = next(row for row in rows(parse(REAL), straight) if row.state == "done" and row.trial)
    assert (straight / CELLS / f"{row.cell.key}.at-2.json").is_file()
    once = work(Task(str(tmp_path), row.cell, ("mig",), 100))
    assert row.outcome is not None
    assert once.values == row.outcome.values
    weights = [root / CELLS / row.cell.key / "model.safetensors" for root in (straight, tmp_path)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_what_is_searched_is_a_cell_with_values_in_four_digits() -> None:
    search = parse(REAL).searches[0]
    assert search.ranges.keys() == {"latent_dim", "fit.learning_rate"}
    (cell,) = search.cells({"latent_dim": 3, "fit.learning_rate": 0.01234})
    options, fit = {"latent_dim": 3, "network": "patches"}, {"learning_rate": 0.01234, "batch_size": 4}
    assert cell == Cell("vae", "digits", options, fit=fit, steps=6)
    assert search.ranges["fit.learning_rate"].rounded(0.0123456) == 0.01235
    assert search.ranges["fit.learning_rate"].rounded(0.09999999) == 0.1
    assert search.ranges["latent_dim"].rounded(3) == 3
