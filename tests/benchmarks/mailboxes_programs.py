"""What holds many mailboxes: the daemon, and a bare client. Both as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from emaild.store import open_store
from emaild.store.mailboxes import MailboxStatus
from tests.daemon.harness import Emaild, imap_section, pop3_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot

TOP = Path(__file__).parents[2]
NEW_PROCESS = {"PYTHONPATH": str(TOP)}  # not a fork of one that has loaded everything: memory is measured


class Holder(ABC):
    """A program that holds mailboxes. Times are seconds of the epoch."""

    process: int
    begun: float

    @abstractmethod
    def is_idle(self) -> bool:
        """Whether every mailbox was looked into and waits."""

    @abstractmethod
    def taken(self) -> dict[str, float]:
        """The mails that it has, by Message-ID, and when it had them."""

    def cpu(self) -> float:
        """Seconds of CPU time that it took so far (proc(5))."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """The megabytes that it occupies (proc(5), resident set)."""
        return int(Path(f"/proc/{self.process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Daemon(Holder):
    """emaild with its defaults."""

    def __init__(self, emaild: Emaild, mailboxes: int) -> None:
        self._emaild = emaild
        self._mailboxes = mailboxes
        self.begun = time.time()
        emaild.start(NEW_PROCESS)
        self.process = emaild.process

    def is_idle(self) -> bool:
        states = [status.state for status in self._states().values()]
        return states.count("ok") == self._mailboxes

    def looks(self) -> dict[str, float]:
        """When each mailbox was last looked into."""
        return {name: status.last_poll.timestamp() for name, status in self._states().items() if status.last_poll}

    def _states(self) -> Mapping[str, MailboxStatus]:
        store = open_store(self._emaild.home / "state")
        try:
            return store.mailboxes.all()
        finally:
            store.close()

    def taken(self) -> dict[str, float]:
        return {
            event["message_id"]: datetime.fromisoformat(event["timestamp"]).timestamp()
            for event in self._emaild.events("interaction.created")
        }


class Bare(Holder):
    """See mailboxes_bare, `hold`."""

    def __init__(self, arguments: Sequence[str], output: Path) -> None:
        self._output = output
        self.begun = time.time()
        with output.open("wb") as stream:
            self._program = subprocess.Popen(arguments, stdout=stream, cwd=TOP)
        self.process = self._program.pid

    def is_idle(self) -> bool:
        assert self._program.poll() is None
        return any("idle" in said for said in self._said())

    def taken(self) -> dict[str, float]:
        return {said["mail"]: said["at"] for said in self._said() if "mail" in said}

    def end(self) -> None:
        self._program.kill()
        self._program.wait()

    def _said(self) -> list[dict[str, Any]]:
        lines = self._output.read_text(encoding="ascii").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


@contextmanager
def by_emaild(
    home: Path, dovecot: Dovecot, authority: Authority, prefix: str, mailboxes: int, *, cycle: int = 0
) -> Iterator[Daemon]:
    """The daemon on the mailboxes PREFIX0, PREFIX1 and so on; with a *cycle* over POP3, every so many seconds."""

    def section(number: int) -> str:
        name, user = f"pop-client-{number}", f"{prefix}{number}"
        if cycle:
            return pop3_section(name, dovecot.pop3s, user, authority, cycle_time=f"{cycle}s")
        return imap_section(name, dovecot.imaps, user, authority)

    with Emaild(home) as emaild:
        emaild.conf = home / "conf" / "emaild.conf"  # a folder of its own, as in /etc: the daemon watches it
        emaild.conf.parent.mkdir()
        emaild.configure(*(section(number) for number in range(mailboxes)))
        yield Daemon(emaild, mailboxes)


@contextmanager
def by_imaplib(home: Path, dovecot: Dovecot, authority: Authority, prefix: str, mailboxes: int) -> Iterator[Bare]:
    """The bare client on such mailboxes."""
    bare = Bare(_bare("hold", dovecot.imaps, authority, prefix, mailboxes), home.with_suffix(".json"))
    try:
        yield bare
    finally:
        bare.end()


def poplib_seconds(dovecot: Dovecot, authority: Authority, prefix: str, mailboxes: int) -> float:
    """Seconds of CPU time that it takes to look into each of such mailboxes once over POP3, by poplib."""
    arguments = _bare("poll", dovecot.pop3s, authority, prefix, mailboxes)
    said = subprocess.run(arguments, cwd=TOP, capture_output=True, check=True, timeout=300).stdout
    return float(json.loads(said)["seconds"])


def _bare(way: str, port: int, authority: Authority, prefix: str, mailboxes: int) -> list[str]:
    program = [sys.executable, "-m", "tests.benchmarks.mailboxes_bare"]
    return [*program, way, str(port), str(authority.ca_file), prefix, str(mailboxes)]
