"""The HTTP interface as a part of the daemon: one server in a thread, started anew where settings ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn

from emaild.api.app import application
from emaild.api.arrivals import Arrivals
from emaild.api.context import Context
from emaild.api.guard import Guard
from emaild.api.listening import BACKLOG, CannotListen, Listener, certificate, listen
from emaild.api.protocol import KEEP_ALIVE, LONGEST_HEAD, Connection
from emaild.api.tokens import Tokens, tokens_of
from emaild.api.vitals import Vitals
from emaild.clock import Clock
from emaild.errors import StateUnusable
from emaild.log import events
from emaild.settings.api import ApiSection
from emaild.settings.load import Settings
from emaild.store import Store

SECONDS_TO_END = 10  # for requests under way
SECONDS_TO_REFUSE = 2.0  # for the server's thread to come round
SECONDS_TO_TRY_AGAIN = 10.0  # after something could not be had
SECONDS_OF_SILENCE = 60.0  # between two events about too few descriptors
TOO_FEW = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class _Server(uvicorn.Server):
    """uvicorn's, that can be told from another thread to take no new connections."""

    _loop: asyncio.AbstractEventLoop | None = None
    _silent_until = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._broke)
        await super().startup(sockets)

    def _broke(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio tells of each connection for which there is no descriptor, without end."""
        fault = context.get("exception")
        if not isinstance(fault, OSError) or fault.errno not in TOO_FEW:
            loop.default_exception_handler(context)
        elif loop.time() >= self._silent_until:
            self._silent_until = loop.time() + SECONDS_OF_SILENCE
            events.api_crowded(reason=fault.strerror or str(fault))

    def end(self) -> None:
        """Take no new connections when this returns, and end when requests under way are answered."""
        self.should_exit = True
        refused = threading.Event()

        def refuse() -> None:
            for listener in self.servers:
                listener.close()
            refused.set()

        with contextlib.suppress(RuntimeError):  # it ended already
            if self._loop is not None:
                self._loop.call_soon_threadsafe(refuse)
                refused.wait(SECONDS_TO_REFUSE)


@dataclass(frozen=True)
class _Running:
    """A server, and what it was started with."""

    wanted: tuple[str, float, bytes]  # where, the time for a request's head, certificate
    server: _Server
    thread: threading.Thread
    arrivals: Arrivals
    guard: Guard

    def stop(self) -> None:
        """Take no new connections; who waits is answered at once. Returns without waiting."""
        self.server.end()
        self.arrivals.end()


class Api:
    """The HTTP interface. All of it belongs to the main thread."""

    def __init__(self, store: Store, vitals: Vitals, clock: Clock, poll: Callable[[str], bool]) -> None:
        self._store = store
        self._vitals = vitals
        self._clock = clock
        self._poll = poll
        self._settings: Settings
        self._section: ApiSection
        self._tokens: Tokens
        self._listener: Listener | None = None
        self._running: _Running | None = None
        self._last: threading.Thread | None = None
        self._again: float | None = None  # when to try again what could not be had
        self._told = ""  # why it could not
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)  # the guard says what matters

    def apply(self, settings: Settings) -> None:
        """Follow settings. Where an address, certificate or token cannot be had that is logged, what was there before
        still counts, and `try_again` tries again."""
        self._told, self._again = "", None
        if settings.api is None:
            self.stop()
        else:
            self._try(settings, settings.api)

    def try_again(self) -> None:
        """What could not be had, when it is time: programs wait for it, and nobody reloads for them."""
        if self._again is not None and self._clock.monotonic() >= self._again:
            self._try(self._settings, self._section)

    def stop(self) -> None:
        """Listen no more; requests under way have some seconds to end. It does not wait for them: `ended` does."""
        self._again = None
        if self._running is None or self._listener is None:
            return
        self._running.stop()
        self._listener.close()
        events.api_stopped(listen=self._running.wanted[0])
        self._last = self._running.thread
        self._running = self._listener = None

    def ended(self, seconds: float) -> bool:
        """After `stop`: whether all requests are answered or given up, after that time at most."""
        if self._last is not None:
            self._last.join(seconds)
        return self._last is None or not self._last.is_alive()

    def _try(self, settings: Settings, section: ApiSection) -> None:
        before, kept = self._running, "nothing"
        try:
            self._take(settings, section)
        except (CannotListen, StateUnusable) as error:
            if before is not None:
                kept = f"the old address and certificate{', and tokens' if isinstance(error, StateUnusable) else ''}"
            if self._told != str(error):  # said once
                self._told = str(error)
                events.api_listen_failed(listen=section.listen, reason=self._told, kept=kept)
            self._again = self._clock.monotonic() + SECONDS_TO_TRY_AGAIN
            return
        if self._told or self._running is not before:
            events.api_started(listen=section.listen, tls=section.certificate is not None)
        self._told, self._again = "", None

    def _take(self, settings: Settings, section: ApiSection) -> None:
        """Settings and tokens count at once, wherever it listens."""
        self._settings, self._section = settings, section
        self._tokens = tokens_of(settings.api_tokens, settings.emaild.state_directory)
        context, content = certificate(section)
        wanted = (section.listen, section.request_timeout, content)
        before, kept = self._running, self._listener
        if before is not None and before.wanted == wanted:
            return
        moved = before is None or kept is None or before.wanted[0] != section.listen
        self._listener = listen(section) if moved or kept is None else kept
        if before is not None:
            before.stop()
        if moved and kept is not None:
            kept.close()
        self._running = self._started(self._listener, context, wanted)

    def _started(
        self, listener: Listener, context: ssl.SSLContext | None, wanted: tuple[str, float, bytes]
    ) -> _Running:
        arrivals = Arrivals(self._store)
        working = Context(
            settings=lambda: self._settings,
            section=lambda: self._section,
            store=self._store,
            clock=self._clock,
            poll=self._poll,
        )
        guarded = Guard(
            application(working, self._vitals, arrivals),
            section=lambda: self._section,
            tokens=lambda: self._tokens,
            clock=self._clock,
        )
        config = uvicorn.Config(
            guarded,
            http=type("Timed", (Connection,), {"seconds": wanted[1]}),
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=SECONDS_TO_END,
            h11_max_incomplete_event_size=LONGEST_HEAD,
        )
        config.load()
        config.ssl = context
        server = _Server(config)
        thread = threading.Thread(target=_serve, args=(server, listener), name="api", daemon=True)
        thread.start()
        return _Running(wanted, server, thread, arrivals, guarded)


def _serve(server: _Server, listener: Listener) -> None:
    try:
        server.run(sockets=listener.duplicates())
    except Exception:  # noqa: BLE001  (the thread's one guard)
        events.job_failed(job="api")
