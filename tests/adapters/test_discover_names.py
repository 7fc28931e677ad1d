"""Questions to DNS servers: long answers, none, wrong ones, and the way through a proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from emaild.net.race import Deadline
from emaild.provision.discover.found import Came
from emaild.provision.discover.names import records
from emaild.provision.discover.reach import Reach
from emaild.provision.discover.unfit import Unfit
from emaild.settings.discovery import DiscoverySection, DnsServer
from emaild.settings.network import ProxySection
from tests.adapters.discovering import proxy_section
from tests.servers.dnsmasq import Dnsmasq
from tests.servers.name_server import Judge, NameServer
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import FORBIDDEN, ProxyProgram

MX = "mx-host=right.test,mx.right.test,10"
NAME = "right.test"


@pytest.fixture
def says() -> Iterator[Callable[[Judge], NameServer]]:
    """Makes servers that answer as they are told, which end with the test."""
    with ExitStack() as stack:
        yield lambda judge: stack.enter_context(NameServer(judge))


def asked(
    *ports: int, name: str = NAME, kind: str = "MX", seconds: float = 20, proxy: ProxySection | None = None
) -> Any:
    section = DiscoverySection(dns_servers=tuple(DnsServer(LOOPBACK, port) for port in ports))
    return records(Reach(section, proxy), name, kind, Deadline(seconds))


def answered(question: dns.message.Message, *lines: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> bytes:
    """An answer with these records, each as `NAME TYPE DATA`."""
    answer = dns.message.make_response(question)
    answer.set_rcode(rcode)
    for line in lines:
        name, kind, data = line.split(" ", 2)
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, data))
    return answer.to_wire()


def right(question: dns.message.Message) -> bytes:
    return answered(question, "right.test. MX 10 mx.right.test.")


def test_answer_that_is_too_long_for_a_datagram_comes_by_tcp() -> None:
    many = [f"mx-host=right.test,a-rather-long-name-of-a-host-{number:03}.right.test,{number}" for number in range(60)]
    with Dnsmasq(many) as names:
        assert {one.preference for one in asked(names.port)} == set(range(60))


def test_alias_of_a_domain_is_followed() -> None:
    with Dnsmasq([MX, "cname=other.test,right.test"]) as names:
        assert [one.exchange.to_text() for one in asked(names.port, name="other.test")] == ["mx.right.test."]


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [("nobody.test", "MX", "the name is not there"), ("right.test", "SRV", "it has no SRV")],
)
def test_what_is_not_there_is_nothing(name: str, kind: str, text: str) -> None:
    with Dnsmasq([MX]) as names, pytest.raises(Unfit) as caught:
        asked(names.port, name=name, kind=kind)
    assert (caught.value.came, caught.value.text) == (Came.NOTHING, text)


@pytest.mark.parametrize("name", ["a..test", f"{'a' * 64}.test", f"{'a.' * 130}test"])
def test_name_that_dns_could_not_hold_is_nothing(name: str) -> None:
    with pytest.raises(Unfit) as caught:
        asked(9, name=name)
    assert caught.value.came is Came.NOTHING


@pytest.mark.parametrize(
    ("judge", "came", "text"),
    [
        (lambda question: answered(question, rcode=dns.rcode.SERVFAIL), Came.UNREACHABLE, "it answers SERVFAIL"),
        (lambda question: answered(question, rcode=dns.rcode.REFUSED), Came.REFUSED, "it answers REFUSED"),
        (
            lambda question: answered(question, "right.test. CNAME b.test.", "b.test. CNAME right.test."),
            Came.MALFORMED,
            "its CNAMEs have no end",
        ),
        (
            lambda question: answered(question, "right.test. MX 1 a.test.", rcode=dns.rcode.NXDOMAIN),
            Came.MALFORMED,
            "contradicts itself",
        ),
    ],
)
def test_server_that_is_of_no_use_leads_to_the_next(
    says: Callable[[Judge], NameServer], judge: Judge, came: Came, text: str
) -> None:
    bad = says(judge)
    with pytest.raises(Unfit) as caught:
        asked(bad.port)
    assert caught.value.came is came
    assert text in caught.value.text
    assert f"{LOOPBACK}:{bad.port}" in caught.value.text
    good = says(right)
    assert [one.preference for one in asked(bad.port, good.port)] == [10]


@pytest.mark.parametrize(
    "judge",
    [
        lambda question: None,
        lambda question: b"\0" * 40,
        lambda question: question.to_wire(),
        lambda question: right(dns.message.make_query("right.test.", "MX")),
        lambda question: right(dns.message.make_query("other.test.", "MX", id=question.id)),
        lambda question: right(question)[:-3],
    ],
    ids=["silence", "zeroes", "the question", "another id", "another question", "cut"],
)
def test_datagram_that_is_no_answer_is_not_taken_for_one(says: Callable[[Judge], NameServer], judge: Judge) -> None:
    with pytest.raises((Unfit, TimeoutError)) as caught:
        asked(says(judge).port, seconds=0.5)
    assert getattr(caught.value, "came", Came.TIMED_OUT) is Came.TIMED_OUT


def test_lost_datagram_is_asked_for_again(says: Callable[[Judge], NameServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emaild.provision.discover.names.PATIENCE", 0.3)
    server = says(lambda question: right(question) if len(server.questions) > 1 else None)
    assert [one.preference for one in asked(server.port)] == [10]


def test_truncated_answer_of_a_server_without_tcp_is_of_no_use(says: Callable[[Judge], NameServer]) -> None:
    def cut(question: dns.message.Message) -> bytes:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.TC
        return answer.to_wire()

    with pytest.raises(Unfit) as caught:
        asked(says(cut).port)
    assert caught.value.came is Came.REFUSED


@pytest.mark.parametrize("program", ["microsocks", "squid", "tinyproxy"])
def test_through_a_proxy_dns_goes_by_tcp(program: str) -> None:
    with Dnsmasq([MX]) as names, ProxyProgram(program) as proxy:
        assert [one.preference for one in asked(names.port, proxy=proxy_section(proxy.port))] == [10]
        assert "query[MX] right.test" in names.asked()


def test_proxy_that_lets_nobody_reach_dns_is_said() -> None:
    section = DiscoverySection(dns_servers=(DnsServer(FORBIDDEN, 53),))
    with ProxyProgram("squid") as proxy, pytest.raises(Unfit) as caught:
        records(Reach(section, proxy_section(proxy.port)), NAME, "MX", Deadline(20))
    assert caught.value.came is Came.REFUSED
    assert "403" in caught.value.text
    assert f"[proxy] {LOOPBACK}:{proxy.port}" in caught.value.text


def test_file_of_the_system_that_nobody_can_read_names_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (conf := tmp_path / "resolv.conf").write_text("nameserver foo\n")
    monkeypatch.setattr("dns.resolver.Resolver", partial(dns.resolver.Resolver, str(conf)))
    with pytest.raises(Unfit) as caught:
        records(Reach(DiscoverySection(), None), NAME, "MX", Deadline(20))
    assert (caught.value.came, "dns-servers can" in caught.value.text) == (Came.SKIPPED, True)
