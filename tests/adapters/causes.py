"""The samples of the table of causes, and the cause of what a way out that was really used gave back."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

import pytest
from _pytest.mark import ParameterSet

from emaild.diagnosis import diagnose_error, diagnose_receipt
from emaild.diagnosis.table import rows
from emaild.errors import RemoteError
from emaild.message import Outbound
from tests.adapters.ews_ways import young
from tests.adapters.ways import RAW, SENDER, SENT, Way

STEPS = ("greeting", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", ".")
NOT_BY_A_SERVER: Mapping[str, str] = {
    "5.4.4 Host or domain name not found. Name service error for name=exmaple.com type=AAAA: Host not found": (
        "Postfix says it in reports of mails that came back"
    ),
    "retry timeout exceeded": "Exim says it in reports of mails that came back",
    "Operation not permitted": "the firewall of a kernel says it, which no test sets",
    "Microsoft.Dynamics.Ax.Xpp.Security.CryptoEncryptionException: Encryption error occurred with exception": (
        "Dynamics 365 says it of its own secrets"
    ),
    "If your SMTP server doesn't support authentication, please clear the SMTP user name and password": (
        "Dynamics 365 says it of its own settings"
    ),
}
"""Samples that no server can give us, and why."""


@dataclass(frozen=True)
class Sample:
    """What is said, and the cause that it must lead to; `at` is the step or the kind of server."""

    cause: str
    number: int
    at: str
    reply: str
    code: str
    action: str

    def __str__(self) -> str:
        return f"{self.cause}-{self.number}"

    @property
    def words(self) -> str:
        """Code and reply."""
        return f"{self.code} {self.reply}".lstrip()


SAMPLES = tuple(
    Sample(
        cause=row.diagnosis.cause,
        number=number,
        at=given.get("at", "RCPT"),
        reply=given["reply"],
        code=given.get("code", ""),
        action=given.get("action", ""),
    )
    for row in rows()
    for number, given in enumerate(row.samples, 1)
)


def at(*places: str, these: Container[str] | None = None) -> list[ParameterSet]:
    """The samples of these places that somebody can give us, as parameters of a test; of *these* names alone."""
    return [
        pytest.param(one, id=str(one))
        for one in SAMPLES
        if one.at in places and one.reply not in NOT_BY_A_SERVER and (these is None or str(one) in these)
    ]


def fresh(sender: str = SENDER, raw: bytes = RAW) -> Outbound:
    """A mail that was never tried, so that no server is asked what became of it."""
    header = f"From: {sender}\r\nTo: joe@example.net\r\n".encode()
    return replace(young("joe@example.net", raw=header + raw), sender=sender)


@dataclass(frozen=True)
class Heard:
    """A failure and its cause; `action` is empty where it was an answer about the mail."""

    cause: str
    words: str
    action: str = ""


def heard(way: Way, mail: Outbound | None = None, *, server: str = "") -> Heard:
    """Why a mail was not taken, be it the way's failure or an answer; *server* stands for the one that answers."""
    try:
        delivery = way.sink.send(mail or fresh(), lambda: None)
    except RemoteError as error:
        return of_error(error)
    refused = next(one for one in delivery.receipts if one.state is not SENT)
    found = diagnose_receipt(refused, server or delivery.server)
    return Heard(found.cause if found else "", f"{refused.code} {refused.text}".lstrip())


def of_error(error: RemoteError) -> Heard:
    """The way's failure."""
    found = diagnose_error(error)
    return Heard(found.cause if found else "", error.reason, error.action)


def cause(way: Way, mail: Outbound | None = None, *, server: str = "") -> str:
    """The cause alone; empty where nobody knows."""
    return heard(way, mail, server=server).cause
