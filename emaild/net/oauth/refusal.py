"""A refusal of an authority, in words."""

from __future__ import annotations

from emaild.errors import Busy, Rejected, RemoteError
from emaild.net.masking import masked
from emaild.net.oauth.causes import SIGN_IN_AGAIN, Cause
from emaild.net.oauth.grant import Grant, Way
from emaild.net.oauth.web import ACTION

OTHER_REMEDIES = {
    Way.PASSWORD: "set password (and mailbox or user) right",
    Way.APPLICATION: "set client-id, and the application's secret or certificate, right",
    Way.GOOGLE_REFRESH_TOKEN: "put a new refresh token into password",
    Way.SERVICE_ACCOUNT: "set service-account-file and mailbox right",
}
"""What to do where nobody can sign in by `emaild login`."""


def refusal(grant: Grant, cause: Cause) -> RemoteError:
    """What to raise for that cause: Busy where it passes by itself, else Rejected. No secret of the grant is in it."""
    reason = masked(fitting(cause, grant.way), grant.secrets)
    return (Busy if cause.temporary else Rejected)(grant.authority, ACTION, reason)


def fitting(cause: Cause, way: Way) -> str:
    """Cause and remedy in words, for what a token is asked with in that way."""
    words = str(cause)
    if way in OTHER_REMEDIES:
        words = words.replace(f", or {SIGN_IN_AGAIN}", "").replace(SIGN_IN_AGAIN, OTHER_REMEDIES[way])
    return words
