"""dnsmasq: a DNS server, over UDP and TCP, that knows what it is told and asks nobody else."""

import signal
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.presence import require
from tests.servers.processes import Account, Home, Program, unprivileged
from tests.servers.wait import eventually

LAST_OF_ROOT = 1023


class Dnsmasq:
    """A dnsmasq of its own: `with Dnsmasq(["mx-host=example.test,mx.example.test,10"]) as names`.

    *lines* are those of its conf file. Every other name is not there (NXDOMAIN) below .test, .example and .com, and
    REFUSED elsewhere. An answer that is too long for a datagram of 512 bytes is truncated.
    """

    def __init__(self, lines: Iterable[str], *, port: int = 0) -> None:
        """Write the conf file; a *port* is given where no other would do."""
        self._program_file = require("dnsmasq")
        self._account = unprivileged()
        self._home = Home("dnsmasq", self._account)
        self._reserved = None if port else ReservedPort()
        self.port = self._reserved.number if self._reserved else port
        head = ["keep-in-foreground", "no-resolv", "no-hosts", "log-queries", "log-facility=-", "pid-file"]
        head += [f"port={self.port}", f"listen-address={LOOPBACK}", "bind-interfaces", "cache-size=0"]
        head += ["local=/test/example/com/"]
        self._conf = self._home.write("conf", "\n".join([*head, *lines, ""]))
        self._process: Program | None = None

    def __enter__(self) -> Self:
        """Start it; it gives up root's rights by itself, if it has any."""
        arguments = (self._program_file, f"--conf-file={self._conf}", f"--user={self._account.name}")
        starter = self._account if self.port > LAST_OF_ROOT else Account("root", "root", 0, 0)
        process = Program(arguments, account=starter, output=self._output)
        eventually(lambda: process.ended() or listening(self.port), within=20, what="the start of dnsmasq")
        if process.ended():
            raise AssertionError(f"dnsmasq did not start: {process.printed()}")
        self._process = process
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it and remove what it wrote."""
        if self._process:
            self._process.end(signal.SIGKILL, grace=1)
        self._home.remove()
        if self._reserved:
            self._reserved.release()

    def asked(self) -> str:
        """Its log: a line for each question."""
        return self._output.read_text(errors="replace")

    @property
    def _output(self) -> Path:
        return self._home.path / "output"
