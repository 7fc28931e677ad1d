"""How a webhook's section becomes a peer."""

from __future__ import annotations

import pytest

from emaild.net.peer import Peer, Trust, receiver_of
from emaild.settings.network import ProxyType
from emaild.settings.server import Security, TlsVersion
from tests.conf_files import ConfFiles
from tests.servers.receiver import SECRET


def peer(conf: ConfFiles, url: str, *lines: str) -> Peer:
    settings = conf.load("\n".join(["[webhook]", f"url = {url}", f"secret = {SECRET}", *lines]))
    assert settings.webhook is not None
    return receiver_of(settings.webhook, settings.proxy_for(settings.webhook))


def test_a_url_with_https_means_tls_and_a_public_address(conf: ConfFiles) -> None:
    assert peer(conf, "https://Hooks.Example.com/mail?a=b") == Peer(
        host="Hooks.Example.com",
        port=443,
        section="webhook",
        security=Security.SSL_TLS,
        trust=Trust(minimum_version=TlsVersion.TLS_1_2),
        connect_timeout=10.0,
        protocol_timeout=20.0,
        public_only=True,
    )


@pytest.mark.parametrize(
    ("url", "host", "port", "security"),
    [
        ("http://localhost", "localhost", 80, Security.NONE),
        ("http://[::1]:8080/x", "::1", 8080, Security.NONE),
        ("HTTPS://10.0.0.1:65535?x", "10.0.0.1", 65535, Security.SSL_TLS),
    ],
)
def test_scheme_host_and_port_are_the_urls(conf: ConfFiles, url: str, host: str, port: int, security: Security) -> None:
    found = peer(conf, url, "allow-private-addresses = true")
    assert (found.host, found.port, found.security, found.public_only) == (host, port, security, False)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example", "/"),
        ("https://a.example?x=1", "/?x=1"),
        ("https://a.example/x/y?z", "/x/y?z"),
    ],
)
def test_what_is_asked_for_is_the_urls_rest(conf: ConfFiles, url: str, target: str) -> None:
    webhook = conf.load(f"[webhook]\nurl = {url}\nsecret = {SECRET}\n").webhook
    assert webhook is not None
    assert webhook.place[3] == target


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:/",
        "https://user:pw@a.example/",
        "https://a.example/with space",
        "https://a.example/x#fragment",
        "https://[12345::]/",
        "https://[::1/",
    ],
)
def test_what_is_no_url_is_refused(conf: ConfFiles, url: str) -> None:
    (fault,) = conf.faults(f"[webhook]\nurl = {url}\nsecret = {SECRET}\n")
    assert "expected a URL such as" in fault


def test_a_proxy_is_the_one_that_the_section_names(conf: ConfFiles) -> None:
    named = "[proxy-out]\nuseProxy = true\nhost = proxy.example\nport = 1080\nproxy-type = socks5\n"
    found = peer(conf, "https://a.example", "proxy = out", named).proxy
    assert found is not None
    assert (found.host, found.port, found.kind) == ("proxy.example", 1080, ProxyType.SOCKS5)
