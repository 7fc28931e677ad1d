"""Mails of which some attachments stay on the IMAP server: fetched part by part (RFC 3501 §6.4.5), put together again.

The server says by BODYSTRUCTURE which parts there are. What has no large attachment in it is fetched as it stands, so
only what lies around such parts is written anew: the delimiters.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imapclient.exceptions import ProtocolError

from emaild.mime import file_names, headers
from emaild.mime.cut import noted
from emaild.mime.parts import parsed
from emaild.mime.strip import KEPT
from emaild.settings.properties import ImapProperties, MimeProperties
from emaild.sources.imap_client import Client
from emaild.sources.imap_fetch import Body, body_of

MOST_PIECES = 200  # some 4 KB of a command, below the 8,000 octets of RFC 2683 §3.2.1.5; a mail of more comes whole
NAMED = 20  # attachments that the words for them name
BASE64_LINE = (57, 78)  # bytes in a line, and octets of the line with its end (RFC 2045 §6.8)
PADDING = 2  # bytes that a file may have less than its size in base64 says
TEXTS = (b"text/plain", b"text/html")


@dataclass(frozen=True)
class Large:
    """An attachment that stays; `header` is the section that has its header."""

    header: str
    kind: str
    encoding: str
    octets: int

    @property
    def size(self) -> int:
        """How many bytes it has, about: the server tells how many it has as it is encoded."""
        if self.encoding != "base64":
            return self.octets
        lines, rest = divmod(self.octets, BASE64_LINE[1])
        return lines * BASE64_LINE[0] + rest // 4 * 3

    def is_above(self, most: int) -> bool:
        """Whether it has more than *most* bytes, if its lines are as long as they may be, as programs make them."""
        return self.size > most + (PADDING if self.encoding == "base64" else 0)


Piece = bytes | str | Large
"""What a mail is put together from: itself, a section to be fetched, or an attachment that stays."""


@dataclass(frozen=True)
class Plan:
    """How a mail is put together, and how many octets of it stay on the server."""

    pieces: tuple[Piece, ...]
    octets: int

    @property
    def sections(self) -> list[str]:
        """What is to be fetched."""
        return [piece for piece in self.pieces if isinstance(piece, str)]


def plan_of(client: Client, uid: int, most: int) -> Plan | None:
    """How to fetch a mail without its attachments of more than *most* bytes.

    None: it has none, it is gone, or what the server says of its structure makes no sense.

    Raises:
        OSError, IMAPClientError, ValueError: the server or the connection failed.
    """
    try:
        structure = client.fetch([uid], ["BODYSTRUCTURE"]).get(uid, {}).get(b"BODYSTRUCTURE")
        pieces = list(_mail(structure, most)) if structure else []
    except (ProtocolError, LookupError, TypeError, AttributeError, ValueError, RecursionError):
        return None  # the answer has been read to its end, whatever is wrong with it
    octets = sum(piece.octets for piece in pieces if isinstance(piece, Large))
    return Plan(tuple(pieces), octets) if octets and len(pieces) <= MOST_PIECES else None


def in_parts(
    client: Client, uid: int, plan: Plan, properties: ImapProperties, reading: MimeProperties
) -> tuple[Body, str] | None:
    """A mail by its plan, and in words what of it stays; None: the server does not give a part of it.

    Raises as `plan_of` does.
    """
    item = "BODY.PEEK" if properties.peek else "BODY"
    data = client.fetch([uid], [*(f"{item}[{name}]" for name in plan.sections), "INTERNALDATE"]).get(uid, {})
    names = {name: f"BODY[{name}]".encode("ascii") for name in plan.sections}
    if not data.keys() >= set(names.values()):
        return None
    found = {name: data[key] or b"" for name, key in names.items()}  # NIL is how some say that there is nothing in it
    raw, left = _together(plan, found, reading)
    return body_of(noted(raw, left), data), left


def _together(plan: Plan, found: Mapping[str, bytes], reading: MimeProperties) -> tuple[bytes, str]:
    kept, left = list[bytes](), list[str]()
    for piece in plan.pieces:
        if isinstance(piece, bytes):
            kept.append(piece)
        elif isinstance(piece, Large):
            name = headers.file_name(parsed(found[piece.header], reading).header, reading)
            words = f"{file_names.safe(name) or 'without a name'} ({piece.kind}, about {piece.size} bytes)"
            kept.append(_instead(words, piece.encoding))
            left.append(words)
        elif piece.endswith(("HEADER", "MIME")):
            kept.append(found[piece].rstrip(b"\r\n") + b"\r\n\r\n")  # not every server gives the empty line
        else:
            kept.append(found[piece])
    more = [f"and {len(left) - NAMED} more"] if len(left) > NAMED else []
    return b"".join(kept), "; ".join(["attachments: " + left[0], *left[1:NAMED], *more])


def _instead(words: str, encoding: str) -> bytes:
    """The line in the place of an attachment, in the encoding that the part's header names."""
    line = f"This attachment was left on the server: {words}."
    if encoding == "base64":
        return base64.encodebytes(line.encode("utf-8", "replace"))
    if encoding == "quoted-printable":
        return quopri.encodestring(line.encode("utf-8", "replace"))
    return line.encode("ascii", "backslashreplace")


# What the server says of the parts, as IMAPClient gives it: tuples, of a multipart with a list of its parts first


def _mail(structure: Any, most: int) -> Iterator[Piece]:
    yield "HEADER"
    if structure.is_multipart:
        yield from _multipart(structure, "", most)
    elif (large := _large(structure, "HEADER")) and large.is_above(most):
        yield large


def _multipart(structure: Any, name: str, most: int) -> Iterator[Piece]:
    boundary = _parameters(structure[2])[b"boundary"]
    for number, part in enumerate(structure[0], start=1):
        section = f"{name}{number}"
        yield b"\r\n--%b\r\n" % boundary
        yield f"{section}.MIME"
        large = None if part.is_multipart else _large(part, f"{section}.MIME")
        if large and large.is_above(most):
            yield large
        elif part.is_multipart and _has_large(part, most):
            yield from _multipart(part, f"{section}.", most)
        else:
            yield section
    yield b"\r\n--%b--\r\n" % boundary


def _has_large(structure: Any, most: int) -> bool:
    if structure.is_multipart:
        return any(_has_large(part, most) for part in structure[0])
    large = _large(structure, "")
    return large is not None and large.is_above(most)


def _large(part: Any, header: str) -> Large | None:
    """A part that is no multipart, as an attachment; None: it is a text to be read, or what a report says."""
    kind = b"%b/%b" % (part[0].lower(), part[1].lower())
    disposition = _disposition(part)
    named = any(key.startswith((b"name", b"filename")) for key in (*_parameters(part[2]), *_parameters(disposition[1])))
    is_text = kind in TEXTS and disposition[0].lower() != b"attachment" and not named
    said, encoding = kind.decode("ascii", "replace"), (part[5] or b"").decode("ascii", "replace").lower()
    return None if is_text or said in KEPT else Large(header, said, encoding, int(part[6]))


def _disposition(part: Any) -> tuple[bytes, Any]:
    """Where it stands depends on the kind of the part (RFC 3501 §7.4.2); what follows it never looks like it."""
    pairs = (field for field in part[7:] if isinstance(field, tuple) and len(field) == 2)
    fits = (pair for pair in pairs if isinstance(pair[0], bytes) and isinstance(pair[1], tuple | None))
    return next(fits, (b"", None))


def _parameters(given: Sequence[bytes] | None) -> dict[bytes, bytes]:
    pairs = list(given or ())
    return {key.lower(): value for key, value in zip(pairs[::2], pairs[1::2], strict=False)}
