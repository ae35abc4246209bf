"""Images of a run taken apart for plots."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unbraid.errors import InvalidData
from unbraid.models.air import AIR
from unbraid.models.mvae import MVAE
from unbraid.models.slotattention import SlotAttention
from unbraid.models.vae import VAE
from unbraid.runs.plot import plot
from unbraid.runs.taken import taken_apart
from unbraid.runs.train import train
from unbraid.worlds.scenes import Scenes

IMAGES = Scenes().images(np.arange(5) * 1_000_003)


@pytest.mark.parametrize("model", [AIR, MVAE, SlotAttention])
def test_parts_make_the_whole(model: type[AIR | MVAE | SlotAttention]) -> None:
    torch.manual_seed(0)
    made = model((3, 32, 32), slots=2).eval()
    taken = taken_apart(made, IMAGES)
    assert np.array_equal(taken.grown[:, -1], taken.whole)
    assert np.array_equal(taken.grown[:, 0], taken.without[:, 1])
    if model is AIR:
        assert np.abs(taken.alone.astype(int).sum(axis=1).clip(max=255) - taken.whole).max() <= 1
    assert taken.images is IMAGES


def test_other_models_do_not_take_images_apart() -> None:
    with pytest.raises(InvalidData, match="VAE does not take"):
        taken_apart(VAE((3, 32, 32)), IMAGES)


def test_a_run_of_objects_has_their_pictures(tmp_path) -> None:
    run = train("mvae", "scenes", steps=1, out=tmp_path / "run", batch_size=2, progress=False, channels=2)
    names = ["attention", "deletions", "entities"]
    assert [path.stem for path in plot(run, plots=names)] == names
