"""A program that a webhook posts to: an HTTP server that keeps what it got, and answers as it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self

from tests.servers.authority import Authority
from tests.servers.ports import ReservedPort
from tests.servers.web import WebServer

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
        self._server: WebServer | None = None

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
        self._server = WebServer(self.port, _handler(self), self._authority)

    def stop(self) -> None:
        """Listen no more, and close what is open."""
        if self._server:
            self._server.stop()
            self._server = None


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
