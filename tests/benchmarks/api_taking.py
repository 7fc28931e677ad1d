"""A process that answers programs and takes mails, as the daemon does: what it commits itself it need not look for."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from emaild.api.serving import Api
from emaild.api.vitals import Pulse, Vitals
from emaild.clock import SystemClock
from emaild.log.setup import set_up
from emaild.settings.load import load
from emaild.settings.log import LogSection, Verbosity
from emaild.store import open_store
from tests.benchmarks.api_store import take

Taking = Callable[[str, bytes], float]


@contextmanager
def taking(conf: Path) -> Iterator[Taking]:
    """Such a process. What is given takes a mail by its key, and says when that was on the disk, by `monotonic`."""
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    process = context.Process(target=_serve, args=(conf, its))
    process.start()
    its.close()

    def one(key: str, raw: bytes) -> float:
        ours.send((key, raw))
        return float(ours.recv())

    try:
        ours.recv()
        yield one
    finally:
        ours.close()
        process.join()


def _serve(conf: Path, pipe: Connection) -> None:
    set_up(LogSection(verbose=Verbosity.NONE))
    settings, clock = load(conf), SystemClock()
    store = open_store(settings.emaild.state_directory)
    vitals = Vitals(store=store, clock=clock, pulse=Pulse(clock), ways_out=list, webhook=lambda: None, endings=list)
    api = Api(store, vitals, clock, lambda name: False)
    api.apply(settings)
    pipe.send("ready")
    try:
        while True:
            mail = pipe.recv()
            take(store, settings, [mail])
            pipe.send(time.monotonic())
    except EOFError:  # it is needed no more
        api.stop()
