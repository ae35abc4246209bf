"""Pictures of a trial: right pixels in the right places, and no trace left in what is looked at."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor, nn

from unbraid.errors import InvalidData, InvalidOption
from unbraid.fit import Key, Tensors, Trial, on_end_epoch
from unbraid.fit.callback import Callback
from unbraid.fit.callbacks.appearance import APPEARANCE, ClassAppearance, maximise
from unbraid.fit.callbacks.grid import make_grid
from unbraid.fit.callbacks.images import CACHED, Film, Images
from unbraid.fit.callbacks.tensorboard import TensorBoard, to_tensorboard
from unbraid.fit.state import MODEL, STEP, Y_PRED, State, X

DIGITS = load_digits()
PIXELS = torch.tensor(DIGITS.images / 16, dtype=torch.float32)[:, None]
LABELS = torch.tensor(DIGITS.target)
PICTURE: Key[Any] = Key("picture")


class AutoEncoder(nn.Module):
    """It has everything that looking could disturb: dropout, batch statistics, and a frozen part."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2))
        self.last = nn.Linear(32, 64)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.last(self.layers(x))).view(-1, 1, 8, 8)


def reconstruct(*callbacks: Callback, seed: int = 0) -> Trial:
    torch.manual_seed(seed)
    model = AutoEncoder()
    return Trial(model, criterion=lambda y, _: nn.functional.mse_loss(y, PIXELS[: len(y)]), callbacks=callbacks)


def data(seed: int = 0) -> Tensors:
    return Tensors(PIXELS[:96], batch_size=32, seed=seed)


def fit(trial: Trial, epochs: int) -> Trial:
    trial.fit(data(), epochs=epochs)
    return trial


def test_a_grid_has_every_image_in_its_place() -> None:
    images = torch.arange(5).float().view(5, 1, 1, 1).expand(5, 3, 4, 6) / 4
    picture = make_grid(images, columns=3, gap=1, background=9)
    assert picture.shape == (2 * 4 + 1, 3 * 6 + 2, 3)
    assert picture.dtype == np.uint8
    for number, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        assert np.all(picture[5 * row : 5 * row + 4, 7 * column : 7 * column + 6] == round(255 * number / 4))
    assert np.all(picture[4] == 9)
    assert np.all(picture[5:, 14:] == 9)


def test_a_grid_takes_bytes_and_numpy_and_grey_alike() -> None:
    values = (PIXELS[:6] * 255).round()
    grids = [
        make_grid(values / 255),
        make_grid(values.to(torch.uint8)),
        make_grid(values.to(torch.uint8)[:, 0].numpy()),
        make_grid((values / 255).expand(-1, 3, -1, -1)),
        make_grid(values / 255 * 3 - 1, stretch="all"),
    ]
    assert all(np.array_equal(grid, grids[0]) for grid in grids)
    assert np.array_equal(make_grid(values / 255, scale=3)[::3, ::3][:8, :8], grids[0][:8, :8])


def test_a_grid_stretches_each_image_by_itself() -> None:
    images = torch.stack([torch.linspace(0, 0.1, 4).view(1, 2, 2), torch.full((1, 2, 2), 7.0)])
    picture = make_grid(images, gap=0, stretch="each")
    assert (picture[:, :2].min(), picture[:, :2].max()) == (0, 255)
    assert np.all(picture[:, 2:] == 0), "an even image stays even"
    assert np.all(make_grid(torch.tensor([[[[float("nan"), 2.0]]]]), gap=0)[0, :, 0] == [0, 255])


@pytest.mark.parametrize("images", [torch.zeros(3, 2, 4, 4), torch.zeros(4), torch.zeros(0, 1, 4, 4)])
def test_a_grid_refuses_what_is_no_image(images: Tensor) -> None:
    with pytest.raises(InvalidData, match=r"images must be \(N, 1 or 3 channels"):
        make_grid(images)
    with pytest.raises(InvalidOption, match="stretch must be"):
        make_grid(torch.zeros(1, 4, 4), stretch="some")  # type: ignore[arg-type]


def test_pictures_go_to_files_keys_and_functions(tmp_path: Path) -> None:
    seen: list[tuple[int, Any]] = []
    images = Images(
        X,
        [tmp_path / "{step:03d}-{loss:.0f}.png", PICTURE, lambda picture, state: seen.append((state[STEP], picture))],
        count=6,
        columns=3,
    )
    trial = fit(reconstruct(images), 2)
    assert [step for step, _ in seen] == [3, 6]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name[:4] for name in names] == ["003-", "006-"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / names[1])), seen[1][1])
    assert np.array_equal(trial.state[PICTURE], seen[1][1])
    assert np.array_equal(seen[1][1], make_grid(trial.state[X][:6], columns=3))


def test_pictures_come_every_so_many_steps_or_from_evaluations() -> None:
    steps: list[int] = []
    fit(reconstruct(Images(Y_PRED, lambda picture, state: steps.append(state[STEP]), steps=2)), 2)
    assert steps == [2, 4, 6]
    seen: list[Any] = []
    trial = reconstruct(Images(X, lambda picture, state: seen.append(picture), validation=True))
    trial.fit(data(), epochs=2, validation=[PIXELS[100:110], PIXELS[110:120]])
    assert len(seen) == 2
    assert np.array_equal(seen[0], make_grid(PIXELS[100:110]))


def test_cached_pictures_show_the_same_inputs_beside_what_becomes_of_them() -> None:
    seen: list[Any] = []
    trial = fit(reconstruct(Images(Y_PRED, lambda p, s: seen.append(p), cached=40, beside=True, columns=10, gap=0)), 6)
    inputs = torch.cat([*data().batches(0, 0)])[:40]
    pictures = [picture.reshape(4, 2, 8, 10, 8, 3)[..., 0] for picture in seen]
    for picture in pictures:
        shown = picture[:, 0].swapaxes(1, 2).reshape(40, 8, 8)
        assert np.abs(shown / 255 - inputs[:, 0].numpy()).max() < 0.003
    trial.model.eval()
    with torch.no_grad():
        made = trial.model(inputs)[:, 0].numpy()
    assert np.abs(pictures[-1][:, 1].swapaxes(1, 2).reshape(40, 8, 8) / 255 - made).max() < 0.003
    assert len({picture.tobytes() for picture in pictures}) == 6, "the model changes, and so does each picture"


def test_cached_inputs_are_under_a_key_for_any_function() -> None:
    shapes: list[Any] = []

    def look(state: State) -> Tensor:
        shapes.append((tuple(state[CACHED].shape), state[MODEL].training, torch.is_grad_enabled()))
        return state[CACHED]

    trial = fit(reconstruct(Images(look, PICTURE, cached=5, inputs=lambda state: state[X].clone())), 1)
    assert shapes == [((5, 1, 8, 8), False, False)]
    assert CACHED not in trial.state


def test_cached_inputs_survive_a_resumption(tmp_path: Path) -> None:
    first = fit(reconstruct(Images(Y_PRED, PICTURE, cached=8)), 2)
    saved = deepcopy(first.state_dict())
    fit(first, 3)
    torch.save(saved, tmp_path / "saved.pt")
    second = reconstruct(Images(Y_PRED, PICTURE, cached=8), seed=1)
    second.load_state_dict(torch.load(tmp_path / "saved.pt", weights_only=True))
    fit(second, 3)
    assert np.array_equal(first.state[PICTURE], second.state[PICTURE])


def test_a_film_has_a_frame_for_each_picture_also_after_a_resumption(tmp_path: Path) -> None:
    def images(name: str) -> Images:
        return Images(Y_PRED, [tmp_path / f"{name}.gif", PICTURE], cached=4, steps=1)

    fit(reconstruct(images("whole")), 4)
    first = fit(reconstruct(images("parts")), 2)
    torch.save(first.state_dict(), tmp_path / "saved.pt")
    second = reconstruct(images("parts"), seed=1)
    second.load_state_dict(torch.load(tmp_path / "saved.pt", weights_only=True))
    fit(second, 4)
    assert (tmp_path / "parts.gif").read_bytes() == (tmp_path / "whole.gif").read_bytes()
    with Image.open(tmp_path / "whole.gif") as film:
        assert film.n_frames == 12
        assert film.size == (4 * 8 + 3 * 2, 8)
        film.seek(11)
        assert np.array_equal(np.asarray(film.convert("RGB")), second.state[PICTURE])


def test_a_film_and_what_it_keeps_begin_anew_with_another_trial(tmp_path: Path) -> None:
    images = Images(Y_PRED, tmp_path / "film.gif", cached=4, steps=1, beside=True)
    fit(reconstruct(images), 3)
    kept = images._kept
    fit(reconstruct(images, seed=1), 1)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 3, "those of the second trial alone"
    assert images._kept is not kept


def test_a_film_stays_short() -> None:
    film = Film("unused.gif")
    for number in range(1000):
        film(np.full((2, 2, 3), number % 256, dtype=np.uint8), State())
    assert 100 <= len(film.frames.items) <= 200


def test_pictures_reach_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit(reconstruct(Images(X, to_tensorboard("inputs"), count=4), TensorBoard(tmp_path)), 2)
    stored = EventAccumulator(str(tmp_path)).Reload().Images("inputs")
    assert [(image.step, image.width, image.height) for image in stored] == [(3, 38, 8), (6, 38, 8)]


def test_wrong_options_for_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="say how many with cached="):
        Images(Y_PRED, PICTURE, beside=True)
    with pytest.raises(InvalidOption, match="must be Y_PRED or a function"):
        Images(X, PICTURE, cached=3)
    with pytest.raises(InvalidOption, match="give only one"):
        Images(X, PICTURE, steps=3, validation=True)
    with pytest.raises(InvalidOption, match="known: step, epoch, loss"):
        fit(reconstruct(Images(X, tmp_path / "{nonsense}.png")), 1)
    with pytest.raises(InvalidData, match="not a tensor"):
        fit(reconstruct(Images(Y_PRED, PICTURE, cached=2, inputs=lambda state: "text")), 1)


def classify(*callbacks: Callback) -> Trial:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(1024, 10),
    )
    return Trial(model, criterion=nn.functional.cross_entropy, callbacks=callbacks)


CLASSES = Tensors(PIXELS[:640], LABELS[:640], batch_size=64)


def test_a_class_appears_as_an_image_that_the_model_takes_for_it() -> None:
    trial = classify(ClassAppearance((1, 8, 8), 10, PICTURE))
    trial.fit(CLASSES, epochs=3)
    found = trial.state[APPEARANCE]
    assert found.shape == (10, 1, 8, 8)
    trial.model.eval()
    with torch.no_grad():
        assert trial.model(found).argmax(1).tolist() == list(range(10))
    assert trial.state[PICTURE].shape == (18, 48, 3)


def test_decay_keeps_the_appearance_small_and_jitter_makes_it_smooth() -> None:
    trial = classify()
    trial.fit(CLASSES, epochs=3)
    trial.model.eval()

    def look(**options: float) -> Tensor:
        torch.manual_seed(0)
        settings: dict[str, Any] = {"steps": 60, "rate": 0.05, "decay": 0.0, "jitter": 0} | options
        return maximise(trial.model, (1, 8, 8), range(10), **settings)

    plain, decayed, jittered = look(), look(decay=1.0), look(jitter=1)
    assert decayed.square().mean() < 0.5 * plain.square().mean()

    def roughness(x: Tensor) -> float:
        return float((x.diff(dim=-1).square().mean() + x.diff(dim=-2).square().mean()) / x.var())

    assert roughness(jittered) < 0.9 * roughness(plain)


def test_looking_changes_neither_model_nor_gradients_nor_randomness() -> None:
    looks = [
        Images(Y_PRED, PICTURE, cached=4, steps=1),
        Images(lambda state: state[MODEL](state[X]) + 0 * torch.rand(1), PICTURE, steps=1),
    ]
    bare, looked = fit(reconstruct(), 3), fit(reconstruct(*looks), 3)
    bare_classes = classify()
    bare_classes.fit(CLASSES, epochs=2)
    looked_classes = classify(ClassAppearance((1, 8, 8), 10, epochs=1, steps=5))
    looked_classes.fit(CLASSES, epochs=2)
    for one, two in ((bare, looked), (bare_classes, looked_classes)):
        values, others = one.model.state_dict(), two.model.state_dict()
        assert all(torch.equal(values[name], others[name]) for name in values)
        for p, q in zip(one.model.parameters(), two.model.parameters(), strict=True):
            assert p.grad is not None
            assert q.grad is not None
            assert torch.equal(p.grad, q.grad)
        assert all(module.training for module in two.model.modules())


def test_a_part_that_is_frozen_in_evaluation_stays_so() -> None:
    trial = reconstruct()
    trial.model.layers[2].eval()
    Images(X, PICTURE).show(State({**trial.state, X: PIXELS[:4]}))
    assert not trial.model.layers[2].training
    assert trial.model.layers[4].training


def test_class_appearance_looks_every_few_epochs_and_at_the_end_but_not_after_a_failure() -> None:
    steps: list[int] = []
    look = ClassAppearance((1, 8, 8), [3, 5], lambda picture, state: steps.append(state[STEP]), epochs=2, steps=2)
    trial = classify(look)
    trial.fit(CLASSES, epochs=4)
    assert steps == [20, 40], "the end of the last epoch is the end"
    trial.fit(CLASSES, epochs=5)
    assert steps == [20, 40, 50]
    assert trial.state[APPEARANCE].shape[0] == 2
    with pytest.raises(TypeError):
        classify(look).fit([None], epochs=1)
    assert steps == [20, 40, 50]


def test_class_appearance_looks_at_the_end_of_a_fit_that_is_taken_up_where_another_failed() -> None:
    failing = [True]

    @on_end_epoch
    def fail_once(state: State) -> None:
        if failing.pop() if failing else False:
            raise ArithmeticError

    look = ClassAppearance((1, 8, 8), [3], steps=2)
    trial = classify(fail_once, look)
    with pytest.raises(ArithmeticError):
        trial.fit(CLASSES, epochs=1)
    assert APPEARANCE not in trial.state
    trial.fit(CLASSES, epochs=1)
    assert APPEARANCE in trial.state


def test_class_appearance_names_scores_that_do_not_fit() -> None:
    with pytest.raises(InvalidData, match="classes up to 10"):
        maximise(lambda x: x.flatten(1)[:, :10], (1, 8, 8), [10], steps=1, rate=0.1, decay=0.0, jitter=0)
