"""A connection to an SMTP server (RFC 5321), by the standard library's smtplib: opened, encrypted and signed in.

Whatever fails here is the way's failure and touches no mail.
"""

from __future__ import annotations

import contextlib
import io
import re
import select
import smtplib
import socket
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.net.connect import check_encrypted, first_that_connects, open_connection
from emaild.net.peer import Peer
from emaild.net.refusals import explained
from emaild.net.sasl import Account, Mechanism, choice_of, choose
from emaild.net.sign_in import TokenRefused, only_tokens, without
from emaild.net.tls import client_context
from emaild.net.translate import network_meaning, translated
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import WayOutSection

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Answer = tuple[int, bytes]
"""A code and the words after it, the lines of which LF separates."""

LIBRARY = (OSError, smtplib.SMTPException, ValueError)
CLOSING = 421  # the server ends the session (RFC 5321 §3.8)
DISCONNECTED: Answer = (-1, b"")
ENDED = (CLOSING, DISCONNECTED[0])  # no further command will be answered
LONGEST_COMMAND = 512  # octets, CRLF included (RFC 5321 §4.5.3.1.4)
MOST_CHALLENGES = 10
SIGN_IN_IS_OFF = re.compile(rb"5\.7\.139")  # Exchange: for this mailbox or tenant it is, whatever the token
FAREWELL = 2.0  # seconds to wait for the answer to QUIT


class _Incoming(io.RawIOBase):
    """What a server says; `until`, on the monotonic clock, is when its answer must be complete."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.until = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class SmtpClient(smtplib.SMTP):
    """smtplib with a connection from our own door; a whole answer has the time that else each byte of it has."""

    def __init__(self, peer: Peer, properties: SmtpProperties) -> None:
        """Connect and read the greeting.

        Raises:
            OSError, smtplib.SMTPException: no connection, or a greeting that turns us away.
        """
        self.peer = peer
        self._properties = properties
        name = properties.localhost or _own_name()
        super().__init__(peer.host, peer.port, local_hostname=name, timeout=peer.protocol_timeout)

    @property
    def connection(self) -> socket.socket:
        """The socket.

        Raises:
            smtplib.SMTPServerDisconnected: it is closed.
        """
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection broke")
        return self.sock

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return open_connection(self.peer)

    def connect(self, host: str = "", port: int = 0, source_address: Any = None) -> Answer:
        answer = super().connect(host, port, source_address)
        if answer[0] >= 400 and self._properties.quitonsessionreject:
            self.leave(wait=True)
        return answer

    def getreply(self) -> Answer:
        if self.file is None:  # smtplib forgets it, and so what was said before TLS, when STARTTLS succeeds
            self.file = io.BufferedReader(_Incoming(self.connection))
        patience = self.connection.gettimeout() or self.peer.protocol_timeout
        self.file.raw.until = time.monotonic() + patience
        try:
            return super().getreply()
        finally:
            if self.sock is not None:
                self.sock.settimeout(patience)

    def greet(self) -> None:
        """EHLO, or HELO where a server or an operator wants no more."""
        if self._properties.ehlo:
            self.ehlo_or_helo_if_needed()
            return
        code, text = self.helo()
        if code // 100 != 2:
            raise smtplib.SMTPHeloError(code, text)

    def start_mail(self, sender: str, options: Sequence[str]) -> Answer:
        """MAIL; unlike smtplib's it says the options to a server of HELO, too."""
        self.command_encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        return self.docmd("mail", " ".join((f"FROM:<{sender}>", *options)))

    def ask(self, command: Callable[..., Answer], *arguments: object) -> Answer:
        """One command's answer; DISCONNECTED where there is none."""
        try:
            return command(*arguments)
        except smtplib.SMTPDataError as error:  # anything but 354 after DATA
            return error.smtp_code, as_bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException):
            return DISCONNECTED

    def has_said_something(self) -> bool:
        """Whether something is there to be read, be it only the end."""
        if self.sock is None:
            return True
        poll = select.poll()  # unlike select() it takes descriptors above 1,023
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def leave(self, *, wait: bool) -> None:
        """QUIT and close; *wait* for its answer, though not for long. Never raises."""
        with contextlib.suppress(*LIBRARY):
            self.connection.settimeout(FAREWELL)
            self.putcmd("quit")
            if wait:
                self.getreply()
        self.close()


def signed_in(section: WayOutSection, peer: Peer, token: Secret | None = None) -> SmtpClient:
    """A connection that takes mail: greeted, encrypted and signed in as the section says, or with a *token*.

    Raises:
        TokenRefused: the server said no to the token. RemoteError: there is none to be had.
    """
    client = first_that_connects(peer, lambda attempt: _greeted(attempt, section.smtp))
    try:
        if token is not None or (section.enable_authentication and section.password is not None):
            with translated(str(client.peer), "sign in", _meaning, *LIBRARY):
                _sign_in(client, section, token)
    except BaseException:
        client.close()
        raise
    return client


def _greeted(peer: Peer, properties: SmtpProperties) -> SmtpClient:
    with translated(str(peer), "connect", _meaning, *LIBRARY):
        client = SmtpClient(peer, properties)
    try:
        with translated(str(peer), "greet", _meaning, *LIBRARY):
            client.greet()
        with translated(str(peer), "STARTTLS", _meaning, *LIBRARY):
            offered = peer.starttls_if_offered and client.has_extn("starttls")
            if offered or peer.security is Security.START_TLS:
                _start_tls(client)
    except BaseException:
        client.close()
        raise
    return client


def _start_tls(client: SmtpClient) -> None:
    """What was said before counts no more: the server is asked again what it can do (RFC 3207 §4.2)."""
    code, text = client.starttls(context=client_context(client.peer))
    if code != 220:
        raise smtplib.SMTPResponseException(code, text)
    client.greet()


def _sign_in(client: SmtpClient, section: WayOutSection, token: Secret | None) -> None:
    """By the best mechanism that both sides know and the section allows (RFC 4954)."""
    where = str(client.peer)
    offered = client.esmtp_features.get("auth", "").split()
    if not offered:
        raise Rejected(where, "sign in", "the server offers no sign-in; clear user and password, or use another port")
    choice = choice_of(section.smtp)
    mechanism = choose(offered, _account(client, section, token), only_tokens(choice) if token else choice)
    if mechanism is None:
        raise Rejected(where, "sign in", f"the server offers {' '.join(offered)}, none of which may be used")
    check_encrypted(client.peer, client.connection)
    code, text = _exchange(client, mechanism)
    if code != 235:
        reason = ": ".join(filter(None, (mechanism.refusal, without(words((code, text)), token or section.password))))
        raise _refused(code, text, token)(where, "sign in", explained(reason))


def _refused(code: int, text: bytes, token: Secret | None) -> type[RemoteError]:
    """454 and 421 are passing troubles of the server; 535 and the like are about our password (RFC 4954 §6)."""
    if code <= 0 or code // 100 == 4:
        return Busy
    return Rejected if token is None or SIGN_IN_IS_OFF.search(text) else TokenRefused


def _account(client: SmtpClient, section: WayOutSection, token: Secret | None) -> Account:
    properties = section.smtp
    host = client.peer.host
    if properties.sasl_enable and properties.sasl_usecanonicalhostname:
        host = socket.getfqdn(client.connection.getpeername()[0])
    return Account(
        user=section.user,
        password=token or section.password or Secret(""),
        authorization_id=properties.sasl_authorizationid if properties.sasl_enable else "",
        realm=properties.sasl_realm if properties.sasl_enable else "",
        ntlm_domain=properties.auth_ntlm_domain,
        host=host,
    )


def _exchange(client: SmtpClient, mechanism: Mechanism) -> Answer:
    """AUTH with the first response where that fits on its line (RFC 4954 §4), and an answer to each challenge."""
    command = f"AUTH {mechanism.name}"
    first = b64encode(mechanism.respond(None)).decode("ascii") if mechanism.client_first else None
    if first is not None and len(command) + 1 + len(first) <= LONGEST_COMMAND - 2:
        answer, first = client.docmd(command, first or "="), None
    else:
        answer = client.docmd(command)
    for _ in range(MOST_CHALLENGES):
        if answer[0] != 334:
            break
        answer, first = client.docmd(_response(mechanism, answer[1]) if first is None else first), None
    return answer


def _response(mechanism: Mechanism, challenge: bytes) -> str:
    """The answer to a challenge; `*` ends a sign-in that cannot go on (RFC 4954 §4)."""
    try:
        return b64encode(mechanism.respond(b64decode(challenge))).decode("ascii")
    except ValueError:
        return "*"


def words(answer: Answer) -> str:
    """An answer on one line."""
    return f"{answer[0]} " + " ".join(answer[1].decode("utf-8", "replace").split())


def as_bytes(text: bytes | str) -> bytes:
    """What smtplib's exceptions hold, be it the server's words or its own."""
    return text.encode() if isinstance(text, str) else text


@cache
def _own_name() -> str:
    """Our name for EHLO, looked up once: a slow name server must not slow every connection."""
    return socket.getfqdn()


def _meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """What a failure before MAIL means for the way out."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Rejected, str(error)
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        return Busy, words((error.smtp_code, as_bytes(error.smtp_error)))
    if isinstance(error, smtplib.SMTPException):
        return Unreachable, str(error) or "the connection broke"
    if isinstance(error, OSError):
        return network_meaning(error)
    return Rejected, str(error)
