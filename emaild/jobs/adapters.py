"""Which adapter serves a section: what reads a mailbox, and what sends by a way out."""

from __future__ import annotations

from emaild.clock import Clock, SystemClock
from emaild.net.ews.place import place_of
from emaild.net.graph import Graph
from emaild.net.loading import loaded
from emaild.net.oauth import Tokens
from emaild.net.oauth.door import USUAL_MARGIN
from emaild.net.peer import peer_of
from emaild.net.sign_in import SignIn
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sinks import Sink
from emaild.sinks.eml import Eml
from emaild.sinks.graph import GraphSink
from emaild.sinks.smtp import Smtp
from emaild.sources import Source
from emaild.sources.graph import GraphSource
from emaild.sources.imap import Imap
from emaild.sources.pop3 import Pop3


def source_for(
    section: MailboxSection,
    proxy: ProxySection | None = None,
    tokens: Tokens | None = None,
    clock: Clock | None = None,
) -> Source:
    """The adapter that reads a mailbox section, signed in with *tokens*; None: with its password."""
    if section.type is MailboxType.EWS:
        ews: Source = loaded("emaild.sources.ews").Ews(section, place_of(section, proxy), tokens)
        return ews
    if section.type is MailboxType.GRAPH and tokens is not None:
        return GraphSource(section, Graph(section, proxy, tokens=tokens, clock=clock or SystemClock()))
    adapter = Imap if section.type is MailboxType.IMAP else Pop3
    now = (clock or SystemClock()).now
    return adapter(section, peer_of(section, proxy), SignIn(tokens, clock, USUAL_MARGIN), now=now)


def sink_for(section: WayOutSection, proxy: ProxySection | None, tokens: Tokens | None, clock: Clock) -> Sink:
    """The adapter that sends by a way out."""
    if section.server_type is ServerType.EWS:
        ews: Sink = loaded("emaild.sinks.ews").Ews(section, place_of(section, proxy), clock, tokens)
        return ews
    if section.server_type is ServerType.GRAPH and tokens is not None:
        return GraphSink(section, Graph(section, proxy, tokens=tokens, clock=clock), clock)
    if section.server_type is ServerType.EML:
        return Eml(section)
    signed_in = SignIn(tokens, clock, section.token_expiry_margin_time)
    return Smtp(section, peer_of(section, proxy), clock, signed_in)
