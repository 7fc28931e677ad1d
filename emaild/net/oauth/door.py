"""A section's own view of tokens that it may share with others."""

from __future__ import annotations

import threading
from datetime import datetime
from weakref import WeakValueDictionary

from emaild.clock import Clock
from emaild.errors import Rejected
from emaild.net import steps
from emaild.net.oauth.grant import Grant, ServerSection, grant_of, user_of
from emaild.net.oauth.keeper import Keeper
from emaild.net.oauth.sealed import Sealed
from emaild.net.oauth.tokens import Tokens
from emaild.net.oauth.web import ACTION
from emaild.net.peer import peer_of
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection

USUAL_MARGIN = 300.0  # seconds; what token-expiry-margin-time is where a section has it
IN_A_ROW = 3600.0  # two refusals within the life of a token are no chance
REMEMBERED = 900.0
NOT_TAKEN = (
    "the mail server refused two tokens in a row; may the user, or the application, read this mailbox or send from it,"
    " is the protocol enabled for it, and is scope of that server?"
)


def tokens_for(section: ServerSection, *, proxy: ProxySection | None, clock: Clock, sealed: Sealed) -> Tokens | None:
    """The tokens of a section; None: it signs in with a password.

    Sections that ask with the same share what they get, for as long as one of them is there. The *proxy* of the one
    that came last is used for all.
    """
    grant = grant_of(section)
    if grant is None:
        return None
    with _finding:
        key = grant, id(clock), id(sealed)
        keeper = _keepers.get(key)
        if keeper is None:
            keeper = _keepers[key] = Keeper(grant, clock, sealed)
        keeper.peer = peer_of(section, proxy)
    return SectionTokens(section, keeper, clock)


_finding = threading.Lock()
_keepers: WeakValueDictionary[tuple[Grant, int, int], Keeper] = WeakValueDictionary()


class SectionTokens:
    """`Tokens` of one section."""

    def __init__(self, section: ServerSection, keeper: Keeper, clock: Clock) -> None:
        self.user = user_of(section)
        self._section = section.name
        self._margin = section.token_expiry_margin_time if isinstance(section, WayOutSection) else USUAL_MARGIN
        self._keeper = keeper
        self._clock = clock
        self._turns = threading.Lock()
        self._refused: tuple[Secret, float] | None = None
        self._closed_until = 0.0

    def token(self) -> Secret:
        """See `Tokens.token`."""
        with self._turns:
            closed = self._clock.monotonic() < self._closed_until
        if closed:
            raise Rejected(self.user, ACTION, NOT_TAKEN)
        with steps.together("token"):
            token = self._keeper.token(self._margin, self._section)
        if steps.is_heard():
            ends = self._keeper.ends(token)
            steps.tell(f"for {self.user}" + (f", until {ends:%Y-%m-%d %H:%M:%S} UTC" if ends else ""))
        return token

    def refused(self, token: Secret) -> None:
        """See `Tokens.refused`."""
        now = self._clock.monotonic()
        with self._turns:
            before, self._refused = self._refused, (token, now)
            if before is not None and now - before[1] < IN_A_ROW:
                if before[0] != token:
                    self._refused, self._closed_until = None, now + REMEMBERED
                return
        self._keeper.renew(token)

    def accepted(self, token: Secret) -> None:
        """See `Tokens.accepted`."""
        with self._turns:
            if self._refused is not None and self._refused[0] != token:  # else a connection that was slow to tell
                self._refused = None

    def ends(self, token: Secret) -> datetime | None:
        """See `Tokens.ends`."""
        return self._keeper.ends(token)
