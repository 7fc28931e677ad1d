"""Microsoft Graph, the part of it that mail needs: it refuses what Microsoft's refuses, and fails as it is told.

`with GraphServer(authority) as server: server.mailbox("ann@example.com").deliver(raw)`.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self

from tests.servers.authority import Authority
from tests.servers.graph_answers import Answer, Asked, error
from tests.servers.graph_mailbox import Mailbox
from tests.servers.graph_reading import reading
from tests.servers.graph_sending import sending
from tests.servers.ports import ReservedPort
from tests.servers.web import WebServer

AT_ONCE = 4
MOST_IN_BATCH = 20
KEPT = 64 << 10  # bytes of a request that are kept
TOKEN = "a-token-for-graph"


@dataclass
class Fault:
    """What goes wrong with requests that fit: an answer instead, or only so much of the right one."""

    fits: re.Pattern[str]
    answer: Answer | None
    times: int
    cut: int | None = None  # bytes of the body that are sent before the connection ends
    after: bool = False  # it is done first


class GraphServer:
    """Its mailboxes, what it was asked, and what is to go wrong."""

    def __init__(self, authority: Authority) -> None:
        self._reserved = ReservedPort()
        self.tokens = {TOKEN}
        self.accepts: Callable[[str], bool] = lambda token: token in self.tokens
        self.asked: list[Asked] = []
        self.most_at_once = 0
        self.meanwhile: Callable[[Asked], object] = lambda asked: None
        self.mailboxes: dict[str, Mailbox] = {}
        self.page = 1000
        self.links = self.url  # where the links of its answers lead
        self.too_large = 413
        self._faults: list[Fault] = []
        self._running: dict[str, int] = {}
        self._lock = threading.Lock()
        self._authority = authority
        self.connections = 0
        self.uploads: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return f"https://localhost:{self._reserved.number}/v1.0"

    def mailbox(self, user: str) -> Mailbox:
        """That user's, made where it is not there."""
        return self.mailboxes.setdefault(user.lower(), Mailbox(user))

    def fail(
        self, fits: str, status: int = 503, code: str = "", *, times: int = 1, cut: int | None = None,
        after: bool = False, said: object = None, **headers: str,
    ) -> None:  # fmt: skip
        """The next requests whose `METHOD path` fits get that answer, or with *cut* a part of the right one.

        With *after* what they ask for is done all the same. *said* is JSON to answer instead of an error.
        """
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        wrong = error(status, code or "UnknownError", "so be it", fields)
        answer = None if cut is not None else wrong if said is None else Answer.of(status, said, fields)
        with self._lock:
            self._faults.append(Fault(re.compile(fits), answer, times, cut, after))

    def count(self, fits: str) -> int:
        """How many requests fitted."""
        return sum(1 for asked in self.asked if re.search(fits, asked.line))

    def __enter__(self) -> Self:
        self._server = WebServer(self._reserved.number, _handler(self), self._authority)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._reserved.release()

    def close_all(self) -> None:
        """Close every connection, as servers do with those that are idle."""
        self._server.close_all()

    # One request

    def answered(self, asked: Asked) -> tuple[Answer, int | None]:
        """The answer, and how much of it to send."""
        self.asked.append(replace(asked, body=asked.body[:KEPT]))
        fault = self._fault(asked)
        if fault and fault.answer and not fault.after:
            return fault.answer, None
        answer = self._upload(asked) if asked.path.startswith("/upload/") else self._authorized(asked)
        if fault and fault.answer:
            return fault.answer, None
        return answer, fault.cut if fault else None

    def _fault(self, asked: Asked) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.times and fault.fits.search(asked.line):
                    fault.times -= 1
                    return fault
        return None

    def _authorized(self, asked: Asked) -> Answer:
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or not self.accepts(token):
            return error(401, "InvalidAuthenticationToken", "Access token validation failure.")
        if not asked.path.startswith("/v1.0/"):
            return error(400, "BadRequest", "Invalid version")
        path = asked.path.removeprefix("/v1.0")
        return self._batch(asked) if path == "/$batch" else self._in_turn(asked, path)

    def _batch(self, asked: Asked) -> Answer:
        requests = asked.json.get("requests") if isinstance(asked.json, dict) else None
        if asked.method != "POST" or not isinstance(requests, list) or not 0 < len(requests) <= MOST_IN_BATCH:
            return error(400, "BadRequest", "Invalid batch payload format.")
        if len({one.get("id") for one in requests}) != len(requests):
            return error(400, "BadRequest", "Request ids must be unique.")
        responses = []
        with contextlib.ExitStack() as stack:
            for one in requests:  # all at the same time: each holds its place until the last is done
                inner = Asked.of_batch(one, asked)
                if inner is None:
                    return error(400, "BadRequest", "Write request must contain Content-Type header declaration.")
                answer = self._in_turn(inner, inner.path, stack)
                said = {"id": one["id"], "status": answer.status, "headers": answer.headers}
                responses.append(said | ({"body": json.loads(answer.body)} if answer.body else {}))
        return Answer.of(200, {"responses": responses[::-1]})

    def _in_turn(self, asked: Asked, path: str, stack: contextlib.ExitStack | None = None) -> Answer:
        found = re.fullmatch(r"/users/([^/]+)(/.*)", path)
        user = urllib.parse.unquote(found[1]).lower() if found else ""
        box = self.mailboxes.get(user)
        if found is None or box is None:
            return error(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")
        with contextlib.ExitStack() as own:
            if not (stack or own).enter_context(self._place(user)):
                text = "Application is over its MailboxConcurrency limit."
                return error(429, "ApplicationThrottled", text, {"Retry-After": "1"})
            self.meanwhile(asked)
            with box.lock:
                steps = [urllib.parse.unquote(step) for step in found[2].strip("/").split("/")]
                answer = reading(self, box, asked, steps) or sending(self, box, asked, steps)
                return answer or error(400, "BadRequest", f"Resource not found for the segment '{steps[0]}'.")

    @contextlib.contextmanager
    def _place(self, user: str) -> Iterator[bool]:
        with self._lock:
            running = self._running[user] = self._running.get(user, 0) + 1
            self.most_at_once = max(self.most_at_once, running)
        try:
            yield running <= AT_ONCE
        finally:
            with self._lock:
                self._running[user] -= 1

    def _upload(self, asked: Asked) -> Answer:
        session = self.uploads.get(asked.path.removeprefix("/upload/"))
        if session is None:
            return error(404, "ErrorItemNotFound", "The upload session has expired.")
        answer: Answer = session.put(asked)
        return answer


def _handler(server: GraphServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30
        disable_nagle_algorithm = True  # header and body are written apart

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer, cut = server.answered(Asked.of(self.command, self.path, headers, body))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            chunked = answer.chunked
            if chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            said = answer.body if cut is None else answer.body[:cut]
            if chunked:
                for start in range(0, len(said), 60_000):
                    piece = said[start : start + 60_000]
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                said = b"0\r\n\r\n" if cut is None else b""
            self.wfile.write(said)
            self.close_connection = self.close_connection or cut is not None

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
