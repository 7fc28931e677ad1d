"""`emaild add` under way, at a terminal or not, and what it leaves."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from tests.daemon.harness import COMMAND, Emaild
from tests.servers.authority import Authority

CLOSED = 9  # a port at which nobody listens


def files(daemon: Emaild) -> dict[str, bytes]:
    """What lies in conf.d, hidden files too."""
    folder = daemon.home / "conf.d"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def secret_file(daemon: Emaild, text: str = "secret") -> Path:
    """A file that holds a password."""
    path = daemon.home / "given.password"
    path.write_text(f"{text}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def imap_flags(port: int, authority: Authority) -> list[str]:
    """Where a mailbox is: IMAP with TLS from the start."""
    return ["--type", "imap", "--server", "localhost", "--port", str(port), "--ca-file", str(authority.ca_file)]


def smtp_flags(port: int) -> list[str]:
    """Where its mail goes: with STARTTLS."""
    return ["--smtp-server", "localhost", "--smtp-port", str(port)]


class AtTerminal:
    """A command with a person at its terminal: `with AtTerminal(daemon, "add", ADDRESS) as person`."""

    def __init__(self, daemon: Emaild, name: str, *arguments: str) -> None:
        self._ours, its = pty.openpty()
        command = [*COMMAND, name, "--conf", str(daemon.conf), *arguments]
        self.process = subprocess.Popen(
            command, stdin=its, stdout=its, stderr=its, start_new_session=True, env={**os.environ, "COLUMNS": "200"}
        )
        os.close(its)
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def asked(self, pattern: str, within: float = 60.0) -> re.Match[str]:
        """Wait until that is shown; what was shown before it counts as seen."""
        until = time.monotonic() + within
        while (found := re.search(pattern, self.shown)) is None:
            assert time.monotonic() < until, f"{pattern!r} is not in {self.shown!r}"
            if select.select([self._ours], [], [], 0.2)[0] and not self._read():
                found = re.search(pattern, self.shown)
                assert found, f"{pattern!r} is not in {self.shown!r}, and it ended"
                break
        self.shown = self.shown[found.end() :]
        return found

    def _read(self) -> bool:
        try:
            self.shown += os.read(self._ours, 65_536).decode("utf-8", "replace").replace("\r\n", "\n")
        except OSError:  # nobody has the other end any more
            return False
        return True

    def type(self, text: str) -> None:
        """Type a line."""
        self.press(f"{text}\n".encode())

    def press(self, keys: bytes) -> None:
        """Press keys, such as Ctrl-D."""
        os.write(self._ours, keys)

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Its exit code, and what it showed last."""
        while select.select([self._ours], [], [], 60)[0] and self._read():
            pass
        return self.process.wait(60), self.shown
