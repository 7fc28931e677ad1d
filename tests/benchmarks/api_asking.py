"""Who asks the API, and what it is held against: a FastAPI route under uvicorn that has its answers ready."""

from __future__ import annotations

import asyncio
import http.client
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Response

from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.wait import eventually

PATIENCE = 60.0  # seconds
KEPT = 5.0  # seconds for which any server keeps a connection that is idle; below its bound
LARGEST_HEAD = 64 * 1024


class Program:
    """A program with one connection, that is kept."""

    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE)
        self._last = 0.0  # when it asked
        self._shown = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, path: str, *, method: str = "GET", given: object = None) -> bytes:
        """The body of the answer, which must be a good one."""
        if time.monotonic() - self._last > KEPT:
            self._connection.close()
        self._last = time.monotonic()
        sent = self._shown if given is None else {**self._shown, "Content-Type": "application/json"}
        self._connection.request(method, path, None if given is None else json.dumps(given), sent)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status < 300, (method, path, answer.status, body[:500])
        return body

    def got(self, path: str) -> Any:
        """What the answer's JSON says."""
        return json.loads(self.ask(path))

    def close(self) -> None:
        """Leave."""
        self._connection.close()


@dataclass(frozen=True)
class Times:
    """How long each of some requests took, in seconds."""

    each: Sequence[float] = field(repr=False)

    @property
    def rate(self) -> float:
        """A second."""
        return len(self.each) / sum(self.each)

    def at(self, percent: float) -> float:
        """Milliseconds that so many of a hundred did not take longer than."""
        return 1000 * sorted(self.each)[min(len(self.each) - 1, int(len(self.each) * percent / 100))]


def timed(count: int, work: Callable[[int], object]) -> Times:
    """Do it so often, with the number of each time; the first is not counted."""
    work(-1)
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - begun)
    return Times(taken)


@contextmanager
def bare(answers: Mapping[str, bytes]) -> Iterator[int]:
    """The port of a server that gives these bytes, by the name in the path, and does nothing for them."""
    port = ReservedPort()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(port.number, dict(answers)))
    process.start()
    try:
        eventually(lambda: listening(port.number), within=PATIENCE, what="the start of the bare server")
        yield port.number
    finally:
        process.terminate()
        process.join(PATIENCE)
        port.release()


def _serve(port: int, answers: dict[str, bytes]) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/{name}")
    async def give(name: str) -> Response:
        return Response(answers[name], media_type="application/json")

    uvicorn.run(
        app, host=LOOPBACK, port=port, http="h11", loop="asyncio", lifespan="off", access_log=False, log_config=None
    )


async def until_told(port: int, token: str, path: str, programs: int, store: Callable[[], float]) -> list[float]:
    """Seconds until each of so many programs, that wait at *path*, has its answer; *store* makes there be one.

    It returns when that is on the disk, and on the clock of `monotonic` when that was.
    """
    head = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    waiting = [await asyncio.open_connection(LOOPBACK, port, limit=LARGEST_HEAD) for _ in range(programs)]
    for _, writer in waiting:
        writer.write(head.encode())
    answers = [asyncio.create_task(_answered(reader)) for reader, _ in waiting]
    await asyncio.sleep(1)  # all of them are looked after then, and it is no moment of the daemon's own beat
    assert not any(one.done() for one in answers), "somebody was answered before there was anything"
    begun = await asyncio.to_thread(store)
    async with asyncio.timeout(PATIENCE):
        ends = await asyncio.gather(*answers)
    for _, writer in waiting:
        writer.close()
    return [end - begun for end in ends]


async def _answered(reader: asyncio.StreamReader) -> float:
    head = await reader.readuntil(b"\r\n\r\n")
    end = time.monotonic()
    assert head.startswith(b"HTTP/1.1 200"), head
    assert json.loads(await reader.read())["interactions"]
    return end
