"""Judge how a run sets class and style apart, translates, finds objects, or lives through environments."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["judge", "main"]


def judge(
    run: Path, /, *, images: int = 8000, samples: int = 2000, steps: int = 800, network: str = "conv", seed: int = 0
) -> None:
    """Judge how a run sets class and style apart, translates, finds objects or lives; verdict.json keeps what is said.

    Args:
        run: The run folder.
        images: How many images the judge learns from; a judge of objects needs none.
        samples: How many others the model is judged on.
        steps: How many steps the judge takes.
        network: Of the judge of images; `patches` is the fastest, `dense` takes images of any size.
        seed: What images, weights and swaps depend on.
    """
    from unbraid.runs.judge import Bench
    from unbraid.runs.judge import judge as judged
    from unbraid.runs.run import Run

    loaded = Run(run)
    if loaded.config["view"]["name"] == "domains":
        from unbraid.runs.translation import DomainBench, judge_translation

        options = loaded.config["view"]["options"]
        judges = DomainBench(
            loaded.world, factor=options["factor"], images=images, samples=samples, steps=steps, network=network,
            seed=seed,
        )  # fmt: skip
        print(judge_translation(loaded, judges, seed=seed))
        return
    if loaded.config["view"]["name"] == "scenes":
        from unbraid.runs.objects import judge_objects

        print(judge_objects(loaded, samples=samples, steps=steps, seed=seed))
        return
    if loaded.config["view"]["name"] == "environments":
        from unbraid.runs.life import judge_life

        print(judge_life(loaded, samples=samples, seed=seed))
        return
    bench = Bench(
        loaded.world, factors=loaded.classes, images=images, samples=samples, steps=steps, network=network, seed=seed
    )
    verdict = judged(loaded, bench=bench, seed=seed)
    print(verdict)
    for name in bench.names:
        kept = "  ".join(f"{of} {r2[name]:6.3f}" for of, r2 in verdict.kept.items())
        print(f"R² of {name:<26}{kept}")


def main(arguments: list[str]) -> None:
    """``unbraid judge RUN``."""
    _flags.call(judge, arguments, prog="unbraid judge")
