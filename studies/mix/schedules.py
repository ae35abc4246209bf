"""After how many epochs mixing pays: accuracies of what ``run.py few --epochs N`` fitted, for every N that is there.

``python studies/mix/schedules.py`` writes ``schedules.json`` beside this file, and prints the table.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from measure import loaded
from network import predict
from run import mixers
from tasks import task

HERE = Path(__file__).parent

Found = dict[str, dict[str, list[list[float]]]]


def main() -> None:
    """Measure every network that is not measured yet."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/mix"))
    parser.add_argument("--out", type=Path, default=HERE / "schedules.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: Found = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else {}
    given = task("few")
    for folder in arguments.runs.glob("few, * epochs"):
        runs = found.setdefault(folder.name.split()[1], {})
        for mixing in mixers(2):
            files = sorted(folder.glob(f"{mixing}, *.pt"))
            for file in files[len(runs.setdefault(mixing, [])) :]:
                model, _ = loaded(file, given)
                asked = ((given.test_x, given.test_y), (given.x, given.y))
                right = [float((predict(model, x).argmax(dim=1) == y).double().mean()) for x, y in asked]
                runs[mixing].append([round(share, 4) for share in right])
    arguments.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    epochs = sorted(found, key=int)
    print("| | " + " | ".join(f"{n} epochs: test | train" for n in epochs) + " |")
    print("| --- " * (2 * len(epochs) + 1) + "|")
    for mixing in mixers(2):
        cells = []
        for n in epochs:
            test, train = np.array(found[n][mixing]).T
            spread = f" ± {test.std(ddof=1):.3f}" if len(test) > 1 else ""
            cells += [f"{test.mean():.3f}{spread}", f"{train.mean():.3f}"]
        print(f"| {mixing} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
