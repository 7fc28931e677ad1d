"""MX records: which of them counts, and the domains whose documents it leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from publicsuffixlist import PublicSuffixList

from emaild.provision.discover import known
from emaild.provision.discover.address import Address, host_name
from emaild.provision.discover.found import Came
from emaild.provision.discover.unfit import Unfit


@dataclass(frozen=True)
class Exchanger:
    """The host that takes a domain's mail. `full` and `base` are MXFULLDOMAIN and MXBASEDOMAIN of the draft."""

    host: str
    preference: int

    @property
    def base(self) -> str:
        """The part of its name that somebody registered; empty where that cannot be told."""
        return registered(self.host)

    @property
    def full(self) -> str:
        """Its name without the first label, where that is longer than `base`; else empty."""
        rest = self.host.partition(".")[2]
        return rest if len(rest) > len(self.base) > 0 else ""


def cheapest(records: Iterable[Any], address: Address) -> Exchanger:
    """The one with the lowest preference; among equals one that is Microsoft's or Google's, else the first by name.

    Raises:
        Unfit: the domain says that it takes no mail (RFC 7505), or names no host.
    """
    names = [(int(one.preference), str(one.exchange.to_text(omit_final_dot=True))) for one in records]
    if names and all(name == "." for _, name in names):
        raise Unfit(Came.NOTHING, "the domain takes no mail at all (RFC 7505)")
    found = [Exchanger(host, preference) for preference, name in names if (host := _host(name))]
    if not found:
        raise Unfit(Came.WRONG, "its MX names no host")
    return min(found, key=lambda one: (one.preference, known.by_mx(address, one.host) is None, one.host))


def registered(host: str) -> str:
    """The part of a name that somebody registered, as example.co.uk; empty where there is none, as of an IP address.

    By the Public Suffix List, its private part included: what a provider's customers have below its name is theirs.
    """
    if host.rpartition(".")[2].isdecimal():
        return ""
    return _list().privatesuffix(host) or ""


def _host(name: str) -> str:
    try:
        return host_name(name)
    except ValueError:
        return ""


@cache
def _list() -> PublicSuffixList:
    """Reading it takes a tenth of a second."""
    return PublicSuffixList()
