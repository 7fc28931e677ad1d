"""The mail that a report is about: its header comes back in a part, or its Message-ID in a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emaild.message import Facts
from emaild.mime import headers
from emaild.mime.parts import Part, parsed
from emaild.mime.report.fields import Field, values
from emaild.settings.properties import MimeProperties

RETURNED = {
    *("message/rfc822", "message/global"),
    *("text/rfc822-headers", "message/global-headers"),  # RFC 6522 §4, RFC 6533 §6
    "message/rfc822-headers",  # the guide
}
MISLABELLED = ("text/plain", "application/octet-stream")
NAMED = ("Original-Message-ID", "X-Original-Message-ID")
IN_BRACKETS = re.compile(r"<([^<>\s]+)>")
WORD = re.compile(r"([^<>\s]+)")
LONGEST = 200_000  # bytes of a returned mail that are looked at


@dataclass(frozen=True)
class Original:
    """What is known of a mail: its Message-ID with angle brackets, and to whom it went, the failed ones if told."""

    message_id: str | None = None
    recipients: tuple[str, ...] = ()


def original(
    mail: Part, leaves: Sequence[Part], found: Sequence[Field], said: Facts, reading: MimeProperties
) -> Original:
    """What a report tells of the mail that it is about; *found* are the report's fields, *said* the facts of the mail.

    The Message-ID is that of the mail that came back, else what a field of the report or of its mail's header says.
    """
    message_id, recipients = next(_returned(leaves, reading), (None, ()))
    failed = headers.addresses(mail.header, "X-Failed-Recipients", reading)
    return Original(message_id or next(_told(mail, found, said, reading), None), failed or recipients)


def _returned(leaves: Sequence[Part], reading: MimeProperties) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Message-ID and To of the mails that came back: of those labelled so, then of what looks like a header."""
    for kinds in (RETURNED, MISLABELLED):
        for part in leaves[1:] if kinds is MISLABELLED else leaves:
            if part.kind in kinds:
                header = parsed(part.content(reading)[:LONGEST], reading).header
                ids = headers.message_ids(header, "Message-ID")
                if ids:
                    yield ids[0], headers.addresses(header, "To", reading)


def _told(mail: Part, found: Sequence[Field], said: Facts, reading: MimeProperties) -> Iterator[str]:
    """Message-IDs of the original, the surest first."""
    for value in (*values(found, *NAMED), *(headers.field(mail.header, name, reading) for name in NAMED)):
        word = IN_BRACKETS.search(value) or WORD.search(value)
        if word:
            yield f"<{word[1]}>"
    yield from filter(None, (said.in_reply_to, *said.references[-1:]))  # as Exchange and Exim write them
