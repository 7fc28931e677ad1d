"""A token by a sign-in that is kept: one at a time asks with it, and what follows it is on disk before it is used."""

from __future__ import annotations

from collections.abc import Callable

from emaild.errors import Busy, Rejected
from emaild.log import events
from emaild.net.oauth.apart import Stop
from emaild.net.oauth.causes import SIGN_IN_AGAIN
from emaild.net.oauth.grant import Grant, Issued
from emaild.net.oauth.sealed import SealBroken, Sealed, enough_after
from emaild.net.oauth.web import ACTION
from emaild.settings.secret import Secret

LONGEST_TURN = 150.0  # seconds to wait for another's refresh: it asks twice, each with a time to connect and to answer


def renewed(grant: Grant, sealed: Sealed, issue: Callable[[Secret], Issued], stop: Stop) -> Issued:
    """What *issue* gives for the refresh token that is kept; sections of other grants may have the same.

    Raises:
        RemoteError: of *issue*; there is none, or it cannot be read.
    """
    late = enough_after(LONGEST_TURN)
    try:
        with sealed.turn(grant.sealed_name, lambda: stop.stopped or late()):
            return _in_turn(grant, sealed, issue)
    except BlockingIOError as error:
        raise Busy(grant.authority, ACTION, "another process still asks with the same sign-in") from error


def _in_turn(grant: Grant, sealed: Sealed, issue: Callable[[Secret], Issued]) -> Issued:
    kept, refresh = _latest(grant, sealed)
    try:
        issued = issue(refresh)
    except Rejected:
        used = refresh
        kept, refresh = _latest(grant, sealed)
        if refresh == used:
            raise
        issued = issue(refresh)  # somebody has signed in meanwhile
    if issued.refresh is not None and issued.refresh != refresh:
        failed = sealed.follow(grant.sealed_name, kept, issued.refresh)
        if failed is not None:
            events.token_not_kept(user=grant.user, reason=failed.strerror or str(failed))
    return issued


def _latest(grant: Grant, sealed: Sealed) -> tuple[Secret, Secret]:
    """The one on disk, and the one to use, which follows it where it could not be written."""
    where = grant.authority
    try:
        found = sealed.latest(grant.sealed_name)
    except SealBroken as error:
        broken = "what was signed in with is sealed for another machine, or its key is gone"
        raise Rejected(where, ACTION, f"{broken}; {SIGN_IN_AGAIN}") from error
    except OSError as error:
        raise Busy(where, ACTION, f"the sign-in that is kept cannot be read: {error.strerror}") from error
    if found is None:
        raise Rejected(where, ACTION, "nobody has signed in for it yet; sign in: emaild login SECTION")
    return found
