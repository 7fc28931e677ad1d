"""Telling of secrets and certificates that end soon, whether or not anybody asks for tokens with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from emaild.clock import Clock
from emaild.log import events
from emaild.net.oauth.ending import Ending, endings
from emaild.settings.load import Settings

EVERY = 3600.0  # seconds
TELL_EVERY = timedelta(days=1)


class Endings:
    """The job that warns once a day of each: of an application that many sections share, by the first of them."""

    name = "endings"
    host = "conf"

    def __init__(self, settings: Callable[[], Settings], clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._told: dict[tuple[str, str, datetime], datetime] = {}

    def known(self) -> list[Ending]:
        """All that are known, near or not."""
        return endings(self._settings().servers())

    def run(self) -> float:
        """Once an hour."""
        now = self._clock.now()
        self._told = {key: then for key, then in self._told.items() if now - then < TELL_EVERY}
        for one in self.known():
            key = one.application, one.what, one.ends
            if one.is_near(now) and key not in self._told:
                self._told[key] = now
                day = f"{one.ends:%Y-%m-%d}"
                events.credential_ends(section=one.section, what=one.what, ends=day, days=one.days(now))
        return EVERY
