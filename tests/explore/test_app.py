"""What the page asks, and what it is answered."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from unbraid.explore.subject import Subject


def pixels(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    shape = tuple(int(size) for size in answer.headers["x-shape"].split(","))
    return np.frombuffer(answer.content, dtype=np.uint8).reshape(shape)


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def test_the_page_and_its_files_are_served(client) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("main.js", "style.css", "icon.svg"):
        assert f"/page/{name}" in page.text
        assert client.get(f"/page/{name}").status_code == 200
    assert client.get("/page/nothing.js").status_code == 404


def test_a_run_is_told_with_its_latents_in_the_order_of_what_they_carry(client, subject: Subject) -> None:
    (told,) = client.get("/api/runs").json()
    assert (told["model"], told["shape"], told["images"], told["samples"]) == ("vae", [1, 32, 32], 1797, 200)
    nats = [latent["nats"] for latent in told["latents"]]
    assert nats == sorted(nats, reverse=True)
    assert sorted(latent["index"] for latent in told["latents"]) == [0, 1, 2]
    assert all(latent["low"] <= -3 < latent["base"] < 3 <= latent["high"] for latent in told["latents"])
    assert told["factors"][0]["name"] == "class"
    assert len(told["factors"][0]["colours"]) == len(told["factors"][0]["values"]) == 10


def test_scores_that_were_measured_are_told_with_their_definitions(client, subject: Subject, monkeypatch) -> None:
    kept = {"mig": {"value": 0.25, "parts": {"class": 0.25}, "bounds": {"noise": 0.01}}}
    monkeypatch.setattr(type(subject.run), "scores", kept)
    subject.__dict__.pop("about", None)
    (score,) = client.get("/api/runs").json()[0]["scores"]
    subject.__dict__.pop("about", None)
    assert (score["value"], score["lowest"], score["highest"], score["better"]) == (0.25, 0.0, 1.0, "higher")
    assert "gap" in score["says"]


def test_codes_are_decoded_as_the_model_does(client, subject: Subject) -> None:
    codes = np.random.default_rng(0).normal(size=(5, 3))
    seen = pixels(client.post("/api/runs/0/decode", json={"codes": codes.tolist()}))
    assert seen.shape == (5, 1, 32, 32)
    assert np.abs(seen.astype(int) - subject.decode(codes)).max() <= 1
    assert seen.std() > 0


def test_images_of_the_world_and_their_codes_are_those_of_the_run(client, subject: Subject) -> None:
    numbers = [3, 1700]
    seen = pixels(client.get("/api/runs/0/images?image=3&image=1700"))
    assert (seen == subject.run.world.images(np.array(numbers))).all()
    codes = client.post("/api/runs/0/codes", json={"images": numbers}).json()["codes"]
    assert np.allclose(codes, subject.codes(np.array(numbers)), atol=1e-5)


def test_the_map_keeps_the_distances_of_a_plane(client, subject: Subject) -> None:
    found = client.get("/api/runs/0/map").json()
    points, codes = np.array(found["points"]), np.array(found["codes"])
    assert points.shape == (200, 2)
    assert np.square(points).sum() == pytest.approx(
        sum(found["explained"]) * np.square(codes - codes.mean(0)).sum(), rel=1e-2
    )
    assert (subject.run.world.factors(np.array(found["images"])) == found["factors"]).all()


def test_a_picture_is_encoded_as_the_model_is_shown_it(client, subject: Subject) -> None:
    image = subject.run.world.images(np.array([5]))
    found = client.post("/api/runs/0/encode", content=png(image[0, 0])).json()
    assert base64.b64decode(found["pixels"]) == image.tobytes()
    assert np.allclose(found["codes"], subject.codes(np.array([5])), atol=1e-5)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"codes": [[0.0, 0.0]]}, "a code of this model has 3 numbers"),
        ({"codes": []}, "at least 1"),
        ({"codes": [[0.0, 0.0, 0.0]] * 257}, "at most 256"),
        ({"codes": [[0.0, "x", 0.0]]}, "valid number"),
        ({"codes": [[0.0, 0.0, 0.0]], "more": 1}, "Extra inputs"),
    ],
)
def test_codes_that_cannot_be_decoded_are_refused(client, body: dict, sentence: str) -> None:
    answer = client.post("/api/runs/0/decode", json=body)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_numbers_that_are_none_are_refused_and_far_ones_are_cut_off(client) -> None:
    for text in ("NaN", "Infinity", "-Infinity"):
        answer = client.post("/api/runs/0/decode", content=f'{{"codes": [[0, {text}, 0]]}}')
        assert answer.status_code == 422
    assert pixels(client.post("/api/runs/0/decode", json={"codes": [[1e300, -1e300, 0]]})).shape == (1, 1, 32, 32)


@pytest.mark.parametrize("path", ["images?image=1797", "images?image=-1", "images", "images?image=x"])
def test_images_that_do_not_exist_are_refused(client, path: str) -> None:
    assert client.get(f"/api/runs/0/{path}").status_code == 422


@pytest.mark.parametrize("number", ["1", "-1", "x", "%2e%2e"])
def test_runs_that_do_not_exist_are_refused(client, number: str) -> None:
    for path in ("map", "images?image=0"):
        assert client.get(f"/api/runs/{number}/{path}").status_code in (404, 422)


@pytest.mark.parametrize(
    "path", ["../guard.py", "..%2fguard.py", "%2e%2e/guard.py", "/etc/passwd", "..%5cguard.py", "main.js%00", "."]
)
def test_no_path_leads_to_a_file_that_is_not_the_pages(client, path: str) -> None:
    answer = client.get(f"/page/{path}")
    assert answer.status_code == 404
    assert "Guard" not in answer.text
    assert "root:" not in answer.text


def test_the_description_of_the_interface_is_json(client) -> None:
    described = json.loads(client.get("/api/openapi.json").text)
    assert "/api/runs/{number}/decode" in described["paths"]
