"""What a section signs in with instead of a password."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from emaild.settings.secret import Secret

SHORT_LIFE = 0.5  # of its life a token, and a connection with it, is used in any case


class Tokens(Protocol):
    """The access tokens of one mailbox. `user` is the mailbox that they are for. Safe in any number of threads."""

    user: str

    def token(self) -> Secret:
        """A valid access token, refreshed where less than the section's token-expiry-margin-time is left of it.

        Raises:
            Rejected: the authority refuses; the text names the cause and what to do.
            Unreachable, Busy: it did not answer, or asks for patience.
        """

    def refused(self, token: Secret) -> None:
        """To be told when the mail server refused *token*: the next `token()` asks for another, once.

        After a second refusal in a row `token()` raises Rejected for a while, and then gives one more token a try.
        """

    def accepted(self, token: Secret) -> None:
        """To be told when the mail server took *token*: refusals before it are no longer in a row with later ones."""

    def ends(self, token: Secret) -> datetime | None:
        """When *token* ends; None where that is not known, as for one that is older than those of now."""
