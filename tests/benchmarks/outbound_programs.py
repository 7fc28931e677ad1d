"""What the benchmark of sending compares emaild with, and what hands mail to it: processes that start on a sign."""

from __future__ import annotations

import http.client
import multiprocessing
import re
import smtplib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import TracebackType
from typing import Self

from emaild.message import Outbound, new_id
from emaild.store import open_store
from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.presence import require
from tests.servers.processes import Home, Program, unprivileged
from tests.servers.wait import eventually

SENDER, RECIPIENT = "desk@shop.example", "ann@example.com"
LINE = b"the order that we placed on Monday has not come yet, could you please tell me where it is\r\n"
PATIENCE = 300.0  # seconds that a measurement may take
LOOK = 0.002  # seconds between two looks at the counter
TAKEN = re.compile(rb"mesg=(\d+)")


def mail(number: int, size: int) -> bytes:
    """A mail of that many bytes, unlike all others."""
    head = (
        f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: number {number}\r\nDate: Thu, 1 May 2025 12:00:00 +0000\r\n"
        f"Message-ID: <{number}.{time.time_ns()}@shop.example>\r\n\r\n"
    ).encode()
    return head + (LINE * (size // len(LINE) + 1))[: size - len(head) - 2] + b"\r\n"


class CountingSink:
    """An smtp-sink that keeps nothing and counts what it has taken, so that it slows nobody."""

    def __init__(self) -> None:
        self._account = unprivileged()
        self._home = Home("counting-sink", self._account)
        self._port = ReservedPort()
        self.smtp = self._port.number
        self._output = self._home.path / "output"

    def __enter__(self) -> Self:
        arguments = (require("smtp-sink"), "-c", f"{LOOPBACK}:{self.smtp}", "1000")
        self._process = Program(arguments, account=self._account, output=self._output)
        eventually(lambda: listening(self.smtp), within=20, what="the start of smtp-sink")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.end()
        self._home.remove()
        self._port.release()

    def taken(self) -> int:
        """How many mails came so far."""
        with self._output.open("rb") as printed:
            printed.seek(max(0, printed.seek(0, 2) - 200))
            counters = TAKEN.findall(printed.read())
        return int(counters[-1]) if counters else 0

    def wait_for(self, mails: int) -> float:
        """Wait until so many came in all; returns when that was, on the clock of `perf_counter`."""
        begun = time.perf_counter()
        while self.taken() < mails:
            if time.perf_counter() - begun > PATIENCE:
                raise AssertionError(f"{self.taken()} mails came, not {mails}")
            time.sleep(LOOK)
        return time.perf_counter()


@dataclass(frozen=True)
class Share:
    """What one process hands over, in so many threads, and where: a state directory or a port, and a token."""

    mails: int
    size: int
    threads: int
    state: str = ""
    port: int = 0
    token: str = ""

    def numbers(self) -> list[Sequence[int]]:
        """A thread's mails each."""
        return [range(first, self.mails, self.threads) for first in range(self.threads)]


Work = Callable[[Share, Barrier], None]


@contextmanager
def ready(work: Work, shares: Sequence[Share]) -> Iterator[tuple[Barrier, list[BaseProcess]]]:
    """A new process a share, when all of them are ready and wait at the barrier for us."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(shares) + 1, timeout=PATIENCE)
    processes: list[BaseProcess] = [context.Process(target=work, args=(share, barrier)) for share in shares]
    for process in processes:
        process.start()
    try:
        yield barrier, processes
    finally:
        for process in processes:
            process.join(PATIENCE)
            process.kill()


def ended(processes: Sequence[BaseProcess]) -> float:
    """Wait for the end of their work, which is on the disk then; returns when that was."""
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0, process
    return time.perf_counter()


def add(share: Share, barrier: Barrier) -> None:
    """Outbox.add, thread by thread."""
    store = open_store(Path(share.state))

    def some(mails: list[Outbound]) -> None:
        for one in mails:
            store.outbox.add(one, datetime.now(UTC))

    made = [[_outbound(number, share.size) for number in numbers] for numbers in share.numbers()]
    with ThreadPoolExecutor(share.threads) as pool:
        barrier.wait()
        list(pool.map(some, made))
    store.close()


def _outbound(number: int, size: int) -> Outbound:
    name = new_id(datetime.now(UTC))
    return Outbound(
        id=name,
        way_out="smtp-client",
        sender=SENDER,
        recipients=(RECIPIENT,),
        message_id=f"<{name}@shop.example>",
        raw=mail(number, size),
    )


def post(share: Share, barrier: Barrier) -> None:
    """POST /v1/outbox with finished mails, a kept connection a thread."""
    headers = {"Authorization": f"Bearer {share.token}", "Content-Type": "message/rfc822"}

    def some(mails: list[bytes]) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, share.port)
        for one in mails:
            connection.request("POST", "/v1/outbox", one, headers)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == 201, said
        connection.close()

    _each(share, barrier, some)


def bare(share: Share, barrier: Barrier) -> None:
    """smtplib as it is, a kept connection a thread; nothing is kept on a disk."""

    def some(mails: list[bytes]) -> None:
        with smtplib.SMTP(LOOPBACK, share.port) as client:
            for one in mails:
                client.sendmail(SENDER, [RECIPIENT], one)

    _each(share, barrier, some)


def _each(share: Share, barrier: Barrier, some: Callable[[list[bytes]], None]) -> None:
    made = [[mail(number, share.size) for number in numbers] for numbers in share.numbers()]
    with ThreadPoolExecutor(share.threads) as pool:
        barrier.wait()
        list(pool.map(some, made))


def smtp_source(port: int, mails: int, size: int, sessions: int) -> None:
    """Postfix's own source of mail, with kept connections."""
    what = ("-d", "-s", str(sessions), "-m", str(mails), "-l", str(size), "-f", SENDER, "-t", RECIPIENT)
    subprocess.run([require("smtp-source"), *what, f"{LOOPBACK}:{port}"], check=True, timeout=PATIENCE)
