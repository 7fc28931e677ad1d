"""Exchange mailboxes and ways out used as the daemon's jobs use them, on the test Exchange."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

from emaild.jobs.adapters import sink_for, source_for
from emaild.message import Outbound
from emaild.net.oauth.tokens import Tokens
from emaild.settings.mailbox import FirstFetch, MailboxSection, MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sources import Source
from tests.adapters.ways import RAW, Way, outbound
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.ews import PASSWORD, Exchange

ANN = "ann@example.com"


class Ways(ExitStack):
    """Makes sources and sinks of a server, trusting *authority*, through `proxy` if there is one, and closes them."""

    def __init__(self, server: Exchange, authority: Authority) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.proxy: ProxySection | None = None
        self._fields: dict[str, Any] = {
            "server": server.url,
            "ca_file": authority.ca_file,
            "connect_timeout": 5.0,
            "protocol_timeout": 5.0,
            "password": Secret(PASSWORD),
        }

    def source(self, user: str = ANN, tokens: Tokens | None = None, **given: Any) -> Source:
        """The source of a mailbox, all of whose mails are taken; *given* are fields of its section."""
        fields = self._fields | {"mailbox": user, "first_fetch": FirstFetch.ALL} | given
        section = MailboxSection(name="pop-client", type=MailboxType.EWS, **fields)
        return self.enter_context(closing(source_for(section, self.proxy, tokens)))

    def sink(self, user: str = ANN, tokens: Tokens | None = None, **given: Any) -> Way:
        """The sink of a way out; *given* are fields of its section."""
        section = WayOutSection(name="smtp-client", server_type=ServerType.EWS, user=user, **(self._fields | given))
        return self.enter_context(closing(Way(sink_for(section, self.proxy, tokens, self.clock))))


def young(*recipients: str, raw: bytes = RAW) -> Outbound:
    """A mail that nobody can have tried, for it is younger than every sink."""
    return replace(outbound(*recipients, raw=raw), id=f"ZZ{secrets.token_hex(7).upper()}")


class Given:
    """Tokens that a test gives, one after the other, and what became of them."""

    user = ANN

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.refusals: list[str] = []
        self.acceptances: list[str] = []

    def token(self) -> Secret:
        return Secret(self._tokens[0])

    def refused(self, token: Secret) -> None:
        self.refusals.append(token.reveal())
        if len(self._tokens) > 1:
            del self._tokens[0]

    def accepted(self, token: Secret) -> None:
        self.acceptances.append(token.reveal())

    def ends(self, token: Secret) -> None:
        return None
