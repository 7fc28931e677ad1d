"""Where a Microsoft Graph is, and where a URL of its leads."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from emaild.settings.cloud import cloud_of
from emaild.settings.mailbox import MailboxSection
from emaild.settings.way_out import WayOutSection

VERSION = "/v1.0"
LONGEST_URL = 32 << 10


@dataclass(frozen=True)
class Place:
    """Where a Graph is; `root` is the path that all others begin with."""

    encrypted: bool
    host: str
    port: int
    root: str

    @property
    def origin(self) -> tuple[bool, str, int]:
        return self.encrypted, self.host, self.port


def place_of(section: MailboxSection | WayOutSection) -> Place:
    """The Graph of a section: that of its server option, else the one that belongs to its authority."""
    url = section.server
    if "://" not in url:
        url = cloud_of(section.tenant_authority).graph
    return place_at(url)


def place_at(url: str) -> Place:
    """Raises ValueError where it is no URL of HTTP."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(url)
    encrypted = parts.scheme == "https"
    port = parts.port or (443 if encrypted else 80)
    return Place(encrypted, parts.hostname, port, parts.path.rstrip("/") or VERSION)


def is_target(url: str) -> bool:
    """Whether it can stand in a request as it is."""
    return len(url) <= LONGEST_URL and url.isascii() and url.isprintable() and " " not in url
