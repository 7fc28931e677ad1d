"""The web servers of providers, right ones and others, and a proxy that leads to them by their names."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK, ReservedPort
from tests.servers.presence import require
from tests.servers.wait import eventually
from tests.servers.web import WebServer


@dataclass(frozen=True)
class Page:
    """An answer. `endless`: its body is repeated until the client goes, `drips`: slowly; `silent`: nothing is said.

    It is given once the page that `after` names was given.
    """

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/xml"),)
    endless: bool = False
    drips: bool = False
    silent: bool = False
    after: str = ""


Site = Mapping[str, Page]
"""Pages by host and path, as `autoconfig.example.test/mail/config-v1.1.xml`; what is not there is a 404."""


def certified(authority: Authority, names: Iterable[str], folder: Path) -> Authority:
    """The same authority with a certificate for other names."""
    openssl = require("openssl")
    alternatives = ",".join(f"DNS:{name}" for name in names)
    (folder / "ext").write_text(
        f"subjectAltName={alternatives}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n",
        encoding="ascii",
    )
    made = (
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "key",
        "-out",
        "csr",
    )
    signed = (
        "x509",
        "-req",
        "-in",
        "csr",
        "-CA",
        str(authority.ca_file),
        "-CAkey",
        str(authority.ca_file.with_name("ca.key")),
    )
    for arguments in (
        (*made, "-subj", "/CN=provider"),
        (*signed, "-CAcreateserial", "-days", "3650", "-extfile", "ext", "-out", "cert"),
    ):
        subprocess.run((openssl, *arguments), cwd=folder, check=True, capture_output=True, timeout=30)
    return replace(authority, cert_file=folder / "cert", key_file=folder / "key")


class Providers:
    """`with Providers(site, authority) as providers`: all of a site's hosts, by TLS at `https`, without at `http`.

    `asked` are the hosts and targets that were asked for, `http:` before those without TLS.
    """

    def __init__(self, site: Site, authority: Authority, *, https: int = 0, http: int = 0) -> None:
        self.asked: list[str] = []
        self.given: list[str] = []
        self.site = dict(site)
        self.over = threading.Event()
        self._authority = authority
        self._reserved = [ReservedPort() for port in (https, http) if not port]
        free = iter(self._reserved)
        self.https, self.http = (port or next(free).number for port in (https, http))
        self._servers: list[WebServer] = []

    def __enter__(self) -> Self:
        """Listen."""
        self._servers = [
            WebServer(self.https, _handler(self, ""), self._authority),
            WebServer(self.http, _handler(self, "http:"), None),
        ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        self.over.set()
        for server in self._servers:
            server.stop()
        for port in self._reserved:
            port.release()


def _handler(providers: Providers, scheme: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            providers.asked.append(f"{scheme}{host}{self.path}")
            place = f"{scheme}{host}{self.path.partition('?')[0]}"
            page = providers.site.get(place, Page(status=404))
            if page.after:
                eventually(lambda: page.after in providers.given, within=20, what=page.after)
            if page.silent:
                providers.over.wait(60)
                return
            self.send_response(page.status)
            for name, value in page.headers:
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError, ssl.SSLError):
                self.wfile.write(page.body)
                while page.endless and not providers.over.wait(0.05 if page.drips else 0):
                    self.wfile.write(page.body)
            providers.given.append(place)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler


class LeadingProxy:
    """A proxy (CONNECT) that leads by names: `with LeadingProxy(lead) as proxy`.

    *lead* is given what is to be connected to, as `example.test:443`, and says the port of this machine that it is;
    0: there is no such host. `led` are all that it was asked for.
    """

    def __init__(self, lead: Callable[[str], int]) -> None:
        self.led: list[str] = []
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 20

            def handle(self) -> None:
                place = self.rfile.readline(1000).decode("ascii", "replace").split()[1]
                while self.rfile.readline(1000).strip():
                    pass
                proxy.led.append(place)
                port = lead(place)
                self.wfile.write(b"HTTP/1.1 %s\r\n\r\n" % (b"200 OK" if port else b"503 No such host"))
                if port:
                    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 10) as other:
                        _join(self.connection, other)

        self._server = _Threaded((LOOPBACK, self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="leading proxy")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
        self._reserved.release()


class _Threaded(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes early is no failure."""


def _join(one: socket.socket, other: socket.socket) -> None:
    """What either says is given to the other, until one of them ends."""
    while True:
        for ready in select.select([one, other], [], [], 60)[0]:
            data = ready.recv(64 << 10)
            if not data:
                return
            (other if ready is one else one).sendall(data)
