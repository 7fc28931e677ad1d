"""Ways out used as the daemon's jobs use them: a section, the sink that serves it, a mail, its receipts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from emaild.message import Outbound, Receipt, RecipientState
from emaild.net.peer import peer_of
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Sink
from emaild.sinks.smtp import Smtp
from tests.clock import ManualClock
from tests.servers.scripted import Scripted

SENT, WAITING, FAILED = RecipientState.SENT, RecipientState.WAITING, RecipientState.FAILED
SENDER = "sender@example.com"
RAW = b"Subject: one\r\nMessage-ID: <one@example.com>\r\n\r\nHello\r\n"


@dataclass(frozen=True)
class Way:
    """A sink whose mails nobody takes back: *send* gives what became of the recipients."""

    sink: Sink

    def send(self, mail: Outbound) -> list[Receipt]:
        """The receipts."""
        return list(self.sink.send(mail, lambda: None).receipts)

    def rest(self) -> float | None:
        """As the sink's."""
        return self.sink.rest()

    def close(self) -> None:
        """As the sink's."""
        self.sink.close()


class Sinks(ExitStack):
    """Makes sinks that share a clock, and closes them."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()

    def __call__(self, port: int, **given: Any) -> Way:
        """The sink of a way out; *given* are fields of its section. A `user` signs in."""
        fields: dict[str, Any] = {"server": "localhost", "connect_timeout": 5.0, "protocol_timeout": 5.0}
        if "user" in given:
            fields |= {"enable_authentication": True, "password": Secret("secret")}
        section = WayOutSection(name="smtp-client", port_given=port, **(fields | given))
        return self.enter_context(closing(Way(Smtp(section, peer_of(section), self.clock))))


def outbound(*recipients: str, raw: bytes = RAW, sender: str = SENDER) -> Outbound:
    """A mail to send."""
    return Outbound(
        id=secrets.token_hex(8).upper(),
        way_out="smtp-client",
        sender=sender,
        recipients=recipients or ("one@example.net",),
        message_id="<one@example.com>",
        raw=raw,
    )


def states(receipts: Sequence[Receipt]) -> list[RecipientState]:
    """What became of the recipients, in order."""
    return [receipt.state for receipt in receipts]


def codes(receipts: Sequence[Receipt]) -> list[str]:
    """The servers' answers for the recipients, in order."""
    return [receipt.code for receipt in receipts]


def said(server: Scripted) -> list[str]:
    """What the clients of a scripted server said, line by line; smtplib's own commands in capitals, as ours are."""
    lines = [line.partition(" C: ")[2] for line in server.transcript if " C: " in line]
    return [re.sub(r"^[a-z]+(?= |$)", lambda command: command[0].upper(), line) for line in lines]
