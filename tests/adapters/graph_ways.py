"""Mailboxes and ways out over Microsoft Graph, used as the daemon's jobs use them, with tokens that a test gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from typing import Any

from emaild.errors import Rejected
from emaild.net.graph import Graph
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sinks.graph import GraphSink
from emaild.sources.graph import GraphSource
from tests.adapters.ways import Way
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.graph import TOKEN, GraphServer

USER = "ann@example.com"


class GivenTokens:
    """`Tokens` out of a list: the next is given when one was refused."""

    def __init__(self, user: str, *tokens: str) -> None:
        self.user = user
        self.refusals: list[str] = []
        self.acceptances: list[str] = []
        self._left = list(tokens or (TOKEN,))

    def token(self) -> Secret:
        if not self._left:
            raise Rejected("login.example.com", "sign in", "invalid_grant: somebody must sign in again")
        return Secret(self._left[0])

    def refused(self, token: Secret) -> None:
        self.refusals.append(token.reveal())
        self._left.remove(token.reveal())

    def accepted(self, token: Secret) -> None:
        self.acceptances.append(token.reveal())

    def ends(self, token: Secret) -> datetime | None:
        return None


class Graphs(ExitStack):
    """Makes sources and sinks that share a clock, and closes them."""

    def __init__(self, server: GraphServer, authority: Authority) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.server = server
        self._fields: dict[str, Any] = {
            "server": server.url,
            "ca_file": authority.ca_file,
            "connect_timeout": 5.0,
            "protocol_timeout": 5.0,
        }

    def source(
        self, user: str = USER, *, tokens: GivenTokens | None = None, proxy: ProxySection | None = None, **given: Any
    ) -> GraphSource:
        """The source of a mailbox; *given* are fields of its section."""
        fields = {"password": Secret("x"), **self._fields, **given}
        section = MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=user, **fields)
        graph = Graph(section, proxy, tokens=tokens or GivenTokens(user), clock=self.clock)
        return self.enter_context(closing(GraphSource(section, graph)))

    def sink(self, user: str = USER, *, tokens: GivenTokens | None = None, **given: Any) -> Way:
        """The sink of a way out; *given* are fields of its section."""
        section = WayOutSection(name="smtp-client", server_type=ServerType.GRAPH, user=user, **(self._fields | given))
        graph = Graph(section, None, tokens=tokens or GivenTokens(user), clock=self.clock)
        return self.enter_context(closing(Way(GraphSink(section, graph, self.clock))))


def graphs(authority: Authority) -> Iterator[Graphs]:
    """A server of its own, and what leads there."""
    with GraphServer(authority) as server, Graphs(server, authority) as made:
        server.mailbox(USER)
        yield made
