"""How a server of the demo runs: on a free port of 127.0.0.1, in a thread of this process, silent.

A child process could outlive a parent that dies by SIGKILL, and would get the terminal's Ctrl-C before the
daemon has drained; a thread can do neither.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 10.0  # seconds for a server to start, to answer or to stop; each takes well under one


@contextmanager
def serving(log: logging.Logger, listen: Callable[[], Awaitable[asyncio.Server]]) -> Iterator[int]:
    """Run the asyncio server that *listen* opens; yields its port, and ends when its thread has ended.

    What goes wrong in a connection is noted in *log*.

    Raises:
        OSError: no port could be opened.
    """
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(
            lambda _, context: log.error("%s", context["message"], exc_info=context.get("exception"))
        )
        try:
            server = await listen()
        except OSError as error:
            started.set_exception(error)
            return
        stop = asyncio.Event()
        started.set_result((loop, stop, server.sockets[0].getsockname()[1]))
        await stop.wait()
        # No wait_closed(): since Python 3.12 that waits until the clients go. asyncio.run() ends their tasks.
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name=f"demo {log.name}", daemon=True)
    thread.start()
    loop, stop, port = started.result(PATIENCE)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)


@contextmanager
def logging_to(path: Path | None, name: str) -> Iterator[logging.Logger]:
    """Lead what the package whose logger is *name* says into a file, or nowhere; yields that logger.

    The level is INFO, at which neither package logs a password.
    """
    log = logging.getLogger(name)
    level, propagate = log.level, log.propagate
    handler = logging.NullHandler() if path is None else logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield log
    finally:
        log.setLevel(level)
        log.propagate = propagate
        log.removeHandler(handler)
        handler.close()
