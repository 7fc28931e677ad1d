"""The mail that a bounce is about, as far as the bounce returns it, and the text of the report without it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emaild.message import Facts
from emaild.mime import headers
from emaild.mime.alternatives import any_of
from emaild.mime.bounce.failures import FAILED
from emaild.mime.bounce.senders import TOLD
from emaild.mime.charset import decoded
from emaild.mime.parts import Part, parsed
from emaild.settings.properties import MimeProperties

LONGEST = 60_000  # characters, and bytes of an enclosed header, that are looked at
ENCLOSED = frozenset(
    ("message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers", "text/rfc822-headers")
)
LINE = r"[-=_*+~#]{2,}"
SEPARATOR = any_of(
    rf"""
    ^[ \t>|*]*{LINE}.{{0,20}}?\b(?:this is a copy|below|original|unsent|returned|undelivered|failed message)\b
    ^[ \t>|*]*{LINE}.{{0,20}}?\b(?:(?:message|mail) (?:header|text|body|follow)|header|start of|begin|here (?:is|are))
    ^[ \t>|*]*{LINE}.{{0,20}}?\b(?:the (?:header|body|text|first|original)|enclosed|copy of|forwarded)\b
    ^[ \t>|*]*(?:(?:the|your) )?(?:original|unsent|returned|undelivered|full) [^.@]{{0,70}}[ \t]*$
    ^[ \t>|*]*(?:message|mail|received) headers?[^.@]{{0,60}}:?[ \t]*$
    ^[ \t>|*]*below this line is\b
    ^[ \t>|*]*text of .{{0,40}}follows
    """
)
"""A line above what is returned, where a header follows it."""

COPY = any_of(
    r"""
    ^\W*-{2,}.{0,20}\b(?:below this line|copy of (?:the|your) message)\b
    ^\W*-{2,}.{0,20}\b(?:original|returned|unsent) message\b
    """
)
"""A line that says by itself that all below is returned."""

FIELD = re.compile(
    r"^[ \t>|*•]*(received|return-path|message-id|mime-version|dkim-signature|delivered-to|content-type|x-[\w-]+|from|"
    r"to|cc|subject|date|sender|reply-to|in-reply-to|references|precedence|list-[\w-]+)[ \t]{0,3}:",
    re.IGNORECASE,
)
PLAIN = frozenset(("from", "to", "cc", "subject", "date", "sender", "reply-to"))  # people quote these as well
PREFIX = re.compile(r"^[ \t>|*•]+(?=[\w-]+[ \t]*:)", re.MULTILINE)


DAEMON = re.compile(r"\A(?:mail(?:er)?[-_.]?d(?:ae|e)mon|post[-_]?master|mmdf)@", re.IGNORECASE)


@dataclass(frozen=True)
class Original:
    """What a returned mail says of itself; all empty where none is returned."""

    message_id: str | None = None
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()


def taken_apart(leaves: Sequence[Part], said: Facts, reading: MimeProperties) -> tuple[str, Original]:
    """The text of a report, and what it returns of the mail that it is about."""
    told, returned = _cut(said.text[:LONGEST])
    texts = [_text(part, reading) for part in leaves if part.kind in TOLD]
    if not said.text:
        texts += [
            _text(part, reading) for part in leaves if part.kind.startswith("text/") and part.kind not in ENCLOSED
        ]
    enclosed = [part.body[:LONGEST].decode("utf-8", "surrogateescape") for part in leaves if part.kind in ENCLOSED]
    if len(leaves) > 1:  # a part's own header is a mail's where nothing says that a mail lies in it
        enclosed += ["".join(f"{name}: {value}\n" for name, value in part.header.raw_items()) for part in leaves]
    original = _read([*enclosed, returned, told], reading)
    if any(DAEMON.search(sender) for sender in original.senders):  # a report that was passed on in another one
        return "\n".join([told, *texts, *enclosed]), Original()
    return "\n".join([told, *texts]), original


def _text(part: Part, reading: MimeProperties) -> str:
    return decoded(part.content(reading)[:LONGEST], None, reading.charset)


def _cut(text: str) -> tuple[str, str]:
    """A report's own text, and the mail that it returns in the same text."""
    lines = text.split("\n")
    said = False  # a header that stands above what failed is quoted in the report, and does not end it
    for number, line in enumerate(lines):
        said = said or bool(FAILED.search(line[:500]))
        if said and (
            (number and SEPARATOR.match(line[:200]) and _header_near(lines, number + 1)) or _is_header(lines, number)
        ):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
    return text, ""


def _header_near(lines: list[str], number: int) -> bool:
    if COPY.match(lines[number - 1][:200]) or number > len(lines) - 3:
        return True
    return any(FIELD.match(line[:100]) for line in lines[number : number + 4])


def _is_header(lines: list[str], number: int) -> bool:
    """Whether a mail's header begins there: three fields together, and one that people do not quote."""
    if not FIELD.match(lines[number][:100]):
        return False
    names = [found[1].lower() for line in lines[number : number + 12] if (found := FIELD.match(line[:100]))]
    return len(names) > 2 and not PLAIN.issuperset(names)


def _read(returned: Iterable[str], reading: MimeProperties) -> Original:
    """What the first of the texts says that holds a mail's header."""
    for text in returned:
        lines = PREFIX.sub("", text).split("\n")
        start = next((at for at, line in enumerate(lines) if FIELD.match(line[:100])), len(lines))
        header = parsed("\n".join(lines[start:]).encode("utf-8", "surrogateescape"), reading).header
        ids = headers.message_ids(header, "Message-ID")
        senders = [one for name in ("From", "Sender") for one in headers.addresses(header, name, reading)]
        recipients = [one for name in ("To", "Cc") for one in headers.addresses(header, name, reading)]
        if ids or senders or recipients:
            return Original(ids[0] if ids else None, tuple(senders), tuple(recipients))
    return Original()
