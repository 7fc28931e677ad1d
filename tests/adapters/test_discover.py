"""Discovery's order: who is asked, and who is believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emaild.provision.discover.found import Came, Protocol, SignIn
from emaild.provision.discover.search import discover
from emaild.settings.discovery import DiscoverySection
from emaild.settings.server import Security
from tests.adapters.discovering import (
    CONFIG,
    ISPDB,
    WELL_KNOWN,
    Make,
    document,
    listed,
    own,
    proxy_section,
    server,
    step,
    worlds,
)
from tests.servers.authority import Authority
from tests.servers.providers import Page
from tests.servers.proxies import ProxyProgram
from tests.servers.wait import eventually

ADDRESS = "anna@right.test"
MICROSOFT = "login.microsoftonline.com"


@pytest.fixture
def make(authority: Authority, tmp_path: Path) -> Iterator[Make]:
    """Makes worlds, which end with the test."""
    with worlds(authority, tmp_path) as made:
        yield made


def test_provider_that_publishes_its_settings_is_believed(make: Make) -> None:
    world = make(own("right.test"))
    outcome = world.discover(ADDRESS)
    assert outcome.found is not None
    assert (outcome.found.number, outcome.found.name) == ("1.1", "right.test")
    (imap,), (smtp,) = outcome.found.incoming, outcome.found.outgoing
    assert (imap.protocol, imap.host, imap.port, imap.security) == (Protocol.IMAP, "imap.right.test", 993, "ssl-tls")
    assert (imap.user, imap.sign_in, imap.doubt) == (ADDRESS, (SignIn.PASSWORD,), "")
    assert (smtp.protocol, smtp.host, smtp.port) == (Protocol.SMTP, "smtp.right.test", 465)
    assert f"autoconfig.right.test{CONFIG}?emailaddress={ADDRESS}" in world.providers.asked


@pytest.mark.parametrize(
    ("site", "number"),
    [
        ({f"right.test{WELL_KNOWN}": Page(document("right.test"))}, "1.2"),
        (listed("right.test"), "2.1"),
        ({f"autoconfig.mail.host.test{CONFIG}": Page(document("mail.host.test"))}, "3.1"),
        ({f"autoconfig.host.test{CONFIG}": Page(document("host.test"))}, "3.2"),
        (listed("mail.host.test"), "3.3"),
        (listed("host.test"), "3.4"),
    ],
)
def test_each_place_of_the_draft_is_asked(make: Make, site: dict[str, Page], number: str) -> None:
    world = make(site, ["mx-host=right.test,mx1.mail.host.test,10"])
    outcome = world.discover(ADDRESS)
    assert outcome.found is not None
    assert outcome.found.number == number
    assert step(outcome, "1.1").came in (Came.UNREACHABLE, Came.NOTHING)


def test_lower_number_wins_whoever_is_faster(make: Make) -> None:
    world = make(
        {
            f"right.test{WELL_KNOWN}": Page(document("right.test", name="the second")),
            **own("right.test", Page(document("right.test", name="the first"), after=f"right.test{WELL_KNOWN}")),
            **listed("right.test", Page(document("right.test", name="the third"))),
        },
        ["mx-host=right.test,right.mail.protection.outlook.com,10"],
    )
    outcome = world.discover(ADDRESS)
    assert outcome.found is not None
    assert outcome.found.name == "the first"


def test_higher_number_is_not_waited_for(make: Make) -> None:
    world = make({**own("right.test"), **listed("right.test", Page(silent=True))})
    outcome = world.discover(ADDRESS, timeout=300.0)
    assert outcome.found is not None
    assert outcome.found.number == "1.1"
    assert (step(outcome, "2.1").came, step(outcome, "2.1").text) == (Came.SKIPPED, "not waited for")


def test_lower_number_that_is_silent_is_given_up_in_time(make: Make) -> None:
    world = make({**own("right.test", Page(silent=True)), **listed("right.test")})
    outcome = world.discover(ADDRESS, timeout=1.0)
    assert outcome.found is not None
    assert outcome.found.number == "2.1"
    assert step(outcome, "1.1").came is Came.TIMED_OUT


def test_first_database_that_knows_the_domain_is_right(make: Make) -> None:
    other = {"other.test/right.test": Page(document("right.test", name="other"))}
    world = make({**listed("right.test", Page(document("right.test", name="first"))), **other})
    outcome = world.discover(ADDRESS, ispdb=(f"https://{ISPDB}/v1.1/", "https://other.test/"))
    assert outcome.found is not None
    assert outcome.found.name == "first"
    swapped = world.discover(ADDRESS, ispdb=("https://other.test/", f"https://{ISPDB}/v1.1/"))
    assert swapped.found is not None
    assert swapped.found.name == "other"


def test_no_database_is_asked_where_none_is_named(make: Make) -> None:
    world = make(listed("right.test"), ["mx-host=right.test,mx.host.test,10"])
    assert world.discover(ADDRESS, ispdb=()).found is None
    assert not [place for place in world.proxy.led if place.startswith(ISPDB)]


def test_what_the_mx_led_to_is_doubted_where_it_is_in_another_domain(make: Make) -> None:
    pages = document("host.test", server("imap", "imap.host.test", 993), server("imap", "imap.right.test", 993))
    world = make(listed("host.test", Page(pages)), ["mx-host=right.test,mx.host.test,10"])
    outcome = world.discover(ADDRESS)
    assert outcome.found is not None
    other, its_own = outcome.found.incoming
    assert "imap.host.test is not in right.test" in other.doubt
    assert its_own.doubt == ""


def test_without_tls_nobody_is_asked_by_default(make: Make) -> None:
    world = make({f"http:autoconfig.right.test{CONFIG}": Page(document("right.test"))})
    assert world.discover(ADDRESS).found is None
    assert not [one for one in world.providers.asked if one.startswith("http:")]


def test_what_is_told_without_tls_is_doubted_and_never_leads_to_a_server_without_it(make: Make) -> None:
    pages = document("right.test", server("imap", "plain.right.test", 143, "plain"), server("imap", "i.test", 993))
    world = make({f"http:autoconfig.right.test{CONFIG}": Page(pages)})
    outcome = world.discover(ADDRESS, use_http=True)
    assert outcome.found is not None
    assert outcome.found.number == "1.3"
    assert [one.host for one in outcome.found.incoming] == ["i.test"]
    assert "without TLS" in outcome.found.incoming[0].doubt
    assert not [one for one in world.providers.asked if one.startswith("http:") and "anna" in one]


def test_only_servers_without_tls_told_without_tls_are_nothing(make: Make) -> None:
    pages = document("right.test", server("imap", "plain.right.test", 143, "plain"))
    outcome = make({f"http:autoconfig.right.test{CONFIG}": Page(pages)}).discover(ADDRESS, use_http=True)
    assert outcome.found is None
    assert step(outcome, "1.3").came is Came.WRONG


@pytest.mark.parametrize(
    "exchanger",
    ["right-test.mail.protection.outlook.com", "right-test.a-v1.mx.microsoft", "outlook.microsoft.com"],
)
def test_superoffice_3_mx_at_microsoft_leads_to_oauth(make: Make, exchanger: str) -> None:
    outcome = make({}, [f"mx-host=right.test,{exchanger},0"]).discover(ADDRESS)
    assert outcome.found is not None
    assert (outcome.found.number, outcome.found.name) == ("3", "Microsoft 365")
    graph, imap, _ = outcome.found.incoming
    assert (graph.protocol, imap.protocol, imap.host) == (Protocol.GRAPH, Protocol.IMAP, "outlook.office365.com")
    assert {one.best_sign_in for one in outcome.found.incoming} == {SignIn.OAUTH}
    assert imap.oauth is not None
    assert imap.oauth.scopes == ("https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access")
    assert (imap.oauth.issuer, imap.oauth.directory) == (MICROSOFT, "right.test")
    assert imap.doubt == ""


def test_superoffice_3_database_at_microsoft_leads_to_oauth(make: Make) -> None:
    pages = document("right.test", server("imap", "outlook.office365.com", 993))
    outcome = make(listed("right.test", Page(pages))).discover(ADDRESS)
    assert outcome.found is not None
    assert (outcome.found.number, outcome.found.name) == ("2.1", "Microsoft 365")
    assert outcome.found.incoming[1].best_sign_in is SignIn.OAUTH


def test_superoffice_3_mx_at_microsoft_is_enough_whatever_a_database_says(make: Make) -> None:
    names = ["mx-host=right.test,right.mail.protection.outlook.com,0"]
    outcome = make(listed("right.test"), names, names_after=f"{ISPDB}/v1.1/right.test").discover(ADDRESS)
    assert outcome.found is not None
    assert (outcome.found.number, outcome.found.name, outcome.found.remarks) == ("3", "Microsoft 365", ())


def test_superoffice_3_neither_at_microsoft_leads_to_a_password(make: Make) -> None:
    world = make(listed("right.test"), ["mx-host=right.test,mx.right.test,10"])
    outcome = world.discover(ADDRESS)
    assert outcome.found is not None
    assert {one.best_sign_in for one in outcome.found.incoming} == {SignIn.PASSWORD}


def test_superoffice_5_cheapest_mx_decides(make: Make) -> None:
    lines = ["mx-host=right.test,mx.filter.test,10", "mx-host=right.test,outlook.microsoft.com,5"]
    site = listed("filter.test")
    outcome = make(site, lines).discover(ADDRESS)
    assert outcome.found is not None
    assert outcome.found.name == "Microsoft 365"
    assert "outlook.microsoft.com (preference 5)" in step(outcome, "3").text
    dearer = make(site, [lines[0], lines[1].replace(",5", ",50")]).discover(ADDRESS)
    assert dearer.found is not None
    assert (dearer.found.number, dearer.found.name) == ("3.4", "filter.test")


def test_google_is_known_by_its_mx(make: Make) -> None:
    lines = ["mx-host=right.test,alt1.aspmx.l.google.com,5", "mx-host=right.test,aspmx.l.google.com,1"]
    outcome = make({}, lines).discover(ADDRESS)
    assert outcome.found is not None
    assert outcome.found.name == "Google Workspace"
    (imap, _), (smtp,) = outcome.found.incoming, outcome.found.outgoing
    assert (imap.host, smtp.host) == ("imap.gmail.com", "smtp.gmail.com")
    assert imap.oauth is not None
    assert imap.oauth.scopes == ("https://mail.google.com/",)


def test_among_mx_of_equal_preference_a_known_one_counts(make: Make) -> None:
    lines = ["mx-host=right.test,a.filter.test,5", "mx-host=right.test,right.mail.protection.outlook.com,5"]
    outcome = make({}, lines).discover(ADDRESS)
    assert outcome.found is not None
    assert outcome.found.name == "Microsoft 365"


def test_mx_that_leads_elsewhere_than_the_document_is_told(make: Make) -> None:
    names = ["mx-host=right.test,right.mail.protection.outlook.com,0"]
    outcome = make(own("right.test"), names, names_after=f"autoconfig.right.test{CONFIG}").discover(ADDRESS)
    assert outcome.found is not None
    assert (outcome.found.number, outcome.found.name) == ("1.1", "right.test")
    assert "the domain's MX leads to Microsoft 365" in outcome.found.remarks[0]


def test_domain_that_takes_no_mail_is_told_as_such(make: Make) -> None:
    outcome = make({}, ["mx-host=right.test,.,0"]).discover(ADDRESS)
    assert outcome.found is None
    assert (step(outcome, "3").came, step(outcome, "3").text) == (
        Came.NOTHING, "the domain takes no mail at all (RFC 7505)"
    )  # fmt: skip


def test_services_in_dns_are_found(make: Make) -> None:
    lines = [
        "srv-host=_imaps._tcp.right.test,imap.right.test,993,0,1",
        "srv-host=_imap._tcp.right.test,imap.right.test,143,0,1",
        "srv-host=_submission._tcp.right.test,mail.host.test,587,0,1",
    ]
    outcome = make({}, lines).discover(ADDRESS)
    assert outcome.found is not None
    assert outcome.found.number == "4"
    assert [(one.host, one.port, one.security) for one in outcome.found.incoming] == [
        ("imap.right.test", 993, Security.SSL_TLS),
        ("imap.right.test", 143, Security.START_TLS),
    ]
    (smtp,) = outcome.found.outgoing
    assert (smtp.port, smtp.security, outcome.found.incoming[0].doubt) == (587, Security.START_TLS, "")
    assert "mail.host.test is not in right.test" in smtp.doubt


@pytest.mark.parametrize("program", ["microsocks", "squid", "tinyproxy"])
def test_everything_goes_through_a_real_proxy(make: Make, program: str) -> None:
    world = make({"localhost/host.test": Page(document("host.test"))}, ["mx-host=right.test,mx.host.test,10"])
    section = world.section(ispdb=(f"https://localhost:{world.providers.https}/",), timeout=10.0)
    with ProxyProgram(program) as proxy:
        outcome = discover(ADDRESS, section, proxy_section(proxy.port))
        eventually(lambda: str(world.providers.https) in proxy.log(), what="the proxy's log")
        assert str(world.names.port) in proxy.log()
    assert outcome.found is not None
    assert outcome.found.number == "3.4"


@pytest.mark.parametrize("address", ["anna@gmail.com", "anna@googlemail.com", "anna@Outlook.com", "anna@hotmail.com"])
def test_private_addresses_are_known_without_a_question(address: str) -> None:
    outcome = discover(address, DiscoverySection(dns_servers=()))
    assert outcome.found is not None
    assert [(one.number, one.came) for one in outcome.steps] == [("0", Came.FOUND)]
    assert outcome.found.incoming[0].best_sign_in is SignIn.OAUTH
