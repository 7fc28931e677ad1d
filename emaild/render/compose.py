"""A mail out as RFC 5322 bytes: CRLF line ends, 7-bit, its Message-ID fixed for good."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from emaild.errors import InputError
from emaild.render.bodies import attach, fill
from emaild.render.fields import folded, in_charset, policy_of, text_of, unfit
from emaild.render.people import Mailbox, ascii_domain, mailboxes, shown
from emaild.settings.properties import MimeProperties

OWN_FIELDS = ("from", "to", "cc", "bcc", "date", "message-id", "subject", "mime-version")
ADDRESS_FIELDS = ("reply-to", "sender")
ASKS_FOR_RECEIPT = "Disposition-Notification-To"
PLAIN_WRITING = MimeProperties()
FIELDS = re.compile(rb"\r\n(?![ \t])")
HEADER_END = b"\r\n\r\n"


@dataclass(frozen=True, kw_only=True)
class Enclosed:
    """A file to attach. The type of its content, such as image/png, is guessed by the name where it is empty."""

    name: str
    content: bytes = field(repr=False)
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a mail is to say, before it is bytes."""

    sender: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Enclosed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A mail as it goes out. `sender` and `recipients` are its envelope."""

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw: bytes = field(repr=False)


def compose(
    draft: Draft,
    *,
    now: datetime,
    domain: str,
    writing: MimeProperties = PLAIN_WRITING,
    name: str = "",
    charset: str = "",
) -> Composed:
    """The mail that a draft describes.

    *domain* is that of its Message-ID; empty: the sender's. *name* is the id of ours (message.new_id) that it holds, so
    that answers find the mail; empty: none. *charset* (outbound-msg-charset) is that of what is beyond ASCII, where
    *writing* names none; what has characters that it lacks is in UTF-8.

    Raises:
        InputError: an address or header field that no mail can carry; the text says which.
    """
    writing = in_charset(writing, charset)
    message, mail = headed(draft, now=now, domain=domain, writing=writing, name=name)
    try:
        fill(message, draft.text, draft.html, writing)
        for file in draft.attachments:
            attach(message, file.name, file.content, file.content_type, writing)
        return replace(mail, raw=message.as_bytes())
    except UnicodeEncodeError as error:
        raise InputError(f"{error.object[error.start : error.end]!r} is no Unicode text") from error


def headed(
    draft: Draft, *, now: datetime, domain: str, writing: MimeProperties, name: str
) -> tuple[EmailMessage, Composed]:
    """The header of that mail, to be filled, and the mail with nothing in it; otherwise as `compose`."""
    authors = _authors(draft.sender, writing)
    sender = authors[0].address
    to, cc, bcc = (mailboxes(people, "recipient", writing) for people in (draft.to, draft.cc, draft.bcc))
    message = EmailMessage(policy=policy_of(writing))
    for field_name, there in (("From", authors), ("To", to), ("Cc", cc)):
        if there:
            message[field_name] = shown(there)
    _set(message, "Subject", draft.subject, writing)
    _set(message, "Date", format_datetime(now), writing)
    message_id = new_message_id(domain or sender.rpartition("@")[2], name)
    _set(message, "Message-ID", message_id, writing)
    for field_name, value in draft.headers:
        if field_name.lower() in OWN_FIELDS or field_name.lower().startswith("content-"):
            raise InputError(f"the header field {field_name} is made from what else is given")
        _set(message, field_name, value, writing)
    return message, Composed(sender=sender, recipients=envelope_of([*to, *cc, *bcc]), message_id=message_id, raw=b"")


def asked(composed: Composed, mdn_to: str, writing: MimeProperties = PLAIN_WRITING) -> Composed:
    """The same mail, asking that its readers' programs tell that address when it is read (RFC 8098 §2.1).

    Raises:
        InputError: it is not one address.
    """
    asking = mailboxes([mdn_to], ASKS_FOR_RECEIPT, writing)
    if len(asking) != 1:
        raise InputError(f"{ASKS_FOR_RECEIPT}: {mdn_to!r} is not one e-mail address; expected name@domain")
    return _with(composed, ASKS_FOR_RECEIPT, f"<{asking[0].address}>", writing)


def sent_by(composed: Composed, author: str, writing: MimeProperties = PLAIN_WRITING) -> Composed:
    """The same mail from somebody else, envelope and From; answers go to whom they would have gone to before.

    Sender goes: one author who sends for himself needs none (RFC 5322 §3.6.2). Resent-* tell of the past, and stay. A
    null envelope sender stays, so that nobody answers it (RFC 5321 §4.5.5).

    Raises:
        InputError: *author* is not one address.
    """
    authors = mailboxes([author], "sender-override", writing)
    if len(authors) != 1:
        raise InputError(f"sender-override: {author!r} is not one e-mail address; expected name@domain")
    header, separator, body = composed.raw.partition(HEADER_END)
    fields = [one for one in FIELDS.split(header) if _name(one) != b"sender"]  # it would name one who did not send it
    before = next((_value(one) for one in fields if _name(one) == b"from"), b"")
    if before.strip() and not any(_value(one).strip() for one in fields if _name(one) == b"reply-to"):
        fields = [one for one in fields if _name(one) != b"reply-to"]
        fields.append(b"Reply-To:" + before)  # as it stands: it may be one that we would not write
    mail = replace(composed, raw=b"\r\n".join(fields) + (separator or HEADER_END) + body)
    return replace(_with(mail, "From", shown(authors), writing), sender=authors[0].address if composed.sender else "")


def with_subject(
    composed: Composed, subject: str, writing: MimeProperties = PLAIN_WRITING, *, charset: str = ""
) -> Composed:
    """The same mail with another subject; *writing* and *charset* as for `compose`.

    Raises:
        InputError: a line break or control character is in it.
    """
    if wrong := unfit("Subject", subject):
        raise InputError(wrong)
    writing = in_charset(writing, charset)
    return _with(composed, "Subject", text_of("Subject", subject, writing), writing)


def _with(composed: Composed, name: str, value: str, writing: MimeProperties) -> Composed:
    """The mail with that field: in the place of the first of its name, or last in the header."""
    header, separator, body = composed.raw.partition(HEADER_END)
    fields = FIELDS.split(header)
    fresh = "\r\n".join(folded(f"{name}: {value}", writing)).encode("ascii")
    wanted = name.lower().encode("ascii")
    others = [one for one in fields if _name(one) != wanted]
    at = next((at for at, one in enumerate(fields) if _name(one) == wanted), len(fields))
    others.insert(at, fresh)
    return replace(composed, raw=b"\r\n".join(others) + (separator or HEADER_END) + body)


def _name(field: bytes) -> bytes:
    """In lower case, without the blank that some programs write before the colon (RFC 5322 §4.5)."""
    return field.partition(b":")[0].strip().lower()


def _value(field: bytes) -> bytes:
    return field.partition(b":")[2]


def author_of(sender: str) -> str:
    """The bare address of a draft's sender, broken or not: to choose the way out, which says how to write the mail.

    Raises:
        InputError: it is no address in any sense.
    """
    found = mailboxes([sender], "--from", MimeProperties(address_strict=False))
    return found[0].address if found else ""


def new_message_id(domain: str, name: str = "") -> str:
    """A Message-ID that nobody else makes (RFC 5322 §3.6.4): 128 random bits at *domain*, behind the id *name* of ours.

    Raises:
        InputError: *name* is none of our ids.
    """
    if not re.fullmatch(r"(?:[0-9A-Z]{16})?", name):
        raise InputError(f"{name[:40]!r} is no id; expected sixteen digits and capitals")
    return f"<{name}{'.' if name else ''}{secrets.token_hex(16)}@{ascii_domain(domain) or 'localhost'}>"


def envelope_of(mailboxes: Sequence[Mailbox]) -> tuple[str, ...]:
    """The bare addresses, each once, without regard to case.

    Raises:
        InputError: there is none.
    """
    found: dict[str, str] = {}
    for mailbox in mailboxes:
        found.setdefault(mailbox.address.lower(), mailbox.address)
    if not found:
        raise InputError("a mail needs a recipient, in To, Cc or Bcc")
    return tuple(found.values())


def _set(message: EmailMessage, name: str, value: str, writing: MimeProperties) -> None:
    if wrong := unfit(name, value):
        raise InputError(wrong)
    if name.lower() not in ADDRESS_FIELDS:
        message[name] = text_of(name, value, writing)
    elif name in message:
        raise InputError(f"{name}: a mail has one such field at most")
    else:
        message[name] = shown(mailboxes([value], name, writing))


def _authors(sender: str, writing: MimeProperties) -> tuple[Mailbox, ...]:
    authors = mailboxes([sender], "--from", writing)
    if len(authors) != 1:
        raise InputError(f"--from: {sender!r} is not one e-mail address; expected name@domain")
    return authors
