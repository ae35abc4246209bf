"""Class and style on Strokes: cycles, the shortcut, and what is left of either code, by judges that saw nothing of it.

The three seeds of a variant are fitted side by side in one program. They start from other weights and see other images.

References:
    Jha, Anand, Singh and Veeravasarapu, "Disentangling factors of variation with cycle-consistent variational
    auto-encoders", ECCV 2018, arXiv:1804.10469.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, stack_module_state, vmap

from unbraid import registry
from unbraid.model import Model
from unbraid.plots.swaps import swaps
from unbraid.runs.encode import decoder
from unbraid.runs.judge import Bench, judge
from unbraid.view import GroupBatch
from unbraid.views.classes import Classes
from unbraid.worlds.strokes import Strokes

RESULTS, PICTURES = (Path(__file__).with_name(name) for name in ("results.jsonl", "pictures"))
SEEDS, LATENTS = 3, {"latent_dim": 24, "content_dim": 12}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "cycle": ("cyclevae", {}),
    "no reverse cycle": ("cyclevae", {"reverse": 0.0}),
    "swap alone": ("swapae", {}),
    "cycle, target drawn": ("cyclevae", {"target": "drawn"}),
    "weak KL": ("cyclevae", {"beta": 0.025, "reverse": 0.0}),
    "weak KL, cycle": ("cyclevae", {"beta": 0.025}),
    "weak KL, cycle, consistent": ("cyclevae", {"beta": 0.025, "consistency": 10.0}),
    "MLVAE": ("mlvae", {"beta": 0.75, "likelihood": "gaussian"}),
}
"""What they are called here, the model, and its options; a beta of 0.025 is the paper's 3 taken for 0.1."""
SHOWN = {
    "class_from_style_active": "class from style: active",
    "class_from_style_sampled": "sampled",
    "class_from_style_mean": "raw mean",
    "class_from_class_code": "from class code",
    "swapped_class": "swapped is class donor's",
    "swapped_class_of_style_donor": "style donor's",
    "prior_class": "prior sample",
    "style_kept": "R² of style donor",
    "style_of_class_donor": "of class donor",
    "style_in_code": "in code",
    "dependence": "d_s / d_z",
}


class Loss(nn.Module):
    """The terms of a model's loss, as the forward pass of a module that a function can be made of."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, index: Tensor, label: Tensor, step: int, player: str) -> Tensor:
        """The loss of one player."""
        batch = GroupBatch(x, index, label, 1)
        several = [player] if len(self.model.players()) > 1 else []
        return self.model.loss(batch, step, *several).total()  # type: ignore[call-arg]


def run(variant: str, bench: Bench, *, steps: int, images: int, rate: float) -> list[dict[str, Any]]:
    """Fit all seeds with ``images`` images a step each, and judge them."""
    name, options = VARIANTS[variant]
    world = bench.world
    models: list[Model] = []
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        models.append(registry.load("models", name)(world.shape, network="patches", **LATENTS, **options))
    stream = Classes(world, batch_size=SEEDS * images // 2, seed=0)
    weights, _ = stack_module_state(models)  # type: ignore[arg-type]
    loss, names = Loss(models[0]), {id(p): key for key, p in models[0].named_parameters()}
    moved = {player: [names[id(p)] for p in _listed(some)] for player, some in models[0].players().items()}
    optimisers = {
        player: torch.optim.AdamW([weights[key] for key in keys], lr=rate, weight_decay=0.0, fused=True)
        for player, keys in moved.items()
    }

    def total(parameters: dict[str, Tensor], batch: tuple[Tensor, ...], step: int, player: str) -> Tensor:
        named = {f"model.{key}": value for key, value in parameters.items()}
        value: Tensor = functional_call(loss, named, (*batch, step, player))
        return value

    slope = vmap(grad(total), in_dims=(0, 0, None, None), randomness="different")
    began = time.process_time()
    torch.manual_seed(0)
    for step in range(steps):
        seen = stream.batch(step)
        batch = tuple(one.unflatten(0, (SEEDS, -1)) for one in (seen.x, seen.index, seen.label))
        for player, optimiser in optimisers.items():
            # The last third is for fine work.
            optimiser.param_groups[0]["lr"] = rate * min(1.0, 3 * (1 - step / steps))
            found = slope({key: value.detach() for key, value in weights.items()}, batch, step, player)
            for key in moved[player]:
                weights[key].grad = found[key]
            optimiser.step()
    cpu = round((time.process_time() - began) / SEEDS, 1)
    rows = []
    for seed, model in enumerate(models):
        model.load_state_dict({key: value[seed].detach() for key, value in weights.items()})
        if seed == 0:
            picture(model, bench, PICTURES / f"{variant.replace(', ', '-').replace(' ', '-')}.png")
        settings = {"variant": variant, "seed": seed, "steps": steps, "images": images, "rate": rate}
        rows.append(settings | {"cpu_seconds": cpu} | _rounded(judge(model, bench=bench, steps=400).to_dict()))
    return rows


def picture(model: Model, bench: Bench, path: Path) -> None:
    """Every style with every class code, of images that the model was judged on, one of each class."""
    # An image of each class in turn gives the class codes, others the styles.
    first = [int((bench.labels[2] == label).nonzero()[0]) for label in range(8)]
    x = bench.x[2][[*first, *range(500, 508)]]
    with torch.no_grad():
        codes = model.represent(x).double().numpy()
    images = (255 * x).round().to(torch.uint8).numpy()
    path.parent.mkdir(exist_ok=True)
    swaps(images=images, codes=codes, decode=decoder(model), contents=model.contents).savefig(path, dpi=60)


def _listed(some: Any) -> list[nn.Parameter]:
    return some["params"] if isinstance(some, dict) else some


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def table(found: list[dict[str, Any]]) -> str:
    """Of every variant the median over seeds and, in brackets, the least and the greatest."""
    rows = [["", *SHOWN.values(), "active latents", "CPU s"], ["---"] * (len(SHOWN) + 3)]
    for variant in VARIANTS:
        runs = [one for one in found if one["variant"] == variant]
        if runs:
            cells = []
            for key in (*SHOWN, "active_latents"):
                low, middle, high = np.quantile([one["parts"][key] for one in runs], [0, 0.5, 1])
                digits = 0 if key == "active_latents" else 2
                cells.append(f"{middle:.{digits}f} ({low:.{digits}f} .. {high:.{digits}f})")
            rows.append([variant, *cells, f"{runs[0]['cpu_seconds']:.0f}"])
    judges = found[0]["parts"] if found else {}
    note = f"\n\nThe judge: {judges['judge']:.3f} of classes, R² {judges['judge_style']:.2f}." if judges else ""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows) + note


def main() -> None:
    """Run what has not been run, and print the table of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(VARIANTS)}")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = vars(parser.parse_args())
    out, variants = options.pop("out"), options.pop("variants")
    torch.set_num_threads(1)
    found = [json.loads(line) for line in out.read_text("utf-8").splitlines()] if out.exists() else []
    todo = [one for one in variants if not any(row["variant"] == one for row in found)]
    if todo:
        bench = Bench(Strokes(), images=6000, samples=1500, steps=1000, network="patches")
        print(
            f"the judge: {bench.real:.3f}, R² {dict(zip(bench.names, bench.real_style.tolist(), strict=True))}",
            flush=True,
        )
    for variant in todo:
        rows = run(variant, bench, **options)
        found += rows
        with out.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        print(table([row for row in found if row["variant"] == variant]), flush=True)
    print(table(found))


if __name__ == "__main__":
    main()
