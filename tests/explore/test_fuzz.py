"""Whatever the page's server is sent, it answers, and never with a fault of its own."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.studied import Studied
from unbraid.explore.subject import Subject
from unbraid.explore.translating import Translating

schemathesis = pytest.importorskip("schemathesis")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
HOST = {"Host": "127.0.0.1:8700"}


def test_no_request_of_any_shape_makes_it_fail(
    subject: Subject, acting: Subject, translating: Translating, objects: Subject, study: Path
) -> None:
    app = make(Gallery([subject, acting, translating, objects], [Studied(study)], samples=100))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HOST)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert {one.path for one in operations} >= {"/api/runs", "/api/runs/{number}/decode", "/api/runs/{number}/encode"}
    seen: dict[str, set[int]] = {}
    # A run and a domain as drawn, or such as are there, in turn: chance would not always come to the work behind them.
    there = itertools.cycle(itertools.product((None, 0, 1), (None, 0, 1, 2)))
    for operation in operations:

        @given(
            case=st.one_of(
                operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE),
                operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE),
            )
        )
        @settings(
            max_examples=30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        def send(case: schemathesis.Case) -> None:
            for name, value in zip(("domain", "number"), next(there), strict=True):
                if value is not None and name in (case.path_parameters or {}):
                    case.path_parameters[name] = value
            answer = case.call(headers=HOST)
            seen.setdefault(case.path, set()).add(answer.status_code)
            assert answer.status_code < 500, (case.method, case.path, answer.status_code)

        send()
    # They came through the door to the work behind it, and to its refusals.
    assert 200 in seen["/api/runs"] & seen["/api/runs/{number}/map"]
    assert 404 in seen["/api/runs/{number}/map"]
    assert 200 in seen["/api/runs/{number}/examples/{domain}"]
    assert all(
        422 in seen[f"/api/runs/{{number}}/{name}"]
        for name in ("decode", "images", "codes", "encode", "orbit", "translate", "objects")
    )
