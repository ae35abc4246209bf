"""Judging translations: of models that translate perfectly, or in known ways badly, in a world seen at a glance."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import scipy.linalg
import torch
from torch import Tensor

from unbraid.cli.main import main
from unbraid.errors import InvalidData, InvalidOption
from unbraid.info.realism import frechet_distance, kernel_distance
from unbraid.info.ridge import readable
from unbraid.model import Terms
from unbraid.models.vae import VAE
from unbraid.runs.outlines import outlines, overlap
from unbraid.runs.train import train
from unbraid.runs.translation import DomainBench, _others, judge_translation
from unbraid.runs.visible import Visible
from unbraid.translation import TranslatingModel
from unbraid.types import Bytes, Factor, FactorSpace, Integers
from unbraid.view import DomainBatch
from unbraid.world import World
from unbraid.worlds.catsdogs import CatsDogs
from unbraid.worlds.summerwinter import SummerWinter

PLACES, GREYS = 6, 24


class Bars(World):
    """Outlines of bars in six places, and the same bars filled with a grey."""

    space = FactorSpace(
        [
            Factor("domain", 2, "categorical", ("outline", "bar")),
            Factor("place", PLACES, "categorical"),
            Factor("grey", GREYS),
        ]
    )
    shape = (1, 32, 32)

    def images(self, indices: npt.ArrayLike) -> Bytes:
        factors = self.factors(indices)
        images = np.full((len(factors), *self.shape), 255, np.uint8)
        for image, (domain, place, grey) in zip(images, factors, strict=True):
            rows = image[0, 5 * place : 5 * place + 5, 2:30]
            rows[:] = 0 if domain == 0 else 5 * grey
            if domain == 0:
                rows[1:-1, 1:-1] = 255
        return images

    def relevant(self, factors: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        values = np.asarray(factors)
        seen = np.ones(values.shape, dtype=bool)
        seen[..., 2] = values[..., 0] == 1
        return seen

    def counterpart(self, indices: npt.ArrayLike) -> Integers:
        return (np.asarray(indices) + len(self) // 2) % len(self)

    def silhouettes(self, images: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        return np.asarray(np.asarray(images) < 180)


class Painter(TranslatingModel):
    """Paints the bar that it sees, in the grey it is given; or always the first bar, or always one grey."""

    def __init__(self, *, blind: bool = False, grey: bool = True) -> None:
        super().__init__((1, 32, 32), style_dim=1)
        self.blind, self.colours = blind, grey

    def content_of(self, x: Tensor, domain: int) -> Tensor:
        place = (1 - x[:, 0, 0:30:5, 10]).argmax(dim=1)
        return torch.eye(PLACES)[0 * place if self.blind else place][:, :, None, None]

    def style_of(self, x: Tensor, domain: int) -> Tensor:
        dark = x[:, 0, 2:30:5, 10].amin(dim=1, keepdim=True)
        return 6.0 * (dark - 0.23)

    def drawn(self, content: Tensor, style: Tensor, domain: int) -> Tensor:
        image = torch.ones(len(content), 1, 32, 32)
        dark = (style[:, 0] / 6 + 0.23).clamp(0, 0.45) if self.colours else torch.full((len(content),), 0.2)
        for one, place, grey in zip(image, content.flatten(1).argmax(dim=1), dark, strict=True):
            rows = one[0, 5 * place : 5 * place + 5, 2:30]
            rows[:] = grey if domain else 0.0
            if not domain:
                rows[1:-1, 1:-1] = 1.0
        return image

    def loss(self, batch: DomainBatch, step: int) -> Terms:
        return Terms()


@cache
def bench() -> DomainBench:
    return DomainBench(Bars(), images=100, samples=40, steps=250, network="dense")


def test_a_perfect_translator_keeps_the_place_and_takes_the_grey() -> None:
    parts = judge_translation(Painter(), bench()).parts
    there, back = parts["outline to bar"], parts["bar to outline"]
    assert there["real_place"] > 0.9
    assert there["kept_place"] > 0.9
    assert there["guided_place"] > 0.9
    assert back["kept_place"] > 0.9
    assert there["guided_grey"] > 0.5 > 0.2 > there["chance_grey"]
    assert there["grey_in_style"] > 0.95 > 0.3 > there["grey_in_content"]
    assert there["overlap"] == back["overlap"] == there["lines"] == back["lines"] == 1.0
    assert all(one[f"chance_{of}"] < 0.5 for one in (there, back) for of in ("overlap", "lines"))
    # Two halves of so small a world are far from one another, and what is painted is hardly farther.
    assert there["kid_floor"] <= there["kid"] < min(1.2 * there["kid_floor"], there["kid_source"])
    assert there["diversity"] > 0.1
    assert there["style_recovered"] > 0.5
    assert "hue" not in "".join(there)
    assert "guided_grey" not in back


def test_a_translator_that_is_blind_to_the_place_is_found_out() -> None:
    seen, blind = (judge_translation(Painter(blind=b), bench()).parts["outline to bar"] for b in (False, True))
    assert blind["kept_place"] < 0.5 < seen["kept_place"]
    assert blind["overlap"] < 0.5
    assert blind["kid"] > 2 * max(seen["kid"], seen["kid_floor"])


def test_a_translator_of_one_grey_has_no_diversity_and_takes_no_style() -> None:
    there = judge_translation(Painter(grey=False), bench()).parts["outline to bar"]
    assert there["diversity"] < 1e-6
    assert there["guided_grey"] < 0.3
    assert there["kept_place"] > 0.9


def test_what_is_judged_on_is_no_content_that_judges_learned() -> None:
    world = Bars()
    world.content = lambda index: world.factors(index)[:, 2]  # type: ignore[attr-defined]
    made = DomainBench(world, images=200, samples=60, steps=1, network="dense")
    contents = [set(world.factors(index)[:, 2]) for index in made.index]
    assert len(contents[0] | contents[1]) < 0.6 * GREYS


def test_a_world_without_two_domains_no_known_network_and_a_model_that_does_not_translate_are_refused() -> None:
    with pytest.raises(InvalidOption, match="between the two values of a factor, which 'place' is not"):
        DomainBench(Bars(), factor="place")
    with pytest.raises(InvalidOption, match=r"network must be one of conv, .*dense, .*but is 'densse'"):
        DomainBench(Bars(), network="densse")
    with pytest.raises(InvalidOption, match="VAE does not translate"):
        judge_translation(VAE((1, 32, 32)), bench())  # type: ignore[arg-type]
    with pytest.raises(InvalidData, match="too few to judge"):
        DomainBench(Few())


class Few(Bars):
    """Two images."""

    space = FactorSpace([Factor("domain", 2), Factor("place", 1), Factor("grey", 1)])


def test_the_command_judges_a_run_of_domains_and_keeps_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"width": 2, "critic_width": 2, "blocks": 0}
    path = tmp_path / "run"
    train("munit", CatsDogs(size=32), steps=1, batch_size=2, out=path, progress=False, **small)
    main(["judge", str(path), "--images", "30", "--samples", "12", "--steps", "2", "--network", "dense"])
    said = capsys.readouterr().out
    assert "cat to dog" in said
    assert "kept turn" in said
    verdict = json.loads((path / "verdict.json").read_text("utf-8"))["translations"]
    assert set(verdict) == {"cat to dog", "dog to cat"}
    assert {"guided_dog coat", "kid_floor", "diversity"} <= set(verdict["cat to dog"])


def test_the_frechet_distance_is_that_of_the_normal_distributions_by_a_slow_root() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 4, generator=generator).double() @ torch.randn(4, 4, generator=generator).double()
    y = 1 + torch.randn(50, 4, generator=generator).double()
    first, second = np.cov(x.numpy().T), np.cov(y.numpy().T)
    slow = float((x.mean(0) - y.mean(0)).square().sum()) + np.trace(
        first + second - 2 * scipy.linalg.sqrtm(first @ second).real
    )
    assert frechet_distance(x, y) == pytest.approx(slow, rel=1e-6)
    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-9)


def test_the_kernel_distance_is_the_mean_over_pairs_of_different_samples() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(5, 3, generator=generator), 1 + torch.randn(4, 3, generator=generator)

    def k(a: Tensor, b: Tensor) -> float:
        return float((a @ b / 3 + 1) ** 3)

    within = [np.mean([k(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
    between = np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(within[0] + within[1] - 2 * between, rel=1e-5)


def test_what_is_written_in_a_long_code_can_be_read_and_what_is_not_cannot() -> None:
    generator = torch.Generator().manual_seed(0)
    truth, noise = torch.randn(200, 2, generator=generator), torch.randn(200, 500, generator=generator)
    mixed = 0.1 * noise + truth @ torch.randn(2, 500, generator=generator)
    assert readable(mixed, truth) > 0.95
    assert readable(noise, truth) < 0.2
    assert readable(torch.zeros(200, 3), truth) < 0.1


def test_factors_agree_with_their_own_columns_and_not_with_others() -> None:
    space = FactorSpace([Factor("kind", 3, "categorical"), Factor("size", 5), Factor("hue", 8, "cyclic")])
    visible, values = Visible(space, ("kind", "size", "hue")), space.factors(np.arange(120))
    own = visible.agreement(visible.columns(values), values)
    assert own == pytest.approx({"kind": 1.0, "size": 1.0, "hue": 0.0}, abs=1e-6)
    mixed = np.random.default_rng(0).permutation(values)
    other = visible.agreement(visible.columns(mixed), values)
    assert other["kind"] < 0.6
    assert other["size"] < 0.3
    assert other["hue"] == pytest.approx(0.25, abs=0.05)


def test_areas_overlap_and_lines_meet_within_a_pixel() -> None:
    square = np.zeros((1, 1, 8, 8), dtype=bool)
    square[..., 2:6, 2:6] = True
    assert overlap(square, square) == {"overlap": 1.0, "lines": 1.0}
    half = square.copy()
    half[..., 4:, :] = False
    assert overlap(half, square)["overlap"] == 0.5
    assert overlap(half, square)["lines"] == pytest.approx(2 * 0.75 / 1.75)
    assert overlap(square, np.zeros_like(square)) == {"overlap": 0.0, "lines": 0.0}


def test_edges_are_told_by_themselves_and_lie_where_brightness_changes() -> None:
    image = np.zeros((2, 3, 12, 12), dtype=np.uint8)
    image[0, :, :, 6:] = 200
    image[1, :, 6:] = 10
    found = outlines(image)
    assert found.shape == (2, 1, 12, 12)
    assert set(np.argwhere(found[0, 0])[:, 1]) <= {5, 6}
    assert found[0].any(axis=2).all()
    # A step of a twenty-fifth of white is too faint.
    assert not found[1].any()


def test_chance_is_that_of_any_other_image_though_a_small_world_comes_in_order() -> None:
    bars = bench().world
    for source, parts in enumerate(judge_translation(Painter(), bench()).parts.values()):
        count = min(map(len, bench().index))
        mine = bars.factors(bench().index[source][:count])[:, 1]
        assert (np.diff(mine) >= 0).all(), "one place after another: half of them on, nobody would be met again"
        alike = (mine[:, None] == mine).mean() - 1 / count
        assert alike > 0.1
        assert parts["chance_overlap"] == pytest.approx(alike, abs=0.08)


@pytest.mark.parametrize("count", [2, 3, 40])
def test_nobody_stands_for_himself_where_others_are_asked_for_and_everyone_once_for_another(count: int) -> None:
    for seed in range(5):
        found = _others(count, seed)
        assert sorted(found) == list(range(count))
        assert (found != np.arange(count)).all()
    assert count < 40 or not np.array_equal(_others(count, 0), _others(count, 1))


class Masked(Bars):
    """Bars that say where they are, and not how one tells that from an image."""

    silhouettes = property()  # type: ignore[assignment]  # asked for, it is not there

    def masks(self, indices: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        factors = self.factors(indices)
        return np.asarray(np.arange(32)[:, None] // 5 == factors[:, 1, None, None, None]) & np.asarray(
            (np.arange(32) >= 2) & (np.arange(32) < 30)
        )


def test_where_a_world_has_masks_a_network_tells_silhouettes_of_translations() -> None:
    made = DomainBench(Masked(), images=100, samples=40, steps=60, network="dense")
    seen, blind = (judge_translation(Painter(blind=b), made).parts["outline to bar"] for b in (False, True))
    assert seen["real_overlap"] > 0.9
    assert seen["overlap"] > 0.85 > 0.5 > seen["chance_overlap"]
    assert blind["overlap"] < 0.5
    assert seen["lines"] > 0.85 > 0.7 > blind["lines"]
    assert seen["lines"] > 0.2 + seen["chance_lines"]


def test_counterparts_differ_in_the_domain_alone() -> None:
    for world in (CatsDogs(size=32), SummerWinter(size=32)):
        index = world.sample(20, np.random.default_rng(0))
        other = world.counterpart(index)
        assert np.array_equal(world.content(index), world.content(other))
        assert (world.factors(index)[:, 0] != world.factors(other)[:, 0]).all()
        assert np.array_equal(world.counterpart(other), index)


def test_what_both_domains_show_is_style_where_the_world_says_so() -> None:
    bench = DomainBench(SummerWinter(size=32), images=20, samples=10, steps=1, network="dense")
    assert bench.shared == ("hills", "trees", "house", "sun")
    assert all("hour" in visible.names for visible in bench.visible)
