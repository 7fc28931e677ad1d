"""The last question before Exchange has a mail, over Graph and EWS: whoever lost it hands nothing over."""

from __future__ import annotations

import os

import pytest

from emaild.errors import LeaseLost
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.graph_mails import file_part, large, mail
from tests.adapters.graph_ways import USER, Graphs
from tests.adapters.ways import RAW, SENT, outbound, states
from tests.servers.authority import Authority
from tests.servers.ews import Exchange

MIB = 1 << 20


def lost() -> None:
    """A mail that is not ours any more."""
    raise LeaseLost("somebody else sends it")


def test_graph_does_not_send_what_is_ours_no_more(graph: Graphs) -> None:
    box = graph.server.mailbox(USER)
    sink = graph.sink().sink
    with pytest.raises(LeaseLost):
        sink.send(mail(), lost)
    assert box.sent == []
    delivery = sink.send(mail(), lambda: None)
    assert (states(delivery.receipts), len(box.sent)) == ([SENT], 1)
    assert (delivery.server in graph.server.url, delivery.tls[:4]) == (True, "TLSv")


def test_graph_keeps_no_draft_of_a_large_mail_that_is_ours_no_more(graph: Graphs) -> None:
    box = graph.server.mailbox(USER)
    with pytest.raises(LeaseLost):
        graph.sink().sink.send(large(file_part(os.urandom(5 * MIB), "a.pdf")), lost)
    assert box.sent == []
    assert [line for line in graph.server.asked if "DELETE" in str(line)]


def test_exchange_does_not_send_what_is_ours_no_more(authority: Authority) -> None:
    with Exchange(authority) as server, Ways(server, authority) as ways:
        server.mailbox(ANN)
        sink = ways.sink().sink
        given = outbound(raw=b"To: one@example.net\r\n" + RAW)
        with pytest.raises(LeaseLost):
            sink.send(given, lost)
        assert server.sent == []
        delivery = sink.send(given, lambda: None)
        assert (states(delivery.receipts), len(server.sent)) == ([SENT], 1)
        assert (delivery.server in server.url, delivery.tls[:4]) == (True, "TLSv")
