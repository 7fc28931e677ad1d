"""Servers, a mailbox on each and the ways to them, for every test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emaild.settings.mailbox import MailboxType
from tests.adapters import graph_ways
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.examining import Doctor
from tests.adapters.graph_ways import Graphs
from tests.adapters.turns import Sources
from tests.adapters.ways import Sinks
from tests.servers import ews_mailbox, graph_mailbox
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.ews import Exchange


@pytest.fixture
def exchange(authority: Authority) -> Iterator[Exchange]:
    """A server."""
    with Exchange(authority) as server:
        yield server


@pytest.fixture
def ann(exchange: Exchange) -> ews_mailbox.Mailbox:
    """The mailbox that is read and sends."""
    return exchange.mailbox(ANN)


@pytest.fixture
def ways(exchange: Exchange, authority: Authority) -> Iterator[Ways]:
    """Sources and sinks on that server."""
    with Ways(exchange, authority) as made:
        yield made


@pytest.fixture
def graph(authority: Authority) -> Iterator[Graphs]:
    """A Graph server, and what leads there."""
    yield from graph_ways.graphs(authority)


@pytest.fixture
def box(graph: Graphs) -> graph_mailbox.Mailbox:
    """The mailbox on it."""
    return graph.server.mailbox(graph_ways.USER)


@pytest.fixture
def imap(dovecot: Dovecot, authority: Authority) -> Iterator[Sources]:
    """IMAP mailboxes on Dovecot."""
    with Sources(MailboxType.IMAP, dovecot.imaps, authority) as sources:
        yield sources


@pytest.fixture
def sinks() -> Iterator[Sinks]:
    """Ways out by SMTP."""
    with Sinks() as made:
        yield made


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """One with a state directory of its own."""
    return Doctor(tmp_path)
