"""Dovecot: IMAP, POP3 and LMTP over real mailboxes."""

import imaplib
import itertools
import re
import signal
import smtplib
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.authority import Authority
from tests.servers.dovecot_conf import PASSWORD, PORTS, REFUSED, UNAVAILABLE, dovecot_conf, introspection_conf
from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.presence import require
from tests.servers.processes import Home, Program, members, unprivileged
from tests.servers.wait import eventually

__all__ = ["PASSWORD", "REFUSED", "UNAVAILABLE", "Dovecot"]

_SUBMISSION = Path("/usr/lib/dovecot/submission-login")
_STARTED = "master: Info: Dovecot v"
_LOGIN = re.compile(r"-login: Info: Login: user=<(?P<user>[^>]*)>.*session=<(?P<session>[^>]*)>")
_LOGOUT = re.compile(r"\((?P<user>[^)]*)\)<\d+><(?P<session>[^>]*)>: Info: Disconnected")


class Dovecot:
    """A Dovecot of its own, with empty mailboxes: `with Dovecot(authority) as server`.

    Every user name signs in with the password `secret`, but a name that begins with `refused` never does, and
    one that begins with `unavailable` is told that the server cannot check passwords now. Names are
    lower-cased. `imaps` and `pop3s` are TLS from the start; `imap` and `pop3` offer STARTTLS and STLS.

    With the URL of an *introspection* endpoint (RFC 7662) it takes tokens, too, by XOAUTH2 and OAUTHBEARER, and
    offers `submission`, which passes mails on to the SMTP server at the port *relay*.

    *connections_per_process* IMAP connections share a process, and its one inotify instance: an account has some
    hundred of these (fs.inotify.max_user_instances), and a process without one looks for new mail once a second only.
    """

    def __init__(
        self, authority: Authority, *, introspection: str = "", relay: int = 0, connections_per_process: int = 1
    ) -> None:
        """Prepare the folder and the ports; `start` starts the server."""
        self._program_file = require("dovecot" if not introspection or _SUBMISSION.exists() else "dovecot-submissiond")
        self._authority = authority
        self._account = unprivileged()
        self._home = Home("dovecot", self._account)
        self._introspection, self._relay = introspection, relay
        self._connections_per_process = connections_per_process
        self._reserved = {name: ReservedPort() for name in (*PORTS, *(["submission"] if introspection else []))}
        self.imap, self.imaps, self.pop3, self.pop3s, self.lmtp = (self._reserved[name].number for name in PORTS)
        self.submission = self._reserved["submission"].number if introspection else 0
        self._numbers = itertools.count(1)
        self._first_second = int(time.time())
        self._process: Program | None = None
        self._configure()

    def __enter__(self) -> Self:
        """Start the server."""
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and remove its mails."""
        self.stop()
        self._home.remove()
        for port in self._reserved.values():
            port.release()

    def start(self) -> None:
        """Start, or start again with the mails and the ports of before, and return when it answers."""
        arguments = (self._program_file, "-F", "-c", str(self._home.path / "dovecot.conf"))
        process = self._process = Program(arguments, account=self._account, output=self._home.path / "output")
        ports = [port.number for port in self._reserved.values()]
        eventually(lambda: process.ended() or all(map(listening, ports)), within=20, what="the start of Dovecot")
        if process.ended():
            raise AssertionError(f"Dovecot did not start: {process.printed()}{self.log()}")

    def stop(self) -> None:
        """Stop as an operator would: every client is told BYE and disconnected. The mails stay.

        With clients connected this takes Dovecot 1.1 s; `kill` does not wait.
        """
        if process := self._process:
            process.send(signal.SIGTERM)
            # Without clients only the master and its log process are left at once, and wait a second for
            # nothing.
            eventually(lambda: process.ended() or len(members(process.group)) <= 2, within=10, what="Dovecot's end")
        self.kill()

    def kill(self) -> None:
        """End every process at once, as a crash of the machine would. The mails stay."""
        if process := self._process:
            process.end(signal.SIGKILL, grace=0)
            (self._home.path / "run" / "master.pid").unlink(missing_ok=True)
            # Dovecot waits two minutes for a lock file whose owner was killed.
            for lock in (self._home.path / "mail").rglob("dovecot-uidlist.lock"):
                lock.unlink(missing_ok=True)
            self._process = None

    def restart(self) -> None:
        """Stop and start again; every connection is lost, no mail is."""
        self.stop()
        self.start()

    def drop(self, user: str, mails: Iterable[bytes], flags: str = "") -> int:
        """Write mails straight into the user's INBOX, in this order and byte for byte; return how many.

        *flags* are Maildir's letters: S seen, R answered, F flagged, D draft, T deleted. Line ends stay as
        given, but Dovecot serves a file that has LF line ends with CRLF.
        """
        folders = {name: self._home.folder("mail", user.lower(), "Maildir", name) for name in ("cur", "new", "tmp")}
        target, suffix = (folders["cur"], f":2,{''.join(sorted(flags))}") if flags else (folders["new"], "")
        written = 0
        for raw in mails:
            # Dovecot numbers new mails by the seconds and then the microseconds in their names.
            name = f"{self._first_second}.M{next(self._numbers):06d}P1.test"
            unfinished = folders["tmp"] / name
            unfinished.write_bytes(raw)
            self._home.give(unfinished)
            unfinished.rename(target / f"{name}{suffix}")
            written += 1
        return written

    def deliver(self, user: str, raw: bytes, sender: str = "sender@example.com") -> None:
        """Deliver a mail by LMTP; Dovecot adds Return-Path, Delivered-To and Received lines on top."""
        with smtplib.LMTP(LOOPBACK, self.lmtp) as client:
            client.sendmail(sender, [user], raw)

    def imap_client(self, user: str) -> imaplib.IMAP4_SSL:
        """A client over TLS, signed in; best used as a context manager."""
        client = imaplib.IMAP4_SSL(LOOPBACK, self.imaps, ssl_context=self._authority.client_context(), timeout=30)
        client.login(user, PASSWORD)
        return client

    def held(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Every mail of a folder as the server gives it, by UID; looking changes no flag."""
        return [answer[1] for answer in self._fetched(user, folder, "BODY.PEEK[]") if isinstance(answer, tuple)]

    def flags(self, user: str, folder: str = "INBOX") -> list[tuple[str, ...]]:
        r"""The flags of every mail of a folder, by UID, each sorted; \Recent is left out."""
        answers = self._fetched(user, folder, "FLAGS")
        flags = [imaplib.ParseFlags(answer) for answer in answers if isinstance(answer, bytes)]
        return [tuple(sorted(flag.decode() for flag in held if flag != rb"\Recent")) for held in flags]

    def log(self) -> str:
        """What Dovecot logged since it was made, restarts included."""
        path = self._home.path / "dovecot.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def sessions(self, user: str, at_least: int = 0) -> list[str]:
        """The ids of the user's sign-ins so far, oldest first: one id as long as the connection is kept.

        Dovecot logs a sign-in after its answer to the client: it is waited for until *at_least* so many are logged.
        """
        if at_least:
            eventually(lambda: len(_sessions(self.log(), user)) >= at_least, what=f"{at_least} sessions of {user}")
        return _sessions(self.log(), user)

    def open_sessions(self, user: str) -> list[str]:
        """The ids of those sign-ins since the last start that Dovecot has not logged the end of."""
        log = self.log().rpartition(_STARTED)[2]
        ended = {found["session"] for found in _LOGOUT.finditer(log)}
        return [session for session in _sessions(log, user) if session not in ended]

    def _fetched(self, user: str, folder: str, items: str) -> list[bytes | tuple[bytes, bytes]]:
        with self.imap_client(user) as client:
            _, count = client.select(f'"{folder}"', readonly=True)
            if count[0] in (b"0", None):
                return []
            return [answer for answer in client.fetch("1:*", f"({items})")[1] if answer is not None]

    def _configure(self) -> None:
        for name in ("run", "state", "mail"):
            self._home.folder(name)
        self._home.write("server.pem", self._authority.cert_file.read_bytes())
        self._home.write("server.key", self._authority.key_file.read_bytes())
        self._home.write("ca.pem", self._authority.ca_file.read_bytes())
        if self._introspection:
            text = introspection_conf(home=str(self._home.path), url=self._introspection)
            self._home.write("oauth2.conf.ext", text)
        text = dovecot_conf(
            home=str(self._home.path),
            user=self._account.name,
            group=self._account.group,
            ports={name: port.number for name, port in self._reserved.items()} | {"relay": self._relay},
            connections_per_process=self._connections_per_process,
        )
        self._home.write("dovecot.conf", text)


def _sessions(log: str, user: str) -> list[str]:
    return [found["session"] for found in _LOGIN.finditer(log) if found["user"] == user.lower()]
