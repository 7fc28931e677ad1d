"""Providers that are wrong, slow or lie: it is said, and passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emaild.provision.discover.found import Came, Outcome
from emaild.provision.discover.search import discover
from tests.adapters.discovering import CONFIG, Make, document, listed, own, server, step, worlds
from tests.servers.authority import Authority
from tests.servers.providers import Page
from tests.servers.scripted import Dialog, Scripted

ADDRESS = "anna@right.test"
HEAD = b'<?xml version="1.0"?>'
BOMB = b"<!DOCTYPE b [<!ENTITY a0 'ha'>%s]><clientConfig>&a30;</clientConfig>" % b"".join(
    b"<!ENTITY a%d '&a%d;&a%d;'>" % (number, number - 1, number - 1) for number in range(1, 31)
)
OUTSIDE = b'<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]><clientConfig>&x;</clientConfig>'
HERE = f"https://autoconfig.right.test{CONFIG}"


@pytest.fixture
def make(authority: Authority, tmp_path: Path) -> Iterator[Make]:
    """Makes worlds, which end with the test."""
    with worlds(authority, tmp_path) as made:
        yield made


def passed_over(outcome: Outcome, came: Came, text: str) -> None:
    """The provider's own answer was of no use, for that reason, and the database's was taken."""
    first = step(outcome, "1.1")
    assert (first.came, text in first.text) == (came, True), first
    assert outcome.found is not None
    assert outcome.found.number == "2.1"


@pytest.mark.parametrize(
    ("page", "came", "text"),
    [
        (Page(document("other.test")), Came.WRONG, "it is for other.test, not for right.test"),
        (Page(document("right.test", server("jmap", "j.test", 443))), Came.WRONG, "no server that emaild could read"),
        (Page(document("right.test", server("smtp", "s.test", 465))), Came.WRONG, "no server that emaild could read"),
        (Page(HEAD + b"<html><body/></html>"), Came.WRONG, "another document than a clientConfig"),
        (Page(b"<html><p>Welcome<br></html>"), Came.MALFORMED, "it is no XML"),
        (Page(b""), Came.MALFORMED, "it is no XML"),
        (Page(document("right.test")[:-20]), Came.MALFORMED, "it is no XML"),
        (Page(b"<!DOCTYPE clientConfig>" + document("right.test")[38:]), Came.MALFORMED, "document type"),
        (Page(HEAD + BOMB), Came.MALFORMED, "document type"),
        (Page(HEAD + OUTSIDE), Came.MALFORMED, "document type"),
        (Page(document("right.test") + b" " * (256 << 10)), Came.MALFORMED, "longer than 256 KiB"),
        (Page(b"<clientConfig>", endless=True), Came.MALFORMED, "too long"),
        (Page(b"", 404), Came.NOTHING, "it answers 404"),
        (Page(b"", 401), Came.REFUSED, "it answers 401"),
        (Page(b"", 503), Came.UNREACHABLE, "it answers 503"),
        (Page(b"", 301, (("Location", f"http://autoconfig.right.test{CONFIG}"),)), Came.WRONG, "only https"),
        (Page(b"", 302, (("Location", "file:///etc/passwd"),)), Came.WRONG, "it redirects to"),
        (Page(b"", 302, (("Location", "https://a:b@autoconfig.right.test/"),)), Came.WRONG, "it redirects to"),
        (Page(b"", 302, (("Location", "https://[::1/"),)), Came.WRONG, "it redirects to no URL"),
        (Page(b"", 302, (("Location", "https://[fe80::1%a b]/"),)), Came.WRONG, "it redirects to no URL"),
        (Page(b"", 307, ()), Came.WRONG, "redirects more than 3 times"),
        (Page(b"", 302, (("Location", HERE),)), Came.WRONG, "redirects more than 3 times"),
    ],
)
def test_answer_of_no_use_is_said_and_passed_over(make: Make, page: Page, came: Came, text: str) -> None:
    world = make({**own("right.test", page), **listed("right.test")})
    passed_over(world.discover(ADDRESS), came, text)
    assert len([one for one in world.providers.asked if one.startswith("autoconfig.")]) <= 4


def test_redirect_to_https_is_followed(make: Make) -> None:
    moved = Page(b"", 301, (("Location", "https://moved.test/config.xml"),))
    outcome = make({**own("right.test", moved), "moved.test/config.xml": Page(document("right.test"))}).discover(
        ADDRESS
    )
    assert outcome.found is not None
    assert outcome.found.number == "1.1"


def test_provider_whom_nobody_certified_is_not_trusted(make: Make, authority: Authority) -> None:
    world = make({**own("right.test"), **listed("right.test")})
    outcome = world.discover(ADDRESS, ca_file=authority.other_ca_file)
    assert {step(outcome, number).came for number in ("1.1", "2.1")} == {Came.NOT_TRUSTED}
    assert outcome.found is None


def test_certificate_of_another_host_is_not_trusted(make: Make) -> None:
    world = make({**listed("right.test"), **own("other.test")})
    places = {"autoconfig.right.test:443": world.providers.https}
    again = make(listed("right.test"), others=places)
    passed_over(again.discover(ADDRESS), Came.NOT_TRUSTED, "autoconfig.right.test")


@pytest.mark.parametrize(
    ("said", "came"),
    [(b"* OK IMAP4rev1\r\n", Came.UNREACHABLE), (b"", Came.UNREACHABLE)],
)
def test_what_speaks_no_tls_is_passed_over(
    make: Make, scripted: Callable[..., Scripted], said: bytes, came: Came
) -> None:
    def talk(dialog: Dialog) -> None:
        dialog.send_raw(said)

    outcome = make(listed("right.test"), others={"autoconfig.right.test:443": scripted(talk).port}).discover(ADDRESS)
    passed_over(outcome, came, "")


def test_server_that_drips_is_given_up_in_time(make: Make) -> None:
    """A body of which a byte comes now and then has no end; the deadline has."""
    world = make({**own("right.test", Page(b" ", endless=True, drips=True)), **listed("right.test")})
    passed_over(world.discover(ADDRESS, timeout=2.0), Came.TIMED_OUT, "no answer in time")


def test_nothing_at_all_is_no_failure(make: Make) -> None:
    outcome = make().discover(ADDRESS)
    assert outcome.found is None
    assert [one.number for one in outcome.steps] == ["1.1", "1.2", "2.1", "3", *(f"4.{one}" for one in range(1, 7))]


def test_port_where_nobody_listens_is_refused(make: Make, free_port: Callable[[], int]) -> None:
    """Without a proxy, so that it is our own connection that is refused."""
    world = make()
    outcome = discover(ADDRESS, world.section(ispdb=(f"https://localhost:{free_port()}/",), timeout=20.0))
    assert (step(outcome, "2.1").came, outcome.found) == (Came.REFUSED, None)
