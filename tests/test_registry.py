"""Names come from the file system and from other packages, and nothing is imported before it is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import unbraid
from unbraid import registry
from unbraid.cli.main import main
from unbraid.errors import UnbraidError, UnknownName
from unbraid.models.betavae import BetaVAE
from unbraid.models.vae import VAE
from unbraid.runs.run import Run
from unbraid.scores.mig import mig
from unbraid.worlds.digits import Digits

SHELVES = ("models", "scores", "worlds", "views", "plots")

PLUGIN = '''
"""What another package brings."""
from unbraid.model import Terms, VariationalModel


class MyVAE(VariationalModel):
    """A model from elsewhere.

    Args:
        power: Of nothing.
    """

    def __init__(self, shape, *, latent_dim: int = 10, power: float = 2.0) -> None:
        super().__init__(shape, latent_dim=latent_dim)
        self.power = power

    def loss(self, batch, step):
        q = self.encode(batch.x)
        return Terms(nll=self.nll(batch.x, q.rsample()), kl=q.kl() ** self.power)


class Other:
    """Not called as its entry point is."""
'''
ENTRY_POINTS = """[unbraid.models]
myvae = plugin:MyVAE
vae = plugin:MyVAE
renamed = plugin:Other
broken = plugin_that_is_not_there:Broken
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another package, as pip would install it."""
    about = tmp_path / "site" / "unbraid_plugin-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: unbraid-plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "site" / "plugin.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path / "site")
    registry._added.cache_clear()
    yield
    registry._added.cache_clear()
    sys.modules.pop("plugin", None)


@pytest.mark.parametrize("shelf", SHELVES)
def test_names_are_the_files_of_the_shelf_in_order(shelf: str) -> None:
    folder = Path(registry.__file__).parent / shelf
    assert set(registry.names(shelf)) == {file.stem for file in folder.glob("*.py") if file.stem[0] != "_"}
    assert list(registry.names(shelf)) == sorted(registry.names(shelf))


def test_a_name_gives_its_class_or_function() -> None:
    assert registry.load("models", "betavae") is BetaVAE
    assert registry.load("scores", "mig") is mig


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    for look in (registry.check, registry.load, registry.summary):
        with pytest.raises(UnknownName, match=r"unknown model 'betavea': did you mean betavae"):
            look("models", "betavea")


@pytest.mark.parametrize("name", ["../errors", "", ".", "__init__", "_style", "BetaVAE", "betavae.py"])
def test_only_names_on_the_shelf_can_be_loaded(name: str) -> None:
    with pytest.raises(UnknownName):
        registry.load("models", name)


def test_names_and_summaries_are_told_without_importing_anything() -> None:
    code = (
        "import sys\nfrom unbraid import registry\n"
        f"texts = [registry.summary(s, n) for s in {SHELVES} for n in registry.names(s)]\n"
        "assert all(texts)\n"
        "heavy = {'torch', 'numpy', 'matplotlib'} | {f'unbraid.{s}' for s in " + str(SHELVES) + "}\n"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.strip() == "set()"


def test_options_are_the_keyword_only_parameters() -> None:
    known = ["latent_dim", "beta", "start", "anneal", "likelihood", "network"]
    assert list(registry.parameters(BetaVAE)) == known
    assert registry.parameters(BetaVAE)["beta"].default == 4.0
    assert list(registry.parameters(mig)) == ["bins"]
    model = BetaVAE((1, 32, 32), beta=2.0)
    assert list(registry.options(model)) == known
    assert (registry.options(model)["beta"], registry.options(model)["network"]) == (2.0, "conv")
    assert registry.options(Digits()) == {}


def test_an_object_knows_its_name_only_when_it_is_the_one_on_the_shelf() -> None:
    class Digits2(Digits):
        """On no shelf."""

    imposter = type("BetaVAE", (BetaVAE,), {})
    assert registry.name_of("models", BetaVAE((1, 32, 32))) == "betavae"
    assert registry.name_of("worlds", Digits()) == "digits"
    assert registry.name_of("worlds", Digits2()) is None
    assert registry.name_of("models", imposter((1, 32, 32))) is None


@pytest.mark.usefixtures("plugin")
def test_another_packages_entry_point_joins_the_shelf() -> None:
    assert {"myvae", "betavae"} <= set(registry.names("models"))
    model = registry.load("models", "myvae")((1, 32, 32), power=3.0)
    assert registry.name_of("models", model) == "myvae"
    assert registry.options(model) == {"latent_dim": 10, "power": 3.0}
    assert registry.summary("models", "myvae") == "A model from elsewhere."
    assert unbraid.models.MyVAE is type(model)
    assert "MyVAE" in dir(unbraid.models)


@pytest.mark.usefixtures("plugin")
def test_another_package_cannot_take_the_place_of_what_is_there() -> None:
    assert registry.load("models", "vae") is VAE


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("broken", "^broken, which unbraid-plugin adds, cannot be loaded .No module named"),
        ("renamed", "^unbraid-plugin adds Other as 'renamed': its entry point must be called other$"),
    ],
)
def test_another_packages_mistake_is_said_and_does_not_spoil_the_list(name: str, sentence: str) -> None:
    with pytest.raises(UnbraidError, match=sentence):
        registry.load("models", name)
    assert re.match(sentence, registry.summary("models", name))
    assert "BetaVAE" in dir(unbraid.models)
    with pytest.raises(AttributeError, match=r"adds|called"):
        getattr(unbraid.models, name)


@pytest.mark.usefixtures("plugin")
def test_the_command_line_trains_what_another_package_brings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    main(["train", "myvae", "digits", "--power", "3", "--steps", "1", "--fit.batch-size", "2", "--out", str(run)])
    assert "is finished: myvae on digits" in capsys.readouterr().out
    assert Run(run).model.power == 3.0
    main(["list", "models"])
    assert "A model from elsewhere." in capsys.readouterr().out
