"""An SMTP server in this process that refuses, stalls and hangs up as a test tells it to."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Literal, Self

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK

CUT = "cut"
HOLD = "hold"
NORMAL = "normal"

Command = Literal["EHLO", "AUTH", "MAIL", "RCPT", "DATA"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Accepted:
    """A mail that the server took over, with its envelope; `content` is what stood before the final dot."""

    sender: str
    recipients: tuple[str, ...]
    options: tuple[str, ...]
    content: bytes
    connection: int
    signed_in_as: str | None


class FaultySmtp:
    """An SMTP server whose replies are given beforehand: `with FaultySmtp() as server`.

    `replies[COMMAND]` is used up reply by reply, a whole reply such as `451 4.3.0 Later` each; when it is
    empty the server behaves. After a reply of 421 it hangs up (RFC 5321 §3.8). Three words stand for more
    than a reply: NORMAL for the usual one; CUT for hanging up without one; HOLD for none until `release`. The
    reply to DATA is that to the final dot, and a mail that meets CUT or HOLD there has been accepted: only
    its sender does not know. `refuse` has replies by recipient and stays.

    `mails` are those accepted, `connections` counts the connections made, and `commands` has pairs of a
    connection's number and a command.
    """

    def __init__(
        self,
        *,
        authority: Authority | None = None,
        tls: Literal["none", "starttls", "implicit"] = "none",
        user: str | None = None,
        password: str = "secret",
        replies: Mapping[Command, Sequence[str]] = MappingProxyType({}),
        refuse: Mapping[str, str] = _NOTHING,
        size_limit: int | None = None,
        eight_bit: bool = True,
        utf8: bool = False,
        pipelining: bool = False,
    ) -> None:
        """Choose what the server can do; `start` starts it.

        *authority* gives the certificate for *tls*; with `starttls`, AUTH is offered only under TLS. With a
        *user*, nobody sends before signing in, by PLAIN or LOGIN; without, AUTH is not offered. *size_limit*
        in bytes is announced and held to; *eight_bit*, *utf8* and *pipelining* announce 8BITMIME, SMTPUTF8 and
        PIPELINING.
        """
        self.replies: dict[Command, list[str]] = {
            name: list(replies.get(name, ())) for name in ("EHLO", "AUTH", "MAIL", "RCPT", "DATA")
        }
        self.refuse = dict(refuse)
        self.mails: list[Accepted] = []
        self.commands: list[tuple[int, str]] = []
        self.connections = 0
        self.user, self.password, self.eight_bit, self.pipelining = user, password, eight_bit, pipelining
        self.smtp = 0
        self._tls, self._context = tls, authority.server_context() if authority and tls != "none" else None
        self._size_limit, self._utf8 = size_limit, utf8
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._released = asyncio.Event()
        self._served: list[SMTP] = []

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server; what it accepted can still be looked at."""
        self.stop()

    def start(self) -> None:
        """Listen at a free port, `smtp`."""
        loop = self._loop = asyncio.new_event_loop()
        context = self._context if self._tls == "implicit" else None
        listener = loop.run_until_complete(loop.create_server(lambda: self._connection(loop), LOOPBACK, 0, ssl=context))
        self.smtp = listener.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=_serve, args=(loop, listener, self._served), name="faulty-smtp")
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody and end the thread."""
        if self._thread and self._loop:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            assert not self._thread.is_alive()
            self._thread = None

    def release(self) -> None:
        """Let those go on that a HOLD keeps waiting, and all who meet one later."""
        assert self._loop
        self._loop.call_soon_threadsafe(self._released.set)

    def next_reply(self, command: Command) -> str:
        """Use up the next reply to *command*."""
        planned = self.replies[command]
        return planned.pop(0) if planned else NORMAL

    async def hold(self) -> None:
        """Wait until the test releases whoever waits."""
        await self._released.wait()

    def _connection(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        self.connections += 1
        connection = _Connection(
            _Answers(self, self.connections),
            loop=loop,
            hostname="mail.example.com",
            data_size_limit=self._size_limit,
            enable_SMTPUTF8=self._utf8,
            tls_context=self._context if self._tls == "starttls" else None,
            auth_require_tls=self._tls == "starttls",
            authenticator=self._signs_in,
        )
        self._served.append(connection)
        return connection

    def _signs_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        right = (given.login.decode(), given.password.decode()) == (self.user, self.password)
        return AuthResult(success=right, handled=False, auth_data=given.login.decode() if right else None)


class _Connection(SMTP):
    """aiosmtpd's server, for lines of any length: real servers take what the standard forbids."""

    line_length_limit = 2**26


class _Answers:
    """What one connection is answered: aiosmtpd calls these methods, command by command."""

    def __init__(self, server: FaultySmtp, number: int) -> None:
        self._server = server
        self._number = number

    async def handle_EHLO(
        self, smtp: SMTP, session: Session, envelope: Envelope, host: str, usual: list[str]
    ) -> list[str]:
        """Announce what this server can do."""
        if reply := await self._planned(smtp, "EHLO", host):
            return [reply]
        session.host_name = host
        unwanted = set() if self._server.eight_bit else {"8BITMIME"}
        if self._server.user is None:
            unwanted.add("AUTH")
        offered = [line for line in usual if line[4:].split()[0] not in unwanted]
        return [*offered[:1], "250-PIPELINING", *offered[1:]] if self._server.pipelining else offered

    async def handle_AUTH(self, smtp: SMTP, session: Session, envelope: Envelope, arguments: list[str]) -> object:
        """Answer as planned, or let aiosmtpd ask for the password."""
        reply = await self._planned(smtp, "AUTH", arguments[0])
        return reply or (MISSING if self._server.user is not None else "502 5.5.1 Not offered")

    async def handle_MAIL(
        self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender, unless the client should have signed in or asks for what was not announced."""
        if reply := await self._planned(smtp, "MAIL", address):
            return reply
        if self._server.user is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if not self._server.eight_bit and any(option.startswith("BODY=") for option in options):
            return "555 5.5.4 Unsupported option: BODY"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, unless it is one to refuse."""
        if reply := await self._planned(smtp, "RCPT", address):
            return reply
        if address in self._server.refuse:
            return self._server.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:
        """Take the mail over, before any answer, unless the answer is to be a refusal."""
        reply = self._server.next_reply("DATA")
        if reply in (NORMAL, CUT, HOLD) or reply.startswith("2"):
            self._server.mails.append(self._accepted(session, envelope))
        self._server.commands.append((self._number, "DATA"))
        return await _carried_out(self._server, smtp, reply) or "250 2.0.0 OK"

    async def handle_RSET(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:
        """Note it."""
        self._server.commands.append((self._number, "RSET"))
        return "250 2.0.0 OK"

    async def handle_QUIT(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:
        """Note it."""
        self._server.commands.append((self._number, "QUIT"))
        return "221 2.0.0 Bye"

    async def _planned(self, smtp: SMTP, command: Command, argument: str) -> str:
        self._server.commands.append((self._number, f"{command} {argument}"))
        return await _carried_out(self._server, smtp, self._server.next_reply(command))

    def _accepted(self, session: Session, envelope: Envelope) -> Accepted:
        assert isinstance(envelope.content, bytes)
        return Accepted(
            # aiosmtpd keeps the null reverse-path (RFC 5321 §4.5.5) with its brackets.
            sender=(envelope.mail_from or "").removeprefix("<>"),
            recipients=tuple(envelope.rcpt_tos),
            options=tuple(envelope.mail_options),
            content=envelope.content,
            connection=self._number,
            signed_in_as=session.auth_data if session.authenticated else None,
        )


async def _carried_out(server: FaultySmtp, smtp: SMTP, reply: str) -> str:
    """Give the reply to send, empty for the usual one, or end the connection where it is to be ended."""
    if reply == HOLD:
        await server.hold()
    if reply in (NORMAL, HOLD):
        return ""
    if reply != CUT and not reply.startswith("421"):
        return reply
    if reply != CUT:
        await smtp.push(reply)
    # aiosmtpd closes the connection of a conversation that is cancelled.
    raise asyncio.CancelledError


def _serve(loop: asyncio.AbstractEventLoop, listener: asyncio.Server, connections: Sequence[SMTP]) -> None:
    """Serve until the loop is stopped; then hang up on everybody and give everything back."""
    loop.run_forever()
    loop.run_until_complete(_hang_up(listener, connections))
    loop.close()


async def _hang_up(listener: asyncio.Server, connections: Sequence[SMTP]) -> None:
    listener.close()
    for connection in connections:
        if isinstance(connection.transport, asyncio.WriteTransport):
            with suppress(AttributeError):  # Python 3.11.2: under TLS, where the connection has ended by itself
                connection.transport.abort()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # An aborted transport closes its socket in the next turns of the loop, one under TLS a turn later.
    for _ in range(3):
        await asyncio.sleep(0)
