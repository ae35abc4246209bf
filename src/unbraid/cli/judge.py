"""Judge how far a run sets class and style apart, or how it translates, by networks that had no part in it."""

from __future__ import annotations

from pathlib import Path

from unbraid.cli import _flags

__all__ = ["judge", "main"]


def judge(
    run: Path, /, *, images: int = 8000, samples: int = 2000, steps: int = 800, network: str = "conv", seed: int = 0
) -> None:
    """Judge how far a run sets class and style apart, or how it translates; the verdict is kept in its verdict.json.

    Args:
        run: The run folder.
        images: How many images the judge learns from.
        samples: How many others the model is judged on.
        steps: How many steps the judge takes.
        network: Of the judge; `patches` is the fastest.
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
    factors = tuple(loaded.config["view"]["options"].get("factors", ()))
    bench = Bench(
        loaded.world, factors=factors, images=images, samples=samples, steps=steps, network=network, seed=seed
    )
    verdict = judged(loaded, bench=bench, seed=seed)
    print(verdict)
    for name in bench.names:
        kept = "  ".join(f"{of} {r2[name]:6.3f}" for of, r2 in verdict.kept.items())
        print(f"R² of {name:<26}{kept}")


def main(arguments: list[str]) -> None:
    """``unbraid judge RUN``."""
    _flags.call(judge, arguments, prog="unbraid judge")
