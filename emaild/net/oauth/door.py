"""A section's own view of tokens that it may share with others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from weakref import WeakValueDictionary

from emaild.clock import Clock
from emaild.errors import Rejected
from emaild.net import steps
from emaild.net.oauth.disk import Stamp
from emaild.net.oauth.grant import Grant, ServerSection, Way, grant_of, user_of
from emaild.net.oauth.keeper import Keeper
from emaild.net.oauth.sealed import Sealed
from emaild.net.oauth.web import ACTION
from emaild.net.peer import peer_of
from emaild.retry import Backoff
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection

USUAL_MARGIN = 300.0  # seconds; what token-expiry-margin-time is where a section has it
IN_A_ROW = 3600.0  # two refusals within the life of a token are no chance
CLOSED = Backoff(first=60.0, maximum=900.0)  # until one more token is tried: at Microsoft rights take an hour to count
NOT_TAKEN = (
    "the mail server refused two tokens in a row; may the user, or the application, read this mailbox or send from it,"
    " is the protocol enabled for it, and is scope of that server?"
)


def tokens_for(
    section: ServerSection, *, proxy: ProxySection | None, clock: Clock, sealed: Sealed
) -> SectionTokens | None:
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
    signed_in = grant.way is Way.SIGNED_IN
    return SectionTokens(section, keeper, clock, lambda: sealed.mark(grant.sealed_name) if signed_in else None)


_finding = threading.Lock()
_keepers: WeakValueDictionary[tuple[Grant, int, int], Keeper] = WeakValueDictionary()


class SectionTokens:
    """`Tokens` of one section."""

    def __init__(self, section: ServerSection, keeper: Keeper, clock: Clock, mark: Callable[[], Stamp]) -> None:
        """*mark*: another one after each sign-in for it."""
        self.user = user_of(section)
        self._section = section.name
        self._margin = section.token_expiry_margin_time if isinstance(section, WayOutSection) else USUAL_MARGIN
        self._keeper = keeper
        self._clock = clock
        self._mark = mark
        self._seen = mark()
        self._turns = threading.Lock()
        self._refused: tuple[Secret, float] | None = None
        self._closures = 0
        self._closed: tuple[float, Stamp] | None = None  # until when, and the sign-in with which it came to that

    def token(self) -> Secret:
        """See `Tokens.token`."""
        with self._turns:
            worn = self._reopened()
        if worn is not None:
            self._keeper.renew(worn)
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
            before, again = self._refused, False
            if before is not None and now - before[1] < IN_A_ROW:
                again = True
                if before[0] == token:
                    return
            self._refused = token, now
            if again or self._closed is not None:
                self._closures += 1
                self._closed = now + CLOSED.delay(self._closures), self._mark()
                return  # others may use it
        self._keeper.renew(token)

    def accepted(self, token: Secret) -> None:
        """See `Tokens.accepted`."""
        with self._turns:
            if self._refused is not None and self._refused[0] != token:  # else a connection that was slow to tell
                self._opened()

    def try_again(self) -> None:
        """Whatever was refused, by the mail server or by the authority, is tried anew by the next `token()`."""
        with self._turns:
            worn = self._opened()
        if worn is not None:
            self._keeper.renew(worn)
        self._keeper.forget_failure()

    def is_signed_in_anew(self) -> bool:
        """Whether somebody signed in since this was asked, or since these tokens are there."""
        seen, self._seen = self._seen, self._mark()
        return seen != self._seen

    def give_up(self) -> None:
        """emaild ends: nobody waits for an authority any more."""
        self._keeper.give_up()

    def _reopened(self) -> Secret | None:
        """The refused token that is to be followed by another before the next try; None: there is none.

        Raises:
            Rejected: it is too early for the next try.
        """
        if self._closed is None:
            return None
        until, mark = self._closed
        if mark != self._mark():
            return self._opened()
        if self._clock.monotonic() < until:
            raise Rejected(self.user, ACTION, NOT_TAKEN)
        return self._refused[0] if self._refused else None

    def _opened(self) -> Secret | None:
        """Forget the refusals. Returns the token that was refused last."""
        refused, self._refused, self._closed, self._closures = self._refused, None, None, 0
        return refused[0] if refused else None

    def ends(self, token: Secret) -> datetime | None:
        """See `Tokens.ends`."""
        return self._keeper.ends(token)
