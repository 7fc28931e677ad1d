"""The certificate of a server that we do not trust, so that a person can see why."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import replace

from emaild.clock import Clock
from emaild.errors import RemoteError
from emaild.jobs.trial import trial
from emaild.net.oauth import Sealed
from emaild.net.steps import TLS, Step, heard
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection
from emaild.settings.way_out import WayOutSection

ANY_HOST = ("*",)


def presented(
    section: MailboxSection | WayOutSection, *, proxy: ProxySection | None, sealed: Sealed, clock: Clock
) -> str:
    """The certificate in words, by a connection that ends when it was shown; empty where that cannot be had.

    Nobody is trusted on that connection, so neither user, password nor token goes over it.
    """
    seen: list[Step] = []
    with heard(seen.append, last=TLS) as way:
        with suppress(RemoteError):
            deque(trial(_trusting(section), proxy=proxy, sealed=sealed, clock=clock), maxlen=0)
        way.end()
    return next((step.text.partition("; ")[2] for step in seen if step.name == TLS), "")


def _trusting(section: MailboxSection | WayOutSection) -> MailboxSection | WayOutSection:
    if isinstance(section, WayOutSection):
        return replace(section, smtp=replace(section.smtp, ssl_trust=ANY_HOST))
    return replace(
        section,
        imap=replace(section.imap, ssl_trust=ANY_HOST),
        pop3=replace(section.pop3, ssl_trust=ANY_HOST),
    )
