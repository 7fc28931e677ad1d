"""The tokens that one grant gives, shared by all sections that have the same: one refresh at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from emaild.clock import Clock
from emaild.errors import Busy, Rejected, RemoteError
from emaild.log import events
from emaild.net.oauth import google, microsoft
from emaild.net.oauth.causes import SIGN_IN_AGAIN
from emaild.net.oauth.grant import Grant, Issued, Way
from emaild.net.oauth.sealed import SealBroken, Sealed, stamp_of
from emaild.net.oauth.web import ACTION, Web
from emaild.net.peer import Peer
from emaild.retry import Backoff
from emaild.settings.secret import Secret

LONGEST_TURN = 150.0  # seconds to wait for another's refresh: it asks twice, each with a time to connect and to answer
AFTER_REFUSAL = Backoff(first=300.0, maximum=3600.0)  # a wrong password asked with too often locks the account
AFTER_FAILURE = Backoff(first=10.0, maximum=300.0)
SHORT_LIFE = 0.5  # of its life a token is used in any case

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
        self._unkept: tuple[Secret, Secret] | None = None  # the refresh token on disk, and the one that follows it

    def token(self, margin: float, section: str) -> Secret:
        """As `Tokens.token`; *margin* in seconds. *section* is who asks, for words."""
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
            left = self._left(self._held) if self._held is not None else 0.0
            events.token_not_renewed(section=section, reason=told.reason, left=max(int(left), 0))
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
        """What the grant is proved with beside the settings: where it changes, a refusal does not hold any more."""
        files = tuple(stamp_of(path) for path in self._grant.files)
        return files, self._sealed.stamp(self._grant.sealed_name) if self._grant.way is Way.SIGNED_IN else None

    def _asked(self) -> _Held:
        kept, refresh = self._refresh_token() if self._grant.way is Way.SIGNED_IN else (None, None)
        issue: Issue = google.issued if self._grant.google else microsoft.issued
        issued = issue(self._grant, Web(self.peer, self._grant.authority), refresh)
        if kept is not None and issued.refresh is not None and issued.refresh != refresh:
            self._keep(kept, issued.refresh)
        ends = self._clock.now() + timedelta(seconds=issued.seconds)
        return _Held(issued.token, ends, issued.seconds)

    # Refresh tokens

    def _refresh_token(self) -> tuple[Secret, Secret]:
        """The one on disk, and the one to use, which follows it where it could not be written."""
        where = self._grant.authority
        try:
            kept = self._sealed.read(self._grant.sealed_name)
        except SealBroken as error:
            broken = "what was signed in with is sealed for another machine, or its key is gone"
            raise Rejected(where, ACTION, f"{broken}; {SIGN_IN_AGAIN}") from error
        except OSError as error:
            raise Busy(where, ACTION, f"the sign-in that is kept cannot be read: {error.strerror}") from error
        if kept is None:
            raise Rejected(where, ACTION, "nobody has signed in for it yet; sign in: emaild login SECTION")
        unkept, self._unkept = self._unkept, None
        if unkept is None or unkept[0] != kept:  # somebody has signed in since
            return kept, kept
        self._keep(*unkept)
        return unkept if self._unkept else (unkept[1], unkept[1])

    def _keep(self, old: Secret, new: Secret) -> None:
        """On disk before anything is done with the new token; where that fails it is tried again at the next."""
        try:
            self._sealed.replace(self._grant.sealed_name, old, new)
            self._unkept = None
        except OSError as error:
            self._unkept = old, new
            events.token_not_kept(user=self._grant.user, reason=error.strerror or str(error))


def _for_section(error: RemoteError, section: str) -> RemoteError:
    """A new error of that kind whose words name the section: what is remembered is raised in many threads."""
    return type(error)(error.where, error.action, error.reason.replace("SECTION", section), error.retry_after)
