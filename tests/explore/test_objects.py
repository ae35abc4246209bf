"""Models that take images apart, on the page: entities, windows, masks, and the image of some."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient

from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.objects import taken_apart
from unbraid.explore.subject import Subject
from unbraid.models.air import AIR
from unbraid.models.mvae import MVAE

HERE = "http://127.0.0.1:8700"
CODE = np.random.default_rng(0).normal(size=18)


def unpacked(found: dict, name: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(found[name]), dtype=np.uint8).reshape(shape)


def asked(subject: Subject, code: list[float], kept: list[bool]):
    with TestClient(make(Gallery([subject])), base_url=HERE) as client:
        return client.post("/api/runs/0/objects", json={"code": code, "kept": kept})


def test_all_entities_together_are_what_the_decoder_makes_of_the_code(objects: Subject) -> None:
    assert objects.about["slots"] == 3
    found = asked(objects, CODE.tolist(), [True] * 3).json()
    image = unpacked(found, "image", 3, 32, 32)
    assert np.abs(image.astype(int) - objects.decode(CODE[None])[0]).max() <= 1
    assert found["shape"] == [3, 32, 32]


def test_entities_are_told_with_their_masks_and_windows(objects: Subject) -> None:
    found = asked(objects, CODE.tolist(), [True] * 3).json()
    with torch.no_grad():
        layers = objects.model.layers(torch.from_numpy(CODE).float().reshape(1, 3, 6))
        alone = objects.model.alone(layers)[0].numpy()
    assert np.allclose(found["windows"], layers.windows[0], atol=1e-3)
    assert found["present"] == layers.present[0].tolist()
    assert np.abs(unpacked(found, "masks", 3, 32, 32) / 255 - layers.masks[0].numpy()).max() < 0.01
    assert np.abs(unpacked(found, "alone", 3, 3, 32, 32) / 255 - alone).max() < 0.01


def test_an_entity_that_is_left_out_is_gone_and_the_others_stay(objects: Subject) -> None:
    model = MVAE((3, 32, 32), slots=2, entity_dim=6, channels=4)
    code = np.zeros(12)
    code[:2], code[6:8] = (-2, -2), (2, 2)  # in two corners
    whole = unpacked(taken_apart(model, code, [True, True]), "image", 3, 32, 32)
    first = unpacked(taken_apart(model, code, [True, False]), "image", 3, 32, 32)
    assert (first[:, 16:, 16:] == 0).all()
    assert (whole[:, 16:, 16:] > 0).any()
    assert (first[:, :16, :16] == whole[:, :16, :16]).all()


def test_objects_that_are_not_there_are_told_so() -> None:
    model = AIR((1, 32, 32), slots=2, what_dim=4, window=8)
    code = np.zeros((2, 8))
    code[:, :2] = [[0.9, 0.5], [0.1, 0.5]]
    assert taken_apart(model, code.ravel(), [True, True])["present"] == [True, False]


def test_a_model_that_looks_everywhere_has_no_windows() -> None:
    model = MVAE((1, 32, 32), slots=2, entity_dim=4, channels=4, renderer="canvas")
    assert taken_apart(model, np.zeros(8), [True, True])["windows"] is None


@pytest.mark.parametrize(
    ("code", "kept", "sentence"),
    [
        ([0.0] * 17, [True] * 3, "a code of this model has 18 numbers"),
        ([0.0] * 18, [True] * 2, "this model has 3 entities"),
        ([0.0] * 18, [], "at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(objects: Subject, code: list, kept: list, sentence: str) -> None:
    answer = asked(objects, code, kept)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_other_models_take_no_images_apart(subject: Subject) -> None:
    assert asked(subject, [0.0] * 3, [True]).json() == {"detail": "this model takes no images apart"}
