"""Where an Exchange server is, from the URL of its Exchange.asmx (guide, Finding the EWS URI)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from emaild.net.peer import Peer, peer_of
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection
from emaild.settings.server import Security
from emaild.settings.way_out import WayOutSection


@dataclass(frozen=True)
class Place:
    """What to connect to, and the URL to ask for."""

    peer: Peer
    url: str


def place_of(section: MailboxSection | WayOutSection, proxy: ProxySection | None = None) -> Place:
    """The URL decides on encryption, as the guide says; a port in it comes before the option `port`."""
    parts = urlsplit(section.server)
    encrypted = parts.scheme.lower() == "https"
    port = parts.port or section.port_given or (443 if encrypted else 80)
    peer = replace(
        peer_of(section, proxy),
        host=parts.hostname or "",
        port=port,
        security=Security.SSL_TLS if encrypted else Security.NONE,
        starttls_if_offered=False,
        starttls_required=False,
    )
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    return Place(peer, f"{parts.scheme.lower()}://{host}:{port}{parts.path or '/ews/exchange.asmx'}")
