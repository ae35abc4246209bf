"""The command line as a user meets it: what works, and what is answered with one sentence and leaves nothing behind."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import unbraid
from unbraid import registry
from unbraid.cli._information import show
from unbraid.cli.main import main, verbs
from unbraid.info import decompose

Unbraid = Callable[..., str]

TRAIN = "train vae digits --latent-dim 2 --steps 3 --fit.batch-size 4"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Unbraid:
    """Run a command in an empty folder, expect its exit code, and give what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNBRAID_DATA", str(tmp_path / "data"))

    def run(command: str, code: int = 0) -> str:
        try:
            main(command.split())
            ended = 0
        except SystemExit as end:
            ended = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        printed = capsys.readouterr()
        assert ended == code, printed.err
        return printed.err if code else printed.out

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps; tests read it."""
    path = tmp_path_factory.mktemp("runs") / "vae"
    main([*TRAIN.split(), "--out", str(path)])
    return path


def refused(cli: Unbraid, command: str, *parts: str) -> None:
    """A command is answered with one sentence that holds these parts, and writes nothing."""
    before = {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")}
    sentence = cli(command, 2)
    assert sentence.startswith("unbraid: ")
    assert sentence.count("\n") == 1, sentence
    assert "Traceback" not in sentence
    assert all(part in sentence for part in parts), sentence
    assert {path: path.stat().st_mtime_ns for path in Path.cwd().rglob("*")} == before


def process(*arguments: str, program: tuple[str, ...] = ("-m", "unbraid")) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *program, *arguments], capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize(("command", "parts"), [
    ("trian", ["unknown verb 'trian'", "train"]),
    ("list modles", ["unknown shelf 'modles'", "models"]),
    ("train betavea digits", ["unknown model 'betavea'", "betavae"]),
    ("train vae digitz", ["unknown world 'digitz'", "digits"]),
    ("train factorvae digits --preset kin", ["unknown preset of factorvae 'kin'", "kim"]),
    ("show digitz", ["unknown world 'digitz'", "digits"]),
    ("evaluate runs/a --scores mgi", ["unknown score 'mgi'", "mig"]),
    ("plot runs/a --plots traversal", ["unknown plot 'traversal'", "traversals"]),
])  # fmt: skip
def test_an_unknown_name_is_answered_with_the_nearest(cli: Unbraid, command: str, parts: list[str]) -> None:
    refused(cli, command, *parts, "did you mean")


@pytest.mark.parametrize(("flags", "parts"), [
    ("--beta -1", ["beta must be", "at least 0", "-1"]),
    ("--beta=-1", ["beta must be", "at least 0", "-1"]),
    ("--beta nan", ["beta must be a finite number", "nan"]),
    ("--beta inf", ["beta must be a finite number", "inf"]),
    ("--beta abc", ["--beta must be a number", "'abc'"]),
    ("--beta 1,5", ["--beta must be a number", "'1,5'"]),
    ("--beta", ["--beta needs a value"]),
    ("--beta --steps 3", ["--beta needs a value"]),
    ("--beta 1 --beta 2", ["--beta is given twice"]),
    ("--beta 1 2", ["'2' is not expected"]),
    ("--betta 3", ["unknown option --betta", "did you mean --beta?"]),
    ("--batch-size 3", ["unknown option --batch-size", "did you mean --fit.batch-size?"]),
    ("--fit.steps 3", ["unknown option --fit.steps", "--steps"]),
    ("--no-beta", ["unknown option --no-beta"]),
    ("--latent-dim 0", ["latent_dim must be", "at least 1"]),
    ("--latent-dim 2.5", ["--latent-dim must be a whole number", "'2.5'"]),
    ("--likelihood gausian", ["--likelihood must be bernoulli or gaussian", "'gausian'"]),
    ("--steps 0", ["steps must be", "at least 1"]),
    ("--budget 0", ["budget must be", "at least 1"]),
    ("--preset", ["--preset needs a value"]),
    ("--preset --steps 3", ["--preset needs a value"]),
    ("--seed -1", ["seed must be", "at least 0"]),
    ("--fit.learning-rate 0", ["learning_rate must be", "above 0"]),
    ("--fit.learning-rate nan", ["learning_rate must be", "nan"]),
    ("--fit.batch-size 0", ["batch_size must be", "at least 1"]),
    ("--fit.progress=no", ["--fit.progress takes no value"]),
    ("--fit.device tpu9", ["device 'tpu9' cannot be used here", "cpu"]),
    ("--fit.precision half", ["--fit.precision must be float32", "'half'"]),
    ("stray", ["'stray' is not expected"]),
])  # fmt: skip
def test_an_option_that_cannot_be_used_is_answered_with_a_sentence(cli: Unbraid, flags: str, parts: list[str]) -> None:
    refused(cli, f"train betavae digits {flags}", *parts)
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize(("command", "parts"), [
    ("train", ["needs a model and a world"]),
    ("train vae", ["needs a model and a world"]),
    ("train --steps 3 vae digits", ["needs a model and a world, before any option"]),
    ("train vae dsprites", ["there is no file", "dsprites_ndarray", "`unbraid fetch dsprites`"]),
    ("show", ["needs a world"]),
    ("evaluate", ["RUN must be given"]),
    ("evaluate runs/a --scores", ["--scores needs a value"]),
    ("evaluate runs/a --jobs -1", ["jobs must be", "at least 0", "-1"]),
    ("plot", ["RUN must be given"]),
    ("cite", ["RUN must be given"]),
    ("list models worlds", ["'worlds' is not expected"]),
    ("doctor now", ["'now' is not expected"]),
])  # fmt: skip
def test_what_is_missing_or_too_much_is_said(cli: Unbraid, command: str, parts: list[str]) -> None:
    refused(cli, command, *parts)


@pytest.mark.parametrize("verb", ["evaluate", "plot", "cite"])
@pytest.mark.parametrize(("content", "parts"), [
    (None, ["runs/a is no run folder", "run.json"]),
    ("{", ["runs/a/run.json", "damaged"]),
    ("\0\1", ["runs/a/run.json", "damaged"]),
    ("[]", ["runs/a/run.json", "format"]),
    ('{"format": 99}', ["runs/a/run.json", "format"]),
])  # fmt: skip
def test_a_folder_that_is_no_run_is_refused(
    cli: Unbraid, tmp_path: Path, verb: str, content: str | None, parts: list[str]
) -> None:
    (tmp_path / "runs" / "a").mkdir(parents=True)
    if content is not None:
        (tmp_path / "runs" / "a" / "run.json").write_text(content)
    refused(cli, f"{verb} runs/a", *parts)
    refused(cli, f"{verb} runs/b", "runs/b does not exist")


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused(cli: Unbraid, tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("")
    refused(cli, f"{TRAIN} --out {out}", f"cannot write to {out}")
    refused(cli, "show digits --out file/sheet.png", "cannot write file/sheet.png", "--out")


def test_a_folder_with_something_else_in_it_is_refused(cli: Unbraid, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    refused(cli, f"{TRAIN} --out .", "holds files but no run")


def test_a_picture_of_no_known_kind_is_refused(cli: Unbraid) -> None:
    refused(cli, "show digits --out sheet.foo", "cannot write sheet.foo", "'foo'", "png")
    refused(cli, "show digits --seed -1", "seed must be", "at least 0")


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_dsprites_file_cut_short_is_refused(cli: Unbraid, tmp_path: Path, keep: float) -> None:
    whole = tmp_path / "whole.npz"
    np.savez_compressed(whole, imgs=np.zeros((100, 64, 64), np.uint8), latents_classes=np.zeros((100, 6), np.int64))
    raw = whole.read_bytes()
    (tmp_path / "cut.npz").write_bytes(raw[: int(keep * len(raw)) if keep < 1 else int(keep)])
    whole.unlink()
    refused(cli, "train vae dsprites --world.path cut.npz", "cut.npz")


def test_a_file_that_is_not_dsprites_is_refused(cli: Unbraid, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", imgs=np.zeros((10, 64, 64), np.uint8))
    refused(cli, "train vae dsprites --world.path other.npz", "other.npz", "is it the published dSprites file?")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    refused(cli, "show dsprites --world.path zip.npz", "zip.npz")
    refused(cli, "show dsprites --world.path none.npz", "none.npz")


def test_fashionmnist_without_its_files_says_where_to_get_them(cli: Unbraid, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(cli, "train vae fashionmnist --world.folder empty", "empty", "github.com/zalandoresearch/fashion-mnist")
    refused(cli, "train vae fashionmnist --world.split both", "--world.split must be train or test", "'both'")


def test_training_leaves_a_run_and_says_what_comes_next(cli: Unbraid, tmp_path: Path) -> None:
    printed = cli(f"{TRAIN} --seed 4 --fit.learning_rate=1e-4 --likelihood gaussian --fit.no-progress")
    assert "runs/vae-digits-4 is finished: vae on digits, 3 steps." in printed
    assert "unbraid evaluate runs/vae-digits-4" in printed
    config = json.loads((tmp_path / "runs" / "vae-digits-4" / "run.json").read_text())
    options = {"latent_dim": 2, "likelihood": "gaussian", "network": "conv"}
    assert config["model"] == {"name": "vae", "options": options}
    assert config["fit"]["learning_rate"] == 1e-4
    assert config["fit"]["batch_size"] == 4
    assert (config["seed"], config["steps"]) == (4, 3)


def test_training_may_stop_on_the_way(cli: Unbraid) -> None:
    printed = cli(f"{TRAIN} --until 1 --out a")
    assert "a has come to step 1 of 3: vae on digits." in printed
    assert "a is finished" in cli(f"{TRAIN} --out a")


def test_a_finished_run_is_not_overwritten(cli: Unbraid, finished: Path) -> None:
    refused(cli, f"{TRAIN} --out {finished}", "holds a finished run", "choose another folder")


def test_evaluating_prints_a_table_and_keeps_the_scores(cli: Unbraid, finished: Path) -> None:
    printed = cli(f"evaluate {finished} --scores mig --samples 200 --seed 1 --jobs 1")
    value = json.loads((finished / "scores.json").read_text())["mig"]["value"]
    assert "vae on digits" in printed
    assert f"{value:.3f}" in printed
    assert "0 .. 1" in printed


def test_evaluating_takes_the_kl_apart_when_asked(cli: Unbraid, finished: Path) -> None:
    printed = cli(f"evaluate {finished} --scores mig --samples 200 --information --jobs 1")
    kept = json.loads((finished / "information.json").read_text())
    assert "N = 200 of 1,797 images" in printed
    assert "cannot exceed log N = 5.30 nats" in printed
    for name in ("mutual_information", "total_correlation", "kl", "closed_form"):
        assert f" {kept[name]:.3f} " in printed
    assert f" {sum(kept['dimension_wise']):.3f} " in printed


@pytest.mark.parametrize(
    ("samples", "narrow", "answer"),
    [
        (9, False, "cannot exceed log N"),
        (9, True, "take more with --samples"),
        (20, True, "nearly every image of this"),
    ],
)
def test_information_near_its_ceiling_is_said_to_be(
    capsys: pytest.CaptureFixture[str], samples: int, narrow: bool, answer: str
) -> None:
    mean = np.arange(float(samples))[:, None]
    show(decompose(mean, np.full_like(mean, -20.0 if narrow else 9.0)), images=20)
    assert answer in capsys.readouterr().out


def test_plotting_prints_the_files_it_draws(cli: Unbraid, finished: Path) -> None:
    files = cli(f"plot {finished} --plots traversals losses").split()
    assert [Path(file).name for file in files] == ["traversals.png", "losses.png"]
    assert all(Path(file).read_bytes().startswith(b"\x89PNG") for file in files)


def test_plots_take_their_options_by_name(cli: Unbraid, finished: Path) -> None:
    plain = Path(cli(f"plot {finished} --plots traversals").strip()).read_bytes()
    over = Path(cli(f"plot {finished} --plots traversals --traversals.over quantiles").strip()).read_bytes()
    around = Path(cli(f"plot {finished} --plots traversals --traversals.image 123").strip()).read_bytes()
    assert len({plain, over, around}) == 3
    cli(f"plot {finished} --plots manifold interpolations --manifold.latents 1 0 --interpolations.ends 3 7")
    assert "--manifold.latents INT INT" in cli("plot --help")


def test_a_plot_of_an_image_that_is_not_there_is_refused(cli: Unbraid, finished: Path) -> None:
    refused(cli, f"plot {finished} --plots traversals --traversals.image 1797", "numbered 0 .. 1,796")
    refused(cli, f"plot {finished} --traversals.ovre quantiles", "did you mean --traversals.over")


def test_a_plot_that_does_not_suit_a_run_is_refused(cli: Unbraid, finished: Path) -> None:
    refused(cli, f"plot {finished} --plots sheet", "sheet needs rows")


def test_citing_gives_the_model_the_world_and_the_scores(cli: Unbraid, finished: Path) -> None:
    cli(f"evaluate {finished} --scores mig --samples 200 --jobs 1")
    entries = cli(f"cite {finished}")
    assert all(key in entries for key in ("kingma2014auto", "alpaydin1998optical", "chen2018isolating"))
    assert entries.count("@") == 3


def test_citing_a_world_made_of_another_gives_both(cli: Unbraid) -> None:
    inner = '{"of":"flatland","leave":"x=4"}'
    cli(f"train vae correlated --steps 1 --out runs/c --world.of heldout --world.of-options {inner} --world.pair x y")
    entries = cli("cite runs/c")
    keys = ("kingma2014auto", "traeuble2021correlated", "montero2021role", "casellesdupre2019symmetry")
    assert all(key in entries for key in keys)
    assert entries.count("@") == 4


def test_showing_a_world_writes_a_picture(cli: Unbraid, tmp_path: Path) -> None:
    assert cli("show digits --out sheet.png").splitlines()[1] == "sheet.png"
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_lists_show_every_name_with_its_line(cli: Unbraid) -> None:
    everything = cli("list")
    for shelf in ("models", "worlds", "scores", "plots"):
        lines = cli(f"list {shelf}").splitlines()
        assert [line.split()[0] for line in lines] == list(registry.names(shelf))
        assert all(line.endswith(registry.summary(shelf, line.split()[0])) for line in lines)
        assert set(lines) <= set(everything.splitlines())


def test_the_doctor_tells_versions_hardware_and_data(cli: Unbraid) -> None:
    report = cli("doctor")
    assert f"unbraid {unbraid.__version__} on Python" in report
    assert "torch" in report
    assert "missing" not in report
    assert "1,797 images" in report
    assert "`unbraid fetch dsprites`" in report


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_has_help_that_costs_nothing(cli: Unbraid, verb: str) -> None:
    text = cli(f"{verb} --help")
    assert text.startswith(f"usage: unbraid {verb}")
    assert "None" not in text


def test_the_help_of_training_shows_every_option_with_its_line(cli: Unbraid) -> None:
    for model in registry.names("models"):
        text = " ".join(cli(f"train {model} digits --help").replace("│", " ").split())
        for option, parameter in registry.parameters(registry.load("models", model)).items():
            assert re.search(rf"--{option.replace('_', '-')}[ ,]", text)  # a comma before --no-...
            default = parameter.default
            shown = " ".join(map(str, default)) if isinstance(default, tuple) else default if default != "" else "''"
            assert f"(default: {shown})" in text
        assert "Images in a batch, at least 1; 64 unless a preset says otherwise." in text
    assert "--world.path STR" in cli("train vae dsprites --help")


def test_help_is_given_even_beside_a_mistake(cli: Unbraid) -> None:
    assert cli("train vae digits --betta 3 --help").startswith("usage: unbraid train vae digits")


@pytest.mark.parametrize("command", ["", "-h", "--help", "help"])
def test_help_lists_the_verbs_with_what_they_do(cli: Unbraid, command: str) -> None:
    text = cli(command)
    assert "usage: unbraid VERB" in text
    assert all(f"  {verb} " in text and does in text for verb, does in verbs().items())


@pytest.mark.parametrize("own", [{}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "ACTIVE"}])
def test_threads_that_wait_sleep_soon_unless_the_user_says_otherwise(
    own: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that what the command sets is taken back
        monkeypatch.delenv(name)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    main(["--version"])
    expected = {} if "OMP_WAIT_POLICY" in own else {"GOMP_SPINCOUNT": "2000"}
    found = {name: os.environ[name] for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY") if name in os.environ}
    assert found == expected | own


def test_the_version_is_the_packages(cli: Unbraid) -> None:
    assert cli("--version") == f"unbraid {unbraid.__version__}\n"


def test_sentences_are_the_same_where_boxes_cannot_be_drawn() -> None:
    for encoding in ("ascii", "utf-8"):
        code = f"import sys; sys.stdout.reconfigure(encoding={encoding!r}); from unbraid.cli.main import main; main()"
        assert process("evaluate", "a", "b", program=("-c", code)).stderr == (
            "unbraid: 'b' is not expected here (see `unbraid evaluate --help`)\n"
        )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["list"], ["train", "--help"], ["train", "vea", "digits"], ["evaluate"]]
)
def test_what_needs_no_torch_does_not_wait_for_it(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom unbraid.cli.main import main\n"
        f"try: main({arguments})\nexcept SystemExit: pass\n"
        "print({'torch', 'matplotlib', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    done = process(program=("-c", code))
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "set()"


def test_the_module_is_the_command() -> None:
    assert process("--version").stdout == f"unbraid {unbraid.__version__}\n"
    wrong = process("lst")
    assert wrong.returncode == 2
    assert wrong.stderr == "unbraid: unknown verb 'lst': did you mean list?\n"
    assert not wrong.stdout


@pytest.mark.skipif(os.name != "posix", reason="pipes of a shell")
@pytest.mark.parametrize("arguments", ["list models", "train --help", "--help"])
def test_a_reader_that_leaves_early_is_no_error(arguments: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f"(sleep 1; exec {sys.executable} -m unbraid {arguments}) | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.stdout == "0\n"
    assert done.stderr == ""


def test_an_interruption_says_that_nothing_is_lost(cli: Unbraid, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("unbraid.cli.train.registry.load", interrupted)
    assert cli("train vae digits", 130) == "unbraid: interrupted; nothing is lost, the same command continues\n"


@pytest.mark.parametrize("kind", [errno.EACCES, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR])
def test_a_place_that_cannot_be_used_is_answered_with_a_sentence(
    cli: Unbraid, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    def closed(*arguments: object) -> None:
        raise OSError(kind, os.strerror(kind), "runs/a")

    monkeypatch.setattr("unbraid.cli.train.registry.load", closed)
    refused(cli, "train vae digits", f"runs/a cannot be used ({os.strerror(kind)}): choose another")


def test_a_full_disk_is_answered_with_a_sentence(cli: Unbraid, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "runs/a")

    monkeypatch.setattr("unbraid.cli.train.registry.load", full)
    refused(cli, "train vae digits", "no room is left for runs/a")
