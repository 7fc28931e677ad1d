"""The real daemon as a process, its conf files, its log, and the commands that look at it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from emaild.message import Interaction
from emaild.store import Store, open_store
from emaild.store.outbox_entries import Choice, OutboxEntry
from tests.daemon.forked import Forked, ran_in_text
from tests.servers.authority import Authority
from tests.servers.wait import eventually

COMMAND = (sys.executable, "-m", "emaild")
QUICK = "reload-quiet = 100ms"
GRACE = 40.0  # seconds for a daemon to end; above drain-timeout's default


class Emaild:
    """A daemon with a folder of its own: `conf` is written by the test, `log` and `state` are its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.conf = home / "emaild.conf"
        self.log_file = home / "emaild.log"
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._events: list[dict[str, Any]] = []
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def configure(self, *sections: str, head: str = "") -> None:
        """Write the conf file: `[emaild]` with the state directory, *head*'s options, and these sections."""
        if "reload-quiet" not in head:
            head = f"{head}\n{QUICK}".lstrip()
        text = f"[emaild]\nstate-directory = {self.home / 'state'}\n{head}\n"
        self.conf.write_text("\n".join([text, *sections]), encoding="utf-8")
        self.conf.chmod(0o600)

    def start(self, environment: Mapping[str, str] | None = None, *, wait: bool = True) -> None:
        """Start it, and return when it says that it is ready."""
        ready = self.count("daemon.started")
        around = {**os.environ, **(environment or {})}
        command = ["run", "--conf", str(self.conf)]
        with self.log_file.open("ab") as log, open(os.devnull, "rb") as nothing:
            if _forks(environment):
                self._process = Forked(command, around, nothing, log, log)
            else:
                self._process = subprocess.Popen(
                    [*COMMAND, *command], stdin=nothing, stdout=log, stderr=log, env=around
                )
        if wait:
            eventually(
                lambda: self.count("daemon.started") > ready or self.ended() is not None, within=15, what="the start"
            )
            assert self.ended() is None, self.log_file.read_text(encoding="utf-8")

    def ended(self) -> int | None:
        """The exit code, None while it runs."""
        assert self._process is not None
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; returns the exit code, negative for a signal."""
        assert self._process is not None
        return self._process.wait(GRACE)

    def kill(self) -> None:
        """SIGKILL, as if the power had failed; nothing where it does not run."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def threads(self) -> int:
        """How many threads it has (proc(5))."""
        assert self._process is not None
        return len(os.listdir(f"/proc/{self._process.pid}/task"))

    @property
    def process(self) -> int:
        """Its process's id."""
        assert self._process is not None
        return self._process.pid

    def memory(self) -> int:
        """The bytes that it occupies (proc(5), resident set)."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def events(self, name: str | None = None, **fields: object) -> list[dict[str, Any]]:
        """What it logged, oldest first: of that name, with these fields."""
        self._catch_up()
        return [event for event in self._events if name in (None, event["event"]) and fields.items() <= event.items()]

    def count(self, name: str, **fields: object) -> int:
        """How often it said that."""
        return len(self.events(name, **fields))

    def wait_for(self, name: str, count: int = 1, within: float = 20.0, **fields: object) -> list[dict[str, Any]]:
        """Wait until it has said that so many times."""
        eventually(lambda: self.count(name, **fields) >= count, within=within, what=f"{count} {name} {fields}")
        return self.events(name, **fields)

    def command(
        self, *arguments: str, environment: Mapping[str, str] | None = None, given: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        """Run another command on the same conf file."""
        name, *rest = arguments
        command = [name, "--conf", str(self.conf), *rest]
        around = {**os.environ, **(environment or {})}
        if _forks(environment):
            return ran_in_text(command, around, given)
        return subprocess.run(
            [*COMMAND, *command],
            input=given.decode(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=around,
        )

    def python(self, script: str) -> None:
        """Run a Python script with the conf file as its argument."""
        command = [sys.executable, "-c", script, str(self.conf)]
        subprocess.run(command, stdout=subprocess.DEVNULL, timeout=120, check=True)

    def interactions(self) -> list[Interaction]:
        """What is in the store, looked at beside the daemon; the newest first."""
        with self._store() as store:
            return list(store.interactions.all())

    def sent(self) -> list[OutboxEntry]:
        """The mails that are done with."""
        with self._store() as store:
            return list(store.outbox.newest(Choice(done=True)))

    def _catch_up(self) -> None:
        """Read what was logged since the last look."""
        if not self.log_file.exists():
            return
        with self.log_file.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if not line.endswith(b"\n"):  # half written at this moment
                    break
                self._read += len(line)
                if line.startswith(b"{"):
                    self._events.append(json.loads(line))

    @contextmanager
    def _store(self) -> Iterator[Store]:
        store = open_store(self.home / "state")
        try:
            yield store
        finally:
            store.close()

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints with --json."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def raws(self) -> list[bytes]:
        """The mails of all interactions, byte for byte."""
        with self._store() as store:
            return [store.interactions.raw(entry) for entry in store.interactions.all()]


def _forks(environment: Mapping[str, str] | None) -> bool:
    """Whether no module that only a new process would load is to take part."""
    return "PYTHONPATH" not in (environment or {})


def imap_section(name: str, port: int, user: str, authority: Authority, **options: object) -> str:
    """A mailbox over IMAP with TLS from the start."""
    return _section(
        name,
        {
            "type": "IMAP",
            "server": "localhost",
            "port": port,
            "pop-connection-security": "ssl-tls",
            "ca-file": authority.ca_file,
            "mailbox": user,
            "password": "secret",
        },
        options,
    )


def pop3_section(name: str, port: int, user: str, authority: Authority, **options: object) -> str:
    """A mailbox over POP3 with TLS from the start."""
    return imap_section(name, port, user, authority, **{"type": "POP3", "cycle-time": "1s", **options})


def smtp_section(port: int, name: str = "smtp-client", **options: object) -> str:
    """A way out without encryption."""
    return _section(name, {"server": "127.0.0.1", "port": port}, options)


def _section(name: str, base: Mapping[str, object], options: Mapping[str, object]) -> str:
    merged = {**base, **{key.replace("_", "-"): value for key, value in options.items()}}
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in merged.items())
