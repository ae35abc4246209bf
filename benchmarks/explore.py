"""How soon the page answers: one slider, and 200 people who move sliders at once.

The page is served as ``unbraid explore`` serves it, on a convolutional VAE of 64 x 64 images; people ask over real
connections, each for one image after the other. Shown are wall-clock milliseconds from question to answer, so that a
busy machine is slower, and beside them the CPU time of an image, of the page and of those who ask together, which is
nearly the same on a busy machine; ``python benchmarks/explore.py`` takes half a minute. Recorded in ``explore.md``.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import uvicorn

from unbraid import train
from unbraid.explore.app import make
from unbraid.explore.gallery import Gallery
from unbraid.explore.subject import Subject

PEOPLE, ASKED = (1, 10, 50, 200), 20
LATENTS = 10


@contextmanager
def served() -> Iterator[str]:
    """The address of a page on an untrained model."""
    with tempfile.TemporaryDirectory() as place:
        run = train("vae", "sprites", steps=1, batch_size=4, out=Path(place) / "run", progress=False)
        subject = Subject(run, samples=200)
        _ = subject.about
        config = uvicorn.Config(make(Gallery([subject])), port=0, log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        thread.join()


async def person(address: str, seed: int) -> list[float]:
    """Milliseconds of each answer to one who asks again as soon as there is one, over one connection, as a browser."""
    host, port = address.removeprefix("http://").split(":")
    generator, waited = np.random.default_rng(seed), []
    # No client of a package: with 200 connections it would cost more than what it asks.
    reader, writer = await asyncio.open_connection(host, int(port))
    for _ in range(ASKED):
        body = json.dumps({"codes": [generator.normal(size=LATENTS).tolist()]}).encode()
        head = f"POST /api/runs/0/decode HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        began = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        told = await reader.readuntil(b"\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 200")
        await reader.readexactly(64 * 64)
        waited.append(1e3 * (time.perf_counter() - began))
    writer.close()
    await writer.wait_closed()
    return waited


async def crowd(address: str, people: int) -> list[list[float]]:
    """What all of them waited."""
    return await asyncio.gather(*(person(address, seed) for seed in range(people)))


def main() -> None:
    """Print a row for every size of the crowd."""
    torch.set_num_threads(1)
    print(
        "| people | median, ms | 95 % within, ms | slowest person's mean, ms | fastest person's mean, ms | images/s "
        "| CPU ms an image |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with served() as address:
        asyncio.run(crowd(address, 1))
        for people in PEOPLE:
            began, spent = time.perf_counter(), time.process_time()
            waited = np.array(asyncio.run(crowd(address, people)))
            spent = 1e3 * (time.process_time() - spent) / waited.size
            rate = waited.size / (time.perf_counter() - began)
            each = waited.mean(axis=1)
            row = (np.median(waited), np.percentile(waited, 95), each.max(), each.min())
            shown = " | ".join(f"{value:.1f}" for value in row)
            print(f"| {people} | {shown} | {rate:.0f} | {spent:.1f} |", flush=True)


if __name__ == "__main__":
    main()
