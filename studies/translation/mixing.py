"""Two styles in one image: what the coarse layers of a StyleGAN decide and what the fine ones, by networks that judge.

Training stops when its time is over and goes on with the next call; what is finished is measured and recorded.

References:
    Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks", CVPR 2019,
    arXiv:1812.04948 (sections 3.1 and 4.1).
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
from PIL import Image
from torch import Tensor

from unbraid.info.realism import frechet_distance, kernel_distance
from unbraid.models.stylegan import StyleGAN
from unbraid.nn.judge import Judge
from unbraid.nn.networks import NETWORKS
from unbraid.nn.perception import features, perceived
from unbraid.plots._draw import tile
from unbraid.runs.run import Run
from unbraid.runs.train import train
from unbraid.seed import numpy_generator, torch_generator
from unbraid.view import to_float
from unbraid.world import World, drawn
from unbraid.worlds.scenes import Scenes

HERE = Path(__file__).parent
RESULTS, PICTURES = HERE / "mixing.jsonl", HERE / "pictures"
PIECE = 50
"""Steps between two looks at the clock."""
PAIRS, STEP = 1000, 0.01
"""Pairs of styles that are mixed, and how far apart two images of a path are, of the whole way."""
FACTORS = ("shape_1", "colour_1")
MIDDLE, SIDE = slice(7, 9), 32
"""Where sprites stand that are seen from near, in both directions, and the pixels that are seen of a scene's 64."""
VARIANTS: dict[str, dict[str, Any]] = {
    "StyleGAN": {},
    "gentle": {"gamma": 0.02, "path_weight": 0.0},
    "scaled, in company": {"gamma": 0.1, "path_weight": 0.0, "spread": True, "scaled": True},
    "in company": {"gamma": 0.1, "path_weight": 0.0, "spread": True},
    "no path lengths": {"path_weight": 0.0},
    "no reconstruction": {"reconstruction_weight": 0.0},
    "no mixing": {"mixing": 0.0},
}


def fitted(world: str, variant: str, seed: int, steps: int, runs: Path, until: float) -> Run | None:
    """The finished run of a variant, or None where the time was over before."""
    path = runs / f"{world}-{variant.replace(', ', '-').replace(' ', '-')}-{steps}-{seed}"
    if (path / "model.safetensors").exists():
        return Run(path)
    done = json.loads((path / "at.json").read_text("utf-8")) if (path / "at.json").exists() else 0
    made = WORLDS[world]()
    while time.monotonic() < until:
        done = min(done + PIECE, steps)
        run = train(
            "stylegan", made, steps=steps, seed=seed, out=path, until=done, batch_size=16, learning_rate=1e-3,
            decay=2 * steps // 5, progress=False, **VARIANTS[variant],
        )  # fmt: skip
        if run.finished:
            return run
        (path / "at.json").write_text(json.dumps(done), "utf-8")
        print(f"{path.name}: step {done:,} of {steps:,}", flush=True)
    return None


def scenes() -> World:
    """One sprite in one of six colours, a quarter as wide as the image, at 256 places."""
    return Scenes(most=1, fewest=1)


def near(places: slice = MIDDLE) -> World:
    """The same, half as wide as the image: the middle of larger scenes, at few places."""
    large = Scenes(most=1, fewest=1, size=2 * SIDE)
    index = np.arange(len(large))
    x, y = (large.factors(index)[:, large.space.position(name)] for name in ("x_1", "y_1"))
    kept = np.arange(large.space["x_1"].size)[places]
    index = index[np.isin(x, kept) & np.isin(y, kept)]
    middle = slice(SIDE // 2, 3 * SIDE // 2)
    return drawn(large, index, change=lambda images: images[:, :, middle, middle])


WORLDS: dict[str, Callable[[], World]] = {"scenes": scenes, "near": near}
TOLD: dict[str, Callable[[], World]] = {"scenes": scenes, "near": lambda: near(slice(5, 11))}
"""What models learn from, and what judges do: they see sprites at more places, as models err in these, too."""


class Jury:
    """A network for each factor that tells it of images, and other real images."""

    def __init__(self, world: str, images: int = 4000, samples: int = 2000, steps: int = 400) -> None:
        told, learned = TOLD[world](), WORLDS[world]()
        generator = numpy_generator(0, "judge")
        index = told.sample(images + samples, generator)
        values = torch.from_numpy(told.factors(index))
        x = to_float(told.images(index))
        self.x = to_float(learned.images(learned.sample(samples, generator)))
        self.judges, self.real = {}, {}
        for name in FACTORS:
            column, classes = told.space.position(name), told.space[name].size
            torch.manual_seed(column)
            made = NETWORKS["conv"].encoder(told.shape, classes)
            generator = torch_generator(0, "judge", column)
            none = torch.zeros(images, 0)
            judge = Judge(made, x[:images], values[:images, column], none, classes=classes, steps=steps,
                          generator=generator)  # fmt: skip
            self.judges[name] = judge
            self.real[name] = judge(x[images:]).accuracy(values[images:, column])

    @property
    def network(self) -> Any:
        """The network that reads shapes."""
        return self.judges[FACTORS[0]].network


def measured(model: StyleGAN, jury: Jury) -> dict[str, float]:
    """What mixed images have of either style, how real images look, and how long paths are."""
    parts = {f"real_{name[:-2]}": value for name, value in jury.real.items()}
    coarse, fine = model.styles(PAIRS), model.styles(PAIRS)
    alone = [model.drawn(coarse), model.drawn(fine)]
    told = {name: [judge(x).label for x in alone] for name, judge in jury.judges.items()}
    for layer in range(1, model.layers):
        mixed = model.drawn(model.mixed(coarse, fine, layer))
        for name, judge in jury.judges.items():
            first, second = told[name]
            # Where both styles have the same there is nothing to be seen.
            label, differ = judge(mixed).label, first != second
            count = max(1, int(differ.sum()))
            parts[f"{name[:-2]}_of_coarse_{layer}"] = int((label == first)[differ].sum()) / count
            parts[f"{name[:-2]}_of_fine_{layer}"] = int((label == second)[differ].sum()) / count
    for name, (first, _) in told.items():
        share = torch.bincount(first, minlength=int(first.max()) + 1) / len(first)
        parts[f"kinds_of_{name[:-2]}"] = float(torch.exp(-(share[share > 0] * share[share > 0].log()).sum()))
    half = len(jury.x) // 2
    seen, drawn = (features(jury.network, x)[1] for x in (jury.x, alone[0]))
    for name, distance in (("kid", kernel_distance), ("frechet", frechet_distance)):
        parts[name] = distance(drawn[:half], seen[half:])
        parts[f"{name}_floor"] = distance(seen[:half], seen[half:])
    again = model.decode(model.represent(jury.x))
    parts["reconstruction"] = float((again - jury.x).square().sum() / (jury.x - jury.x.mean(dim=0)).square().sum())
    return parts | {f"path_{space}": length(model, jury, space) for space in "zw"}


def length(model: StyleGAN, jury: Jury, space: str) -> float:
    """How much an image changes on the way from one to another, mean over the way: squared, over the step squared."""
    first, second = torch.randn(2, PAIRS, model.latent_dim).unbind()
    share = torch.rand(PAIRS, 1)
    places = []
    for at in (share, share + STEP):
        if space == "z":
            places.append(model.mapped(arc(first, second, at)))
        else:
            places.append(torch.lerp(model.mapped(first), model.mapped(second), at))
    return float(perceived(jury.network, *(model.drawn(w) for w in places)).mean() / STEP**2)


def arc(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """A point on the arc of a circle between two directions, ``(B, D)``."""
    first, second = (x / x.norm(dim=1, keepdim=True) for x in (first, second))
    angle = (first * second).sum(dim=1, keepdim=True).acos()
    return (torch.sin((1 - share) * angle) * first + torch.sin(share * angle) * second) / torch.sin(angle)


def crossing(parts: dict[str, float], layers: int) -> int:
    """The layer from which fine styles are told where shapes follow the coarse ones and colours the fine ones best."""
    both = [min(parts[f"shape_of_coarse_{layer}"], parts[f"colour_of_fine_{layer}"]) for layer in range(1, layers)]
    return 1 + int(np.argmax(both))


def picture(model: StyleGAN, path: Path, layer: int) -> None:
    """Coarse styles at the left, fine ones above, and every pair mixed."""
    coarse, fine = model.styles(6), model.styles(10)
    rows = [torch.cat([torch.ones(1, *model.shape), model.drawn(fine)])]
    for one in coarse:
        mixed = model.mixed(one.expand(len(fine), -1), fine, layer)
        rows.append(torch.cat([model.drawn(one[None]), model.drawn(mixed)]))
    images = (255 * torch.cat(rows)).round().to(torch.uint8).numpy()
    path.parent.mkdir(exist_ok=True)
    sheet = tile(images.repeat(2, axis=2).repeat(2, axis=3).transpose(0, 2, 3, 1), 1 + len(fine))
    Image.fromarray(np.ascontiguousarray(sheet)).save(path)


def table(found: list[dict[str, Any]]) -> str:
    """A row for each run: at the layer that parts them best, whose shape and whose colour is seen, and what else is."""
    shown = ("shape_of_coarse", "colour_of_fine", "frechet", "frechet_floor", "reconstruction", "path_z", "path_w")
    lines = [["world", "variant", "seed", "steps", "coarse layers", *(name.replace("_", " ") for name in shown)]]
    lines.append(["---"] * len(lines[0]))
    for row in found:
        parts = row["parts"]
        layer = crossing(parts, 1 + sum(name.startswith(shown[0]) for name in parts))
        values = parts | {name: parts[f"{name}_{layer}"] for name in shown[:2]}
        asked = [str(row[name]) for name in ("world", "variant", "seed", "steps")]
        lines.append([*asked, str(layer), *(f"{values[name]:.2f}" for name in shown)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Go on with what is not finished, measure what is, and record it; without variants, print what is recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--world", choices=WORLDS, default="near")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=7.0, help="after which nothing is begun any more")
    parser.add_argument("--runs", type=Path, default=Path("runs/translation"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    until = time.monotonic() + 60 * options.minutes
    found = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()] if RESULTS.exists() else []
    jury = None
    for variant in options.variants:
        asked = {"world": options.world, "variant": variant, "seed": options.seed, "steps": options.steps}
        if any(asked.items() <= row.items() for row in found):
            continue
        run = fitted(options.world, variant, options.seed, options.steps, options.runs, until)
        if run is None:
            break
        jury = jury or Jury(options.world)
        model: Any = run.model.eval()
        with torch.no_grad():
            torch.manual_seed(0)
            parts = {name: round(value, 4) for name, value in measured(model, jury).items()}
            picture(model, PICTURES / f"{run.path.name}.png", crossing(parts, model.layers))
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asked | {"parts": parts}) + "\n")
        print(variant, json.dumps(parts, indent=1), flush=True)
    if not options.variants:
        print(table(found))


if __name__ == "__main__":
    main()
