"""The form in which a server can take a mail, known before the first command; or why it cannot take it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from smtplib import quoteaddr

from emaild.errors import Rejected
from emaild.message import Outbound
from emaild.render.finished import has_long_line, seven_bit
from emaild.render.people import ascii_domain
from emaild.settings.properties import SmtpProperties
from emaild.settings.way_out import WayOutSection
from emaild.sinks.dkim import Signer
from emaild.sinks.smtp_client import SmtpClient
from emaild.sinks.smtp_replies import Answer
from emaild.sinks.smtp_wire import crlf

NUMBER = re.compile(r"[0-9]{1,20}")  # RFC 1870 §3
LONGEST_DOMAIN = 255  # characters (RFC 5321 §4.5.3.1.2)
END_OF_HEADER = b"\r\n\r\n"


class Unfit(Exception):
    """The server cannot take the mail; `answer` is what it would say (codes of RFC 3463)."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer[1].decode("utf-8", "replace"))
        self.answer = answer


@dataclass(frozen=True)
class Form:
    """The commands MAIL and RCPT without their line ends, and the mail: CRLF line ends and no dots stuffed.

    `addresses` are the recipients' as the mail has them.
    """

    mail: bytes
    recipients: tuple[bytes, ...]
    addresses: tuple[str, ...]
    raw: bytes = field(repr=False)


def form_of(client: SmtpClient, section: WayOutSection, mail: Outbound, signer: Signer | None) -> Form:
    """What to say to that server.

    Raises:
        Unfit: it cannot take this mail. Rejected: no mail can go this way as the conf file has it.
    """
    properties = section.smtp
    sender = _ascii_where_it_can(mail.sender)
    recipients = [_ascii_where_it_can(address) for address in mail.recipients]
    for address in (sender, *recipients):
        _check_address(address)
    raw = _content(client, properties, mail, signer)
    beyond_ascii = not all(address.isascii() for address in (sender, *recipients)) or _header_is_utf8(raw)
    if beyond_ascii and not client.has_extn("smtputf8"):
        what = "its header" if all(map(str.isascii, (sender, *recipients))) else "an address"
        raise Unfit((553, f"5.6.7 {what} is not ASCII and the server has no SMTPUTF8".encode()))
    _check_size(client, raw)
    options = " ".join(_mail_options(client, properties, mail, raw, smtputf8=beyond_ascii))
    notify = (mail.notify or properties.dsn_notify) if client.has_extn("dsn") else ()
    asked = f" NOTIFY={','.join(notify)}" if notify else ""  # RFC 3461 §4.1
    return Form(
        mail=f"MAIL FROM:<{sender}> {options}".rstrip(" ").encode(),
        recipients=tuple(f"RCPT TO:<{address}>{asked}".encode() for address in recipients),
        addresses=mail.recipients,
        raw=raw,
    )


def sender_of(mail: Outbound, section: WayOutSection, where: str) -> str:
    """Whom the envelope names; a notification's null sender stays, so that nobody answers it (RFC 5321 §4.5.5).

    Raises:
        Rejected: the conf file wants something in MAIL that no command can carry.
    """
    given = section.smtp.from_ or section.session.from_
    extension = section.smtp.mailextension
    if not (given + extension).isprintable() or not extension.isascii():
        raise Rejected(where, "MAIL", "mail.smtp.from or mailextension holds what no command can carry")
    return quoteaddr(given)[1:-1] if given and mail.sender else mail.sender


def _ascii_where_it_can(address: str) -> str:
    """With the domain as its A-label, where that makes the whole of it ASCII (RFC 5890 §2.3.2.1)."""
    local, at, domain = address.rpartition("@")
    if address.isascii() or not local.isascii() or len(domain) > LONGEST_DOMAIN:
        return address
    return local + at + (ascii_domain(domain) or domain)


def _check_address(address: str) -> None:
    """A line end in it would be the end of the command, and the rest of it another command."""
    if not address.isprintable():
        raise Unfit((553, b"5.1.3 an address holds what no command can carry"))


def _content(client: SmtpClient, properties: SmtpProperties, mail: Outbound, signer: Signer | None) -> bytes:
    """The bytes that this server can take, signed."""
    raw = crlf(mail.raw)
    allowed = properties.allow8bitmime
    must = not raw.isascii() and not (allowed and client.has_extn("8bitmime"))
    # RFC 6376 §5.3: whoever signs encodes before, for a server further on may have to.
    may = (signer is not None and not raw.isascii()) or b"\0" in raw or has_long_line(raw)
    if must or (may and not _is_signed(raw)):
        encoded = seven_bit(raw)
        if encoded is not None:
            raw = encoded
        elif must:
            why = b"the server has no 8BITMIME" if allowed else b"mail.smtp.allow8bitmime is false"
            raise Unfit((554, b"5.6.3 the mail is 8-bit and " + why))
    return raw if signer is None else signer.signed(raw)


def _is_signed(raw: bytes) -> bool:
    """Whether the bytes of its parts are not ours to change (RFC 1847 §2.1)."""
    return b"multipart/signed" in raw.partition(END_OF_HEADER)[0].lower()


def _header_is_utf8(raw: bytes) -> bool:
    """Whether it needs SMTPUTF8 (RFC 6531 §3.1). Other 8-bit characters in a header nothing can announce."""
    header = raw if raw.isascii() else raw.partition(END_OF_HEADER)[0]
    if header.isascii():
        return False
    try:
        header.decode()
    except UnicodeDecodeError:
        return False
    return True


def _check_size(client: SmtpClient, raw: bytes) -> None:
    """Stuffed dots do not count (RFC 1870 §3)."""
    limit = client.esmtp_features.get("size", "")
    if NUMBER.fullmatch(limit) and 0 < int(limit) < len(raw):
        text = f"5.3.4 the mail has {len(raw)} bytes, the server takes {limit} at most"
        raise Unfit((552, text.encode()))


def _mail_options(
    client: SmtpClient, properties: SmtpProperties, mail: Outbound, raw: bytes, *, smtputf8: bool
) -> Iterator[str]:
    """What MAIL says beside the sender: what the server knows, and mailextension in any case."""
    if not raw.isascii():
        yield "BODY=8BITMIME"  # RFC 6152 §2
    if client.has_extn("size"):
        yield f"SIZE={len(raw)}"  # RFC 1870 §6
    if smtputf8:
        yield "SMTPUTF8"  # RFC 6531 §3.4
    if client.has_extn("dsn"):
        if properties.dsn_ret:
            yield f"RET={properties.dsn_ret}"  # RFC 3461 §4.3
        if "ENVID=" not in properties.mailextension.upper():
            yield f"ENVID={mail.id}"  # RFC 3461 §4.4: by it a report finds the mail that it is about
    if properties.submitter and client.has_extn("auth"):
        yield f"AUTH={_xtext(properties.submitter)}"  # RFC 4954 §5
    if properties.mailextension:
        yield properties.mailextension


def _xtext(text: str) -> str:
    """RFC 3461 §4: all but visible ASCII, `+` and `=` as `+` and two hexadecimal digits."""
    return "".join(
        chr(octet) if 0x21 <= octet <= 0x7E and octet not in b"+=" else f"+{octet:02X}" for octet in text.encode()
    )
