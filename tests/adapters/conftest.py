"""An EWS server, a mailbox on it and the ways to it, for every test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.ews_ways import ANN, Ways
from tests.servers.authority import Authority
from tests.servers.ews import Exchange
from tests.servers.ews_mailbox import Mailbox


@pytest.fixture
def exchange(authority: Authority) -> Iterator[Exchange]:
    """A server."""
    with Exchange(authority) as server:
        yield server


@pytest.fixture
def ann(exchange: Exchange) -> Mailbox:
    """The mailbox that is read and sends."""
    return exchange.mailbox(ANN)


@pytest.fixture
def ways(exchange: Exchange, authority: Authority) -> Iterator[Ways]:
    """Sources and sinks on that server."""
    with Ways(exchange, authority) as made:
        yield made
