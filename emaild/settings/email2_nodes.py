"""The nodes of an account in Windows provisioning documents: one table of what they may hold, and what for.

Source: "EMAIL2 CSP", Microsoft's reference of configuration service providers.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from emaild.settings import parse

LONGEST = 1024  # characters; ours, where the reference names no limit
UNFIT = ("Cc", "Cs", "Zl", "Zp")
"""The kinds of characters that have no place in a line of a conf file: controls, halves of characters, line ends."""
ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")
INDIRECT = re.compile(r"(?:file|env|credential):")
"""How a secret begins that a conf file would take for the name of one."""

ALL_CONTENTS = 0xFFFFFFFF
CONTENTS = 0x1FFF
"""All bits of SYNCINGCONTENTTYPES that the reference names."""
MAIL = 0x2


class Operation(StrEnum):
    """What a device manager may do to a node."""

    GET = "Get"
    ADD = "Add"
    REPLACE = "Replace"
    DELETE = "Delete"


EVERY = frozenset(Operation)


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node below an account. `becomes` says what it is for here.

    `values` are the only ones, in any case; `others` the spellings that mean one of them. Without `values` a text is
    read by `reads`, which returns it as it is kept and raises ValueError with what would be right.
    """

    name: str
    becomes: str
    required: bool = False
    values: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    longest: int = LONGEST
    operations: frozenset[Operation] = EVERY
    secret: bool = False
    reads: Callable[[str], str] = str

    def read(self, text: str) -> str:
        """The value as it is kept. Nothing at all is allowed where the node is not required.

        Raises:
            ValueError: it is none; the text says what would be right, and never repeats a secret.
        """
        if any(unicodedata.category(character) in UNFIT for character in text.strip()):
            raise ValueError("expected one line of text, without control characters")
        if self.secret:
            return _secret(text, self.longest)
        text = text.strip()
        if len(text) > self.longest:
            raise ValueError(f"expected at most {self.longest} characters, found {len(text)}")
        if not text:
            if self.required:
                raise ValueError("expected a value, found nothing")
            return ""
        if not self.values:
            return self.reads(text)
        found = {value.lower(): value for value in self.values} | dict(self.others)
        if text.lower() not in found:
            raise ValueError(f"expected {_either(self.values)}, found {parse.repeated(text)}")
        return found[text.lower()]


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _secret(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(f"expected at most {longest} characters")
    if text != text.strip():
        raise ValueError("expected a password that neither begins nor ends with a blank: a conf file cannot hold one")
    if INDIRECT.match(text):
        raise ValueError("expected a password that does not begin with file:, env: or credential:")
    if text and not text.strip("* "):
        raise ValueError("expected the password itself, found a masked one")
    return text


def server_and_port(text: str) -> tuple[str, int | None]:
    """The two parts of `server name:port number`; None where the port is left out.

    Raises:
        ValueError: it is neither.
    """
    host, colon, port = text, "", ""
    if not _is_ipv6(text):
        host, colon, port = text.rpartition(":") if re.search(r":[^\]]*$", text) else (text, "", "")
    try:
        number = int(port) if re.fullmatch("[0-9]{1,5}", port) else 0
        if colon and not 1 <= number <= 65535:
            raise ValueError
        return parse.host.read(host), number or None
    except ValueError:
        expected = "expected a server's name, or name:port with a port from 1 to 65535"
        raise ValueError(f"{expected}, found {parse.repeated(text)}") from None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _server(text: str) -> str:
    server_and_port(text)
    return text


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise ValueError(f"expected name@domain, found {parse.repeated(text)}")
    return text


def content_types(text: str) -> int:
    """The bits of SYNCINGCONTENTTYPES, from a decimal number or `0x...`; -1 is all of them.

    Raises:
        ValueError: it is no number, or has bits that mean nothing.
    """
    found = re.fullmatch(r"0x([0-9a-f]{1,8})|([0-9]{1,10})|-1", text, re.IGNORECASE | re.ASCII)
    bits = -1 if found is None else int(found[1], 16) if found[1] else int(found[2] or ALL_CONTENTS)
    if bits != ALL_CONTENTS and (bits < 0 or bits & ~CONTENTS):
        expected = f"expected bits of 0x{CONTENTS:x}, such as 0x2 for mail, or 0x{ALL_CONTENTS:x}"
        raise ValueError(f"{expected}, found {parse.repeated(text)}")
    return bits


def _content_types(text: str) -> str:
    content_types(text)
    return text


KEPT = "kept, and given back by Get"
NO_TLS_NEEDED = {"false": "0", "true": "1"}
NODES: Mapping[str, Node] = {
    node.name: node
    for node in (
        Node(name="ACCOUNTICON", becomes=KEPT),
        Node(name="ACCOUNTTYPE", required=True, values=("Email", "VVM"), becomes="kept; both are read as mailboxes"),
        Node(name="AUTHNAME", required=True, longest=255, becomes="mailbox, and the user of the way out"),
        Node(name="AUTHREQUIRED", values=("0", "1"), others=NO_TLS_NEEDED, becomes="enable-authentication"),
        Node(name="AUTHSECRET", secret=True, becomes="password; without it the mailbox is not read"),
        Node(name="DOMAIN", longest=255, becomes="what stands before the user, as DOMAIN\\user"),
        Node(name="DWNDAY", values=("-1", "7", "14", "30"), becomes="download-days and first-fetch"),
        Node(
            name="INSERVER",
            required=True,
            longest=62,
            operations=EVERY - {Operation.DELETE},
            reads=_server,
            becomes="server and port of the mailbox",
        ),
        Node(name="LINGER", values=("0", "15", "30", "60", "120"), becomes="cycle-time; 15 minutes without it"),
        Node(name="KEEPMAX", values=("0", "25", "50", "125", "250"), becomes="maximum-attachment-size; IMAP4 only"),
        Node(name="NAME", longest=255, becomes="the name in sender-override"),
        Node(name="OUTSERVER", required=True, longest=62, reads=_server, becomes="server and port of the way out"),
        Node(name="REPLYADDR", required=True, longest=255, reads=_address, becomes="address, senders, sender-override"),
        Node(name="SERVICENAME", required=True, longest=32, operations=EVERY - {Operation.REPLACE}, becomes=KEPT),
        Node(
            name="SERVICETYPE",
            required=True,
            values=("IMAP4", "POP3"),
            operations=EVERY - {Operation.REPLACE},
            becomes="type",
        ),
        Node(name="RETRIEVE", values=("512", "1024", "2048", "5120", "20480", "51200"), becomes="retrieve-limit"),
        Node(name="SERVERDELETEACTION", becomes="after-fetch: 1 delete, 2 move to \\Trash, else automatic"),
        Node(name="CELLULARONLY", becomes=KEPT),
        Node(name="SYNCINGCONTENTTYPES", required=True, reads=_content_types, becomes="enable-client: the bit of mail"),
        *(
            Node(name=name, becomes=KEPT)
            for name in (
                "CONTACTSSERVER",
                "CALENDARSERVER",
                "CONTACTSSERVERREQUIRESSL",
                "CALENDARSERVERREQUIRESSL",
                "CONTACTSSYNCSCHEDULE",
                "CALENDARSYNCSCHEDULE",
            )
        ),
        Node(name="SMTPALTAUTHNAME", longest=255, becomes="user of the way out"),
        Node(name="SMTPALTDOMAIN", longest=255, becomes="what stands before that user"),
        Node(
            name="SMTPALTENABLED",
            values=("FALSE", "TRUE"),
            others={"0": "FALSE", "1": "TRUE"},
            becomes="whether the SMTPALT nodes count",
        ),
        Node(name="SMTPALTPASSWORD", secret=True, becomes="password of the way out"),
        Node(
            name="TAGPROPS/8128000B",
            values=("0", "1"),
            others=NO_TLS_NEEDED,
            becomes="pop-connection-security: 1 encrypted, else automatic",
        ),
        Node(
            name="TAGPROPS/812C000B",
            values=("0", "1"),
            others=NO_TLS_NEEDED,
            operations=frozenset({Operation.GET, Operation.REPLACE}),
            becomes="smtp-connection-security, likewise",
        ),
    )
}
"""Every node of an account, by its name. All of them may be replaced where they are not there yet."""
OUTGOING = ("OUTSERVER", "REPLYADDR")
"""The required nodes that may be deleted later: the account is then one that cannot send."""
