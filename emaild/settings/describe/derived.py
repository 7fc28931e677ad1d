"""The properties that cannot be set: what they come to from the options that control them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emaild.settings.crosscheck import ServerSection
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection, ProxyType
from emaild.settings.properties import ProtocolProperties
from emaild.settings.property_map import full_name
from emaild.settings.server import Security

SSL_FACTORY = "javax.net.ssl.SSLSocketFactory"


@dataclass(frozen=True)
class Derived:
    """The value that follows from a section's option; from emaild itself, where that is empty."""

    value: object
    section: str = ""
    option: str = ""


def derived(section: ServerSection, proxy: ProxySection | None) -> Mapping[str, Derived]:
    """By a property's name without `mail.` and protocol. Times in milliseconds, as JavaMail has them."""

    decided = decided_by(section)

    def of(option: str, value: object) -> Derived:
        return Derived(value, section.name, decided.get(option, option))

    security = _security_option(section)
    return {
        "host": of("server", section.server),
        "port": of("port", section.port),
        "connectiontimeout": of("connect-timeout", round(section.connect_timeout * 1000)),
        "timeout": of("protocol-timeout", round(section.protocol_timeout * 1000)),
        "debug": of("enable-debug", section.enable_debug),
        "class": Derived("emaild's own"),
        "socketFactory.class": of(security, SSL_FACTORY if _encrypted(section) else ""),
        "socketFactory.fallback": of(security, section.security in (Security.AUTOMATIC, Security.ENCRYPTED)),
        "socketFactory.port": of("port", section.port),
        **_socks(section, proxy),
        **_by_kind(section),
    }


def _by_kind(section: ServerSection) -> Mapping[str, Derived]:
    if isinstance(section, MailboxSection):
        return {
            "user": Derived(section.mailbox, section.name, "mailbox"),
            "store.protocol": Derived(protocol_of(section), section.name, "type"),
        }
    return {
        "user": Derived(section.user, section.name, "user"),
        "auth": Derived(section.enable_authentication, section.name, "enable-authentication"),
        "transport.protocol": Derived(protocol_of(section), section.name, "server-type"),
    }


def _socks(section: ServerSection, proxy: ProxySection | None) -> Mapping[str, Derived]:
    """Where no SOCKS proxy is in use, the option `proxy` has decided that."""
    if proxy is None or proxy.proxy_type is ProxyType.HTTP or _properties(section).proxy_host:
        none = Derived("", section.name, "proxy")
        return {"socks.host": none, "socks.port": none}
    return {
        "socks.host": Derived(proxy.host, proxy.name, "host"),
        "socks.port": Derived(proxy.port, proxy.name, "port"),
    }


def decided_by(section: ServerSection) -> Mapping[str, str]:
    """Options and properties whose value another one decides, each with that one's name."""
    properties = _properties(section)
    decided = {}
    if section.security_given in (None, Security.NONE) and section.security is not Security.NONE:
        decided[_security_option(section)] = _what_encrypts(section)
    if section.port_given is None and _encrypted(section) and properties.ssl_socket_factory_port is not None:
        decided["port"] = full_name(protocol_of(section), "ssl.socketFactory.port")
    if isinstance(section, MailboxSection) and section.imap.partialfetch_given is None and section.imap.fetchsize_given:
        decided["mail.imap.partialfetch"] = "mail.imap.fetchsize"
    return decided


def _what_encrypts(section: ServerSection) -> str:
    """What says that the connection is encrypted, where the option for that does not."""
    if isinstance(section, MailboxSection) and section.security_given is None and section.enable_ssl:
        return "enable-ssl"
    by = "ssl.enable" if _properties(section).ssl_enable else "starttls.required"
    return full_name(protocol_of(section), by)


def _security_option(section: ServerSection) -> str:
    return "pop-connection-security" if isinstance(section, MailboxSection) else "smtp-connection-security"


def _encrypted(section: ServerSection) -> bool:
    """Whether the first try is TLS from the first byte."""
    return section.security not in (Security.NONE, Security.START_TLS)


def _properties(section: ServerSection) -> ProtocolProperties:
    return section.protocol if isinstance(section, MailboxSection) else section.smtp


def protocol_of(section: ServerSection) -> str:
    """The protocol of a section as the names of properties spell it."""
    return (section.type if isinstance(section, MailboxSection) else section.server_type).value.lower()
