"""The door that every request goes through: token, size, time, and one line in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emaild.api.problems import Kind, Problem, answer
from emaild.api.protocol import LONGEST_HEAD
from emaild.api.refusing import refuse
from emaild.api.room import LARGE, Part, Room
from emaild.api.tokens import Tokens
from emaild.clock import Clock
from emaild.log import events
from emaild.settings.api import ApiSection

MOST_AT_ONCE = 512  # requests
LEAST_ROOM = 256 * 1024 * 1024  # bytes of bodies and files in memory at once
ROOM_FOR_BODIES = 4  # of the largest size
ALWAYS_OPEN = ("/healthz", "/readyz")
METRICS = "/metrics"
SECONDS_OF_SILENCE = 60.0  # between two events about refused tokens
LONGEST_SHOWN = 200  # characters of a path


class Gone(Exception):
    """The program went away before its request was here."""


class Guard:
    """Lets requests through to *app*. What it lets through has in its state `client`, `body` and `room`."""

    def __init__(
        self, app: ASGIApp, *, section: Callable[[], ApiSection], tokens: Callable[[], Tokens], clock: Clock
    ) -> None:
        self._app = app
        self._section = section
        self._tokens = tokens
        self._clock = clock
        self.room = Room(lambda: max(LEAST_ROOM, ROOM_FOR_BODIES * section().maximum_body_size))
        self._inside = 0
        self._silent_until = 0.0
        self._not_told = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        started, status, client, let_in = self._clock.monotonic(), 0, "", False

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        part = Part(self.room)
        self._inside += 1
        try:
            _check_head(scope)
            client = self._client(scope)
            _check_coding(scope)
            if self._inside > MOST_AT_ONCE:
                raise Problem(Kind.BUSY, "too many requests at once; come again in a few seconds")
            body = await self._body(scope, receive, part) if client else b""
            let_in = True
            scope["state"] |= {"client": client, "body": body, "room": part}
            await self._app(_as_get(scope), receive, noting)
        except Gone:
            return
        except Problem as problem:
            part.give_back()
            await (answer(problem)(scope, receive, noting) if let_in else refuse(problem, scope, receive, noting))
        except Exception:  # noqa: BLE001  (the one guard of requests)
            events.api_failed(method=scope["method"], path=scope["path"][:LONGEST_SHOWN])
            if not status:
                await answer(Problem(Kind.INTERNAL, "it was logged; please report it"))(scope, receive, noting)
        finally:
            self._inside -= 1
            part.give_back()
            events.api_request(
                method=scope["method"],
                path=scope["path"][:LONGEST_SHOWN],
                status=status,
                duration_ms=round(1000 * (self._clock.monotonic() - started), 1),
                client=client,
            )

    def _client(self, scope: Scope) -> str:
        path = scope["path"]
        if path in ALWAYS_OPEN or (path == METRICS and self._section().open_metrics):
            return ""
        shown = _header(scope, b"authorization")
        client = self._tokens().client(shown[0]) if len(shown) == 1 else None
        if client is None:
            self._refused(scope, missing=not shown)
            error = ', error="invalid_token"' if shown else ""  # RFC 6750 §3.1
            headers = {"WWW-Authenticate": f'Bearer realm="emaild"{error}'}
            detail = "the token is not known" if shown else "expected the header field Authorization: Bearer TOKEN"
            raise Problem(Kind.UNAUTHORIZED, detail, headers)
        return client

    def _refused(self, scope: Scope, *, missing: bool) -> None:
        """Told of now and then: whoever tries tokens must not fill the log."""
        now = self._clock.monotonic()
        if now < self._silent_until:
            self._not_told += 1
            return
        peer = scope.get("client")
        events.api_refused(
            peer=peer[0] if peer else "", path=scope["path"][:LONGEST_SHOWN], missing=missing, others=self._not_told
        )
        self._silent_until, self._not_told = now + SECONDS_OF_SILENCE, 0

    async def _body(self, scope: Scope, receive: Receive, part: Part) -> bytes:
        """All of it: no handler is begun before."""
        section = self._section()
        lengths = _header(scope, b"content-length")
        most = section.maximum_body_size
        too_large = Problem(Kind.TOO_LARGE, f"expected {most} bytes at most ([api] maximum-body-size)")
        if lengths and int(lengths[0]) > most:
            raise too_large
        pieces, size, more = [], 0, True
        try:
            async with asyncio.timeout(section.request_timeout) as bound:
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Gone
                    piece = message.get("body", b"")
                    size += len(piece)
                    if size > most:
                        raise too_large
                    part.take(len(piece))
                    if size > LARGE and not part.first:
                        bound.reschedule(None)  # who stands in line is not slow
                        await part.stand_in_line(section.request_timeout)
                        bound.reschedule(asyncio.get_running_loop().time() + section.request_timeout)
                    pieces.append(piece)
                    more = message.get("more_body", False)
        except TimeoutError:
            seconds = f"{section.request_timeout:g} s ([api] request-timeout)"
            raise Problem(Kind.TOO_SLOW, f"expected within {seconds}") from None
        return b"".join(pieces)


def _check_head(scope: Scope) -> None:
    """What h11 lets through: two ways to tell the body's end, and a long head that comes in one piece."""
    if _header(scope, b"content-length") and _header(scope, b"transfer-encoding"):
        detail = "Content-Length and Transfer-Encoding do not go together"  # a proxy could have read another body
        raise Problem(Kind.BAD_REQUEST, detail)
    fields = sum(len(name) + len(value) for name, value in scope["headers"])
    if fields + len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_HEAD:
        raise Problem(Kind.BAD_REQUEST, f"expected a head of {LONGEST_HEAD} bytes at most")


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for known, value in scope["headers"] if known == name]


def _check_coding(scope: Scope) -> None:
    """Nothing is unpacked here: a small body could become a large one."""
    if any(coding.strip().lower() not in ("", "identity") for coding in _header(scope, b"content-encoding")):
        headers = {"Accept-Encoding": "identity"}  # RFC 9110 §15.5.16
        raise Problem(Kind.MEDIA_TYPE, "expected a body without Content-Encoding", headers)


def _as_get(scope: Scope) -> Scope:
    """HEAD is answered as GET is, and the server leaves out the body (RFC 9110 §9.3.2)."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
