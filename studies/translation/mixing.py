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
from unbraid.worlds.scenes import Scenes

HERE = Path(__file__).parent
RESULTS, PICTURES = HERE / "mixing.jsonl", HERE / "pictures"
PIECE = 50
"""Steps between two looks at the clock."""
PAIRS, STEP = 1000, 0.01
"""Pairs of styles that are mixed, and how far apart two images of a path are, of the whole way."""
FACTORS = ("shape_1", "colour_1")
VARIANTS: dict[str, dict[str, Any]] = {
    "StyleGAN": {},
    "no reconstruction": {"reconstruction_weight": 0.0},
    "no mixing": {"mixing": 0.0},
    "no path lengths": {"path_weight": 0.0},
}


def fitted(variant: str, seed: int, steps: int, runs: Path, until: float) -> Run | None:
    """The finished run of a variant, or None where the time was over before."""
    path = runs / f"scenes-{variant.replace(' ', '-')}-{steps}-{seed}"
    if (path / "model.safetensors").exists():
        return Run(path)
    done = json.loads((path / "at.json").read_text("utf-8")) if (path / "at.json").exists() else 0
    while time.monotonic() < until:
        done = min(done + PIECE, steps)
        run = train(
            "stylegan", world(), steps=steps, seed=seed, out=path, until=done, batch_size=16, learning_rate=1e-3,
            decay=2 * steps // 5, progress=False, **VARIANTS[variant],
        )  # fmt: skip
        if run.finished:
            return run
        (path / "at.json").write_text(json.dumps(done), "utf-8")
        print(f"{path.name}: step {done:,} of {steps:,}", flush=True)
    return None


def world() -> Scenes:
    """One sprite in one of six colours."""
    return Scenes(most=1, fewest=1)


class Jury:
    """A network for each factor that tells it of images, and other real images."""

    def __init__(self, images: int = 4000, samples: int = 2000, steps: int = 400) -> None:
        scenes = world()
        index = scenes.sample(images + samples, numpy_generator(0, "judge"))
        values = torch.from_numpy(scenes.factors(index))
        x = to_float(scenes.images(index))
        self.x, self.judges, self.real = x[images:], {}, {}
        for name in FACTORS:
            column, classes = scenes.space.position(name), scenes.space[name].size
            torch.manual_seed(column)
            made = NETWORKS["conv"].encoder(scenes.shape, classes)
            generator = torch_generator(0, "judge", column)
            none = torch.zeros(images, 0)
            judge = Judge(made, x[:images], values[:images, column], none, classes=classes, steps=steps,
                          generator=generator)  # fmt: skip
            self.judges[name] = judge
            self.real[name] = judge(self.x).accuracy(values[images:, column])

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
    """What is recorded: a row for each run."""
    names = list(dict.fromkeys(name for row in found for name in row["parts"]))
    lines = [["variant", "seed", "steps", *(name.replace("_", " ") for name in names)]]
    lines.append(["---"] * len(lines[0]))
    for row in found:
        asked = [str(row[name]) for name in ("variant", "seed", "steps")]
        lines.append([*asked, *(f"{row['parts'][name]:.2f}" for name in names)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    """Go on with what is not finished, measure what is, and record it; without variants, print what is recorded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(VARIANTS)}")
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
        asked = {"variant": variant, "seed": options.seed, "steps": options.steps}
        if any(asked.items() <= row.items() for row in found):
            continue
        run = fitted(variant, options.seed, options.steps, options.runs, until)
        if run is None:
            break
        jury = jury or Jury()
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
