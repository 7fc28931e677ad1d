"""Why a person should look at a server before a password goes there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emaild.provision.discover.address import Address
from emaild.provision.discover.exchangers import registered
from emaild.provision.discover.found import Found, Server, SignIn
from emaild.settings.server import Security

HTTP = "it was told without TLS, and anyone on the way can change that"


def of_dns(host: str, address: Address) -> str:
    """Where DNS led to the host, which nothing proves to be right (RFC 6186 §6); empty for one of its own domain."""
    own = registered(address.domain)
    if own and registered(host) == own:
        return ""
    return f"DNS led there, which anyone on the way can change, and {host} is not in {own or address.domain}"


def doubted(found: Found, doubt: Callable[[Server], str]) -> Found:
    """With a doubt about each server whose password another could come by; a token is given by its issuer alone."""

    def marked(server: Server) -> Server:
        return server if server.best_sign_in is SignIn.OAUTH else replace(server, doubt=doubt(server))

    return replace(
        found,
        incoming=tuple(marked(server) for server in found.incoming),
        outgoing=tuple(marked(server) for server in found.outgoing),
    )


def without_plain(found: Found) -> Found:
    """Without the servers that speak no TLS: what came over http must not lead a password into the clear."""
    return replace(
        found,
        incoming=tuple(server for server in found.incoming if server.security is not Security.NONE),
        outgoing=tuple(server for server in found.outgoing if server.security is not Security.NONE),
    )
