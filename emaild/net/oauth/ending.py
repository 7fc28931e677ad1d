"""When what an application proves itself with ends: its client secret, by secret-expires, or its certificate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from emaild.net.oauth.certificates import certificate_ends
from emaild.net.oauth.grant import ServerSection

WARN_BEFORE = timedelta(days=14)


@dataclass(frozen=True)
class Ending:
    """`section` and `option` are where it stands, `what` is what it is, of the application with that client ID."""

    section: str
    option: str
    what: str
    application: str
    ends: datetime

    def is_near(self, now: datetime) -> bool:
        """Whether an operator is to be warned: from 14 days before, and when it is over."""
        return self.ends - now <= WARN_BEFORE

    def days(self, now: datetime) -> int:
        """How many whole days are left; 0: less than one, or it is over."""
        return max((self.ends - now).days, 0)

    def words(self, now: datetime) -> str:
        """When it ends, and what that means."""
        if self.ends <= now:
            return f"the {self.what} ended on {self.ends:%Y-%m-%d}: no token is given any more; a new one is needed"
        return f"the {self.what} ends on {self.ends:%Y-%m-%d}: no token is given after that; a new one is needed"


def endings(sections: Iterable[ServerSection]) -> list[Ending]:
    """Of each section that signs in with a token, as far as it is known; certificates are read from their files."""
    files: dict[Path, datetime | None] = {}
    found = []
    for section in sections:
        if not section.uses_tokens:
            continue
        option, what, ends = "secret-expires", "client secret", section.secret_expires
        path = None if section.is_google else section.application_certificate
        if path is not None:
            if path not in files:
                files[path] = _ends(path)
            option, what, ends = "application-certificate", "application-certificate", files[path]
        if ends is not None:
            found.append(Ending(section.name, option, what, section.client_id, ends))
    return found


def _ends(path: Path) -> datetime | None:
    try:
        return certificate_ends(path)
    except ValueError:  # the first token that is asked for with it says what is wrong
        return None
