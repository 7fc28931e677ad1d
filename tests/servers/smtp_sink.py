"""Postfix's smtp-sink: takes mail as fast as it comes, or refuses the commands it is told to."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.presence import require
from tests.servers.processes import Home, Program, unprivileged
from tests.servers.wait import eventually

# What smtp-sink writes above a mail: X-Client-Addr, X-Client-Proto, X-Helo-Args, X-Mail-Args and X-Rcpt-Args
# lines and a Received field of three lines.
_HEAD = re.compile(rb"(?P<envelope>(?:X-[A-Za-z-]+: .*\n)+)Received: from .*\n\tby .*\n\t.*\n")
_MAIL = re.compile(rb"^X-Mail-Args: <(.*?)>(.*)$", re.MULTILINE)
_RCPT = re.compile(rb"^X-Rcpt-Args: <(.*?)>", re.MULTILINE)
_COUNTERS = re.compile(r"sess=(\d+) quit=(\d+) mesg=(\d+)")


@dataclass(frozen=True)
class Sunk:
    """A mail that smtp-sink took, and its envelope; `options` are those of the MAIL command."""

    sender: str
    options: tuple[str, ...]
    recipients: tuple[str, ...]
    raw: bytes


class SmtpSink:
    """An smtp-sink of its own that keeps what it gets: `with SmtpSink() as sink`.

    It announces PIPELINING, 8BITMIME, AUTH (never checked) and DSN, but neither SIZE nor STARTTLS.
    """

    def __init__(self, *, refuse: Sequence[str] = (), defer: Sequence[str] = (), options: Sequence[str] = ()) -> None:
        """Prepare the folder and the port.

        Args:
            refuse: commands to answer with 5xx, as `RCPT` or `.`; the rest is accepted.
            defer: commands to answer with 4xx.
            options: further options of the command, as `-8` (no 8BITMIME), `-N` (no DSN) or `-B`, `550 No`.
        """
        self._program_file = require("smtp-sink")
        self._refusals = [
            part for flag, names in (("-f", refuse), ("-r", defer)) if names for part in (flag, ",".join(names))
        ]
        self._options = options
        self._account = unprivileged()
        self._home = Home("smtp-sink", self._account)
        self._dump = self._home.folder("dump")
        self._port = ReservedPort()
        self.smtp = self._port.number
        self._process: Program | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and remove the mails."""
        self.stop()
        self._home.remove()
        self._port.release()

    def start(self) -> None:
        """Start, or start again with the mails and the port of before."""
        arguments = (
            *(self._program_file, "-c", *self._refusals, *self._options, "-d", f"{self._dump}/mail."),
            *(f"{LOOPBACK}:{self.smtp}", "1000"),
        )
        process = Program(arguments, account=self._account, output=self._home.path / "output")
        eventually(lambda: process.ended() or listening(self.smtp), within=20, what="the start of smtp-sink")
        if process.ended():
            raise AssertionError(f"smtp-sink did not start: {process.printed()}")
        self._process = process

    def stop(self) -> None:
        """End the server; the mails stay."""
        if self._process:
            self._process.end()
            self._process = None

    def mails(self) -> list[bytes]:
        """Every mail received, without smtp-sink's own lines, with CRLF line ends: as it was sent."""
        return [mail.raw for mail in self.received()]

    def received(self) -> list[Sunk]:
        """Every mail received and its envelope, oldest first as far as the times of files (4 ms) tell.

        One that was refused at its final dot is among them; one that was never finished is not.
        """
        # In this order: a mail begun after the list was made is not in it; one finished since is complete.
        begun = list(self._dump.iterdir())
        unfinished = self._open_files()
        finished = [path for path in begun if path not in unfinished and path.exists()]
        return [_sunk(path.read_bytes()) for path in sorted(finished, key=_age)]

    def sessions(self) -> int:
        """How many SMTP sessions have ended."""
        counters = _COUNTERS.findall(self._process.printed() if self._process else "")
        return int(counters[-1][0]) if counters else 0

    def _open_files(self) -> set[Path]:
        """The files that smtp-sink is still writing: mails that it has not answered for."""
        if not self._process:
            return set()
        opened = set()
        for link in Path(f"/proc/{self._process.group}/fd").iterdir():
            try:
                opened.add(Path(os.readlink(link)))
            except FileNotFoundError:
                continue
        return opened


def _age(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_ino


def _sunk(dump: bytes) -> Sunk:
    head = _HEAD.match(dump)
    if head is None:
        raise AssertionError(f"smtp-sink wrote something unexpected: {dump[:500]!r}")
    mail = _MAIL.search(head["envelope"])
    # The file has LF line ends, and one empty line at its end that no client sent.
    raw = dump[head.end() : -1].replace(b"\n", b"\r\n")
    return Sunk(
        sender=mail[1].decode() if mail else "",
        options=tuple(mail[2].decode().split()) if mail else (),
        recipients=tuple(address.decode() for address in _RCPT.findall(head["envelope"])),
        raw=raw,
    )
