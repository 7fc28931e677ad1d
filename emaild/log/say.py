"""The door that every event goes through."""

from __future__ import annotations

import structlog

from emaild.log.counts import count
from emaild.settings.log import Verbosity


def say(level: str, kind: Verbosity, code: int, event: str, **fields: object) -> None:
    """Write one event. `log/events.py` is the only caller: what emaild can say stands there."""
    count(event, level)
    logger = structlog.get_logger()
    getattr(logger, level)(event, kind=kind, level=level, code=code, **fields)
