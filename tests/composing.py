"""Composing a mail in one line, and reading it back."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from emaild.render.compose import Composed, Draft, compose

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def composed(domain: str = "", **said: Any) -> Composed:
    draft: dict[str, Any] = {"sender": "ann@example.com", "to": ("bob@example.com",)} | said
    return compose(Draft(**draft), now=NOW, domain=domain)


def parsed(mail: Composed) -> EmailMessage:
    return email.message_from_bytes(mail.raw, policy=SMTP)


def on_the_wire(mail: Composed) -> list[bytes]:
    """Its lines, and that they are what every server takes (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1, RFC 6152)."""
    assert mail.raw.isascii()
    assert b"\0" not in mail.raw
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw) is None
    lines = mail.raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    return lines
