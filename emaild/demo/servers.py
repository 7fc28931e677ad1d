"""The two mail servers of the demo, out of Python packages: IMAP (pymap) and SMTP (aiosmtpd)."""

from __future__ import annotations

import asyncio
import imaplib
import logging
import socket
import threading
from argparse import Namespace
from collections.abc import Iterable
from contextlib import AsyncExitStack, ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import Config, Login
from pymap.concurrent import Event, Subsystem
from pymap.context import connection_exit
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState
from pymap.parsing.command.select import IdleCommand
from pymap.parsing.response import Response, UntaggedResponse
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from emaild.demo.loopback import HOST, PATIENCE, logging_to, serving

IMAP_LOG = "pymap"  # the names of the packages' loggers
SMTP_LOG = "mail.log"


class _Config(Config):
    """pymap's settings, with a greeting that does not ask the resolver for this machine's name."""

    @property
    def greeting(self) -> bytes:
        return b"emaild demo"


class _State(ConnectionState):
    """pymap's side of one connection, with an IDLE that tells at once what came before it (RFC 2177 §3)."""

    async def receive_updates(self, cmd: IdleCommand, done: Event) -> Iterable[UntaggedResponse]:
        # pymap 0.36.7 waits for the next change first: a mail that came between a client's last command and
        # its IDLE would lie unseen until then.
        selected = await self.session.check_mailbox(self.selected)
        self._selected, updates = selected.fork(cmd)
        return list(updates) or await super().receive_updates(cmd, done)


class _Connection(IMAPConnection):
    """pymap's writing, each response in one piece.

    pymap sends a line like `* 1 FETCH (FLAGS ())` in several segments, and a client that reads without
    blocking (IMAPClient's `idle_check`) takes the first of them for a broken line.
    """

    __slots__ = ()

    async def write_response(self, resp: Response) -> None:
        whole = BytesIO()
        await resp.async_write(whole)
        with suppress(ConnectionError):
            self.writer.write(whole.getvalue())
            await self.writer.drain()


async def _listen_imap(user: str, password: str, log: logging.Logger) -> asyncio.Server:
    config = _Config(
        Namespace(passlib_cfg=None, proxy_protocol=None),
        host=None,  # host and port belong to pymap's own listener, which is not used
        port=0,
        tls_enabled=False,
        demo_data=False,
        demo_user=user,
        demo_password=password,
        hash_context=Cleartext(),  # 500,000 rounds of PBKDF2 a login would protect nothing here
        cpu_subsystem=Subsystem.for_asyncio(),
    )
    login = Login(config)
    await login.demo_user_identity.set(UserMetadata(config, user, password=password))

    # pymap's own listener goes through proxy-protocol, which keeps no reference to the task of a connection:
    # Python 3.13's garbage collector ends such a task (icgood/proxy-protocol#61).
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = SocketInfoLocal(writer)
        log.info("%s connected", client.peername_str)
        async with AsyncExitStack() as leaving:
            connection_exit.set(leaving)
            connection = _Connection(config.commands, config, reader, writer, client)
            leaving.enter_context(closing(connection))
            await connection.run(_State(login, config))

    return await asyncio.start_server(talk, HOST, 0)


class ImapServer:
    """An IMAP server with one user and an empty INBOX; plain text, on a free port of 127.0.0.1.

    A context manager: `port` answers from entering on. Mails and folders live in memory, as long as it does.
    """

    host = HOST

    def __init__(self, user: str, password: str, *, log: Path | None = None) -> None:
        """Serve *user* with *password*; *log* is the file that connections and failures are noted in."""
        self.user = user
        self.password = password
        self.port = 0
        self._log = log
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            log = starting.enter_context(logging_to(self._log, IMAP_LOG))
            listen = partial(_listen_imap, self.user, self.password, log)
            self.port = starting.enter_context(serving(log, listen))
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def deliver(self, raw: bytes) -> None:
        """Put a mail into INBOX, over the wire (APPEND); idle clients hear of it.

        A mail with CRLF line ends arrives byte for byte. imaplib makes CRLF of any other line end, as most
        servers in front of a real mailbox would.
        """
        with imaplib.IMAP4(self.host, self.port, timeout=PATIENCE) as imap:
            # imaplib sends a literal and its line end apart, which Nagle's algorithm would delay by 40 ms.
            imap.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            imap.login(self.user, self.password)
            status, answer = imap.append("INBOX", "", "", raw)
            if status != "OK":
                raise OSError(f"the demo's IMAP server refused a mail: {answer!r}")


@dataclass(frozen=True, kw_only=True)
class Received:
    """A mail that arrived at the SMTP server: its envelope, its bytes, and the file that they lie in."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)
    path: Path


class _Letterbox:
    """What aiosmtpd asks while it talks to a client; it finds what to ask by names like `handle_MAIL`."""

    def __init__(self, user: str, password: str, directory: Path) -> None:
        self._credentials = LoginPassword(user.encode(), password.encode())
        self._directory = directory
        self._received: list[Received] = []
        self._arrival = threading.Condition()

    def sign_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        return AuthResult(success=given == self._credentials, handled=False)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        # Asked here because aiosmtpd's own auth_required warns on standard error where there is no TLS.
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        with self._arrival:
            path = self._directory / f"{len(self._received) + 1:03}.eml"
            path.write_bytes(raw)
            self._received.append(
                Received(sender=envelope.mail_from or "", recipients=tuple(envelope.rcpt_tos), raw=raw, path=path)
            )
            self._arrival.notify_all()
        return f"250 2.0.0 OK: kept as {path.name}"

    def wait_for(self, count: int, within: float) -> list[Received]:
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self._received) >= count, timeout=within):
                raise TimeoutError(f"{len(self._received)} of {count} mails arrived within {within:g} s")
            return list(self._received)


class SmtpServer:
    """An SMTP server that takes mail for anyone and keeps it; plain text, on a free port of 127.0.0.1.

    A context manager: `port` answers from entering on. A client must sign in as *user* (AUTH PLAIN or LOGIN)
    first. Each mail is in *directory* as NNN.eml, from 001 on, before the client hears 250.
    """

    host = HOST

    def __init__(self, user: str, password: str, directory: Path, *, log: Path | None = None) -> None:
        """Keep mails in *directory*, which exists; *log* is the file that conversations are noted in."""
        self.user = user
        self.password = password
        self.directory = directory
        self.port = 0
        self._log = log
        self._letterbox = _Letterbox(user, password, directory)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            log = starting.enter_context(logging_to(self._log, SMTP_LOG))
            self.port = starting.enter_context(serving(log, self._listen))
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def wait_for(self, count: int, within: float) -> list[Received]:
        """Return all mails that have arrived, in order, once there are at least *count*.

        Raises:
            TimeoutError: there are fewer after *within* seconds.
        """
        return self._letterbox.wait_for(count, within)

    async def _listen(self) -> asyncio.Server:
        # Not aiosmtpd's Controller, which cannot take port 0: it connects to the very port that it was given.
        loop = asyncio.get_running_loop()

        def conversation() -> SMTP:
            return SMTP(
                self._letterbox,
                hostname="localhost",  # else aiosmtpd asks the resolver, once a connection
                ident="emaild demo",
                enable_SMTPUTF8=True,
                auth_require_tls=False,
                authenticator=self._letterbox.sign_in,
                loop=loop,
            )

        return await loop.create_server(conversation, HOST, 0)
