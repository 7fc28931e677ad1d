"""Where a section's Microsoft Graph is, where that is not left to its authority."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit


def check_graph(server: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the server option of a section of Graph's, as (option, what is wrong)."""
    if server and not is_url(server):
        yield "server", "for Graph expected nothing, or its URL, such as https://graph.microsoft.us"


def is_url(server: str) -> bool:
    """Whether it is the URL of a server that can be connected to, without a user in it."""
    try:
        parts = urlsplit(server)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and "@" not in parts.netloc and not parts.query and not parts.fragment
