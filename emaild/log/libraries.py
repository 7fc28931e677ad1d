"""What libraries log by themselves, as events of ours: no line leaves in another form."""

from __future__ import annotations

import logging

from emaild.log import events


class _FromLibraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        events.library_warned(library=record.name, message=str(record.msg))


def take_over_libraries() -> None:
    """From now on what a library warns of is an event. May be called again."""
    root = logging.getLogger()
    if not any(isinstance(handler, _FromLibraries) for handler in root.handlers):
        root.addHandler(_FromLibraries(logging.WARNING))
