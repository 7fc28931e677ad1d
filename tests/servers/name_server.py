"""A DNS server that answers what a test wants: what dnsmasq would never say."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import dns.exception
import dns.message

from tests.servers.ports import LOOPBACK

Judge = Callable[[dns.message.Message], bytes | None]
"""From a question to the bytes of an answer; None: none comes."""


class NameServer:
    """`with NameServer(judge) as server`; over UDP alone. `questions` are the names that it was asked for."""

    def __init__(self, judge: Judge) -> None:
        self.questions: list[str] = []
        self._judge = judge
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="name server")

    def __enter__(self) -> Self:
        """Answer."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer no more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (LOOPBACK, self.port))
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            with contextlib.suppress(dns.exception.DNSException):
                question = dns.message.from_wire(data)
                self.questions.append(question.question[0].name.to_text())
                answer = self._judge(question)
                if answer is not None:
                    self._socket.sendto(answer, client)
