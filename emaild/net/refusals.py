"""What refusals of well-known mail servers mean, where their own words leave a person alone.

Gmail's are in its help under "Gmail bandwidth limits" and "Add Gmail to another email client".
"""

from __future__ import annotations

import re

from emaild.errors import Busy

LONG = 3600.0  # seconds; Google locks an account for 1 to 24 hours

_OVER_LIMIT = re.compile(r"\[(OVERQUOTA|THROTTLED)\]|bandwidth limit", re.IGNORECASE)
_LINK = re.compile(r"\[WEBALERT [^][]*\]", re.IGNORECASE)  # whoever has it goes on with the sign-in
_ADVICE = tuple(
    (re.compile(words, re.IGNORECASE), advice)
    for words, advice in (
        (
            "application-specific password required",
            "the account has 2-step verification: give an app password, or a token (emaild login)",
        ),
        (
            r"invalid credentials \(failure\)|username and password not accepted",
            "Google takes an app password or a token of this user, and not the account's own password",
        ),
        (
            "web browser|web login required",
            "sign in as this user in a browser once and confirm it, or give a token (emaild login)",
        ),
        (
            "bandwidth limit",
            "a day's share is used up, which at Google is 2,500 MB over IMAP and 1,250 MB over POP3; it is asked again"
            " in an hour",
        ),
        (
            "too many simultaneous connections",
            "with those of all other programs the account has as many as it may; Google takes 15 over IMAP",
        ),
    )
)


class OverLimit(Busy):
    """The account has had its share for some hours; trying on soon would make that longer."""

    def __init__(self, where: str, action: str, reason: str, retry_after: float = LONG) -> None:
        super().__init__(where, action, reason, retry_after)


def is_over_limit(reason: str) -> bool:
    """Whether the server says that the account has had its share for now."""
    return bool(_OVER_LIMIT.search(reason))


def explained(reason: str) -> str:
    """The server's words, and what to do about them where they are known."""
    shown = _LINK.sub("[WEBALERT]", reason)
    return "; ".join((shown, *(advice for words, advice in _ADVICE if words.search(shown))))
