"""Microsoft and Google: what their servers are, and by which marks their customers are known.

Both have millions of customers' domains, for which no document is published: the MX leads to them. What they take
today is in Microsoft's "Authenticate an IMAP, POP or SMTP connection using OAuth" and Google's "XOAUTH2 mechanism".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from emaild.provision.discover.address import Address
from emaild.provision.discover.found import Found, OAuth, Protocol, Server, SignIn
from emaild.settings.by_token import GOOGLE_SCOPE, PERMISSIONS
from emaild.settings.cloud import GOOGLE, cloud_of
from emaild.settings.server import Security

OFFLINE = "offline_access"
GRAPH_PERMISSIONS = ("Mail.ReadWrite", "Mail.Send")
CONSUMERS = "consumers"  # the directory of Microsoft's private customers


@dataclass(frozen=True)
class Microsoft:
    """A cloud of Microsoft's; `mx` and `hosts` are the domains that its MX and its servers are in."""

    name: str
    issuer: str
    reading: str
    sending: str
    mx: tuple[str, ...]
    hosts: tuple[str, ...]


WORLD = Microsoft(
    name="Microsoft 365",
    issuer="login.microsoftonline.com",
    reading="outlook.office365.com",
    sending="smtp.office365.com",
    # mx.microsoft is that of domains since July 2026 (MC1048624); outlook.microsoft.com is what SuperOffice proposes
    # as the MX of a domain whose mail takes another way.
    mx=("protection.outlook.com", "mail.eo.outlook.com", "mx.microsoft", "outlook.microsoft.com", "office365.com"),
    hosts=("office365.com", "outlook.com", "outlook.office.com", "graph.microsoft.com"),
)
US_GOVERNMENT = Microsoft(
    name="Microsoft 365 for the US government",
    issuer="login.microsoftonline.us",
    reading="outlook.office365.us",
    sending="smtp.office365.us",
    mx=("mail.protection.office365.us",),
    hosts=("office365.us", "graph.microsoft.us"),
)
CHINA = Microsoft(
    name="Microsoft 365 operated by 21Vianet",
    issuer="login.partner.microsoftonline.cn",
    reading="partner.outlook.cn",
    sending="smtp.partner.outlook.cn",
    mx=("mail.protection.partner.outlook.cn",),
    hosts=("partner.outlook.cn", "microsoftgraph.chinacloudapi.cn"),
)
CLOUDS = (WORLD, US_GOVERNMENT, CHINA)

GOOGLES_MX = ("aspmx.l.google.com", "googlemail.com", "smtp.google.com", "gmail-smtp-in.l.google.com")
GOOGLES_HOSTS = ("gmail.com", "googlemail.com", "google.com")

MICROSOFTS_OWN = ("outlook.com", "hotmail.com", "live.com", "msn.com", "passport.com", "windowslive.com")
GOOGLES_OWN = ("gmail.com", "googlemail.com")


def consumers(address: Address) -> Found | None:
    """The settings of a private address at Microsoft's or Google's, for which nothing need be asked."""
    if address.domain in GOOGLES_OWN:
        return google(address)
    if address.domain in MICROSOFTS_OWN:
        return microsoft(address, WORLD, directory=CONSUMERS)
    return None


def by_mx(address: Address, exchanger: str) -> Found | None:
    """The settings that follow from the name of the host which takes the domain's mail."""
    cloud = next((cloud for cloud in CLOUDS if _under(exchanger, cloud.mx)), None)
    if cloud is not None:
        private = exchanger.endswith(".olc.protection.outlook.com")
        return microsoft(address, cloud, directory=CONSUMERS if private else address.domain)
    return google(address) if _under(exchanger, GOOGLES_MX) else None


def by_host(address: Address, host: str, domains: Collection[str] = ()) -> Found | None:
    """The settings that follow from the name of a server that somebody said to be the address's.

    *domains* are those that were said to have that server: Microsoft's private customers have one in many countries.
    """
    cloud = next((cloud for cloud in CLOUDS if _under(host, cloud.hosts)), None)
    if cloud is not None:
        private = not set(MICROSOFTS_OWN).isdisjoint(domains)
        return microsoft(address, cloud, directory=CONSUMERS if private else address.domain)
    return google(address) if is_at_google(host) else None


def is_at_google(host: str) -> bool:
    """Whether a server's name, in lower case, is below one of Google's."""
    return _under(host, GOOGLES_HOSTS)


def microsoft(address: Address, cloud: Microsoft, *, directory: str) -> Found:
    """Graph, IMAP, POP3 and SMTP with a token. EWS is not among them: it ends on 1 April 2027 (MC1227454)."""
    authority = f"https://{cloud.issuer}"
    place = cloud_of(authority)

    def server(protocol: Protocol, host: str, port: int, security: Security, *permissions: str) -> Server:
        given = OAuth(issuer=cloud.issuer, scopes=(*permissions, OFFLINE), authority=authority, directory=directory)
        user = address.text
        return Server(
            protocol=protocol, host=host, port=port, security=security, user=user, sign_in=(SignIn.OAUTH,), oauth=given
        )

    def mail(protocol: Protocol, host: str, port: int, security: Security) -> Server:
        return server(protocol, host, port, security, f"{place.people}/{PERMISSIONS[protocol]}")

    host = place.graph.removeprefix("https://")
    wanted = [f"{place.graph}/{permission}" for permission in GRAPH_PERMISSIONS]
    graph = server(Protocol.GRAPH, host, 443, Security.SSL_TLS, *wanted)
    private = directory == CONSUMERS
    return Found(
        address=address.text,
        name="Outlook.com" if private else cloud.name,
        domains=(address.domain,),
        incoming=(
            graph,
            mail(Protocol.IMAP, cloud.reading, 993, Security.SSL_TLS),
            mail(Protocol.POP3, cloud.reading, 995, Security.SSL_TLS),
        ),
        outgoing=(
            graph,
            mail(Protocol.SMTP, "smtp-mail.outlook.com" if private else cloud.sending, 587, Security.START_TLS),
        ),
    )


def google(address: Address) -> Found:
    """IMAP, POP3 and SMTP with a token; or with an app password, where the administrator lets people have one."""
    tokens = OAuth(issuer=GOOGLE.removeprefix("https://"), scopes=(GOOGLE_SCOPE,), authority=GOOGLE)

    def server(protocol: Protocol, host: str, port: int) -> Server:
        ways = (SignIn.OAUTH, SignIn.PASSWORD)
        user, tls = address.text, Security.SSL_TLS
        return Server(protocol=protocol, host=host, port=port, security=tls, user=user, sign_in=ways, oauth=tokens)

    return Found(
        address=address.text,
        name="Gmail" if address.domain in GOOGLES_OWN else "Google Workspace",
        domains=(address.domain,),
        incoming=(server(Protocol.IMAP, "imap.gmail.com", 993), server(Protocol.POP3, "pop.gmail.com", 995)),
        outgoing=(server(Protocol.SMTP, "smtp.gmail.com", 465),),
        remarks=("a password is an app password that the user makes at Google's, never the account's own",),
    )


def _under(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
