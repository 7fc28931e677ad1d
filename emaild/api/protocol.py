"""HTTP on one connection: uvicorn's, and bounds for what it would wait for without end."""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from emaild.api.problems import Kind, Problem, answer

MOST_CONNECTIONS = 1000
SHARE_OF_FILES = 4  # the part of all descriptors that connections may take: mailboxes and the store need some, too
LONGEST_HEAD = 32 * 1024  # bytes of a request's first line and header
SECONDS_TO_ASK = 1.0  # for a connection that is new when its server ends
KEEP_ALIVE = 15  # seconds that a connection may be idle
SECONDS_TO_TAKE = 30.0  # for what waits to be sent: a program that does not read is left


def most_connections() -> int:
    """How many there may be at once, as long as the process may have so many files open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, files // SHARE_OF_FILES)


class Connection(H11Protocol):
    """One connection. `seconds` is how long the head of a request may take, and what follows a refused one."""

    seconds: float = 30.0

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._ending = False
        self._silent_since = self.loop.time()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Too many connections: the one that has gone longest without asking anything gives its place to this one."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            silent = [one for one in self.connections if isinstance(one, Connection) and one.asks_nothing]
            min(silent, key=lambda one: one._silent_since).transport.abort()  # this one, where all others ask
        if not transport.is_closing():
            self._bound()

    @property
    def asks_nothing(self) -> bool:
        """No request is under way: none came in full, or it is answered, if only because its body was not wanted."""
        if self.transport.is_closing():
            return False
        cycle = self.cycle
        return cycle is None or cycle.response_complete or (cycle.response_started and cycle.more_body)

    def connection_lost(self, exc: Exception | None) -> None:
        """No timer outlives it."""
        for timer in (self._late, self._stuck):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Each request has its time, from its first byte on."""
        super().data_received(data)
        if self._ending and self.cycle is not None:
            self.cycle.keep_alive = False
        self._bound()

    def shutdown(self) -> None:
        """The server ends. Who has just connected may still ask once: he could not know."""
        if self.cycle is None and not self._ending:
            self._ending = True
            self.loop.call_later(SECONDS_TO_ASK, self._end_unasked)
        else:
            super().shutdown()

    def _end_unasked(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            super().shutdown()

    def _bound(self) -> None:
        """While we work on a request the guard looks at the time; else what comes has to end in a request's head."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy and self._late is not None:
            self._late.cancel()
            self._late = None
        elif not busy and self._late is None:
            self._late = self.loop.call_later(self.seconds, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Idle time counts from now on."""
        super().on_response_complete()
        self._silent_since = self.loop.time()
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def pause_writing(self) -> None:
        """The program does not read what it asked for."""
        super().pause_writing()
        self._stuck = self.loop.call_later(SECONDS_TO_TAKE, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def timeout_keep_alive_handler(self) -> None:
        """Idle for too long: what it did not take until now it has some seconds for."""
        super().timeout_keep_alive_handler()
        self._stuck = self._stuck or self.loop.call_later(SECONDS_TO_TAKE, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """What is no request is told so, where an answer is still possible; then nothing more is read."""
        told = answer(Problem(Kind.BAD_REQUEST, msg))
        headers = [*told.raw_headers, (b"connection", b"close")]
        try:
            for event in (
                h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
                h11.Data(data=bytes(told.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # it has an answer, or a part of one, already
        self.transport.close()
