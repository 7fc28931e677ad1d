"""Documents that say where a mailbox is (draft-ietf-mailmaint-autoconfig; Thunderbird's config file format 1.1).

Whatever bytes come: they become settings that emaild can use, or it is said why not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from emaild.provision.discover import known
from emaild.provision.discover.address import Address, host_name
from emaild.provision.discover.found import Came, Found, OAuth, Protocol, Server, SignIn
from emaild.provision.discover.unfit import Unfit
from emaild.settings.server import Security

LARGEST = 256 << 10  # bytes; the longest of Thunderbird's database has 9,000
LONGEST = 320  # characters of a value; the longest address has 320
MOST_SERVERS = 20
MOST_DOMAINS = 1000  # a provider's own; Thunderbird's longest list has some 200
SECURITY = {"ssl": Security.SSL_TLS, "tls": Security.SSL_TLS, "starttls": Security.START_TLS, "plain": Security.NONE}
BY_NAME = {"imap": Protocol.IMAP, "pop3": Protocol.POP3, "smtp": Protocol.SMTP}
BY_URL = {"ews": Protocol.EWS, "exchange": Protocol.EWS, "graph": Protocol.GRAPH}
BOTH_WAYS = (Protocol.EWS, Protocol.GRAPH)
PASSWORDS = ("password-cleartext", "password-encrypted", "plain", "secure", "ntlm", "http-basic", "http-digest")
PLACEHOLDER = re.compile(r"%[A-Z]+%")


def read(document: bytes, address: Address, domains: Collection[str]) -> Found:
    """What a document says of an address. *domains* are those that it may be for: the address's, or its MX's.

    Raises:
        Unfit: it is no such document, or for another domain, or has no server that emaild could read from.
    """
    root = _root(document)
    reading = _Reading(root, address)
    listed = reading.domains()
    if listed and not set(domains) & set(listed):
        raise Unfit(Came.WRONG, f"it is for {', '.join(listed[:3])}, not for {' or '.join(sorted(domains))}")
    incoming, outgoing = list(reading.servers("incomingServer")), list(reading.servers("outgoingServer"))
    if not incoming:
        raise Unfit(Came.WRONG, "it names no server that emaild could read from")
    giant = known.by_host(address, incoming[0].host, listed)
    if giant is not None:
        return giant
    outgoing += [server for server in incoming if server.protocol in BOTH_WAYS]
    return Found(
        address=address.text,
        name=reading.text(root.find(".//displayName")) or (listed[0] if listed else address.domain),
        domains=listed,
        incoming=_best_first(incoming),
        outgoing=_best_first(outgoing),
    )


def _root(document: bytes) -> Element:
    if len(document) > LARGEST:
        raise Unfit(Came.MALFORMED, f"it is longer than {LARGEST >> 10} KiB")
    try:
        root = fromstring(document, forbid_dtd=True)
    except DefusedXmlException:
        raise Unfit(Came.MALFORMED, "it has a document type, which none needs and which may hold a trap") from None
    except (ParseError, LookupError, ValueError):
        raise Unfit(Came.MALFORMED, "it is no XML") from None
    if not isinstance(root, Element) or _name(root) != "clientConfig":
        raise Unfit(Came.WRONG, "it is another document than a clientConfig")
    for element in root.iter():
        element.tag = _name(element)
    return root


def _name(element: Element) -> str:
    """Without the namespace, which some write though there is none."""
    return str(element.tag).rpartition("}")[2]


def _best_first(servers: list[Server]) -> tuple[Server, ...]:
    """In the document's order, but what cannot be signed in to, or would be signed in to in the clear, last."""
    return tuple(sorted(servers, key=lambda one: (one.best_sign_in is None, one.security is Security.NONE)))


class _Reading:
    """A document that is read for an address."""

    def __init__(self, root: Element, address: Address) -> None:
        self._root = root
        self._address = address
        self._oauth = self._tokens()

    def text(self, element: Element | None) -> str:
        """What an element says, its placeholders replaced; nothing where that could be no value."""
        written = " ".join((element.text or "").split()) if element is not None else ""
        if len(written) > LONGEST or not written.isprintable():
            return ""
        for name, value in (
            ("ADDRESS", self._address.text),
            ("LOCALPART", self._address.local),
            ("DOMAIN", self._address.text.rpartition("@")[2]),
        ):
            written = written.replace(f"%EMAIL{name}%", value)
        return written

    def domains(self) -> tuple[str, ...]:
        """Those that it says to be for, as DNS has them."""
        elements = [*self._root.iter("domain")][:MOST_DOMAINS]
        return tuple(dict.fromkeys(name for element in elements if (name := _host(self.text(element)))))

    def servers(self, tag: str) -> Iterator[Server]:
        """Those of a tag that emaild can use; unknown types, and those with parts missing, are passed over."""
        for element in [*self._root.iter(tag)][:MOST_SERVERS]:
            kind = element.get("type", "").strip().lower()
            ways = self._ways(element)
            if kind in BY_NAME and ways and (kind == "smtp") == (tag == "outgoingServer"):
                yield from self._by_name(element, BY_NAME[kind], ways)
            elif kind in BY_URL and ways and tag == "incomingServer":
                yield from self._by_url(element, BY_URL[kind], ways)

    def _by_name(self, element: Element, protocol: Protocol, ways: tuple[SignIn, ...]) -> Iterator[Server]:
        host, port = _host(self.text(element.find("hostname"))), _port(self.text(element.find("port")))
        security = SECURITY.get(self.text(element.find("socketType")).lower())
        if host and port and security:
            yield self._server(element, protocol, ways, host=host, port=port, security=security)

    def _by_url(self, element: Element, protocol: Protocol, ways: tuple[SignIn, ...]) -> Iterator[Server]:
        own = element.find("ewsURL") if protocol is Protocol.EWS else None
        url = self.text(own if own is not None else element.find("url"))
        try:
            parts = urlsplit(url)
            host, port = host_name(parts.hostname or ""), parts.port or 443
        except ValueError:
            return
        if parts.scheme == "https" and url.isascii() and " " not in url and "@" not in parts.netloc:
            yield self._server(element, protocol, ways, host=host, port=port, security=Security.SSL_TLS, url=url)

    def _server(
        self, element: Element, protocol: Protocol, ways: tuple[SignIn, ...], *,
        host: str, port: int, security: Security, url: str = "",
    ) -> Server:  # fmt: skip
        user = self.text(element.find("username"))
        return Server(
            protocol=protocol,
            host=host,
            port=port,
            security=security,
            user="" if PLACEHOLDER.search(user) else user,
            sign_in=ways,
            oauth=self._oauth if SignIn.OAUTH in ways else None,
            url=url,
        )

    def _ways(self, element: Element) -> tuple[SignIn, ...]:
        """The ways to sign in that emaild has, too, in the document's order."""
        found = []
        for one in element.findall("authentication")[:MOST_SERVERS]:
            word = self.text(one).lower()
            if word in PASSWORDS or word.startswith("sasl "):
                found.append(SignIn.PASSWORD)
            elif word in ("oauth2", "oauth"):
                found.append(SignIn.OAUTH)
            elif word in ("none", "client-ip-address"):
                found.append(SignIn.NONE)
        return tuple(dict.fromkeys(found))

    def _tokens(self) -> OAuth | None:
        """What is said of tokens, for a person: Microsoft's and Google's are never for another's server."""
        element = next(self._root.iter("oAuth2"), None)
        if element is None:
            return None
        issuer = _host(self.text(element.find("issuer")))
        scopes = tuple(self.text(element.find("scope")).split())
        return OAuth(issuer=issuer, scopes=scopes) if issuer else None


def _host(text: str) -> str:
    """A host's name as DNS has it; nothing where it is none."""
    try:
        return host_name(text)
    except ValueError:
        return ""


def _port(text: str) -> int:
    """A port; 0 where it is none."""
    number = int(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0
    return number if number < 1 << 16 else 0
