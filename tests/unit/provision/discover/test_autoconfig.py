"""Documents that say where a mailbox is, as values."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.provision.discover.address import address_of
from emaild.provision.discover.autoconfig import read
from emaild.provision.discover.found import Found, Protocol, SignIn
from emaild.provision.discover.unfit import Unfit
from emaild.settings.server import Security

ANNA = address_of("Anna.K@Example.test")
IMAP = """<incomingServer type="imap"><hostname>imap.example.test</hostname><port>993</port>
<socketType>SSL</socketType><authentication>password-cleartext</authentication>
<username>%EMAILADDRESS%</username></incomingServer>"""


def document(*servers: str, head: str = "", more: str = "") -> bytes:
    return (
        f"<clientConfig version='1.1'><emailProvider id='x'>{head}{''.join(servers)}</emailProvider>{more}"
        "</clientConfig>"
    ).encode()


def found(*servers: str, head: str = "", more: str = "", domains: tuple[str, ...] = ("example.test",)) -> Found:
    return read(document(*servers, head=head, more=more), ANNA, domains)


def imap(**parts: str) -> str:
    """An IMAP server with other parts; an empty one is left out."""
    given = {
        "hostname": "imap.example.test", "port": "993", "socketType": "SSL",
        "authentication": "password-cleartext", "username": "%EMAILADDRESS%",
    } | parts  # fmt: skip
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in given.items() if text)
    return f'<incomingServer type="imap">{inside}</incomingServer>'


def ways(*words: str, more: str = "") -> tuple[SignIn, ...]:
    server = imap(authentication="").replace(
        "</incomingServer>", "".join(f"<authentication>{word}</authentication>" for word in words) + "</incomingServer>"
    )
    return found(server, more=more).incoming[0].sign_in


@pytest.mark.parametrize(
    ("written", "user"),
    [
        ("%EMAILADDRESS%", "Anna.K@example.test"),
        ("%EMAILLOCALPART%", "Anna.K"),
        ("EXAMPLE\\%EMAILLOCALPART%", "EXAMPLE\\Anna.K"),
        ("%EMAILLOCALPART%.%EMAILDOMAIN%", "Anna.K.example.test"),
        ("anna", "anna"),
        ("%USERNAME%", ""),
        ("", ""),
        ("a&#x202e;b", ""),
        ("x" * 400, ""),
    ],
)
def test_user_is_resolved_for_the_address(written: str, user: str) -> None:
    assert found(imap(username=written)).incoming[0].user == user


@pytest.mark.parametrize(
    ("word", "security"),
    [("SSL", Security.SSL_TLS), ("starttls", Security.START_TLS), ("plain", Security.NONE), ("TLS", Security.SSL_TLS)],
)
def test_kinds_of_encryption_are_known(word: str, security: Security) -> None:
    assert found(imap(socketType=word)).incoming[0].security is security


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("password-cleartext",), (SignIn.PASSWORD,)),
        (("password-encrypted", "password-cleartext"), (SignIn.PASSWORD,)),
        (("OAuth2", "password-cleartext"), (SignIn.OAUTH, SignIn.PASSWORD)),
        (("GSSAPI", "NTLM"), (SignIn.PASSWORD,)),
        (("SASL SCRAM-SHA-256-PLUS",), (SignIn.PASSWORD,)),
        (("plain",), (SignIn.PASSWORD,)),
        (("none",), (SignIn.NONE,)),
    ],
)
def test_ways_to_sign_in_stay_in_their_order(words: tuple[str, ...], expected: tuple[SignIn, ...]) -> None:
    assert ways(*words) == expected


def test_tokens_of_another_issuer_are_told_and_a_password_is_better() -> None:
    tokens = "<oAuth2><issuer>login.other.test</issuer><scope>mail-r mail-w</scope></oAuth2>"
    both, only = (
        found(imap(authentication="").replace("</in", f"{text}</in"), more=tokens).incoming[0]
        for text in (
            "<authentication>OAuth2</authentication><authentication>password-cleartext</authentication>",
            "<authentication>OAuth2</authentication>",
        )
    )
    assert both.oauth is not None
    assert (both.oauth.issuer, both.oauth.scopes) == ("login.other.test", ("mail-r", "mail-w"))
    assert (both.best_sign_in, only.best_sign_in) == (SignIn.PASSWORD, None)


def test_microsofts_tokens_are_never_for_the_server_of_somebody_else() -> None:
    tokens = "<oAuth2><issuer>login.microsoftonline.com</issuer><scope>IMAP</scope></oAuth2>"
    server = found(imap(authentication="OAuth2"), more=tokens).incoming[0]
    assert server.best_sign_in is None


@pytest.mark.parametrize(
    ("host", "name"), [("outlook.office365.com", "Microsoft 365"), ("imap.gmail.com", "Google Workspace")]
)
def test_document_that_leads_to_microsoft_or_google_is_what_is_known_of_them(host: str, name: str) -> None:
    assert found(imap(hostname=host)).name == name
    assert found(imap(hostname=f"{host}.evil.test")).name == "example.test"


def test_domains_of_microsofts_private_customers_are_known_by_their_neighbours() -> None:
    address = address_of("anna@hotmail.fr")
    server = imap(hostname="outlook.office365.com", authentication="OAuth2")
    for neighbour, directory in (("outlook.com", "consumers"), ("contoso.com", "hotmail.fr")):
        head = f"<domain>hotmail.fr</domain><domain>{neighbour}</domain>"
        tokens = read(document(server, head=head), address, {"hotmail.fr"}).incoming[0].oauth
        assert tokens is not None
        assert tokens.directory == directory


@pytest.mark.parametrize(
    "server",
    [
        imap(hostname=""),
        imap(hostname="not a host"),
        imap(hostname="a&#10;b.test"),
        imap(hostname="-a.test"),
        imap(port=""),
        imap(port="0"),
        imap(port="65536"),
        imap(port="9e1"),
        imap(socketType=""),
        imap(socketType="SSL3"),
        imap(authentication=""),
        imap(authentication="GSSAPI"),
        imap(authentication="TLS-client-cert"),
        IMAP.replace('"imap"', '"jmap"'),
        IMAP.replace('"imap"', '"smtp"'),
        IMAP.replace(' type="imap"', ""),
        IMAP.replace("incomingServer", "outgoingServer"),
        '<incomingServer type="ews"><url>http://a.test/ews</url><authentication>ntlm</authentication></incomingServer>',
        '<incomingServer type="ews"><url>https://u:p@a.test/</url><authentication>ntlm</authentication></incomingServer>',
        '<incomingServer type="ews"><url>https://[::1/</url><authentication>ntlm</authentication></incomingServer>',
        '<incomingServer type="ews"><authentication>ntlm</authentication></incomingServer>',
    ],
)
def test_server_that_cannot_be_used_is_passed_over(server: str) -> None:
    assert [one.host for one in found(server, IMAP).incoming] == ["imap.example.test"]
    with pytest.raises(Unfit, match="no server that emaild could read from"):
        found(server)


@pytest.mark.parametrize(("kind", "tag"), [("exchange", "ewsURL"), ("exchange", "url"), ("ews", "url"), ("EWS", "url")])
def test_exchange_is_read_and_sent_by(kind: str, tag: str) -> None:
    url = "https://mail.example.test/EWS/Exchange.asmx"
    given = f'<incomingServer type="{kind}"><{tag}>{url}</{tag}><username>%EMAILADDRESS%</username>'
    made = found(f"{given}<authentication>http-basic</authentication></incomingServer>")
    (server,) = made.incoming
    assert (server.protocol, server.url, server.host, server.port) == (Protocol.EWS, url, "mail.example.test", 443)
    assert made.outgoing == made.incoming


def test_server_without_tls_or_without_a_way_to_sign_in_comes_last() -> None:
    plain, token = imap(hostname="plain.test", socketType="plain"), imap(hostname="t.test", authentication="OAuth2")
    assert [one.host for one in found(plain, token, IMAP).incoming] == ["imap.example.test", "plain.test", "t.test"]


@pytest.mark.parametrize(
    ("listed", "domains"),
    [
        ("<domain>EXAMPLE.test</domain>", ("example.test",)),
        ("<domain>a.test</domain><domain>example.test</domain>", ("a.test", "example.test")),
        ("<domain>%EMAILDOMAIN%</domain>", ("example.test",)),
        ("", ()),
    ],
)
def test_document_for_the_domain_is_taken(listed: str, domains: tuple[str, ...]) -> None:
    assert found(IMAP, head=listed).domains == domains


def test_document_for_another_domain_is_not_taken() -> None:
    with pytest.raises(Unfit, match=r"it is for other.test, not for example.test"):
        found(IMAP, head="<domain>other.test</domain>")
    assert found(IMAP, head="<domain>host.test</domain>", domains=("example.test", "host.test"))


def test_domains_beyond_ascii_are_as_dns_has_them() -> None:
    address = address_of("anna@Bücher.test")
    given = document(imap(hostname="imap.bücher.test"), head="<domain>bücher.test</domain>")
    made = read(given, address, {address.domain})
    assert made.domains == ("xn--bcher-kva.test",)
    assert (made.incoming[0].host, made.incoming[0].user) == ("imap.xn--bcher-kva.test", "anna@bücher.test")


def test_namespace_encoding_and_version_do_not_matter() -> None:
    text = document(IMAP).decode().replace("<clientConfig version='1.1'>", "<clientConfig xmlns='urn:x' version='9'>")
    given = f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
    assert read(given, ANNA, {"example.test"}).incoming[0].port == 993


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_read_or_refused(given: bytes) -> None:
    for document_given in (given, document(IMAP, head=given.decode("latin-1"))):
        with contextlib.suppress(Unfit):
            assert read(document_given, ANNA, {"example.test"}).incoming


@pytest.mark.parametrize("encoding", ["rot13", "zlib", "idna", "utf-7", "hex", "undefined", "nothing", "cp037", "a b"])
def test_strange_encodings_are_refused_or_read(encoding: str) -> None:
    with pytest.raises(Unfit):
        read(f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + b"\xe9<clientConfig/>", ANNA, {"example.test"})


@pytest.mark.parametrize(
    "inside",
    [
        "<a>" * 80_000,
        "<domain>a.test</domain>" * 11_000,
        imap(hostname="") * 1000,
        "<username>" + "%EMAILADDRESS%" * 15_000,
    ],
)
def test_much_of_anything_is_read_at_once(inside: str) -> None:
    """What grew with the square of it would take minutes."""
    with pytest.raises(Unfit):
        read(document(inside), ANNA, {"example.test"})
