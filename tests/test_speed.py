"""Speeds: what is exact changes no bit, what is measured disturbs nothing, and what was chosen is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from unbraid.errors import InvalidOption, RunError
from unbraid.models.vae import VAE
from unbraid.runs import folder, speed
from unbraid.runs.speed import Way, choose, fastest, measured
from unbraid.runs.train import train
from unbraid.views.images import Images
from unbraid.worlds.digits import Digits

CPU = torch.device("cpu")
QUICK = {"steps": 3, "batch_size": 4, "latent_dim": 2, "progress": False}
LAST = Way(channels_last=True, fused=True)


def trained(way: Way, model: VAE, steps: int = 4) -> list[torch.Tensor]:
    torch.manual_seed(1)
    way.trial(model, 1e-3, CPU).fit(Images(Digits(), batch_size=4), steps=steps)
    return list(model.parameters())


def made() -> VAE:
    torch.manual_seed(0)
    return VAE((1, 32, 32), latent_dim=2)


def about(path: Path) -> dict:
    return json.loads((path / folder.RUN).read_text())


def pretended(monkeypatch: pytest.MonkeyPatch, seconds: dict[Way, float]) -> None:
    """Let the measurement find these seconds."""
    monkeypatch.setattr(speed, "measured", lambda ways, *rest: {way: seconds.get(way, 9.0) for way in ways})


def test_exact_gives_the_bits_of_a_plain_loop_with_plain_adam():
    model, plain = made(), made()
    optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-3, weight_decay=0.0)
    stream = Images(Digits(), batch_size=4)
    torch.manual_seed(1)
    for step in range(4):
        optimizer.zero_grad()
        plain.loss(stream.batch(step), step).total().backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(trained(Way(), model), plain.parameters(), strict=True))


def test_other_ways_compute_the_same_but_for_rounding():
    exact, last = trained(Way(), made()), trained(LAST, made())
    assert any(not a.is_contiguous() for a in last)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(exact, last, strict=True))


@pytest.mark.parametrize("able", [False, True])
def test_the_fast_way_rounds_to_bfloat16_only_where_the_hardware_multiplies_it(monkeypatch, able):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": able}, raising=False)
    assert fastest(CPU) == Way("bfloat16" if able else "float32", channels_last=True, fused=True)
    assert fastest(CPU, "float32") == LAST


def test_measuring_leaves_model_stream_and_randomness_as_they_were():
    model, stream = made(), Images(Digits(), batch_size=4)
    before = [p.clone() for p in model.parameters()]
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    found = measured([Way(), LAST], model, stream, 1e-3, CPU)
    assert torch.equal(torch.rand(2), expected)
    assert all(torch.equal(a, b) and b.grad is None for a, b in zip(before, model.parameters(), strict=True))
    assert all(0 < seconds < 60 for seconds in found.values())
    assert list(found) == [Way(), LAST]


@pytest.mark.parametrize(("last", "chosen"), [(1.0, LAST), (2.9, Way()), (4.0, Way())])
def test_auto_takes_another_way_only_where_it_is_faster_by_some_percent(monkeypatch, last, chosen):
    pretended(monkeypatch, {Way(): 3.0, LAST: last})
    way, found = choose("auto", "float32", CPU, made(), Images(Digits()), 1e-3)
    assert way == chosen
    assert found == {"float32": 3000.0, "float32, channels last": 1000 * last}


def test_a_precision_that_is_asked_for_is_kept_at_every_speed():
    ways = [choose(one, "float16", CPU, made(), Images(Digits()), 1e-3)[0] for one in ("exact", "fast")]
    assert ways == [Way("float16"), Way("float16", channels_last=True, fused=True)]


@pytest.mark.parametrize("name", ["exact", "fast", "auto"])
def test_a_continued_run_takes_the_recorded_way_and_ends_with_the_same_bytes(tmp_path, monkeypatch, name):
    pretended(monkeypatch, {Way(): 3.0, LAST: 1.0})
    whole = train("vae", "digits", out=tmp_path / "whole", speed=name, checkpoint_seconds=0, **QUICK).path
    part = train("vae", "digits", out=tmp_path / "part", speed=name, checkpoint_seconds=0, **QUICK).path
    (part / folder.MODEL).unlink()
    # As an interruption after the second step leaves it: the checkpoint before the last one is taken up.
    checkpoint = part / folder.CHECKPOINT
    checkpoint.write_bytes(checkpoint.read_bytes()[:-50])
    pretended(monkeypatch, {Way(): 1.0, LAST: 3.0})
    monkeypatch.setattr(speed, "fastest", lambda *given: Way("bfloat16"))
    train("vae", "digits", out=part, speed=name, **QUICK)
    assert (part / folder.MODEL).read_bytes() == (whole / folder.MODEL).read_bytes()
    assert about(part)["way"] == about(whole)["way"]
    assert about(part)["way"]["channels_last"] == (name != "exact")


def test_what_was_measured_is_said_in_one_line_and_kept(tmp_path, monkeypatch, capsys):
    pretended(monkeypatch, {Way(): 0.003, LAST: 0.001})
    path = train(
        "vae", "digits", out=tmp_path / "a", speed="auto", precision="float32", **(QUICK | {"progress": True})
    ).path
    line = "unbraid: a step takes: float32 3.0 ms; float32, channels last 1.0 ms; computing in float32, channels last"
    assert capsys.readouterr().err.splitlines()[0] == line
    assert about(path)["measured"] == {"float32": 3.0, "float32, channels last": 1.0}


def test_a_run_from_before_there_were_speeds_goes_on_exactly(tmp_path):
    whole, old = (train("vae", "digits", out=tmp_path / name, checkpoint_seconds=0, **QUICK).path for name in "ab")
    (old / folder.MODEL).unlink()
    config = about(old)
    del config["way"], config["measured"], config["fit"]["speed"]
    (old / folder.RUN).write_text(json.dumps(config))
    with pytest.raises(RunError, match="speed is exact, not fast"):
        train("vae", "digits", out=old, speed="fast", **QUICK)
    train("vae", "digits", out=old, **QUICK)
    assert (old / folder.MODEL).read_bytes() == (whole / folder.MODEL).read_bytes()


def test_an_unknown_speed_or_precision_is_refused_before_a_folder_is_made(tmp_path):
    with pytest.raises(InvalidOption, match="speed must be one of exact, fast, auto, but is 'quick'"):
        train("vae", "digits", out=tmp_path / "a", speed="quick", **QUICK)
    with pytest.raises(InvalidOption, match="precision must be one of float32, bfloat16, float16, but is 'half'"):
        train("vae", "digits", out=tmp_path / "a", precision="half", **QUICK)
    assert not list(tmp_path.iterdir())
