"""Reports written in a few lines, as the programs of the world write them."""

from __future__ import annotations

from emaild.message import Report
from emaild.mime.view import facts

RETURNED = ("Content-Type: message/rfc822", "", "Message-ID: <original@example.com>", "To: bob@example.net", "", "Hi")
NOTICE = ("Content-Type: text/plain", "", "A notice for people.")
MESSAGE = ("Reporting-MTA: dns; mail.example.com", "")


def multipart(*parts: tuple[str, ...], kind: str = "multipart/report", header: tuple[str, ...] = ()) -> bytes:
    """A mail of parts, each given as its lines."""
    inside = [line for part in parts for line in ("--b", *part)]
    return "\r\n".join([*header, f'Content-Type: {kind}; boundary="b"', "", *inside, "--b--", ""]).encode()


def labelled(label: str, lines: tuple[str, ...]) -> tuple[str, ...]:
    return (f"Content-Type: {label}", "", *lines)


def reported(raw: bytes) -> Report:
    """The report that a mail is, which it must be."""
    found = facts(raw).report
    assert found is not None
    return found


def dsn(*lines: str, returned: tuple[str, ...] = RETURNED) -> Report:
    """What a delivery status of these lines says."""
    return reported(multipart(NOTICE, labelled("message/delivery-status", lines), returned))


def mdn(*lines: str) -> Report:
    """What a read receipt of these lines says."""
    return reported(multipart(NOTICE, labelled("message/disposition-notification", lines)))
