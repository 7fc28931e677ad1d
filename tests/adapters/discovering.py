"""Providers, their DNS and a proxy that leads to them: what discovery is tried against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emaild.provision.discover.found import Outcome, Step
from emaild.provision.discover.search import discover
from emaild.settings.discovery import DiscoverySection, DnsServer
from emaild.settings.network import ProxySection
from tests.servers.authority import Authority
from tests.servers.dnsmasq import Dnsmasq
from tests.servers.ports import LOOPBACK
from tests.servers.providers import LeadingProxy, Page, Providers, Site, certified
from tests.servers.wait import eventually

ISPDB = "ispdb.test"
CONFIG = "/mail/config-v1.1.xml"
WELL_KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
SERVER = """
    <{tag} type="{kind}">
      <hostname>{host}</hostname><port>{port}</port><socketType>{security}</socketType>
      <authentication>{way}</authentication><username>%EMAILADDRESS%</username>
    </{tag}>"""


def server(kind: str, host: str, port: int, security: str = "SSL", way: str = "password-cleartext") -> str:
    """A server of a document."""
    tag = "outgoingServer" if kind == "smtp" else "incomingServer"
    return SERVER.format(tag=tag, kind=kind, host=host, port=port, security=security, way=way)


def document(domain: str, *servers: str, name: str = "", more: str = "") -> bytes:
    """A document for a domain; of an IMAP and an SMTP server below it where none are given."""
    given = "".join(servers) or server("imap", f"imap.{domain}", 993) + server("smtp", f"smtp.{domain}", 465)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="{domain}">'
        f"<domain>{domain}</domain><displayName>{name or domain}</displayName>{given}</emailProvider>{more}"
        "</clientConfig>"
    ).encode()


def own(domain: str, page: Page | None = None) -> Site:
    """A provider that answers where 1.1 asks."""
    return {f"autoconfig.{domain}{CONFIG}": page or Page(document(domain))}


def listed(domain: str, page: Page | None = None) -> Site:
    """A database that knows the domain."""
    return {f"{ISPDB}/v1.1/{domain}": page or Page(document(domain))}


@dataclass(frozen=True)
class World:
    """Everything that there is to be found, and how it is reached."""

    providers: Providers
    names: Dnsmasq
    proxy: LeadingProxy
    authority: Authority

    def section(self, **given: object) -> DiscoverySection:
        """As the conf file has it."""
        section: dict[str, object] = {
            "ispdb": (f"https://{ISPDB}/v1.1/",),
            "dns_servers": (DnsServer(LOOPBACK, self.names.port),),
            "ca_file": self.authority.ca_file,
            "timeout": 30.0,
        }
        return DiscoverySection(**(section | given))  # type: ignore[arg-type]

    def discover(self, address: str, **given: object) -> Outcome:
        """Through the proxy."""
        return discover(address, self.section(**given), proxy_section(self.proxy.port))


def proxy_section(port: int) -> ProxySection:
    """A proxy as the conf file has it."""
    return ProxySection(name="proxy", use_proxy_text="true", host=LOOPBACK, port_given=str(port))


Make = Callable[..., World]


@contextmanager
def worlds(authority: Authority, folder: Path) -> Iterator[Make]:
    """Makes worlds of a site, lines of dnsmasq's conf, and ports of other servers by `host:port`.

    With *names_after* the way to dnsmasq opens once that page was given.
    """
    with ExitStack() as stack:

        def make(
            site: Site | None = None,
            names: Sequence[str] = (),
            others: dict[str, int] | None = None,
            names_after: str = "",
        ) -> World:
            pages = site or {}
            hosts = sorted({key.removeprefix("http:").partition("/")[0] for key in pages} | {ISPDB})
            known = certified(authority, hosts, folder)
            providers = stack.enter_context(Providers(pages, known))
            dnsmasq = stack.enter_context(Dnsmasq(names))
            places = {f"{LOOPBACK}:{dnsmasq.port}": dnsmasq.port}
            for host in hosts:
                places |= {f"{host}:443": providers.https, f"{host}:80": providers.http}
            places |= others or {}

            def lead(place: str) -> int:
                if names_after and place.startswith(LOOPBACK):
                    eventually(lambda: names_after in providers.given, within=20, what=names_after)
                return places.get(place, 0)

            proxy = stack.enter_context(LeadingProxy(lead))
            return World(providers, dnsmasq, proxy, known)

        yield make


def step(outcome: Outcome, number: str) -> Step:
    """The one step of that number."""
    (found,) = [one for one in outcome.steps if one.number == number]
    return found
