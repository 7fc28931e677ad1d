"""The people of a mail out: their names as a header shows them, their addresses as they travel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError, InvalidHeaderDefect
from email.headerregistry import Address

from emaild.errors import InputError
from emaild.render.fields import LONGEST_NAME, UNPRINTABLE, encoded, quoted
from emaild.settings.properties import MimeProperties

ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)  # RFC 5322 §3.2.3
# What most programs give, and nobody reads in two ways: an address of atoms, alone or behind a name of words.
ATOM = r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+"
PLAIN = rf"{ATOM}(?:\.{ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
PLAIN_MAILBOX = re.compile(rf"(?P<name>[A-Za-z0-9]+(?: [A-Za-z0-9]+)*) <(?P<bracketed>{PLAIN})>|(?P<bare>{PLAIN})")
ROOM_FOR_NAME = 64  # an encoded word of that length stands behind `Reply-To: ` on a line of 76
# What address.strict=false lets through: no address, but nothing either that a reader would take for two.
BROKEN = r"[!#-'*+\--:=?-\[\]-~]+"
BROKEN_MAILBOX = re.compile(rf'(?P<bare>{BROKEN})|(?P<name>[^<>,;:"()@\\]*|"[^"\\]*" *)<(?P<bracketed>{BROKEN})>')


@dataclass(frozen=True)
class Mailbox:
    """One person: as a header shows it, and the bare address."""

    shown: str
    address: str


def shown(mailboxes: Sequence[Mailbox]) -> str:
    """What an address field holds for these people (RFC 5322 §3.4)."""
    return ", ".join(one.shown for one in mailboxes)


def mailboxes(people: Sequence[str], where: str, writing: MimeProperties) -> tuple[Mailbox, ...]:
    """The names and addresses in these texts, their domains as they travel; a group counts as its members.

    Raises:
        InputError: something in them is no address; none is left out in silence.
    """
    found: list[Mailbox] = []
    for text in people:
        try:
            found += _parsed(text, writing)
        except (ValueError, IndexError, AttributeError, RecursionError, HeaderParseError):
            broken = None if writing.address_strict else _broken(text, writing)
            if broken is None:
                raise InputError(f"{where}: {text!r} is no e-mail address; expected name@domain") from None
            found.append(broken)
    return tuple(found)


def _parsed(text: str, writing: MimeProperties) -> list[Mailbox]:
    """Raises one of several errors of the library, or ValueError, where a text is not what RFC 5322 §3.4 asks for."""
    plain = PLAIN_MAILBOX.fullmatch(text) if len(text) <= LONGEST_NAME else None
    if plain:  # the library takes twenty times as long for it
        address = plain["bracketed"] or plain["bare"]
        return [Mailbox(_shown_as(plain["name"] or "", address, writing), address)]
    parsed = policy.SMTP.header_factory("To", text)
    if any(isinstance(defect, InvalidHeaderDefect) for defect in parsed.defects) or UNPRINTABLE.search(text):
        raise ValueError
    found = []
    for one in parsed.addresses:
        address = _addr_spec(one.username, one.domain)
        found.append(Mailbox(_shown_as(one.display_name, address, writing), address))
    return found


def _broken(text: str, writing: MimeProperties) -> Mailbox | None:
    found = BROKEN_MAILBOX.fullmatch(text)
    if found is None or UNPRINTABLE.search(text):
        return None
    address = found["bracketed"] or found["bare"]
    return Mailbox(_shown_as((found["name"] or "").strip(' "'), address, writing), address)


def _addr_spec(local: str, domain: str) -> str:
    """Raises ValueError where it is no address that every server takes."""
    address = Address(username=local, domain=ascii_domain(domain)).addr_spec
    if not local or "@" not in address or not address.isascii() or re.search(r"[\s<>]|@$", address):
        raise ValueError
    if len(address) > LONGEST_NAME:
        raise ValueError
    return address


def _shown_as(name: str, address: str, writing: MimeProperties) -> str:
    if not name:
        return address
    if not (name.isascii() and name.isprintable() and len(quoted(name)) < LONGEST_NAME):
        return f"{encoded(name, writing, ROOM_FOR_NAME)} <{address}>"
    return f"{name if ATOMS.fullmatch(name) else quoted(name)} <{address}>"


def ascii_domain(domain: str) -> str:
    """The domain as it travels (RFC 5890 §2.3.2.1)."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
