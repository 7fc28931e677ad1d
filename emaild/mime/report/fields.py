"""The fields of a report (RFC 3464 §2.1), also where a program forgot how lines are folded and groups are divided."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MOST = 30_000  # fields: a report of some thousand recipients
LONGEST_ADDRESS = 1_000
STANDARD_NAMES = (  # RFC 3464 §2.2 and §2.3
    "Original-Envelope-Id Reporting-MTA DSN-Gateway Received-From-MTA Arrival-Date Original-Recipient Final-Recipient "
    "Action Status Remote-MTA Diagnostic-Code Last-Attempt-Date Final-Log-ID Will-Retry-Until "
    # RFC 8098 §3.1; Warning was one in RFC 3798
    "Reporting-UA MDN-Gateway Original-Message-ID Disposition Failure Error Warning "
    # RFC 5965 §3; the last two stood in its drafts
    "Feedback-Type User-Agent Version Original-Mail-From Source-IP Incidents Authentication-Results "
    "Original-Rcpt-To Reported-Domain Reported-URI Received-Date Removal-Recipient "
    # RFC 6591 §3, RFC 6692
    "Auth-Failure Delivery-Result DKIM-Canonicalized-Header DKIM-Canonicalized-Body DKIM-Domain DKIM-Identity "
    "DKIM-Selector DKIM-ADSP-DNS DKIM-Selector-DNS SPF-DNS Source-Port"
)
STANDARD = {name.lower(): name for name in STANDARD_NAMES.split()}
LINE_END = re.compile(r"\r\n|\r|\n")
NAMED = re.compile(r"([A-Za-z][\w-]{0,75})[ \t]*:(?!//)(.*)", re.ASCII)
TYPE = re.compile(r"\s*[\w.-]{1,40}\s{0,9};\s*", re.ASCII)  # as in "rfc822; ", "smtp; "
SCHEME = re.compile(r"\A(?:smtp|mailto):", re.IGNORECASE)
EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # RFC 6533 §3


@dataclass(frozen=True)
class Field:
    """A field: its name as the standards write it, its value unfolded, and whether an empty line stands above it."""

    name: str
    value: str
    apart: bool = False


def fields(text: str) -> list[Field]:
    """All fields in their order. A line that is none belongs to the field above, unless an empty line divides them."""
    found: list[tuple[str, list[str], bool]] = []
    apart = False
    for line in LINE_END.split(text):
        named = _named(line)
        if named:
            if len(found) == MOST:
                break
            found.append((named[0], [named[1].strip()], apart))
            apart = False
        elif not line.strip():
            apart = True
        elif found and not apart:
            found[-1][1].append(line.strip())
    return [Field(name, " ".join(filter(None, lines)), apart) for name, lines, apart in found]


def values(found: Iterable[Field], *names: str) -> list[str]:
    """What the fields of these names say, in their order."""
    return [field.value for field in found if field.name in names]


def first(found: Iterable[Field], name: str) -> str:
    """What the first field of that name says; empty where there is none."""
    return next(iter(values(found, name)), "")


def raw(prefix: str, found: Iterable[Field]) -> dict[str, str | int]:
    """The fields as attached data; what a field that is repeated says is joined by a comma and a blank."""
    said: dict[str, list[str]] = {}
    for field in found:
        said.setdefault(field.name, []).append(field.value)
    return {f"{prefix}.{name}": ", ".join(lines) for name, lines in said.items()}


def address(value: str) -> str:
    """The bare address of an address field (RFC 3464 §2.3.1): `rfc822; <ann@example.com>` -> `ann@example.com`."""
    text = untyped(untyped(value[:LONGEST_ADDRESS]))
    if value[:5].lower() == "utf-8":
        text = EMBEDDED.sub(_character, text)
    angled = text.partition("<")[2].partition(">")[0].strip()
    if angled or text.startswith('"'):
        text = angled or text
    else:
        text = next((word for word in text.split() if "@" in word), text).strip("<>()[],; ")
    return SCHEME.sub("", text)


def untyped(value: str) -> str:
    """A value without its type: `smtp; 550 No` -> `550 No`."""
    typed = TYPE.match(value)
    return value[typed.end() :] if typed else value.strip()


def _named(line: str) -> tuple[str, str] | None:
    """Name and value, where a line begins a field. A known one may be indented, or lack its colon."""
    found = NAMED.match(line.strip())
    if found:
        standard = STANDARD.get(found[1].lower())
        if standard or not line[:1].isspace():
            return standard or found[1], found[2]
        return None
    word, _, rest = line.partition(" ")
    standard = STANDARD.get(word.lower())
    return (standard, rest) if standard and "-" in standard else None


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if 0x20 < number < 0x110000 and not 0xD800 <= number < 0xE000 else found[0]
