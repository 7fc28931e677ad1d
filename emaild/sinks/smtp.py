"""Mail out over SMTP (RFC 5321) by one kept connection.

A failure before MAIL is the way's; from MAIL on it is the mail's, told recipient by recipient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from smtplib import quoteaddr

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import Rejected
from emaild.fault_points import FaultPoint
from emaild.log import events
from emaild.message import Outbound, Receipt, RecipientState
from emaild.net.peer import Peer
from emaild.net.sign_in import SignIn
from emaild.render.finished import seven_bit
from emaild.settings.way_out import WayOutSection
from emaild.sinks.smtp_client import DISCONNECTED, ENDED, Answer, SmtpClient, signed_in, words

ACCEPTED = (250, 251)
TOO_MANY = 452
TOO_MANY_OF_OLD = 552  # what servers said for it before RFC 5321, §4.5.3.1.10


class Smtp:
    """One connection to a way out, opened when it is needed."""

    def __init__(self, section: WayOutSection, peer: Peer, clock: Clock, sign_in: SignIn | None = None) -> None:
        self._section = section
        self._sign_in = sign_in or SignIn()
        self._properties = section.smtp
        self._peer = peer
        self._clock = clock
        self._client: SmtpClient | None = None
        self._used = 0.0  # when the connection last did something, on the monotonic clock

    def send(self, mail: Outbound) -> Sequence[Receipt]:
        """One transaction: MAIL, RCPT for each recipient, DATA if any was accepted."""
        mail = replace(mail, sender=self._sender(mail))
        client = self._ready()
        try:
            return self._transaction(client, mail)
        finally:
            self._used = self._clock.monotonic()

    def rest(self) -> float | None:
        """Close what was idle for cnx-max-idle-time, and what was signed in with a token that is near its end."""
        if self._client is None:
            return None
        left = min(self._section.cnx_max_idle_time - self._idle(), self._sign_in.lasts())
        if left <= 0:
            self.close()
            return None
        return left

    def close(self) -> None:
        """QUIT, and a short wait for its answer unless `mail.smtp.quitwait` is false."""
        client, self._client = self._client, None
        if client is not None:
            client.leave(wait=self._properties.quitwait)

    # The connection

    def _idle(self) -> float:
        return self._clock.monotonic() - self._used

    def _ready(self) -> SmtpClient:
        """The kept connection if it still works, else a new one."""
        self.rest()
        if self._client is not None and not self._works(self._client):
            self.close()
        if self._client is None:
            self._client = self._sign_in.by(lambda token: signed_in(self._section, self._peer, token))
        return self._client

    def _works(self, client: SmtpClient) -> bool:
        """Whether a kept connection is still one: a server that said anything unasked said good-bye."""
        if client.has_said_something():
            return False
        if self._idle() <= self._section.cnx_check_idle_time:
            return True
        code, _ = client.ask(client.rset if self._properties.userset else client.noop)
        return code == 250 if self._properties.noop_strict else code not in ENDED

    # The transaction

    def _sender(self, mail: Outbound) -> str:
        """Whom the envelope names; a notification's null sender stays, so that nobody answers it (RFC 5321 §4.5.5).

        Raises:
            Rejected: the conf file wants something in MAIL that no command can carry.
        """
        given = self._properties.from_ or self._section.session.from_
        extension = self._properties.mailextension
        if not (given + extension).isprintable() or not extension.isascii():
            raise Rejected(str(self._peer), "MAIL", "mail.smtp.from or mailextension holds what no command can carry")
        return quoteaddr(given)[1:-1] if given and mail.sender else mail.sender

    def _transaction(self, client: SmtpClient, mail: Outbound) -> list[Receipt]:
        raw, refusal = self._form(client, mail)
        if refusal is not None:
            return _all(mail.recipients, refusal)
        answer = client.ask(client.start_mail, mail.sender, self._mail_options(client, mail, raw))
        if answer[0] != 250:
            self._abandon(client, answer)
            return _all(mail.recipients, answer)
        answers = self._recipients(client, mail)
        last = answers[-1]
        accepted = [answer for answer in answers if answer[0] in ACCEPTED]
        if last[0] in ENDED or not accepted or (len(accepted) < len(answers) and not self._properties.sendpartial):
            self._abandon(client, last)
            if last[0] in ENDED:
                return _all(mail.recipients, last)
            return _receipts(mail.recipients, answers if self._properties.sendpartial else _withheld(mail, answers))
        fault_points.reached(FaultPoint.OFFERED)
        taken = client.ask(client.data, raw)
        if taken[0] == 250:
            fault_points.reached(FaultPoint.ACCEPTED)
            self._report(mail, answers)
        else:
            self._abandon(client, taken)
        final = [taken if answer[0] in ACCEPTED else answer for answer in answers]
        return _receipts(mail.recipients, final)

    def _form(self, client: SmtpClient, mail: Outbound) -> tuple[bytes, Answer | None]:
        """The bytes that this server can take; or why it cannot (codes of RFC 3463)."""
        raw: bytes | None = mail.raw
        allowed = self._properties.allow8bitmime
        if not mail.raw.isascii() and not (allowed and client.has_extn("8bitmime")):
            raw = seven_bit(mail.raw)
        if raw is None:
            why = b"the server has no 8BITMIME" if allowed else b"mail.smtp.allow8bitmime is false"
            return b"", (554, b"5.6.3 the mail is 8-bit and " + why)
        limit = client.esmtp_features.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(raw):
            text = f"5.3.4 the mail has {len(raw)} bytes, the server takes {limit} at most"
            return b"", (552, text.encode())
        if _beyond_ascii(mail) and not client.has_extn("smtputf8"):
            return b"", (553, b"5.6.7 an address is not ASCII and the server has no SMTPUTF8")
        return raw, None

    def _mail_options(self, client: SmtpClient, mail: Outbound, raw: bytes) -> list[str]:
        """What MAIL says beside the sender: what the server knows, and mailextension in any case."""
        properties = self._properties
        options = []
        if not raw.isascii():
            options.append("BODY=8BITMIME")  # RFC 6152 §2
        if client.has_extn("size"):
            options.append(f"SIZE={len(raw)}")  # RFC 1870 §6
        if _beyond_ascii(mail):
            options.append("SMTPUTF8")  # RFC 6531 §3.4
        if properties.dsn_ret and client.has_extn("dsn"):
            options.append(f"RET={properties.dsn_ret}")  # RFC 3461 §4.3
        if client.has_extn("dsn") and "ENVID=" not in properties.mailextension.upper():
            options.append(f"ENVID={mail.id}")  # RFC 3461 §4.4: by it a report finds the mail that it is about
        if properties.submitter and client.has_extn("auth"):
            options.append(f"AUTH={_xtext(properties.submitter)}")  # RFC 4954 §5
        if properties.mailextension:
            options.append(properties.mailextension)
        return options

    def _recipients(self, client: SmtpClient, mail: Outbound) -> list[Answer]:
        """The answers to RCPT; the last may be one that ended the session, and then there are no more."""
        notify = (mail.notify or self._properties.dsn_notify) if client.has_extn("dsn") else ()
        option = f" NOTIFY={','.join(notify)}" if notify else ""  # RFC 3461 §4.1
        answers: list[Answer] = []
        for address in mail.recipients:
            code, text = client.ask(client.docmd, "rcpt", f"TO:<{address}>{option}")
            if code == TOO_MANY_OF_OLD and any(answer[0] in ACCEPTED for answer in answers):
                code = TOO_MANY
            answers.append((code, text))
            if code in ENDED:
                break
        return answers

    def _report(self, mail: Outbound, answers: Sequence[Answer]) -> None:
        if not self._properties.reportsuccess:
            return
        for address, answer in zip(mail.recipients, answers, strict=True):
            if answer[0] in ACCEPTED:
                events.outbound_recipient_accepted(
                    section=self._section.name, outbound=mail.id, recipient=address, reply=words(answer)
                )

    def _abandon(self, client: SmtpClient, answer: Answer) -> None:
        """Leave a transaction that failed: RSET, or a new connection next time where this one is no good."""
        if answer[0] in ENDED or client.ask(client.rset)[0] != 250:
            self._client = None
            client.close()


def _beyond_ascii(mail: Outbound) -> bool:
    return not all(address.isascii() for address in (mail.sender, *mail.recipients))


def _xtext(text: str) -> str:
    """RFC 3461 §4: all but visible ASCII, `+` and `=` as `+` and two hexadecimal digits."""
    return "".join(
        chr(octet) if 0x21 <= octet <= 0x7E and octet not in b"+=" else f"+{octet:02X}" for octet in text.encode()
    )


def _withheld(mail: Outbound, answers: Sequence[Answer]) -> list[Answer]:
    """Nobody got it, nor will: each its own refusal, but where that is milder the worst of them."""
    refused = [pair for pair in zip(mail.recipients, answers, strict=True) if pair[1][0] not in ACCEPTED]
    address, (code, text) = max(refused, key=lambda pair: pair[1][0] // 100 == 5)
    reason = f"sent to nobody, for the server refused {address}: ".encode() + text
    return [answer if answer[0] // 100 == code // 100 else (code, reason) for answer in answers]


def _receipts(addresses: Sequence[str], answers: Sequence[Answer]) -> list[Receipt]:
    return [_receipt(*pair) for pair in zip(addresses, answers, strict=True)]


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
    return Receipt(address=address, state=state, code=str(code), text=words(answer).removeprefix(f"{code} "))
