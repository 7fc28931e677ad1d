"""Reports that real mail servers write about one mail of ours, and what is read from them."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Mapping
from typing import Protocol

from emaild.message import Facts
from emaild.mime.view import facts
from tests.servers.ports import LOOPBACK
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

SENDER, ENVELOPE_ID, MESSAGE_ID = "ann@example.com", "MVPF0H3LX0UK7Q2A", "<MVPF0H3LX0UK7Q2A@example.com>"
MAIL = f"From: {SENDER}\r\nTo: bob@fail.test\r\nSubject: Hello\r\nMessage-ID: {MESSAGE_ID}\r\n\r\nHow are you?\r\n"
DATE = re.compile(r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}(?: \(\w+\))?")

UserData = dict[str, str | int]


class Server(Protocol):
    """A mail server that takes mail on loopback."""

    smtp: int

    def log(self) -> str:
        """What it logged so far."""


def send(server: Server, *recipients: str) -> None:
    """Send our mail, and ask for reports of all that happens to it (RFC 3461)."""
    with smtplib.SMTP(LOOPBACK, server.smtp, timeout=10) as client:
        client.ehlo()
        assert client.mail(SENDER, [f"ENVID={ENVELOPE_ID}", "RET=HDRS"])[0] == 250
        for address in recipients:
            options = ["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{address.upper()}"]
            assert client.rcpt(address, options)[0] in (250, 251)
        assert client.data(MAIL)[0] == 250


def reports(server: Server, sink: SmtpSink, count: int) -> list[Facts]:
    """The first reports that reached the *sink*, once it has so many about different recipients or events."""

    def found() -> list[Facts]:
        # A server that tells of a delay more than once tells nothing new.
        mails = [facts(mail.raw) for mail in sink.received() if mail.sender == ""]
        told = {tuple(sorted(_told(mail))): mail for mail in reversed(mails)}
        return list(reversed(told.values())) if len(told) >= count else []

    return eventually(found, within=25, what=f"{count} reports; the server says: {server.log()}")


def about(mails: list[Facts], address: str, action: str) -> Facts:
    """The one that tells that of a recipient."""
    (found,) = (mail for mail in mails if (address, action) in _told(mail))
    return found


def steady(mail: Facts, *varying: str) -> UserData:
    """The attached data of its report; DATE stands for dates, ID for what the fields named *varying* say."""
    said = dict(mail.report.user_data) if mail.report else {}
    said = {key: DATE.sub("DATE", value) if isinstance(value, str) else value for key, value in said.items()}
    return said | {key: "ID" for key in said if key.rpartition(".")[2] in varying}


def expected(mail: Facts, message: Mapping[str, str], recipients: Mapping[str, Mapping[str, str]]) -> UserData:
    """The attached data that a report should make of these fields; its recipients may stand in any order."""
    order = [address for address, _ in _told(mail)]
    assert sorted(order) == sorted(recipients)
    said: UserData = {"_DSNInfo.RecipientCount": len(order), "_DSNRawInfo.RecipientCount": len(order)}
    said |= {f"_DSNRawInfo.{name}": value for name, value in message.items()}
    for number, address in enumerate(order, start=1):
        fields = {"Original-Recipient": f"rfc822;{address.upper()}", **recipients[address]}
        said[f"_DSNInfo.Recipient{number}.Recipient"] = address
        said[f"_DSNInfo.Recipient{number}.Action"] = fields["Action"]
        said |= {f"_DSNRawInfo.Recipient{number}.{name}": value for name, value in fields.items()}
    return said


def _told(mail: Facts) -> list[tuple[str, str]]:
    return [(one.address, one.action) for one in mail.report.recipients] if mail.report else []
