"""The conventions of the house, held over every source file."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest

import unbraid
from unbraid import registry

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "unbraid"
FILES = {str(file.relative_to(SOURCE)): file for file in sorted(SOURCE.rglob("*.py"))}
PUBLIC = {name: file for name, file in FILES.items() if not re.search(r"(^|/)_(?!_init__)", name)}
SHELVES = [shelf for shelf in ("models", "scores", "worlds", "views", "mix", "plots") if (SOURCE / shelf).is_dir()]
NAMES = [(shelf, name) for shelf in SHELVES for name in registry.names(shelf)]

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def definitions(tree: ast.Module) -> dict[str, Definition]:
    return {node.name: node for node in tree.body if isinstance(node, Definition)}


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def bound(tree: ast.Module) -> set[str]:
    names = set(definitions(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {ast.unparse(target) for target in targets}
    return names


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", FILES)
def test_no_source_file_is_over_400_lines(name: str) -> None:
    assert len(FILES[name].read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_module_has_a_docstring(name: str) -> None:
    assert ast.get_docstring(parsed(PUBLIC[name]))


@pytest.mark.parametrize("name", PUBLIC)
def test_all_lists_what_a_public_module_defines(name: str) -> None:
    tree = parsed(PUBLIC[name])
    public = {definition for definition in definitions(tree) if not definition.startswith("_")}
    listed = exported(tree)
    if listed is None:
        assert Path(name).name == "__init__.py", "a public module needs __all__"
        listed = []
    assert len(set(listed)) == len(listed)
    assert public <= set(listed), "a public class or function is missing from __all__ (or wants a leading underscore)"
    assert set(listed) <= bound(tree), "__all__ names something that the module does not have"


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_exported_has_a_docstring(name: str) -> None:
    tree = parsed(PUBLIC[name])
    found = definitions(tree)
    bare = [item for item in exported(tree) or [] if item in found and not ast.get_docstring(found[item])]
    assert not bare


@pytest.mark.parametrize(("shelf", "name"), NAMES)
def test_everything_on_a_shelf_loads_and_says_what_it_is_in_one_line(shelf: str, name: str) -> None:
    loaded = registry.load(shelf, name)
    summary = registry.summary(shelf, name)
    assert loaded.__name__.lower() == name
    assert isinstance(loaded, type | FunctionType)
    assert 0 < len(summary) < 120
    assert summary == (inspect.getdoc(loaded) or "").partition("\n")[0]


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_lists_what_its_files_hold(shelf: str) -> None:
    package = importlib.import_module(f"unbraid.{shelf}")
    assert sorted(name.lower() for name in dir(package)) == list(registry.names(shelf))
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = package.nonesuch


def test_a_file_named_after_its_function_does_not_hide_it() -> None:
    run(
        "import unbraid.scores.mig, unbraid.models.betavae, types\n"
        "assert isinstance(unbraid.scores.mig, types.FunctionType), unbraid.scores.mig\n"
        "assert unbraid.models.BetaVAE.__module__ == 'unbraid.models.betavae'\n"
        "from unbraid.scores.mig import mig\n"
        "assert mig is unbraid.scores.mig"
    )


def test_a_shelf_gives_its_classes_without_an_import_of_their_files() -> None:
    run("import unbraid; assert unbraid.models.BetaVAE.__name__ == 'BetaVAE'")


def test_a_class_in_the_wrong_case_is_answered_with_the_right_one() -> None:
    with pytest.raises(AttributeError, match="did you mean BetaVAE"):
        _ = unbraid.models.Betavae


@pytest.mark.parametrize("module", ["unbraid", "unbraid.errors", "unbraid.types", "unbraid.registry"])
def test_light_modules_do_not_import_torch(module: str) -> None:
    run(f"import sys, {module}; assert 'torch' not in sys.modules")


def test_what_unbraid_promises_at_the_top_is_there() -> None:
    missing = [name for name in unbraid.__all__ if not callable(getattr(unbraid, name))]
    assert not missing


@pytest.mark.parametrize("name", registry.names("models"))
def test_no_option_of_a_model_is_also_one_of_training(name: str) -> None:
    from unbraid.runs.train import train

    taken = {p.name for p in inspect.signature(train).parameters.values() if p.kind is not p.VAR_KEYWORD}
    options = inspect.signature(registry.load("models", name)).parameters.values()
    assert not taken & {option.name for option in options if option.kind is option.KEYWORD_ONLY}


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [project]
    assert f"## [{project}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert unbraid.__version__ == project


def test_constraints_hold_on_any_machine() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    odd = [pin for pin in pins if not re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*", pin)]
    assert not odd, "a constraint is a name and a plain version: no path, no host, no local build"
    assert sum(pin.startswith("torch==") for pin in pins) == 1
    assert not any(pin.startswith("torchvision") for pin in pins)
