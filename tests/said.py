"""What emaild logged, as a test looks at it."""

from __future__ import annotations

import io
import json
from typing import Any

from emaild.log.setup import set_up
from emaild.settings.log import LogSection, MessageFormat, Verbosity


class Said:
    """Every event since it was made, read back from the JSON lines that emaild wrote."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        set_up(LogSection(verbose=Verbosity.ALL, message_format=MessageFormat.JSON), self._stream)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    @property
    def names(self) -> list[str]:
        """The dotted names of the events, in their order."""
        return [event["event"] for event in self.events]

    def all(self, name: str) -> list[dict[str, Any]]:
        """The events of that name."""
        return [event for event in self.events if event["event"] == name]

    def one(self, name: str) -> dict[str, Any]:
        """The only event of that name."""
        (event,) = self.all(name)
        return event
