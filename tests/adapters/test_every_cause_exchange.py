"""Every answer of Graph and of Exchange in the table of causes, given by a server of its kind, leads to its cause."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.adapters import graph_ways
from tests.adapters.causes import Sample, at, cause, fresh
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.graph_ways import GivenTokens, Graphs
from tests.servers.authority import Authority
from tests.servers.ews import Exchange, Failure, denied, fault

IN_WORDS = re.compile(r"it answered ([0-9]{3}) ([A-Z][A-Za-z ]+)(?:, to ([^,;]+))?")
REFUSED = Failure(401)


@pytest.fixture(scope="module")
def graph(authority: Authority) -> Iterator[Graphs]:
    yield from graph_ways.graphs(authority)


@pytest.mark.parametrize("sample", at("Graph"))
def test_an_answer_of_graph_leads_to_its_cause(graph: Graphs, sample: Sample) -> None:
    """Each for a mailbox of its own, for one that was throttled is left alone."""
    user = f"{sample}@example.com"
    graph.server.tokens |= {"one", "two"}
    graph.server.mailbox(user)
    found = re.match(r"(?:the token was refused: )?(?:([0-9]{3}) )?([A-Z]\w+) ([^;]+)", sample.reply)
    assert found
    status = int(sample.code or found[1])
    said = {"error": {"code": found[2], "message": found[3]}}
    graph.server.fail(rf"POST .*{user}/sendMail", status, said=said, times=2)
    assert cause(graph.sink(user, tokens=GivenTokens(user, "one", "two")), fresh(user)) == sample.cause
    assert graph.server.count(rf"{user}/sendMail")


@pytest.fixture(scope="module")
def exchange(authority: Authority) -> Iterator[Exchange]:
    """A server with one mailbox that may send."""
    with Exchange(authority) as server:
        server.mailbox(ANN)
        yield server


@pytest.mark.parametrize("sample", at("EWS"))
def test_an_answer_of_exchange_leads_to_its_cause(exchange: Exchange, authority: Authority, sample: Sample) -> None:
    failure = failing(sample)
    exchange.fails = lambda operation, number: failure
    with Ways(exchange, authority) as ways:
        assert cause(ways.sink()) == sample.cause


def failing(sample: Sample) -> Failure:
    """What the server is to answer so that emaild says what the sample says."""
    if sample.code:
        return denied("CreateItem", sample.code, sample.reply)
    if sample.reply.startswith("ErrorInvalidServerVersion"):
        return fault("ErrorInvalidServerVersion")
    found = IN_WORDS.match(sample.reply)
    if not found:
        assert sample.action == "sign in"
        return REFUSED
    return Failure(int(found[1]), {"Location": found[3]} if found[3] else {}, reason=found[2])
