"""A server as its section describes it: where it is, how it is reached, how it proves who it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection, ProxyType
from emaild.settings.properties import ProtocolProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security, ServerOptions, TlsVersion
from emaild.settings.way_out import WayOutSection
from emaild.settings.webhook import WebhookSection


@dataclass(frozen=True, kw_only=True)
class Trust:
    """How TLS is spoken, and whom it trusts.

    `protocols` and `ciphersuites`: the only ones, where any are named. `trusted_hosts` need no certificate that anyone
    signed (`*`: no host does). Without `check_identity` a certificate may be another host's.
    """

    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    client_key_password: Secret | None = None
    minimum_version: TlsVersion = TlsVersion.TLS_1_2
    protocols: tuple[str, ...] = ()
    ciphersuites: tuple[str, ...] = ()
    check_identity: bool = True
    trusted_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProxyServer:
    """A proxy to connect through; `name` is its section's, for messages."""

    name: str
    kind: ProxyType
    host: str
    port: int
    user: str = ""
    password: Secret | None = None

    def __str__(self) -> str:
        return f"the proxy {_at(self.host, self.port)}"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """A server; times in seconds.

    `security` is how a connection to it begins; with `starttls_if_offered` STARTTLS follows where the server has it.
    `section` is whose connections these are: what is logged of them under `trace` names it. With `public_only` it must
    not have an address of this machine or of a private network.
    """

    host: str
    port: int
    section: str = ""
    security: Security = Security.NONE
    starttls_if_offered: bool = False
    starttls_required: bool = False
    plain_port: int = 0
    allow_plaintext_auth: bool = False
    trust: Trust = Trust()
    proxy: ProxyServer | None = None
    local_address: str = ""
    local_port: int = 0
    connect_timeout: float = 30.0
    protocol_timeout: float = 300.0
    write_timeout: float | None = None
    trace: bool = False
    public_only: bool = False

    def __str__(self) -> str:
        return _at(self.host, self.port)

    @property
    def attempts(self) -> tuple[Peer, ...]:
        """What to try, one after the other: this peer; TLS from the first byte, then STARTTLS, if that may vary.

        With `automatic` the second ends in the clear where STARTTLS is not offered, unless `starttls_required` is set.
        """
        if self.security not in (Security.AUTOMATIC, Security.ENCRYPTED):
            return (self,)
        required = self.starttls_required or self.security is Security.ENCRYPTED
        second = Security.START_TLS if required else Security.NONE
        return (
            replace(self, security=Security.SSL_TLS),
            replace(self, security=second, starttls_if_offered=True, port=self.plain_port),
        )


def peer_of(section: MailboxSection | WayOutSection, proxy: ProxySection | None = None) -> Peer:
    """The server that a section names, and how to connect to it."""
    properties = section.smtp if isinstance(section, WayOutSection) else section.protocol
    transport = section.transport
    return Peer(
        host=section.server,
        port=transport.port,
        section=section.name,
        security=transport.security,
        starttls_if_offered=transport.starttls_if_offered,
        starttls_required=properties.starttls_required,
        plain_port=transport.plain_port,
        allow_plaintext_auth=section.allow_plaintext_auth,
        trust=_trust_of(section, properties),
        proxy=_proxy_of(proxy, properties),
        local_address=properties.localaddress,
        local_port=properties.localport or 0,
        connect_timeout=section.connect_timeout,
        protocol_timeout=section.protocol_timeout,
        write_timeout=properties.writetimeout / 1000 if properties.writetimeout else None,
        trace=section.enable_debug,
    )


def receiver_of(section: WebhookSection, proxy: ProxySection | None = None) -> Peer:
    """The server that a webhook's URL names, and how to connect to it."""
    encrypted, host, port, _ = section.place
    return Peer(
        host=host,
        port=port,
        section=section.name,
        security=Security.SSL_TLS if encrypted else Security.NONE,
        trust=Trust(ca_file=section.ca_file, minimum_version=section.minimum_tls_version),
        proxy=None if proxy is None else proxy_server(proxy),
        connect_timeout=section.connect_timeout,
        protocol_timeout=section.protocol_timeout,
        public_only=not section.allow_private_addresses,
    )


def _trust_of(section: ServerOptions, properties: ProtocolProperties) -> Trust:
    return Trust(
        ca_file=section.ca_file,
        client_certificate=section.client_certificate,
        client_key=section.client_key,
        client_key_password=section.client_key_password,
        minimum_version=section.minimum_tls_version,
        protocols=properties.ssl_protocols,
        ciphersuites=properties.ssl_ciphersuites,
        check_identity=properties.ssl_checkserveridentity,
        trusted_hosts=properties.ssl_trust,
    )


def _proxy_of(proxy: ProxySection | None, properties: ProtocolProperties) -> ProxyServer | None:
    """`mail.*.proxy.host` comes before a section of its own."""
    if properties.proxy_host:
        return ProxyServer(
            name="mail.*.proxy",
            kind=ProxyType.HTTP,
            host=properties.proxy_host,
            port=properties.proxy_port,
            user=properties.proxy_user,
            password=properties.proxy_password,
        )
    return None if proxy is None else proxy_server(proxy)


def proxy_server(proxy: ProxySection) -> ProxyServer:
    return ProxyServer(
        name=proxy.name,
        kind=proxy.proxy_type,
        host=proxy.host,
        port=proxy.port,
        user=proxy.user,
        password=proxy.password,
    )


def _at(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
