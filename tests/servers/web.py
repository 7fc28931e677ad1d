"""What every HTTP server of the tests is made of: it listens on a port of its own, and ends when it is told to."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK


class WebServer(ThreadingHTTPServer):
    """Listens from the start on that port, with TLS where an *authority* is given, until `stop`."""

    allow_reuse_address = True
    block_on_close = False
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler], authority: Authority | None) -> None:
        super().__init__((LOOPBACK, port), handler)
        self._open: set[Any] = set()
        if authority:
            # The handshake is the handler's: a client that goes before it must not hold up the others.
            context = authority.server_context()
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, name="web server")
        self._thread.start()

    def stop(self) -> None:
        """Listen no more, and close what is open."""
        self.shutdown()
        self._thread.join(10)
        self.close_all()
        self.server_close()

    def close_all(self) -> None:
        """Close every connection, as servers do with those that are idle."""
        for request in list(self._open):
            super().shutdown_request(request)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve it, and know it while it is open."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes early is no failure."""
