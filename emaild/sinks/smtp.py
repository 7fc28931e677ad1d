"""Mail out over SMTP (RFC 5321) by one kept connection.

A failure before MAIL is the way's, and so is the answer to MAIL that it is to sign in first. All else from MAIL on is
the mail's, told recipient by recipient.
"""

from __future__ import annotations

from dataclasses import replace

from emaild.clock import Clock
from emaild.errors import Rejected
from emaild.log import events
from emaild.message import Delivery, Outbound, Receipt, RecipientState
from emaild.net.peer import Peer
from emaild.net.sign_in import SignIn
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Confirm
from emaild.sinks.dkim import Signer
from emaild.sinks.smtp_client import SmtpClient
from emaild.sinks.smtp_form import Unfit, form_of, sender_of
from emaild.sinks.smtp_replies import DISCONNECTED, ENDED, SIGN_IN_FIRST, Answer, words
from emaild.sinks.smtp_sign_in import signed_in
from emaild.sinks.smtp_transaction import Outcome, is_good, transact


class Smtp:
    """One connection to a way out, opened when it is needed."""

    def __init__(self, section: WayOutSection, peer: Peer, clock: Clock, sign_in: SignIn | None = None) -> None:
        self._section = section
        self._sign_in = sign_in or SignIn()
        self._properties = section.smtp
        self._peer = peer
        self._clock = clock
        self._client: SmtpClient | None = None
        self._signer = Signer(section, clock, str(peer)) if section.dkim_domain else None
        self._used = 0.0  # when the connection last did something, on the monotonic clock

    def send(self, mail: Outbound, confirm: Confirm) -> Delivery:
        """One transaction: MAIL, RCPT for each recipient, DATA if any was accepted.

        Raises Rejected, as `Sink.send`, where MAIL is answered that it is to sign in first.
        """
        sender = sender_of(mail, self._section, str(self._peer))
        mail = mail if sender == mail.sender else replace(mail, sender=sender)
        kept = self._client
        client = self._ready()
        try:
            receipts = self._transaction(client, mail, confirm, kept=client is kept)
            if receipts is None:
                return self.send(mail, confirm)
            return Delivery(receipts=tuple(receipts), server=str(client.peer), tls=client.tls)
        except BaseException:
            self._client = None
            client.close()
            raise
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
        code, _ = client.ask(b"RSET" if self._properties.userset else b"NOOP")
        return code == 250 if self._properties.noop_strict else code not in ENDED

    # The transaction

    def _transaction(self, client: SmtpClient, mail: Outbound, confirm: Confirm, *, kept: bool) -> list[Receipt] | None:
        """None: the server ends a *kept* connection and has nothing of the mail, so a new one is worth a try."""
        try:
            form = form_of(client, self._section, mail, self._signer)
        except Unfit as error:
            return [_receipt(address, error.answer) for address in mail.recipients]
        outcome = transact(
            client,
            form,
            confirm,
            pipelining=self._section.pipelining and client.has_extn("pipelining"),
            partial=self._properties.sendpartial,
        )
        if kept and outcome.code in ENDED:
            self._abandon(client, outcome.last)
            return None
        if outcome.code == SIGN_IN_FIRST:
            raise Rejected(str(client.peer), "MAIL", words(outcome.recipients[0]))
        if outcome.accepted:
            self._report(mail, outcome)
        else:
            self._abandon(client, outcome.last)
        return [_receipt(*pair) for pair in zip(mail.recipients, outcome.recipients, strict=True)]

    def _report(self, mail: Outbound, outcome: Outcome) -> None:
        if not self._properties.reportsuccess:
            return
        for address, answer in zip(mail.recipients, outcome.accepted, strict=True):
            if is_good(answer):
                events.outbound_recipient_accepted(
                    section=self._section.name, outbound=mail.id, recipient=address, reply=words(answer)
                )

    def _abandon(self, client: SmtpClient, last: Answer) -> None:
        """Leave a transaction that failed: RSET, or a new connection next time where this one is no good."""
        if last[0] in ENDED or client.ask(b"RSET")[0] != 250:
            self._client = None
            client.close()


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
