"""Translation between two domains: what is kept, how real and how varied it looks, by judges that saw nothing of it.

Training stops when its time is over and goes on with the next call; what is finished is judged and recorded.

References:
    Huang, Liu, Belongie and Kautz, "Multimodal unsupervised image-to-image translation", ECCV 2018, arXiv:1804.04732.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from unbraid import registry
from unbraid.info.realism import frechet_distance, kernel_distance
from unbraid.models.ddib import DDIB
from unbraid.nn.perception import perceived
from unbraid.nn.recolour import recoloured
from unbraid.plots._draw import tile
from unbraid.runs.outlines import outlines, overlap
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.runs.translation import DomainBench, judge_translation
from unbraid.types import Bytes
from unbraid.view import to_bytes, to_float
from unbraid.world import World

HERE = Path(__file__).parent
RESULTS, PICTURES = HERE / "results.jsonl", HERE / "pictures"
WAYS = 100
"""How many images of a domain go all the ways of :func:`of_noise`."""
PIECE = 50
"""Steps between two looks at the clock."""
TURNED = (1.0, 1.3, 2.0)
"""By how many radians hues of real images are turned to see what that makes of them."""

WORLDS: dict[str, tuple[Callable[[], World], Callable[[], World]]] = {
    "garments": (
        lambda: registry.load("worlds", "garments")(split="train"),
        lambda: registry.load("worlds", "garments")(split="test"),
    ),
    **{
        name: (
            lambda name=name: registry.load("worlds", name)(size=32),  # type: ignore[misc]
            lambda name=name: registry.load("worlds", name)(size=32),  # type: ignore[misc]
        )
        for name in ("catsdogs", "summerwinter")
    },
}
"""Where models learn, and where they are judged."""
FIT: dict[str, Any] = {"batch_size": 4, "learning_rate": 5e-4}
"""What models are fitted with, unless a variant has its own."""
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "MUNIT": ("munit", {}),
    "MUNIT, diverse": ("munit", {"diversity_weight": 1.0}),
    "MUNIT, most diverse": ("munit", {"diversity_weight": 3.0}),
    "MUNIT, most diverse, matched": ("munit", {"diversity_weight": 3.0, "moments_weight": 1.0}),
    "MUNIT, still more diverse": ("munit", {"diversity_weight": 3.5}),
    "MUNIT, still more diverse, cycled": ("munit", {"diversity_weight": 3.5, "cycle_weight": 20.0}),
    "MUNIT, far too diverse": ("munit", {"diversity_weight": 4.0}),
    "MUNIT, more diverse": ("munit", {"diversity_weight": 2.0}),
    **{
        f"MUNIT, darkest, varied {weight:g} to 3, cycled": (
            "munit",
            {"seen": "darkest", "diversity_weight": weight, "diversity_limit": 3.0, "cycle_weight": 20.0},
        )
        for weight in (20.0, 32.0, 36.0)
    },
    "MUNIT, borrowed": ("munit", {"borrowed": 0.5}),
    "MUNIT, borrowed, in colour": ("munit", {"borrowed": 0.5, "seen": "colour"}),
    "MUNIT, borrowed, in colour, diverse": ("munit", {"borrowed": 0.5, "seen": "colour", "diversity_weight": 2.0}),
    **{
        f"MUNIT, borrowed, in colour, varied {weight:g} to {limit:g}, cycled": (
            "munit",
            {
                "borrowed": 0.5,
                "seen": "colour",
                "cycle_weight": 20.0,
                "diversity_weight": weight,
                "diversity_limit": limit,
            },
        )
        for weight, limit in ((20.0, 1.2), (20.0, 1.4))
    },
    **{
        f"MUNIT, borrowed, in colour, turned by 1.3, varied {weight:g}, cycled": (
            "munit",
            {"borrowed": 0.5, "seen": "colour", "hues": 1.3, "cycle_weight": 20.0, "diversity_weight": weight},
        )
        for weight in (0.0, 2.0, 2.5)
    },
    "CycleGAN": ("cyclegan", {}),
    "UNIT": ("unit", {}),
    "DDIB": ("ddib", {"batch_size": 16, "learning_rate": 1e-3}),
    "DDIB, noise": ("ddib", {"batch_size": 16, "learning_rate": 1e-3, "target": "noise"}),
    "no cycle": ("munit", {"cycle_weight": 0.0}),
    "two encoders, in colour": ("munit", {"seen": "colour", "shared": "nothing"}),
    "content in colour": ("munit", {"seen": "colour"}),
    "content a quarter as large": ("munit", {"halvings": 2}),
    "hinge, spectral norm": ("munit", {"adversary": "hinge", "spectral": True}),
    "no image reconstruction": ("munit", {"image_weight": 0.0}),
    "no content reconstruction": ("munit", {"content_weight": 0.0}),
    "no style reconstruction": ("munit", {"style_weight": 0.0}),
    "no cycle, no image": ("munit", {"cycle_weight": 0.0, "image_weight": 0.0}),
    "no cycle, no content": ("munit", {"cycle_weight": 0.0, "content_weight": 0.0}),
    "no cycle, no style": ("munit", {"cycle_weight": 0.0, "style_weight": 0.0}),
}


def fitted(world: str, variant: str, seed: int, steps: int, runs: Path, until: float) -> Run | None:
    """The finished run of a variant, or None where the time was over before."""
    model, options = VARIANTS[variant]
    path = runs / f"{world}-{variant.replace(', ', '-').replace(' ', '-')}-{steps}-{seed}"
    if (path / "model.safetensors").exists():
        return Run(path)
    made = WORLDS[world][0]()
    done = json.loads((path / "at.json").read_text("utf-8")) if (path / "at.json").exists() else 0
    while time.monotonic() < until:
        done = min(done + PIECE, steps)
        run = train(
            model, made, steps=steps, seed=seed, out=path, until=done, decay=2 * steps // 5, progress=False,
            **(FIT | options),
        )  # fmt: skip
        if run.finished:
            return run
        (path / "at.json").write_text(json.dumps(done), "utf-8")
        print(f"{path.name}: step {done:,} of {steps:,}", flush=True)
    return None


def of_garments(bench: DomainBench) -> dict[str, dict[str, float]]:
    """How different real garments look from themselves in other hues and from others, over any two.

    The others are of the same class, or those of all that others learn from whose outlines are nearest.
    """
    world: Any = bench.world
    others = to_float(registry.load("worlds", "garments")(split="test", seed=1).images(bench.index[1]))
    network, x = bench.network(1), bench.x[1]
    kind = world.factors(bench.index[1])[:, world.space.position("class")]
    order = np.argsort(kind, kind="stable")
    # Neighbours in this order have one class, but for the first of each.
    alike = torch.from_numpy(kind[order] == np.roll(kind[order], 1))
    between = perceived(network, x, x.roll(1, dims=0)).mean()
    # An outline has an even number, and its garment the next.
    many = registry.load("worlds", "garments")(split="train")
    known = torch.cat([_blurred(many.images(part)) for part in np.arange(0, len(many), 2).reshape(60, -1)])
    asked = _blurred(world.images(world.counterpart(bench.index[1])))
    nearest = to_float(many.images(2 * torch.cdist(asked, known).argmin(dim=1).numpy() + 1))
    pairs = {
        "garment, other hue": perceived(network, x, others),
        "garment, nearest outline": perceived(network, x, nearest),
        "garment, same class": perceived(network, x[order], x[order].roll(1, dims=0))[alike],
    }
    return {name: {"diversity": float(one.mean() / between)} for name, one in pairs.items()}


def _blurred(images: Bytes) -> Tensor:
    """Images as numbers whose distance is small where lines are near one another, ``(B, D)``."""
    return F.avg_pool2d(to_float(images).mean(dim=1, keepdim=True), 3, 1, 1).flatten(1)


def of_styles(bench: DomainBench) -> dict[str, dict[str, float]]:
    """How different real images look, and how alike their edges are, where the content is one and styles are not.

    The styles are those of other images of the domain. No translation that keeps all of its content and has all styles
    can be expected to be more varied than that, or to have edges that fit those of the hidden pair better. Then the
    same where the hues of both are turned at random, what is read of them, and how far they are from real images.
    """
    world: Any = bench.world
    generator, found = np.random.default_rng(0), {}
    torch.manual_seed(0)
    for domain, index in enumerate(bench.index):
        factors = world.factors(index)
        positions = [world.space.position(name) for name in world.styles[domain]]
        factors[:, positions] = factors[generator.permutation(len(factors))][:, positions]
        network, x, images = bench.network(domain), bench.x[domain], bench.shown(world.index(factors))
        between, edges = perceived(network, x, x.roll(1, dims=0)).mean(), outlines(to_bytes(images))
        found[f"{bench.domains[domain]}, other style"] = {
            "diversity": float(perceived(network, x, images).mean() / between),
            "lines": overlap(outlines(to_bytes(x)), edges)["lines"],
        }
        truth, half = world.masks(index).any(axis=1, keepdims=True), len(x) // 2
        real = bench.features(domain, x[half:])
        for angle in TURNED:
            one, other = (recoloured(two, 0.0, angle).clamp(0, 1) for two in (x, images))
            drawn = to_bytes(one)
            read = bench.visible[domain].agreement(bench.told(domain, one), world.factors(index))
            seen = bench.silhouettes(domain, drawn)
            found[f"{bench.domains[domain]}, hues turned by {angle:g}"] = {
                "diversity": float(perceived(network, one, other).mean() / between),
                "lines": overlap(outlines(drawn), edges)["lines"],
                "kid": kernel_distance(bench.features(domain, one[:half]), real),
                **({} if seen is None else {"real_overlap": overlap(seen, truth)["overlap"]}),
                **{f"real_{name}": read[name] for name in bench.shared},
            }
    return found


def of_noise(model: DDIB, bench: DomainBench) -> dict[str, dict[str, float]]:
    """What two diffusion models make of images of their own domain, of images sent to the other and back, and of noise.

    ``away`` is how far from the image on average, of 0 .. 1. Of the noise that images become, ``spread`` is the
    deviation, of all pixels and of the first and last row, ``neighbours`` the correlation of one pixel with the next,
    and ``pair`` that with the noise of the hidden pair. Where every noise is as likely as those that models learned
    from, the first three are 1, 1 and 0.
    """
    world: Any = bench.world
    found: dict[str, dict[str, float]] = {}
    half = min(map(len, bench.x)) // 2
    none = torch.zeros(WAYS, 0)
    plain = DDIB(model.shape, **registry.options(model) | {"solver": "ddim", "ode_steps": 2 * model.ode_steps}).eval()
    plain.load_state_dict(model.state_dict())
    for d, name in enumerate(bench.domains):
        x = bench.x[d][:WAYS]
        noise = model.content_of(x, d)
        other = model.content_of(bench.shown(world.counterpart(bench.index[d][:WAYS])), 1 - d)
        found[f"{name}, noise"] = {
            "spread": float(noise.std()), "edge_spread": float(noise[:, :, [0, -1]].std()),
            "neighbours": float(torch.stack([noise[..., 1:].flatten(), noise[..., :-1].flatten()]).corrcoef()[0, 1]),
            "pair": float(torch.stack([noise.flatten(), other.flatten()]).corrcoef()[0, 1]),
        }  # fmt: skip
        there = model.drawn(noise, none, 1 - d)
        ways = {
            "itself again": model.drawn(noise, none, d),
            "there and back": model.drawn(model.content_of(there, 1 - d), none, d),
            "itself again by DDIM": plain.drawn(plain.content_of(x, d), none, d),
            "there and back by DDIM": plain.translate(plain.translate(x, d), 1 - d),
        }
        for way, images in ways.items():
            lines = overlap(outlines(to_bytes(images)), outlines(to_bytes(x)))["lines"]
            found[f"{name}, {way}"] = {"away": float((images - x).abs().mean()), "lines": lines}
        torch.manual_seed(0)
        drawn = torch.cat([model.drawn(torch.randn_like(x), none, d) for _ in range(half // WAYS)])
        made, real = (bench.features(d, one) for one in (drawn, bench.x[d][half:]))
        found[f"{name}, of noise"] = {"kid": kernel_distance(made, real), "frechet": frechet_distance(made, real)}
    return found


def picture(run: Run, bench: DomainBench, path: Path, source: int = 0) -> None:
    """Images of a domain, each in five drawn styles and in those of five images of the other, which stand above."""
    model: Any = run.model
    x, given = bench.x[source][:6], bench.x[1 - source][6:11]
    with torch.no_grad():
        torch.manual_seed(0)
        drawn = torch.randn(5, model.style_dim)
        styles = torch.cat([drawn, model.style_of(given, 1 - source)])
        content = model.content_of(x, source).repeat_interleave(len(styles), dim=0)
        made: Tensor = model.drawn(content, styles.repeat(len(x), 1), 1 - source).unflatten(0, (len(x), -1))
    white = torch.ones(1 + len(drawn), *x.shape[1:])
    rows = [torch.cat([white, given]), *(torch.cat([one[None], row]) for one, row in zip(x, made, strict=True))]
    saved(rows, path)


def picture_of_ways(run: Run, bench: DomainBench, path: Path) -> None:
    """Images of either domain, what they become in the other, and that sent back; and noise, drawn in both."""
    model: Any = run.model
    rows = []
    with torch.no_grad():
        for d in (0, 1):
            x = bench.x[d][:11]
            there = model.translate(x, d)
            rows += [x, there, model.translate(there, 1 - d)]
        noise = torch.randn(11, *model.content_shape, generator=torch.Generator().manual_seed(0))
        rows += [model.drawn(noise, torch.zeros(11, 0), d) for d in (0, 1)]
    saved(rows, path)


def saved(rows: list[Tensor], path: Path) -> None:
    """Keep rows of images, twice as large."""
    path.parent.mkdir(exist_ok=True)
    images = to_bytes(torch.cat(rows)).repeat(2, axis=2).repeat(2, axis=3).transpose(0, 2, 3, 1)
    Image.fromarray(np.ascontiguousarray(tile(images, len(rows[0])))).save(path)


def table(found: list[dict[str, Any]]) -> str:
    """What is recorded: a row for each run and direction."""
    names = list(dict.fromkeys(name for row in found for one in row["parts"].values() for name in one))
    lines = [["world", "variant", "seed", "steps", "direction", *(name.replace("_", " ") for name in names)]]
    lines.append(["---"] * len(lines[0]))
    for row in found:
        asked = [str(row[name]) for name in ("world", "variant", "seed", "steps")]
        for way, one in row["parts"].items():
            lines.append([*asked, way, *(f"{one[name]:.2f}" if name in one else "" for name in names)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Go on with what is not finished, judge what is, and record it; without variants, print what is recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world", nargs="?", choices=WORLDS, default="garments")
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--minutes", type=float, default=7.0, help="after which nothing is begun any more")
    parser.add_argument("--runs", type=Path, default=Path("runs/translation"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    until = time.monotonic() + 60 * options.minutes
    found = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()] if RESULTS.exists() else []
    if not options.variants:
        print(table(found))
    bench, beside = None, {}
    for variant in options.variants:
        asked = {"world": options.world, "variant": variant, "seed": options.seed, "steps": options.steps}
        if any(asked.items() <= row.items() for row in found):
            continue
        run = fitted(options.world, variant, options.seed, options.steps, options.runs, until)
        if run is None:
            break
        if bench is None:
            bench = DomainBench(WORLDS[options.world][1](), images=4000, samples=800, steps=400)
            with torch.no_grad():
                beside = (of_garments if options.world == "garments" else of_styles)(bench)
        parts = judge_translation(run, bench).parts
        if isinstance(run.model, DDIB):
            picture_of_ways(run, bench, PICTURES / f"{run.path.name}.png")
        else:
            for source, name in enumerate((run.path.name, f"{run.path.name}-back")):
                picture(run, bench, PICTURES / f"{name}.png", source)
        parts = {**parts, **beside}
        if isinstance(run.model, DDIB):
            with torch.no_grad():
                parts = {**parts, **of_noise(run.model, bench)}
        rounded = {way: {name: round(value, 4) for name, value in one.items()} for way, one in parts.items()}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asked | {"parts": rounded}) + "\n")
        print(variant, json.dumps(rounded, indent=1), flush=True)


if __name__ == "__main__":
    main()
