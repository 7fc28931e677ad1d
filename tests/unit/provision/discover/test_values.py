"""Addresses, MX, SRV and the section, as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.errors import ConfigError, UsageError
from emaild.provision.discover import known
from emaild.provision.discover.address import address_of, host_name
from emaild.provision.discover.exchangers import Exchanger, cheapest, registered
from emaild.provision.discover.found import Came, Protocol
from emaild.provision.discover.services import SERVICES, found_by, offers
from emaild.provision.discover.unfit import Unfit
from emaild.settings.discovery import DnsServer
from emaild.settings.load import load

ANNA = address_of("anna@example.test")
BY_NAME = {service.name: service for service in SERVICES}


def mx(*lines: str) -> list[Any]:
    return [dns.rdata.from_text("IN", "MX", line) for line in lines]


def srv(name: str, *lines: str) -> Any:
    return offers([dns.rdata.from_text("IN", "SRV", line) for line in lines], BY_NAME[name], ANNA)


@pytest.mark.parametrize(
    ("text", "whole", "domain"),
    [
        ("Anna@Example.COM.", "Anna@example.com", "example.com"),
        ('"a b"@example.com'.replace(" ", ""), '"ab"@example.com', "example.com"),
        ("a@b@example.com", "a@b@example.com", "example.com"),
        ("anna@bücher.de", "anna@bücher.de", "xn--bcher-kva.de"),
        (" anna@mail.example.co.uk ", "anna@mail.example.co.uk", "mail.example.co.uk"),
    ],
)
def test_address_has_its_domain_as_dns_has_it(text: str, whole: str, domain: str) -> None:
    found = address_of(text)
    assert (found.text, found.domain) == (whole, domain)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused_in_one_line(text: str) -> None:
    for tried in (text, f"anna@{text}", f"{text}@example.com"):
        said = ""
        try:
            assert "." in address_of(tried).domain
        except UsageError as error:
            said = str(error)
        assert said == "" or said.isprintable()


@pytest.mark.parametrize("text", ["", "a b", "fe80::1%a b", "fe80::1%eth0"])
def test_host_is_no_name_that_only_this_machine_could_mean(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        host_name(text)


@pytest.mark.parametrize(
    ("host", "full", "base"),
    [
        ("mx.example.com", "", "example.com"),
        ("mx.example.co.uk", "", "example.co.uk"),
        ("mx.premium.europe.example.com", "premium.europe.example.com", "example.com"),
        ("example.com", "", "example.com"),
        ("co.uk", "", ""),
        ("192.0.2.1", "", ""),
        ("2001:db8::1", "", ""),
        ("mx.customer.github.io", "", "customer.github.io"),
        ("mx.xn--bcher-kva.example.xn--p1ai", "xn--bcher-kva.example.xn--p1ai", "example.xn--p1ai"),
    ],
)
def test_domains_of_an_mx_are_those_of_the_draft(host: str, full: str, base: str) -> None:
    exchanger = Exchanger(host, 10)
    assert (exchanger.full, exchanger.base) == (full, base)


@pytest.mark.parametrize(
    ("lines", "host"),
    [
        (("10 b.test.", "5 c.test.", "20 a.test."), "c.test"),
        (("5 b.test.", "5 a.test."), "a.test"),
        (("5 a.test.", "5 b.mail.protection.outlook.com."), "b.mail.protection.outlook.com"),
        (("0 .", "5 b.test."), "b.test"),
        (("5 MX.Example.TEST.",), "mx.example.test"),
        (("1 a\\032b.test.", "5 b.test."), "b.test"),
    ],
)
def test_cheapest_mx_counts(lines: tuple[str, ...], host: str) -> None:
    assert cheapest(mx(*lines), ANNA).host == host


@pytest.mark.parametrize(
    ("lines", "came"), [(("0 .",), Came.NOTHING), (("0 a\\010b.test.",), Came.WRONG), ((), Came.WRONG)]
)
def test_mx_without_a_host_leads_nowhere(lines: tuple[str, ...], came: Came) -> None:
    with pytest.raises(Unfit) as caught:
        cheapest(mx(*lines), ANNA)
    assert caught.value.came is came


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("contoso-com.mail.protection.outlook.com", "Microsoft 365"),
        ("contoso-com.r4nd0m.mx.microsoft", "Microsoft 365"),
        ("outlook.microsoft.com", "Microsoft 365"),
        ("hotmail-com.olc.protection.outlook.com", "Outlook.com"),
        ("contoso-gov.mail.protection.office365.us", "Microsoft 365 for the US government"),
        ("contoso-cn.mail.protection.partner.outlook.cn", "Microsoft 365 operated by 21Vianet"),
        ("aspmx.l.google.com", "Google Workspace"),
        ("alt4.aspmx.l.google.com", "Google Workspace"),
        ("aspmx3.googlemail.com", "Google Workspace"),
        ("smtp.google.com", "Google Workspace"),
        ("mail.protection.outlook.com.evil.test", None),
        ("evilmx.microsoft", None),
        ("notoutlook.microsoft.com", None),
        ("mx.microsoft.com", None),
        ("evilaspmx.l.google.com", None),
        ("xsmtp.google.com", None),
    ],
)
def test_giants_are_known_by_their_mx_and_nobody_else_is(host: str, name: str | None) -> None:
    found = known.by_mx(ANNA, host)
    assert (found.name if found else None) == name


def test_each_cloud_of_microsoft_has_its_own_servers() -> None:
    found = known.by_mx(ANNA, "contoso.mail.protection.office365.us")
    assert found is not None
    graph, imap, _ = found.incoming
    assert (graph.host, imap.host) == ("graph.microsoft.us", "outlook.office365.us")
    assert imap.oauth is not None
    assert imap.oauth.authority == "https://login.microsoftonline.us"
    assert imap.oauth.scopes[0] == "https://outlook.office365.us/IMAP.AccessAsUser.All"


@pytest.mark.parametrize("name", ["example.co.uk", "a.example.co.uk"])
def test_registered_part_is_by_the_list(name: str) -> None:
    assert registered(name) == "example.co.uk"


def test_services_are_by_priority_and_then_by_tls_and_weight() -> None:
    offered = (
        *srv("_imap", "0 5 143 a.example.test."),
        *srv("_imaps", "0 1 993 light.example.test.", "0 9 993 heavy.example.test.", "7 9 993 last.example.test."),
        *srv("_pop3s", "5 0 995 pop.example.test."),
        *srv("_submission", "0 0 587 out.example.test."),
    )
    found = found_by(offered, ANNA)
    assert found is not None
    hosts = ["heavy", "light", "a", "pop", "last"]
    assert [one.host for one in found.incoming] == [f"{host}.example.test" for host in hosts]
    assert [(one.protocol, one.user) for one in found.outgoing] == [(Protocol.SMTP, "anna@example.test")]


@pytest.mark.parametrize(
    ("line", "came"), [("0 0 0 .", Came.NOTHING), ("0 0 0 a.test.", Came.WRONG), ("0 0 993 a\\010b.test.", Came.WRONG)]
)
def test_service_without_a_host_is_not_offered(line: str, came: Came) -> None:
    with pytest.raises(Unfit) as caught:
        srv("_imaps", line)
    assert caught.value.came is came


def test_service_to_send_by_alone_is_nothing() -> None:
    assert found_by(srv("_submissions", "0 0 465 out.example.test."), ANNA) is None


def test_services_at_microsoft_are_what_is_known_of_it() -> None:
    found = found_by(srv("_imaps", "0 0 993 outlook.office365.com."), ANNA)
    assert found is not None
    assert found.name == "Microsoft 365"


def loaded(tmp_path: Path, *lines: str) -> Any:
    (conf := tmp_path / "emaild.conf").write_text("\n".join(["[discovery]", *lines, ""]), encoding="utf-8")
    return load(conf)


def test_section_says_whom_to_ask(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        "dns-servers = 192.0.2.1, 192.0.2.2:5353 2001:db8::1 [2001:db8::2]:5353 [2001:db8::3]",
        "ispdb = https://one.test/v1.1 https://two.test:8443/",
        "proxy = far",
        "[proxy-far]",
        "useProxy = true",
        "host = proxy.test",
        "port = 1080",
    )
    assert [str(one) for one in settings.discovery.dns_servers] == [
        "192.0.2.1:53", "192.0.2.2:5353", "[2001:db8::1]:53", "[2001:db8::2]:5353", "[2001:db8::3]:53"
    ]  # fmt: skip
    assert settings.discovery.ispdb == ("https://one.test/v1.1/", "https://two.test:8443/")
    proxy = settings.proxy_for(settings.discovery)
    assert proxy is not None
    assert proxy.host == "proxy.test"


def test_section_that_is_not_there_is_as_by_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path).discovery
    assert (settings.dns_servers, settings.use_http, settings.timeout) == ((), False, 10.0)
    assert settings.ispdb == ("https://live.thunderbird.net/autoconfig/v1.1/",)
    assert DnsServer("192.0.2.1").port == 53


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("dns-servers = dns.example.com", "dns-servers: expected IP addresses"),
        ("dns-servers = 192.0.2.1:0", "a port is a number"),
        ("dns-servers = 192.0.2.1:99999", "a port is a number"),
        ("dns-servers = [192.0.2.300]", "dns-servers: expected IP addresses"),
        ("ispdb = http://one.test/", "ispdb: expected URLs that begin with https://"),
        ("ispdb = https://a:b@one.test/", "ispdb: expected URLs"),
        ("ispdb = https://one.test:x/", "ispdb: expected URLs"),
        ("ispdb = https://[/", "ispdb: expected URLs"),
        ("timeout = 0s", "timeout: expected a duration"),
        ("proxy = nowhere", "there is no section [proxy-nowhere]"),
    ],
)
def test_what_is_wrong_in_the_section_is_said(tmp_path: Path, line: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, line)
    assert wrong in str(caught.value)
