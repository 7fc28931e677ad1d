"""What options and JavaMail's properties together say about a connection's encryption and port."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emaild.settings.properties import ProtocolProperties
from emaild.settings.server import Security


@dataclass(frozen=True, kw_only=True)
class Transport:
    """How to connect.

    `starttls_if_offered`: without encryption from the start, STARTTLS is used where the server has it. `port` is where
    the first try goes, `plain_port` where the second goes, if `security` is `automatic` or `encrypted`.
    """

    security: Security
    starttls_if_offered: bool
    port: int
    plain_port: int


def transport_of(
    given: Security | None, port: int | None, ports: tuple[int, int], properties: ProtocolProperties
) -> Transport:
    """The properties count where the option for security leaves room; *ports* are the protocol's, plain and TLS.

    `mail.*.starttls.required` makes `none` what it asks for; `automatic` it keeps from ending in the clear (`Peer`).
    """
    security = given or Security.NONE
    if security is Security.NONE and properties.ssl_enable:
        security = Security.SSL_TLS
    elif security is Security.NONE and properties.starttls_required:
        security = Security.START_TLS
    plain, encrypted = port or ports[0], port or ports[1]
    from_the_start = security not in (Security.NONE, Security.START_TLS)
    if from_the_start:
        encrypted = port or properties.ssl_socket_factory_port or ports[1]
    return Transport(
        security=security,
        starttls_if_offered=security is Security.NONE and properties.starttls_enable,
        port=encrypted if from_the_start else plain,
        plain_port=plain,
    )


def check_transport(given: Security | None, properties: ProtocolProperties, group: str) -> Iterator[tuple[str, str]]:
    """Properties that contradict the option for security or each other, as (property, what is wrong)."""
    security_option = "smtp-connection-security" if group == "smtp" else "pop-connection-security"
    if properties.ssl_enable and given is Security.START_TLS:
        yield f"mail.{group}.ssl.enable", f"it contradicts {security_option} = start-tls; leave one of them out"
    if properties.starttls_required and (given is Security.SSL_TLS or properties.ssl_enable):
        other = f"mail.{group}.ssl.enable" if properties.ssl_enable else f"{security_option} = ssl-tls"
        yield f"mail.{group}.starttls.required", f"it contradicts {other}; leave one of them out"
