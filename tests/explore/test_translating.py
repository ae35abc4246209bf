"""Translation on the page: pictures of one domain as the other would have them, in any style."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from PIL import Image

from unbraid import registry
from unbraid.errors import InvalidOption, RunError
from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.subject import Subject
from unbraid.explore.translating import Translating
from unbraid.explore.web import to_web
from unbraid.runs.restyle import restyled, translator
from unbraid.view import to_float

HERE = "http://127.0.0.1:8700"


@pytest.fixture
def client(translating: Translating, subject: Subject) -> Iterator[TestClient]:
    with TestClient(make(Gallery([translating, subject])), base_url=HERE) as made:
        yield made


def asked(image: np.ndarray, domain: int, styles: list[list[float]]) -> dict:
    return {"pixels": base64.b64encode(image.tobytes()).decode(), "domain": domain, "styles": styles}


def pixels(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    shape = tuple(int(size) for size in answer.headers["x-shape"].split(","))
    return np.frombuffer(answer.content, dtype=np.uint8).reshape(shape)


def test_a_run_that_translates_is_told_with_its_domains_and_styles(
    client: TestClient, translating: Translating
) -> None:
    told = client.get("/api/runs").json()[0]
    assert (told["domains"], told["shape"], told["model"]) == (["a", "b"], [3, 32, 32], "munit")
    for domain in (0, 1):
        found = translating.model.style_of(to_float(translating.examples[domain]), domain).detach().numpy()
        assert np.allclose(told["styles"][domain], found, atol=1e-3)
        assert min(told["reach"][domain]) >= 3


def test_the_examples_are_of_their_domains(client: TestClient) -> None:
    dark, bright = (pixels(client.get(f"/api/runs/0/examples/{domain}")) for domain in (0, 1))
    assert dark.shape == bright.shape == (24, 3, 32, 32)
    assert dark.max() < 128 <= bright.min()


@pytest.mark.parametrize("domain", [0, 1])
def test_an_image_is_translated_as_the_model_does(client: TestClient, translating: Translating, domain: int) -> None:
    image, styles = translating.examples[domain][:1], np.random.default_rng(0).normal(size=(4, 3))
    seen = pixels(client.post("/api/runs/0/translate", json=asked(image, domain, styles.tolist())))
    with torch.no_grad():
        x = to_float(image).expand(4, -1, -1, -1)
        expected = 255 * translating.model.translate(x, domain, torch.from_numpy(styles).float()).numpy()
    assert np.abs(seen - expected).max() <= 1
    assert np.abs(seen[0].astype(int) - seen[1]).max() > 0


def test_a_picture_has_the_style_that_the_model_finds_in_it(client: TestClient, translating: Translating) -> None:
    image = translating.examples[1][0]
    file = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(file, "PNG")
    found = client.post("/api/runs/0/style/1", content=file.getvalue()).json()
    assert base64.b64decode(found["pixels"]) == image.tobytes()
    assert np.allclose(found["style"], translating.about["styles"][1][0], atol=1e-3)


def test_what_is_transparent_is_white_as_the_command_has_it(client: TestClient) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(file, "PNG")
    found = client.post("/api/runs/0/style/0", content=file.getvalue()).json()
    assert set(base64.b64decode(found["pixels"])) == {255}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pixels": "no!"}, "pixels are bytes in base64"),
        ({"pixels": "AAAA"}, "an image of this model has 3072 bytes"),
        ({"styles": [[0.0, 0.0]]}, "a style of this model has 3 numbers"),
        ({"styles": []}, "at least 1"),
        ({"styles": [[0.0] * 3] * 65}, "at most 64"),
        ({"domain": 2}, "less than or equal to 1"),
    ],
)
def test_what_cannot_be_translated_is_refused(
    client: TestClient, translating: Translating, change: dict, sentence: str
) -> None:
    answer = client.post("/api/runs/0/translate", json=asked(translating.examples[0][:1], 0, [[0.0] * 3]) | change)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_what_suits_the_other_kind_of_run_is_refused_in_a_sentence(client: TestClient) -> None:
    assert "it has no latents" in client.get("/api/runs/0/map").json()["detail"]
    assert client.post("/api/runs/0/decode", json={"codes": [[0.0]]}).status_code == 422
    assert client.get("/api/runs/1/examples/0").json() == {"detail": "this run does not translate"}
    assert client.get("/api/runs/0/examples/2").status_code == 422


@pytest.mark.parametrize(("name", "options"), [("cyclegan", {"critic_width": 4}), ("ddib", {"ode_steps": 3})])
def test_a_model_without_styles_has_one_translation(name: str, options: dict, translating: Translating) -> None:
    model = registry.load("models", name)((3, 32, 32), width=4, **options).eval()
    made = restyled(model, translating.examples[0][:2], 0, torch.zeros(1, 0))
    with torch.no_grad():
        expected = 255 * model.translate(to_float(translating.examples[0][:2]), 0).numpy()
    assert made.shape == (2, 1, 3, 32, 32)
    assert np.abs(made[:, 0] - expected).max() <= 1


def test_a_run_that_does_not_translate_is_refused(subject: Subject) -> None:
    with pytest.raises(InvalidOption, match="vae on digits does not translate"):
        translator(subject.run)


def test_no_page_of_sliders_is_written_of_a_run_that_translates(translating: Translating, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no latents for sliders to move"):
        to_web(translating.run, tmp_path / "web")
    assert not (tmp_path / "web").exists()
