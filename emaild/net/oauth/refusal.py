"""A refusal of an authority, in words."""

from __future__ import annotations

from emaild.errors import Busy, Rejected, RemoteError
from emaild.net.oauth.causes import Cause
from emaild.net.oauth.grant import Grant
from emaild.net.oauth.web import ACTION
from emaild.settings.secret import MASK, Secret


def refusal(grant: Grant, cause: Cause, *secrets: Secret) -> RemoteError:
    """What to raise for that cause: Busy where it passes by itself, else Rejected. No secret is in it."""
    reason = str(cause)
    for secret in (*grant.secrets, *secrets):
        if secret.reveal():
            reason = reason.replace(secret.reveal(), MASK)
    return (Busy if cause.temporary else Rejected)(grant.authority, ACTION, reason)
