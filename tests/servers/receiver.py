"""A program that a webhook posts to: an HTTP server that keeps what it got, and answers as it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK, ReservedPort

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode("ascii")


@dataclass(frozen=True)
class Posted:
    """One request; `headers` have names in lower case, `connection` is the client's port."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def subject(self) -> str:
        return str(self.event["data"]["subject"])

    def is_signed(self, key: bytes = KEY) -> bool:
        """Whether one of its signatures is of that key."""
        said = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        proof = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode("ascii")
        return f"v1,{proof}" in self.headers["webhook-signature"].split(" ")


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int = 204
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


Judge = Callable[[Posted], Said]


def content(_: Posted) -> Said:
    """Take everything."""
    return Said()


class HookReceiver:
    """`with HookReceiver() as receiver`: it keeps its port when it is stopped, and can be started there again."""

    def __init__(self, *, authority: Authority | None = None) -> None:
        """Speaks TLS where an *authority* is given."""
        self.posted: list[Posted] = []
        self.judge: Judge = content
        self._authority = authority
        self._reserved = ReservedPort()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        return self._reserved.number

    @property
    def url(self) -> str:
        """Where it takes posts."""
        return f"{'https' if self._authority else 'http'}://localhost:{self.port}/mail?from=emaild"

    @property
    def subjects(self) -> list[str]:
        """Of what it got, in that order."""
        return [one.subject for one in self.posted]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._reserved.release()

    def start(self) -> None:
        """Listen."""
        server = _Server((LOOPBACK, self.port), _handler(self))
        server.daemon_threads = True
        if self._authority:
            server.socket = self._authority.server_context().wrap_socket(server.socket, server_side=True)
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="receiver")
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, and close what is open."""
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join(10)
            self._server.close_all()
            self._server.server_close()
            self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_all(self) -> None:
        for request in list(self._open):
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes early is no failure."""


def _handler(receiver: HookReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            posted = Posted(self.path, headers, body, self.client_address[1])
            receiver.posted.append(posted)
            said = receiver.judge(posted)
            self.send_response(said.status)
            for name, value in said.headers:
                self.send_header(name, value)
            if said.status != 204:
                self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler
