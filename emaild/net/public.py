"""Addresses that anyone on the Internet could name, and those that lead back to this machine or its neighbours.

A program outside must not choose what emaild reaches inside. So it is the address that is looked at, at the moment of
connecting: a name may have another one by then.
"""

from __future__ import annotations

import ipaddress
import socket

from emaild.errors import Rejected
from emaild.net.peer import Peer
from emaild.net.race import Deadline, resolved

UNICAST = ipaddress.IPv6Network("2000::/3")  # all else is special (IANA, IPv6 Address Space)
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 behind NAT64 (RFC 6052 §2.1)


def is_public(text: str) -> bool:
    """Whether an address is of the Internet; one that holds an IPv4 address is what that is."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    held = address.ipv4_mapped or address.sixtofour
    if address in TRANSLATED:
        held = ipaddress.IPv4Address(address.packed[-4:])
    if held is not None:
        return is_public(str(held))
    return address in UNICAST and address.is_global


def check_public(peer: Peer, address: str) -> None:
    """To be called with each address of a peer that must be public.

    Raises:
        Rejected: it is not.
    """
    if not is_public(address):
        reason = f"{address} is of this machine or of a private network; allow-private-addresses would allow that"
        raise Rejected(str(peer), "connect", reason)


def check_known_addresses(peer: Peer, deadline: Deadline) -> None:
    """The same before a proxy is asked, which looks the name up itself: a name that is unknown here is left to it.

    Raises:
        Rejected: one of the addresses is not public.
        TimeoutError: the deadline came first.
    """
    try:
        addresses = resolved(peer.host, peer.port, deadline)
    except socket.gaierror:
        return
    for _, address in addresses:
        check_public(peer, address[0])
