"""How conf files become peers: options and JavaMail's properties, for each protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.net.peer import Peer, ProxyServer, Trust, peer_of
from emaild.settings.network import ProxyType
from emaild.settings.secret import Secret
from emaild.settings.server import Security, TlsVersion
from tests.conf_files import ConfFiles

PROTOCOLS = ("pop3", "imap", "smtp")
PORTS = {"pop3": (110, 995), "imap": (143, 993), "smtp": (25, 465)}


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def peer(conf: ConfFiles, protocol: str, *lines: str, proxies: str = "") -> Peer:
    """Of a section with these lines; P in a property stands for the protocol."""
    if protocol == "smtp":
        head = ["[smtp-client]", "server = mail.example.com"]
    else:
        head = ["[pop-client]", "server = mail.example.com", f"type = {protocol}", "mailbox = joe", "password = x"]
    own = [line.replace("mail.P.", f"mail.{protocol}.") for line in lines]
    settings = conf.load("\n".join([*head, *own, proxies]))
    section = settings.ways_out["smtp-client"] if protocol == "smtp" else settings.mailboxes["pop-client"]
    return peer_of(section, settings.proxy_for(section))


def test_without_properties_a_connection_is_plain_at_the_protocols_port(conf: ConfFiles, protocol: str) -> None:
    assert peer(conf, protocol) == Peer(
        host="mail.example.com",
        port=PORTS[protocol][0],
        plain_port=PORTS[protocol][0],
        section="smtp-client" if protocol == "smtp" else "pop-client",
    )


def test_ssl_enable_is_tls_from_the_first_byte(conf: ConfFiles, protocol: str) -> None:
    found = peer(conf, protocol, "mail.P.ssl.enable = true")
    assert (found.security, found.port) == (Security.SSL_TLS, PORTS[protocol][1])


def test_ssl_socket_factory_port_counts_where_tls_begins_at_once(conf: ConfFiles, protocol: str) -> None:
    port = "mail.P.ssl.socketFactory.port = 1234"
    assert peer(conf, protocol, port, "mail.P.ssl.enable = true").port == 1234
    assert peer(conf, protocol, port, "mail.P.ssl.enable = true", "port = 77").port == 77
    assert peer(conf, protocol, port).port == PORTS[protocol][0]


def test_starttls_is_used_if_offered_or_required(conf: ConfFiles, protocol: str) -> None:
    enabled = peer(conf, protocol, "mail.P.starttls.enable = true")
    assert (enabled.security, enabled.starttls_if_offered, enabled.starttls_required) == (Security.NONE, True, False)
    required = peer(conf, protocol, "mail.P.starttls.required = true")
    assert (required.security, required.starttls_required) == (Security.START_TLS, True)


def test_trust_is_what_the_ssl_properties_say(conf: ConfFiles, protocol: str) -> None:
    assert peer(
        conf,
        protocol,
        "mail.P.ssl.checkserveridentity = false",
        "mail.P.ssl.trust = mail.example.com other.example.com",
        "mail.P.ssl.protocols = TLSv1.2 TLSv1.3",
        "mail.P.ssl.ciphersuites = TLS_AES_128_GCM_SHA256 AES128-SHA",
    ).trust == Trust(
        check_identity=False,
        trusted_hosts=("mail.example.com", "other.example.com"),
        protocols=("1.2", "1.3"),
        ciphersuites=("TLS_AES_128_GCM_SHA256", "AES128-SHA"),
    )


def test_trust_is_what_the_options_say(conf: ConfFiles, protocol: str, tmp_path: Path) -> None:
    for name in ("ca", "client", "key"):
        (tmp_path / name).write_text("")
    assert peer(
        conf,
        protocol,
        f"ca-file = {tmp_path}/ca",
        f"client-certificate = {tmp_path}/client",
        f"client-key = {tmp_path}/key",
        "client-key-password = hunter2",
        "minimum-tls-version = 1.3",
    ).trust == Trust(
        ca_file=tmp_path / "ca",
        client_certificate=tmp_path / "client",
        client_key=tmp_path / "key",
        client_key_password=Secret("hunter2"),
        minimum_version=TlsVersion.TLS_1_3,
    )


def test_where_a_connection_begins_and_how_long_it_may_take(conf: ConfFiles, protocol: str) -> None:
    found = peer(
        conf,
        protocol,
        "mail.P.localaddress = 192.0.2.1",
        "mail.P.localport = 4000",
        "mail.P.writetimeout = 1500",
        "connect-timeout = 7s",
        "protocol-timeout = 8s",
        "enable-debug = true",
        "allow-plaintext-auth = true",
    )
    assert (found.local_address, found.local_port, found.write_timeout) == ("192.0.2.1", 4000, 1.5)
    assert (found.connect_timeout, found.protocol_timeout) == (7.0, 8.0)
    assert found.trace
    assert found.allow_plaintext_auth


def test_proxy_properties_name_an_http_proxy_and_come_before_a_section(conf: ConfFiles, protocol: str) -> None:
    found = peer(
        conf,
        protocol,
        "mail.P.proxy.host = proxy.example.com",
        "mail.P.proxy.port = 3128",
        "mail.P.proxy.user = joe",
        "mail.P.proxy.password = hunter2",
        proxies="[proxy]\nuseProxy = true\nhost = elsewhere.example.com\nport = 1\n",
    ).proxy
    assert found == ProxyServer(
        name="mail.*.proxy",
        kind=ProxyType.HTTP,
        host="proxy.example.com",
        port=3128,
        user="joe",
        password=Secret("hunter2"),
    )
    default = peer(conf, protocol, "mail.P.proxy.host = proxy.example.com").proxy
    assert default is not None
    assert default.port == 80


def test_proxy_section_is_used_where_it_is_in_use(conf: ConfFiles, protocol: str) -> None:
    lines = "[proxy]\nuseProxy = {}\nhost = proxy.example.com\nport = 1080\nuser = joe\npassword = hunter2\n"
    assert peer(conf, protocol, proxies=lines.format("true")).proxy == ProxyServer(
        name="proxy",
        kind=ProxyType.AUTOMATIC,
        host="proxy.example.com",
        port=1080,
        user="joe",
        password=Secret("hunter2"),
    )
    assert peer(conf, protocol, proxies=lines.format("yes")).proxy is None
    assert peer(conf, protocol, "proxy = none", proxies=lines.format("true")).proxy is None


def test_automatic_begins_with_tls_and_goes_on_with_starttls(conf: ConfFiles, protocol: str) -> None:
    option = "smtp-connection-security" if protocol == "smtp" else "pop-connection-security"
    first, second = peer(conf, protocol, f"{option} = automatic").attempts
    assert (first.security, first.port) == (Security.SSL_TLS, PORTS[protocol][1])
    assert (second.security, second.port, second.starttls_if_offered) == (Security.NONE, PORTS[protocol][0], True)
    strict = peer(conf, protocol, f"{option} = automatic", "mail.P.starttls.required = true").attempts
    assert [attempt.security for attempt in strict] == [Security.SSL_TLS, Security.START_TLS]
