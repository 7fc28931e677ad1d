"""Mail out over SMTP (RFC 5321), by the standard library's smtplib and one kept connection.

A failure before MAIL is the way's; from MAIL on it is the mail's, told recipient by recipient.
"""

from __future__ import annotations

import base64
import contextlib
import select
import smtplib
import socket
from collections.abc import Callable, Sequence
from functools import cache

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.fault_points import FaultPoint
from emaild.message import Outbound, Receipt, RecipientState
from emaild.net.connect import Peer, open_connection
from emaild.net.translate import network_meaning, translated
from emaild.render.compose import seven_bit
from emaild.settings.mailbox import Security
from emaild.settings.way_out import WayOutSection

Answer = tuple[int, bytes]

CLOSING = 421  # the server ends the session (RFC 5321 §3.8)
DISCONNECTED: Answer = (-1, b"")
ENDED = (CLOSING, DISCONNECTED[0])  # no further command will be answered


@cache
def _own_name() -> str:
    """Our name for EHLO, looked up once: a slow name server must not slow every connection."""
    return socket.getfqdn()


class _Smtp(smtplib.SMTP):
    """smtplib with a connection from our own door."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        super().__init__(peer.host, peer.port, local_hostname=_own_name(), timeout=peer.protocol_timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return open_connection(self._peer)


def _meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """What a failure before MAIL means for the way out."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        # 454 and 421 are passing troubles of the server; 535 and the like are about our password (RFC 4954 §6).
        return (Busy if error.smtp_code < 500 else Rejected), _words((error.smtp_code, _bytes(error.smtp_error)))
    if isinstance(error, smtplib.SMTPNotSupportedError) or type(error) is smtplib.SMTPException:
        return Rejected, str(error)  # the plain class: no way of signing in that both sides know
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        return Busy, _words((error.smtp_code, _bytes(error.smtp_error)))
    if isinstance(error, smtplib.SMTPException):
        return Unreachable, str(error) or "the connection broke"
    if isinstance(error, OSError):
        return network_meaning(error)
    return Rejected, str(error)


class Smtp:
    """One connection to a way out, opened when it is needed."""

    def __init__(self, section: WayOutSection, peer: Peer, clock: Clock) -> None:
        self._section = section
        self._peer = peer
        self._clock = clock
        self._smtp: smtplib.SMTP | None = None
        self._used = 0.0  # when the connection last did something, on the monotonic clock

    def send(self, mail: Outbound) -> Sequence[Receipt]:
        """One transaction: MAIL, RCPT for each recipient, DATA if any was accepted."""
        smtp = self._ready()
        try:
            return self._transaction(smtp, mail)
        finally:
            self._used = self._clock.monotonic()

    def rest(self) -> float | None:
        """Close what was idle for cnx-max-idle-time."""
        if self._smtp is None:
            return None
        left = self._section.cnx_max_idle_time - self._idle()
        if left <= 0:
            self.close()
            return None
        return left

    def close(self) -> None:
        """QUIT, without waiting long for its answer."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if smtp.sock is not None:
                smtp.sock.settimeout(2)
                smtp.quit()
        smtp.close()

    # The connection

    def _idle(self) -> float:
        return self._clock.monotonic() - self._used

    def _ready(self) -> smtplib.SMTP:
        """The kept connection if it still works, else a new one."""
        self.rest()
        if self._smtp is not None and not self._works(self._smtp):
            self.close()
        if self._smtp is None:
            self._smtp = self._connect()
        return self._smtp

    def _works(self, smtp: smtplib.SMTP) -> bool:
        """Whether a kept connection is still one: a server that said anything unasked said good-bye."""
        if smtp.sock is None or _readable(smtp.sock):
            return False
        return self._idle() <= self._section.cnx_check_idle_time or self._command(smtp.noop)[0] == 250

    def _connect(self) -> smtplib.SMTP:
        with translated(str(self._peer), "connect", _meaning, OSError, smtplib.SMTPException, ValueError):
            smtp = _Smtp(self._peer)
        try:
            self._greet(smtp)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _greet(self, smtp: smtplib.SMTP) -> None:
        library = (OSError, smtplib.SMTPException, ValueError)
        with translated(str(self._peer), "greet", _meaning, *library):
            smtp.ehlo_or_helo_if_needed()
        if self._peer.security is Security.START_TLS:
            with translated(str(self._peer), "STARTTLS", _meaning, *library):
                code, text = smtp.starttls(context=self._peer.tls())
                if code != 220:
                    raise smtplib.SMTPResponseException(code, text)
                smtp.ehlo_or_helo_if_needed()
        if self._section.enable_authentication and self._section.password is not None:
            with translated(str(self._peer), "sign in", _meaning, *library):
                _sign_in(smtp, self._section.user, self._section.password.reveal())

    # The transaction

    def _transaction(self, smtp: smtplib.SMTP, mail: Outbound) -> list[Receipt]:
        refusal, raw, options = self._prepared(smtp, mail)
        if refusal is not None:
            return _all(mail.recipients, refusal)
        answer = self._command(smtp.mail, mail.sender, options)
        if answer[0] != 250:
            self._abandon(smtp, answer)
            return _all(mail.recipients, answer)
        answers: dict[str, Answer] = {}
        for address in mail.recipients:
            answer = answers[address] = self._command(smtp.rcpt, address)
            if answer[0] in ENDED:
                return _all(mail.recipients, self._abandon(smtp, answer))
        accepted = [address for address, answer in answers.items() if answer[0] in (250, 251)]
        if not accepted:
            self._abandon(smtp, next(iter(answers.values())))
            return [_receipt(address, answers[address]) for address in mail.recipients]
        fault_points.reached(FaultPoint.OFFERED)
        taken = self._command(smtp.data, raw)
        if taken[0] == 250:
            fault_points.reached(FaultPoint.ACCEPTED)
        else:
            self._abandon(smtp, taken)
        return [_receipt(address, taken if address in accepted else answers[address]) for address in mail.recipients]

    def _prepared(self, smtp: smtplib.SMTP, mail: Outbound) -> tuple[Answer | None, bytes, list[str]]:
        """The bytes and MAIL options that this server can take; or why it cannot (codes of RFC 3463)."""
        raw: bytes | None = mail.raw
        options = []
        if not mail.raw.isascii():
            if smtp.has_extn("8bitmime"):
                options.append("BODY=8BITMIME")  # RFC 6152 §2
            else:
                raw = seven_bit(mail.raw)
        if raw is None:
            return (554, b"5.6.3 the mail is 8-bit and the server has no 8BITMIME"), b"", []
        limit = smtp.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(raw):
            text = f"5.3.4 the mail has {len(raw)} bytes, the server takes {limit} at most"
            return (552, text.encode()), b"", []
        if "size" in smtp.esmtp_features:
            options.append(f"SIZE={len(raw)}")  # RFC 1870 §6
        if not all(address.isascii() for address in (mail.sender, *mail.recipients)):
            if not smtp.has_extn("smtputf8"):
                return (553, b"5.6.7 an address is not ASCII and the server has no SMTPUTF8"), b"", []
            options.append("SMTPUTF8")
        return None, raw, options

    def _command(self, call: Callable[..., Answer], *arguments: object) -> Answer:
        """One command's answer; DISCONNECTED where there is none."""
        try:
            return call(*arguments)
        except smtplib.SMTPDataError as error:  # anything but 354 after DATA
            return error.smtp_code, _bytes(error.smtp_error)
        except (OSError, smtplib.SMTPException):
            return DISCONNECTED

    def _abandon(self, smtp: smtplib.SMTP, answer: Answer) -> Answer:
        """Leave a transaction that failed: RSET, or a new connection next time where this one is no good."""
        if answer[0] in ENDED or self._command(smtp.rset)[0] != 250:
            self._smtp = None
            smtp.close()
        return answer


def _sign_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """By whatever both sides know; beyond ASCII, which is all that smtplib knows, by PLAIN (RFC 4616 §2: UTF-8)."""
    if (user + password).isascii():
        smtp.login(user, password)
        return
    proof = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
    code, text = smtp.docmd("AUTH", f"PLAIN {proof}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, text)


def _readable(connection: socket.socket) -> bool:
    """Whether something is there to be read, be it only the end."""
    poll = select.poll()  # unlike select() it takes descriptors above 1,023
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _all(addresses: Sequence[str], answer: Answer) -> list[Receipt]:
    return [_receipt(address, answer) for address in addresses]


def _receipt(address: str, answer: Answer) -> Receipt:
    """RFC 5321 §4.2.1: 2yz is done, 5yz is for good, all else may be tried again."""
    code, _ = answer
    if code == DISCONNECTED[0]:  # smtplib's word for what is no answer, too
        text = "the connection broke before the server answered"
        return Receipt(address=address, state=RecipientState.WAITING, code="", text=text)
    state = (
        RecipientState.SENT
        if code // 100 == 2
        else RecipientState.FAILED
        if code // 100 == 5
        else RecipientState.WAITING
    )
    return Receipt(address=address, state=state, code=str(code), text=_words(answer).removeprefix(f"{code} "))


def _words(answer: Answer) -> str:
    return f"{answer[0]} " + " ".join(answer[1].decode("utf-8", "replace").split())


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
