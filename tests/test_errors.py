"""Errors are sentences with the nearest names, and survive a trip to another process."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from unbraid import errors
from unbraid.errors import InvalidOption, MissingExtra, UnbraidError, UnknownName, nearest, require_at_least

KINDS = [getattr(errors, name) for name in errors.__all__ if isinstance(getattr(errors, name), type)]


def test_an_unknown_name_is_answered_with_the_nearest_ones() -> None:
    sentence = str(UnknownName("model", "BetaVea", ["vae", "betavae", "ae", "tcvae"]))
    assert sentence == "unknown model 'BetaVea': did you mean betavae?"


def test_several_near_names_are_all_given_best_first() -> None:
    assert nearest("vaee", ["ae", "vae", "zzz"]) == ["vae", "ae"]
    assert str(UnknownName("model", "vaee", ["ae", "vae"])).endswith("did you mean vae or ae?")


def test_an_unknown_name_with_no_neighbour_is_answered_with_all() -> None:
    assert str(UnknownName("score", "xyz", ["sap", "mig"])) == "unknown score 'xyz': known: mig, sap."
    assert str(UnknownName("score", "xyz", [])) == "unknown score 'xyz': there are none."


@pytest.mark.parametrize(
    "error", [UnknownName("model", "vea", ["vae"]), MissingExtra("unbraid explore", "explore"), InvalidOption("no")]
)
def test_errors_survive_pickling(error: UnbraidError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_a_missing_extra_says_how_to_install_it() -> None:
    assert str(MissingExtra("unbraid explore", "explore")) == "unbraid explore needs: pip install 'unbraid[explore]'"


@pytest.mark.parametrize("value", [0.999, -1, float("nan"), float("inf"), float("-inf")])
def test_a_bound_is_kept(value: float) -> None:
    with pytest.raises(InvalidOption, match=f"beta must be a finite number of at least 1, but is {value}"):
        require_at_least(1, beta=value)


def test_a_bound_includes_itself() -> None:
    require_at_least(1, beta=1, gamma=1e9)


def test_the_tree_drawn_in_the_documentation_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    for kind in KINDS:
        assert issubclass(kind, UnbraidError)
        assert kind.__name__ in drawn
        others = [base.__name__ for base in kind.__mro__[2:] if base not in (UnbraidError, Exception)]
        if kind is not UnbraidError and len(kind.__bases__) > 1:
            assert f"({others[0]})" in drawn


def test_errors_import_nothing_of_unbraid() -> None:
    code = "import sys, unbraid.errors; print(sorted(m for m in sys.modules if m.startswith('unbraid.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.strip() == "['unbraid.errors']"
