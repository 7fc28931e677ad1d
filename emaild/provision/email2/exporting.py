"""A document for a mailbox that is set up, its way out with it. Secrets are never in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from uuid import uuid5

from emaild.errors import NotFound, UsageError
from emaild.provision.email2.applications import FAMILY
from emaild.provision.email2.places import GUID
from emaild.provision.email2.sections import mailbox, way_out
from emaild.settings.email2_nodes import NODES
from emaild.settings.load import Settings
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, MailboxType
from emaild.settings.option import options
from emaild.settings.routes import Wanted
from emaild.settings.server import Security
from emaild.settings.way_out import ServerType, WayOutSection

SERVICE_TYPES = {MailboxType.IMAP: "IMAP4", MailboxType.POP3: "POP3"}
LEFT_OUT = "AUTHSECRET and SMTPALTPASSWORD are left out: a document that is to set up a mailbox needs them"
NOBODY = "there is no way out over SMTP with a password for it, so that OUTSERVER is missing"
ANY_SECRET = {"AUTHSECRET": "any", "SMTPALTPASSWORD": "any"}
"""Stand for the secrets while it is seen what a document would come to."""


@dataclass(frozen=True)
class Export:
    """An account: its GUID, its nodes without secrets, and lines about what they do not say."""

    guid: str
    nodes: Mapping[str, str]
    unsaid: tuple[str, ...]


def exported(settings: Settings, name: str) -> Export:
    """The account that a mailbox section is: as a document brought it, or as near as EMAIL2's nodes come to it.

    Raises:
        NotFound: there is no such mailbox.
        UsageError: EMAIL2 has no words for it.
    """
    box = next((box for known, box in settings.mailboxes.items() if known.lower() == name.lower()), None)
    if box is None:
        raise NotFound(f"no mailbox section {name}; there are {', '.join(settings.mailboxes) or 'none'}")
    account = box.name.lower().removeprefix("pop-client-")
    for known, section in settings.email2.items():
        if known.lower() == account and GUID.fullmatch(account.removeprefix("email2-")):
            nodes = {one.upper(): value for one, value in section.nodes.items()}
            return Export(account.removeprefix("email2-"), _in_order(nodes), (LEFT_OUT,))
    if box.type not in SERVICE_TYPES or box.uses_tokens:
        wrong = "a token signs in" if box.type in SERVICE_TYPES else f"its type is {box.type}"
        raise UsageError(f"[{box.name}]: {wrong}; EMAIL2 knows POP3 and IMAP with a password")
    nodes = dict(_of_mailbox(box))
    way = settings.way_out_for(Wanted(sender=nodes["REPLYADDR"].lower()))
    if way is not None and (way.server_type is not ServerType.SMTP or way.uses_tokens):
        way = None
    if way is not None:
        nodes |= _of_way_out(way, box)
    _check(box.name, nodes)
    unsaid = [LEFT_OUT, *_unsaid(settings, box, mailbox({**nodes, **ANY_SECRET}))]
    unsaid += _unsaid(settings, way, way_out({**nodes, **ANY_SECRET})) if way is not None else [NOBODY]
    return Export(str(uuid5(FAMILY, box.name.lower())), _in_order(nodes), tuple(unsaid))


def _in_order(nodes: Mapping[str, str]) -> dict[str, str]:
    return {name: nodes[name] for name in NODES if name in nodes}


def _check(section: str, nodes: Mapping[str, str]) -> None:
    for name, value in nodes.items():
        try:
            NODES[name].read(value)
        except ValueError as error:
            raise UsageError(f"[{section}]: EMAIL2 has no words for it; {name}: {error}") from error


def _unsaid(
    settings: Settings, section: MailboxSection | WayOutSection, made: Mapping[str, str] | None
) -> Iterator[str]:
    """The options that a document would make otherwise, and the properties, which it does not know."""
    for one in options(type(section)):
        if one.parser.secret or made is None:
            continue
        text = made.get(one.name, one.default or "")
        if one.parser.read(text) != getattr(section, one.field):
            yield f"[{section.name}] {one.name}: the document says {text or 'nothing'} instead"
    for name, option in settings.origins:
        if name == section.name and option.startswith("mail."):
            yield f"[{section.name}] {option}: the document does not say it"


def _of_mailbox(box: MailboxSection) -> Iterator[tuple[str, str]]:
    yield "ACCOUNTTYPE", "Email"
    yield "SERVICENAME", box.name[: NODES["SERVICENAME"].longest]
    yield "SERVICETYPE", SERVICE_TYPES[box.type]
    yield "SYNCINGCONTENTTYPES", "0x2" if box.enable_client else "0x0"
    yield "INSERVER", _server(box.server, box.port_given)
    yield from _user("AUTH", box.mailbox)
    yield from _flag("TAGPROPS/8128000B", box.security, plain=box.allow_plaintext_auth)
    yield "REPLYADDR", box.address or box.mailbox
    yield "LINGER", _linger(box.cycle_time)
    wanted = {
        "DWNDAY": str(box.download_days or ("-1" if box.first is FirstFetch.ALL else "")),
        "KEEPMAX": str((box.maximum_attachment_size or 0) // 1024) if box.type is MailboxType.IMAP else "",
        "RETRIEVE": str(box.retrieve_limit),
    }
    yield from ((name, value) for name, value in wanted.items() if value != "0" and value in NODES[name].values)
    if box.after is AfterFetch.DELETE:
        yield "SERVERDELETEACTION", "1"
    elif box.after_fetch is AfterFetch.LEAVE or box.after_fetch_folder.lower() == "\\trash":
        yield "SERVERDELETEACTION", "2"


def _linger(seconds: float) -> str:
    """The nearest interval; 0 only for what is looked into by hand."""
    minutes = [value for value in NODES["LINGER"].values if value != "0"]
    return min(minutes, key=lambda one: abs(int(one) * 60 - seconds)) if seconds else "0"


def _of_way_out(way: WayOutSection, box: MailboxSection) -> Iterator[tuple[str, str]]:
    yield "OUTSERVER", _server(way.server, way.port_given)
    yield from _flag("TAGPROPS/812C000B", way.security, plain=way.allow_plaintext_auth)
    name, address = parseaddr(way.sender_override)
    if name:
        yield "NAME", name
    if address:
        yield "REPLYADDR", address
    yield "AUTHREQUIRED", "1" if way.enable_authentication else "0"
    if way.enable_authentication and (way.user, way.password) != (box.mailbox, box.password):
        yield "SMTPALTENABLED", "TRUE"
        yield from _user("SMTPALTAUTH", way.user)


def _server(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host and port else host
    return f"{shown}:{port}" if port else shown


def _user(prefix: str, login: str) -> Iterator[tuple[str, str]]:
    """A name to sign in with, and the domain before it: empty where there is none, for the SMTPALT nodes need all."""
    domain, _, user = login.rpartition("\\")
    yield f"{prefix}NAME", user
    if domain or prefix != "AUTH":
        yield prefix.removesuffix("AUTH") + "DOMAIN", domain


def _flag(node: str, security: Security, *, plain: bool) -> Iterator[tuple[str, str]]:
    """Whether encryption is required; nothing where it is tried, and a password does not travel without it."""
    if security not in (Security.NONE, Security.AUTOMATIC):
        yield node, "1"
    elif plain:
        yield node, "0"
