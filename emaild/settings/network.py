"""`[proxy]`, `[proxy-NAME]`, `[secret-NAME]` and `[endpoints:NAME]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import Family, SectionKind, option
from emaild.settings.secret import Secret

ILLEGAL = "IllegalArgumentException"  # the guide's names, so that a search for them leads here
NO_PROXY = "none"


class ProxyType(StrEnum):
    """What a proxy speaks."""

    AUTOMATIC = "automatic"
    SOCKS5 = "socks5"
    HTTP = "http"


@dataclass(frozen=True, kw_only=True)
class ProxySection:
    """A proxy to connect through (guide, Connection Information)."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="proxy",
        family=Family.NAMED,
        help="A proxy that connections go through: [proxy] for all, [proxy-NAME] for the sections that name it.",
    )

    name: str = ""
    use_proxy_text: str = option(
        parse.text,
        default="false",
        name="useProxy",
        in_effect="use_proxy",
        help="true: connect through this proxy. Anything else: no proxy.",
    )
    host: str = option(parse.optional_text(parse.host), default="", help="The proxy's name or address.")
    port_given: str = option(
        parse.text, default="", name="port", in_effect="port", help="The proxy's port, from 1 to 65534."
    )
    user: str = option(parse.text, default="", help="The user to sign in to the proxy with; needs password.")
    password: Secret | None = option(parse.optional(parse.secret), default="", help="The password of user.")
    socks_version: str = option(
        parse.text, default="5", name="socksVersion", help="The version of SOCKS; only 5 is spoken."
    )
    proxy_type: ProxyType = option(
        parse.one_of(ProxyType),
        default="automatic",
        help="What the proxy speaks. automatic: SOCKS5 is tried first, and HTTP CONNECT where the answer is not SOCKS.",
    )

    @property
    def use_proxy(self) -> bool:
        """Whether it is in use: anything but `true` means no."""
        return self.use_proxy_text.strip().lower() == "true"

    @property
    def port(self) -> int:
        """The proxy's port, 0 where it is none."""
        return int(self.port_given) if self.port_given.isdecimal() and len(self.port_given) <= 5 else 0

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if not self.use_proxy:
            return
        if not self.host:
            yield "host", f"{ILLEGAL}: it is missing; expected the proxy's name or address"
        if not self.port_given.strip():
            yield "port", f"{ILLEGAL}: it is missing; expected a whole number from 1 to 65534"
        elif not 1 <= self.port <= 65534:
            yield "port", f"{ILLEGAL}: expected a whole number from 1 to 65534, found {parse.repeated(self.port_given)}"
        if self.user and self.password is None:
            yield "user", f"{ILLEGAL}: it needs its partner, password"
        if self.password is not None and not self.user:
            yield "password", f"{ILLEGAL}: it needs its partner, user"
        if self.proxy_type is not ProxyType.HTTP and self.socks_version.strip() not in ("", "5"):
            yield "socksVersion", f"{ILLEGAL}: only version 5 is supported, found {parse.repeated(self.socks_version)}"


@dataclass(frozen=True, kw_only=True)
class SecretSection:
    """A secret by name, for sections that share it."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="secret", family=Family.ALWAYS_NAMED, help="A client secret of an application, which other sections name."
    )

    name: str = ""
    password: Secret = option(parse.secret, default=None, help="The client secret.")


@dataclass(frozen=True, kw_only=True)
class EndpointsSection:
    """Endpoints of one tenant: names that lead to queues."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="endpoints",
        family=Family.TENANTS,
        help="Names that mailboxes use as endpoint, each with the queue that it leads to.",
        entries="NAME = QUEUE",
    )

    name: str = ""
    entries: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
