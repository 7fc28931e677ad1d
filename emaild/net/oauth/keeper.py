"""The tokens that one grant gives, shared by all sections that have the same: one refresh at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from emaild.clock import Clock
from emaild.errors import Busy, RemoteError
from emaild.log import events
from emaild.net.oauth import google, microsoft
from emaild.net.oauth.apart import Stop
from emaild.net.oauth.disk import stamp_of
from emaild.net.oauth.grant import Grant, Issued, Way
from emaild.net.oauth.renewal import LONGEST_TURN, renewed
from emaild.net.oauth.sealed import Sealed
from emaild.net.oauth.tokens import SHORT_LIFE
from emaild.net.oauth.web import ACTION, Web
from emaild.net.peer import Peer
from emaild.retry import Backoff
from emaild.settings.secret import Secret

AFTER_REFUSAL = Backoff(first=300.0, maximum=3600.0)  # a wrong password asked with too often locks the account
AFTER_FAILURE = Backoff(first=10.0, maximum=300.0)
FOR_A_NEW_ONE = 2.0  # seconds that emaild, when it ends, waits for a refresh token; without it a sign-in may be lost

Issue = Callable[[Grant, Web, Secret | None], Issued]


@dataclass(frozen=True)
class _Held:
    """A token, and what was known when it came."""

    token: Secret
    ends: datetime
    seconds: int


@dataclass(frozen=True)
class _Failure:
    """Why there is none; nobody is asked before `until`, nor while the `proof` stays as it is."""

    error: RemoteError
    until: float
    proof: Hashable


class Keeper:
    """Safe in any number of threads."""

    def __init__(self, grant: Grant, clock: Clock, sealed: Sealed) -> None:
        self.peer = Peer(host="", port=0)
        self._grant = grant
        self._clock = clock
        self._sealed = sealed
        self._turns = threading.Lock()
        self._held: _Held | None = None
        self._earlier: _Held | None = None
        self._failure: _Failure | None = None
        self._failures = 0
        self._stop = Stop(FOR_A_NEW_ONE if grant.way is Way.SIGNED_IN else 0.0)

    def token(self, margin: float, section: str) -> Secret:
        """As `Tokens.token`; *margin* in seconds. *section* is who asks, for words."""
        self._sealed.flush()
        valid = self._held
        if valid is not None and self._left(valid) > 0 and self._turns.locked():
            return valid.token  # another thread sees to the next one
        with self._turn():
            held = self._held
            if held is not None and self._left(held) > min(margin, held.seconds * SHORT_LIFE):
                return held.token
            try:
                return self._fresh(section).token
            except RemoteError:
                if held is not None and self._left(held) > 0:
                    return held.token
                raise

    def renew(self, token: Secret) -> None:
        """The mail server refused that one: forget it, if it still is the one of now."""
        with self._turn():
            if self._held is not None and self._held.token == token:
                self._earlier, self._held = self._held, None

    def forget_failure(self) -> None:
        """Whatever it was, the next who wants a token asks."""
        self._failure, self._failures = None, 0

    def give_up(self) -> None:
        """Nobody is asked any more, and who waits for an answer stops; a new refresh token is waited for a moment."""
        self._stop.stop()

    def ends(self, token: Secret) -> datetime | None:
        """As `Tokens.ends`."""
        for held in (self._held, self._earlier):
            if held is not None and held.token == token:
                return held.ends
        return None

    def _left(self, held: _Held) -> float:
        return (held.ends - self._clock.now()).total_seconds()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=LONGEST_TURN):
            raise Busy(self._grant.authority, ACTION, "another mailbox still waits for the same token")
        try:
            yield
        finally:
            self._turns.release()

    # Asking

    def _fresh(self, section: str) -> _Held:
        proof = self._proof()
        failure = self._failure
        if failure is not None and self._clock.monotonic() < failure.until and failure.proof == proof:
            raise _for_section(failure.error, section)
        try:
            held = self._asked()
        except RemoteError as error:
            self._failures += 1
            remembered = _for_section(error, "SECTION")  # without the stack of this try
            self._failure = _Failure(remembered, self._clock.monotonic() + self._pause(error), proof)
            told = _for_section(error, section)
            if self._held is not None or self._earlier is not None:
                left = self._left(self._held) if self._held is not None else 0.0
                reason = f"{told.action}: {told.reason}"
                events.token_not_renewed(section=section, reason=reason, left=max(int(left), 0))
            raise told from error
        self._failure, self._failures = None, 0
        self._earlier, self._held = self._held, held
        events.token_obtained(section=section, authority=self._grant.authority, seconds=held.seconds)
        return held

    def _pause(self, error: RemoteError) -> float:
        if not error.temporary:
            return AFTER_REFUSAL.delay(self._failures)
        return max(error.retry_after, AFTER_FAILURE.delay(self._failures))

    def _proof(self) -> Hashable:
        """What the grant is proved with beside the settings, and the way there: a change ends a refusal."""
        files = tuple(stamp_of(path) for path in self._grant.files)
        sign_in = self._sealed.stamp(self._grant.sealed_name) if self._grant.way is Way.SIGNED_IN else None
        return files, sign_in, self.peer

    def _asked(self) -> _Held:
        if self._grant.way is Way.SIGNED_IN:
            issued = renewed(self._grant, self._sealed, self._issued, self._stop)
        else:
            issued = self._issued(None)
        ends = self._clock.now() + timedelta(seconds=issued.seconds)
        return _Held(issued.token, ends, issued.seconds)

    def _issued(self, refresh: Secret | None) -> Issued:
        issue: Issue = google.issued if self._grant.google else microsoft.issued
        web = Web(self.peer, self._grant.authority, self._grant.secrets, self._stop)
        try:
            return issue(self._grant, web, refresh)
        except RemoteError as error:
            raise _by_name(error) from error


def _by_name(error: RemoteError) -> RemoteError:
    """A new error of that kind whose action names who was asked, for mailboxes show no more than action and reason."""
    place = urlsplit(error.where).netloc if "://" in error.where else error.where
    return type(error)(error.where, f"ask {place} for a token", error.reason, error.retry_after)


def _for_section(error: RemoteError, section: str) -> RemoteError:
    """A new error of that kind whose words name the section: what is remembered is raised in many threads."""
    return type(error)(error.where, error.action, error.reason.replace("SECTION", section), error.retry_after)
