"""Times in documents."""

from __future__ import annotations

from datetime import datetime


def iso(when: datetime | None) -> str | None:
    """A time for programs: RFC 3339 in UTC."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z") if when else None
