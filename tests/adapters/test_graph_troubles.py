"""Reading over Microsoft Graph: signing in, being asked for patience, answers that say no, and the connection."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.message import Outbound
from emaild.settings.mailbox import AfterFetch
from emaild.settings.network import ProxySection, ProxyType
from tests.adapters.graph_ways import USER, GivenTokens, Graphs
from tests.adapters.turns import mail, subjects, turn
from tests.adapters.ways import outbound
from tests.servers.authority import Authority
from tests.servers.graph import TOKEN
from tests.servers.graph_mailbox import Mailbox
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import ProxyProgram
from tests.servers.wait import eventually

# Signing in, and being asked for patience


def test_a_refused_token_is_replaced_once_and_a_second_refusal_is_told(graph: Graphs, box: Mailbox) -> None:
    box.deliver(mail("one"))
    tokens = GivenTokens(USER, "a revoked one", TOKEN)
    assert subjects(turn(graph.source(tokens=tokens)).raws) == ["one"]
    assert tokens.refusals == ["a revoked one"]
    assert {*tokens.acceptances} == {TOKEN}
    with pytest.raises(Rejected, match="the token was refused: 401 InvalidAuthenticationToken") as failure:
        turn(graph.source(tokens=GivenTokens(USER, "a revoked one", "another", TOKEN)))
    assert "a revoked one" not in str(failure.value)


def test_a_token_that_ends_in_the_middle_is_replaced_once(graph: Graphs, box: Mailbox) -> None:
    box.deliver(mail("one"), mail("two"))
    tokens = GivenTokens(USER, TOKEN, "the next")
    source = graph.source(tokens=tokens)
    source.open()
    keys = source.look(None).keys
    graph.server.tokens = {"the next"}
    assert subjects([one.raw for batch in source.fetch(keys) for one in batch]) == ["one", "two"]
    assert tokens.refusals == [TOKEN]


def test_ids_that_outlive_a_move_are_asked_for_each_time(graph: Graphs, box: Mailbox) -> None:
    graph.server.page = 1
    box.deliver(mail("one"), mail("two"), mail("three"))
    source = graph.source(after_fetch=AfterFetch.MOVE, after_fetch_folder="Done")
    start = turn(source).cursor
    source.look(start, ["left out"])
    asked = graph.server.asked
    assert [one.line for one in asked if not one.immutable] == []
    (batch,) = (one for one in asked if one.line.endswith("$batch"))
    assert [one["headers"]["Prefer"] for one in batch.json["requests"]] == ['IdType="ImmutableId"'] * 3


@pytest.mark.parametrize("status", [429, 503, 509])
def test_a_throttled_mailbox_is_left_alone_for_as_long_as_it_asks(graph: Graphs, box: Mailbox, status: int) -> None:
    source, sink = graph.source(), graph.sink()
    graph.server.fail("delta", status, "ApplicationThrottled", Retry_After="120")
    with pytest.raises(Busy, match=f"{status} ApplicationThrottled") as failure:
        turn(source)
    assert failure.value.retry_after == 120
    asked = len(graph.server.asked)
    graph.clock.advance(119)
    for attempt in (lambda: turn(source), lambda: sink.send(_outbound())):
        with pytest.raises(Busy, match="left alone for 1 s more"):
            attempt()
    assert len(graph.server.asked) == asked
    graph.clock.advance(1)
    turn(source)


def _outbound() -> Outbound:
    return outbound(raw=b"From: ann@example.com\r\nTo: one@example.net\r\n\r\nHello\r\n")


def test_a_server_that_is_too_slow_may_say_when_to_come_again(graph: Graphs, box: Mailbox) -> None:
    graph.server.fail("delta", 504, "GatewayTimeout", Retry_After="Mon, 02 Mar 2026 09:31:00 GMT")
    with pytest.raises(Busy, match="504 GatewayTimeout") as failure:
        turn(graph.source())
    assert failure.value.retry_after == 60


def test_throttling_within_a_batch_is_obeyed_too(graph: Graphs, box: Mailbox) -> None:
    keys = box.deliver(mail("one"), mail("two"))
    source = graph.source()
    with graph.server.mailbox(USER).lock:
        graph.server._running[USER] = 3  # somebody else's requests for this mailbox
    with pytest.raises(Busy, match="429 ApplicationThrottled") as failure:
        source.acknowledge(keys)
    assert failure.value.retry_after == 1


def test_a_permission_that_is_missing_is_named(graph: Graphs) -> None:
    graph.server.fail("delta", 403, "ErrorAccessDenied")
    with pytest.raises(Rejected, match=r"403 ErrorAccessDenied so be it; the application needs Mail\.ReadWrite"):
        turn(graph.source())


def test_a_mailbox_that_graph_does_not_serve_is_named(graph: Graphs) -> None:
    graph.server.fail("delta", 404, "MailboxNotEnabledForRESTAPI")
    with pytest.raises(Rejected, match="MailboxNotEnabledForRESTAPI so be it; the mailbox is not in Exchange Online"):
        turn(graph.source())


@pytest.mark.parametrize("page", [1, 1000])  # the link leads to the next page; to what comes later
def test_links_that_lead_elsewhere_are_not_followed(graph: Graphs, box: Mailbox, page: int) -> None:
    graph.server.page = page
    graph.server.links = graph.server.url.replace("localhost", "127.0.0.1")
    box.deliver(mail("one"), mail("two"))
    with pytest.raises(Unreachable, match="follow a link: it is no link, or leads to another server"):
        turn(graph.source())


# The connection


def test_a_connection_is_kept_and_replaced_when_it_was_closed_meanwhile(graph: Graphs, box: Mailbox) -> None:
    source = graph.source()
    start = turn(source).cursor
    start = turn(source, start).cursor
    assert graph.server.connections == 1
    graph.server.close_all()
    box.deliver(mail("one"))
    assert subjects(turn(source, start).raws) == ["one"]
    assert graph.server.connections == 2


def test_sections_of_one_mailbox_never_ask_five_things_at_once(graph: Graphs, box: Mailbox) -> None:
    box.deliver(mail("one"))
    sources = [graph.source(after_fetch=AfterFetch.LEAVE) for _ in range(4)]
    sinks = [graph.sink() for _ in range(4)]

    def wait_for_a_fifth(asked: object) -> None:
        with contextlib.suppress(AssertionError):
            eventually(lambda: graph.server.most_at_once > 4, within=0.5)

    graph.server.meanwhile = wait_for_a_fifth
    with ThreadPoolExecutor(8) as pool:
        taken = pool.map(lambda source: turn(source).raws, sources)
        sent = pool.map(lambda sink: sink.send(_outbound()), sinks)
        assert list(taken) == [[mail("one")]] * 4
    assert [receipt.code for receipts in sent for receipt in receipts] == ["202"] * 4
    assert graph.server.most_at_once == 4
    assert len(box.sent) == 4


@pytest.mark.parametrize("kind", [ProxyType.HTTP, ProxyType.SOCKS5])
def test_all_goes_through_the_proxy(graph: Graphs, box: Mailbox, kind: ProxyType) -> None:
    box.deliver(mail("one"))
    with ProxyProgram("tinyproxy" if kind is ProxyType.HTTP else "microsocks") as program:
        proxy = ProxySection(
            name="proxy", use_proxy_text="true", host=LOOPBACK, port_given=str(program.port), proxy_type=kind
        )
        assert subjects(turn(graph.source(proxy=proxy)).raws) == ["one"]
        port = graph.server.url.rpartition(":")[2].partition("/")[0]
        eventually(lambda: port in program.log(), what="the proxy's log")


def test_a_server_with_another_certificate_is_told_no_token(graph: Graphs, authority: Authority) -> None:
    with pytest.raises(Rejected, match="certificate is not trusted"):
        turn(graph.source(ca_file=authority.other_ca_file))
    assert graph.server.asked == []
