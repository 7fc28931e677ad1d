"""An address as discovery needs it: what stands before the @, and a domain that can be asked for."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from emaild.errors import UsageError

EXAMPLE = "expected an address such as anna@example.com"
LONGEST_LOCAL = 64  # RFC 5321 §4.5.3.1.1
LABELS = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)


@dataclass(frozen=True)
class Address:
    """`text` is the address with its domain in lower case, `domain` that domain as DNS has it (RFC 5890 A-labels)."""

    text: str
    local: str
    domain: str


def address_of(text: str) -> Address:
    """The address in a text.

    Raises:
        UsageError: it is none whose domain could be asked for; one line says why.
    """
    given = text.strip()
    local, at, written = given.rpartition("@")
    if not at or not local or not written or not given.isprintable() or " " in given or len(local) > LONGEST_LOCAL:
        raise UsageError(f"{EXAMPLE}, found {given[:80]!r}")
    try:
        domain = host_name(written.lower().rstrip("."))
    except ValueError:
        raise UsageError(f"{EXAMPLE}; {written[:80]!r} is no domain") from None
    if "." not in domain or domain.rpartition(".")[2].isdecimal():
        raise UsageError(f"{EXAMPLE}; {written[:80]!r} is no domain of the Internet, for which nothing can be asked")
    return Address(f"{local}@{written.lower().rstrip('.')}", local, domain)


def host_name(text: str) -> str:
    """The name of a host or domain as DNS has it, in lower case; an IP address stays as it is.

    Raises:
        ValueError: it is none, or an address with a zone (RFC 6874), which means something on one machine alone.
    """
    name = text.strip().lower().rstrip(".")
    if "%" in name:
        raise ValueError("an address with a zone")
    if not name.isascii():
        name = name.encode("idna").decode("ascii")
    if LABELS.fullmatch(name) is None:
        return str(ipaddress.ip_address(name))
    return name
