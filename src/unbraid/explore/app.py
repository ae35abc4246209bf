"""The page's server: a handful of questions about runs, each answered from what is in memory."""

from __future__ import annotations

import asyncio
import base64
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from unbraid.errors import UnbraidError
from unbraid.explore.acting import FAR
from unbraid.explore.asked import ROWS, Codes, Domain, Entities, Indices, Orbit, Row, Translation
from unbraid.explore.decoding import Decoding
from unbraid.explore.gallery import Gallery, Shown
from unbraid.explore.guard import Guard
from unbraid.explore.objects import taken_apart
from unbraid.explore.subject import Subject
from unbraid.explore.translating import Translating, Wanted
from unbraid.explore.uploads import BYTES, read
from unbraid.objects import ObjectModel
from unbraid.types import Bytes, Floats, Integers

__all__ = ["make"]

PAGE = Path(__file__).parent / "page"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def make(gallery: Gallery, *, hosts: tuple[str, ...] = (), token: str | None = None) -> FastAPI:
    """The application that shows some runs.

    Nothing that is sent names a file: runs go by their number in the list, images by theirs in the world, and the
    page's own files are read once, here.

    Args:
        gallery: The runs, by the numbers they are offered under.
        hosts: Names under which it may be asked, besides this machine's own.
        token: What strangers must know, or None.
    """
    decoding: Decoding[Subject | Wanted] = Decoding(lambda wanted, codes: wanted.decode(codes))
    app = FastAPI(title="unbraid explore", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.decoding = decoding
    files = {file.name: file.read_bytes() for file in sorted(PAGE.iterdir()) if file.suffix in KINDS}

    async def shown(number: int) -> Shown:
        if not 0 <= number < len(gallery):
            raise HTTPException(404, f"there are {len(gallery)} runs, numbered from 0")
        found = gallery.ready(number)
        return await run_in_threadpool(gallery.open, number) if found is None else found

    async def subject(number: int) -> Subject:
        found = await shown(number)
        if not isinstance(found, Subject):
            raise HTTPException(422, "this run translates: it has no latents to look at one by one")
        return found

    async def translating(number: int) -> Translating:
        found = await shown(number)
        if not isinstance(found, Translating):
            raise HTTPException(422, "this run does not translate")
        return found

    def indices(chosen: Subject, numbers: list[int]) -> Integers:
        if max(numbers) >= len(chosen.run.world):
            raise HTTPException(422, f"images are numbered 0 .. {len(chosen.run.world) - 1}")
        return np.array(numbers, dtype=np.int64)

    def codes_of(chosen: Subject, rows: list[Row]) -> Floats:
        width = chosen.model.latent_dim
        if any(len(row) != width for row in rows):
            raise HTTPException(422, f"a code of this model has {width} numbers")
        return np.clip(np.array(rows, dtype=np.float64), -FAR, FAR)

    @app.exception_handler(UnbraidError)
    async def sentence(request: Request, error: UnbraidError) -> Response:
        return PlainTextResponse(f"{error}\n", 422)

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return Response(files["index.html"], media_type="text/html")

    @app.get("/page/{name}", include_in_schema=False)
    async def file(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is no such file")
        return Response(files[name], media_type=KINDS[Path(name).suffix])

    @app.get("/api/runs")
    def runs() -> list[dict[str, Any]]:
        """The runs that are open, with what the page begins with."""
        return [{"number": number, **one.about} for number, one in gallery.shown().items()]

    @app.get("/api/studies")
    def studies() -> list[dict[str, Any]]:
        """The studies: every finished run with its scores, and the number to open it by."""
        return [study.about(first) for study, first in zip(gallery.studies, gallery.firsts(), strict=True)]

    @app.get("/api/runs/{number}", responses={404: {}, 422: {}})
    async def run(number: int) -> dict[str, Any]:
        """One run likewise, which is opened where it was not."""
        return {"number": number, **(await shown(number)).about}

    @app.get("/api/runs/{number}/map", responses={404: {}, 422: {}})
    async def codes_map(number: int) -> dict[str, Any]:
        """Where the sampled images lie in the plane in which their codes vary most."""
        chosen = await subject(number)
        return await run_in_threadpool(lambda: chosen.map)

    @app.post("/api/runs/{number}/decode", response_class=Response, responses={404: {}, 422: {}})
    async def decode(number: int, asked: Codes) -> Response:
        """Images of codes: B x C x H x W bytes, in this order, with the four sizes in ``X-Shape``."""
        chosen = await subject(number)
        return _pixels(await asyncio.wrap_future(decoding.submit(chosen, codes_of(chosen, asked.codes))))

    @app.get("/api/runs/{number}/images", response_class=Response, responses={404: {}, 422: {}})
    async def images(number: int, image: Annotated[list[int], Query(min_length=1, max_length=ROWS)]) -> Response:
        """Images of the world, likewise."""
        chosen = await subject(number)
        if min(image) < 0:
            raise HTTPException(422, "images are numbered from 0")
        return _pixels(await run_in_threadpool(chosen.images, indices(chosen, image)))

    @app.post("/api/runs/{number}/codes", responses={404: {}, 422: {}})
    async def codes(number: int, asked: Indices) -> dict[str, Any]:
        """The codes of images of the world."""
        chosen = await subject(number)
        return {"codes": _rounded(await run_in_threadpool(chosen.codes, indices(chosen, asked.images)))}

    @app.post("/api/runs/{number}/orbit", responses={404: {}, 422: {}})
    async def orbit(number: int, asked: Orbit) -> dict[str, Any]:
        """The codes that an action leads to, the plane in which they lie, and the world's own images on the way."""
        chosen = await subject(number)
        acting, (code,) = chosen.acting, codes_of(chosen, [asked.code])
        if acting is None:
            raise HTTPException(422, "this model has no actions")
        image = None if asked.image is None else int(indices(chosen, [asked.image])[0])
        return await run_in_threadpool(acting.orbit, code, asked.action, asked.times, image)

    @app.post("/api/runs/{number}/objects", responses={404: {}, 422: {}})
    async def objects(number: int, asked: Entities) -> dict[str, Any]:
        """The entities of a code with their windows and masks, and the image that some of them make."""
        chosen = await subject(number)
        model, (code,) = chosen.model, codes_of(chosen, [asked.code])
        if not isinstance(model, ObjectModel):
            raise HTTPException(422, "this model takes no images apart")
        if len(asked.kept) != model.slots:
            raise HTTPException(422, f"this model has {model.slots} entities, of which each is kept or not")
        return await run_in_threadpool(taken_apart, model, code, asked.kept)

    @app.post("/api/runs/{number}/encode", responses={404: {}, 413: {}, 422: {}})
    async def encode(number: int, request: Request) -> dict[str, Any]:
        """The code of a picture, and the picture as the model was shown it; the body is the file itself."""
        chosen = await subject(number)
        seen = await run_in_threadpool(read, await request.body(), chosen.model.shape)
        code = await run_in_threadpool(chosen.codes_of, seen)
        return {"codes": _rounded(code), **_packed(seen)}

    @app.get("/api/runs/{number}/examples/{domain}", response_class=Response, responses={404: {}, 422: {}})
    async def examples(number: int, domain: Domain) -> Response:
        """Some images of a domain, of a run that translates."""
        chosen = await translating(number)
        return _pixels((await run_in_threadpool(lambda: chosen.examples))[domain])

    @app.post("/api/runs/{number}/style/{domain}", responses={404: {}, 413: {}, 422: {}})
    async def style(number: int, domain: Domain, request: Request) -> dict[str, Any]:
        """The style of a picture as one of a domain, and the picture as the model was shown it."""
        chosen = await translating(number)
        seen = await run_in_threadpool(read, await request.body(), chosen.model.shape, ground="white")
        found = await run_in_threadpool(chosen.style, seen, domain)
        return {"style": _rounded(found)[0], **_packed(seen)}

    @app.post("/api/runs/{number}/translate", response_class=Response, responses={404: {}, 422: {}})
    async def translate(number: int, asked: Translation) -> Response:
        """An image of a domain in styles of the other one."""
        chosen = await translating(number)
        shape, width = chosen.model.shape, chosen.model.style_dim
        try:
            pixels = base64.b64decode(asked.pixels, validate=True)
        except ValueError:
            raise HTTPException(422, "pixels are bytes in base64") from None
        if len(pixels) != math.prod(shape):
            raise HTTPException(422, f"an image of this model has {math.prod(shape)} bytes ({shape})")
        if any(len(row) != width for row in asked.styles):
            raise HTTPException(422, f"a style of this model has {width} numbers")
        styles = np.clip(np.array(asked.styles, dtype=np.float64).reshape(-1, width), -FAR, FAR)
        return _pixels(await asyncio.wrap_future(decoding.submit(Wanted(chosen, pixels, asked.domain), styles)))

    app.add_middleware(Guard, hosts=hosts, token=token, limit=BYTES + 1024)
    return app


def _pixels(images: Bytes) -> Response:
    """Images as bytes, as they lie in memory."""
    shape = ",".join(str(size) for size in images.shape)
    return Response(images.tobytes(), media_type="application/octet-stream", headers={"X-Shape": shape})


def _packed(images: Bytes) -> dict[str, Any]:
    """Images as JSON has them."""
    return {"pixels": base64.b64encode(images.tobytes()).decode(), "shape": images.shape}


def _rounded(codes: Floats) -> list[list[float]]:
    """Codes as JSON has them."""
    return [[round(float(value), 5) for value in row] for row in codes]
