"""A real Ray cluster of two nodes on this machine, of which one is killed, and then the driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from unbraid.study.drive import drive
from unbraid.study.results import rows
from unbraid.study.spec import parse
from unbraid.study.work import CELLS

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_worker_niceness", "0")  # beside other tests Ray's usual 15 would starve it
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Ray warns of is not ours to mend
    pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

Children = Callable[[int, bytes], list[int]]
STUDIES = Path(__file__).parents[2] / "studies"
SPEC = """
name: spread-out
worlds: [digits]
models: [{vae: {latent_dim: 2, network: conv}}, {betavae: {latent_dim: 2, network: conv, beta: [1, 4]}}]
seeds: 6
steps: 60
fit: {batch_size: 4, checkpoint_seconds: 0.3}
scores: [mig]
samples: 200
"""
SEARCH = """
name: sought
worlds: [digits]
models: [{vae: {latent_dim: {low: 2, high: 4}, network: patches}}]
steps: 6
fit: {learning_rate: {low: 1e-3, high: 1e-1, log: true}, batch_size: 4}
scores: [mig]
samples: 100
search: {score: loss, trials: 3, ahead: 2, after: 2}
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of two nodes with one core each; every node has processes of its own."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": {"health_check_period_ms": 500}}
    made = Cluster(initialize_head=True, head_node_args=head)
    made.add_node(num_cpus=1)
    yield made
    made.shutdown()


def comes(condition: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def until(condition: Callable[[], object], driver: subprocess.Popen[bytes], log: Path, seconds: float = 300.0) -> None:
    came = comes(lambda: condition() or driver.poll() is not None, seconds) and condition()
    assert came, f"{'the driver ended' if driver.poll() is not None else 'it took too long'}: {log.read_text('utf-8')}"


def state(process: int) -> str:
    """What the system says of a process: T is stopped, Z is dead."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def lose_a_cell(cluster: Any, driver: subprocess.Popen[bytes], log: Path, children: Children) -> None:
    """Kill a node that works, and give the cluster another. Ray's workers are called by what they do just now."""
    node = next(node for node in cluster.list_all_nodes() if node is not cluster.head_node)
    raylet = node.all_processes["raylet"][0].process.pid
    working: list[int] = []

    def caught() -> bool:
        """Whether some stand still in the midst of a cell: between a look and a kill it could have ended."""
        for worker in children(raylet, b"_served"):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGSTOP)
                assert comes(lambda worker=worker: state(worker) in "TZ", 60)
                if worker in children(raylet, b"_served"):
                    working.append(worker)
                else:
                    os.kill(worker, signal.SIGCONT)
        return bool(working)

    until(caught, driver, log)
    for process in (raylet, *working):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    cluster.remove_node(node, allow_graceful=False)
    until(lambda: "lost, and tried again" in log.read_text("utf-8"), driver, log)
    cluster.add_node(num_cpus=1)


def test_a_node_and_then_the_driver_are_killed_and_every_cell_is_finished_once(
    tmp_path: Path, cluster: Any, children: Children
) -> None:
    file, root = tmp_path / "spread-out.yaml", tmp_path / "out"
    file.write_text(SPEC, "utf-8")
    words = [sys.executable, "-m", "unbraid", "study", "run", str(file), "--out", str(root), "--on", "ray"]
    words += ["--address", cluster.address]

    def ended() -> list[Path]:
        return sorted((root / CELLS).glob("*.json")) if (root / CELLS).is_dir() else []

    said = tmp_path / "first.txt"
    with said.open("w") as log, subprocess.Popen(words, stdout=log, stderr=log) as first:
        try:
            until(lambda: len(ended()) >= 3, first, said)
            lose_a_cell(cluster, first, said, children)
            count = len(ended())
            until(lambda: len(ended()) >= count + 3, first, said)
        finally:
            first.kill()
    before = {path: path.read_bytes() for path in ended()}
    assert 6 <= len(before) < 18
    again = subprocess.run(words, capture_output=True, text=True, check=False, timeout=500)
    assert "18 of 18 cells are done, 0 failed" in again.stdout, again.stderr
    assert all(path.read_bytes() == content for path, content in before.items()), "a finished cell was computed again"
    assert len(ended()) == 18
    found = rows(parse(SPEC), root)
    assert [row.state for row in found] == ["done"] * 18
    assert len({row.cell.key for row in found}) == 18


def test_the_rows_of_grids_and_searches_are_those_of_processes_of_this_machine(tmp_path: Path, cluster: Any) -> None:
    from unbraid.study.local import Local
    from unbraid.study.ray import Cluster

    smoke = parse((STUDIES / "smoke.yaml").read_text("utf-8").replace("seeds: 3", "seeds: 1"))
    joined = Cluster(cluster.address)  # as long as it is, every other joins by it, and the workers are the same
    try:
        for spec, count in ((smoke, 4), (parse(SEARCH), 3)):
            for name, engine in (("local", Local(2)), ("ray", Cluster(cluster.address))):
                assert drive(spec, tmp_path / spec.name / name, engine).settled == count
            here, there = (
                [
                    row.outcome and (row.outcome.state, row.outcome.values)
                    for row in rows(spec, tmp_path / spec.name / name)
                ]
                for name in ("local", "ray")
            )
            assert here == there
    finally:
        joined.close()


def test_an_engine_that_has_nothing_to_do_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    from unbraid.study.ray import Cluster

    idle, slept = Cluster.__new__(Cluster), list[float]()
    idle._busy = {}
    monkeypatch.setattr("time.sleep", slept.append)
    assert idle.wait(0.5) == []
    assert slept == [0.5], "or whoever drives a study would ask without end until a cell is due"
