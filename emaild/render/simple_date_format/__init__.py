"""Dates as Java's `java.text.SimpleDateFormat` writes them, which is what Genesys's patterns mean."""

from __future__ import annotations

from emaild.render.simple_date_format.formatting import SimpleDateFormat
from emaild.render.simple_date_format.pattern import IllegalPattern

__all__ = ["IllegalPattern", "SimpleDateFormat"]
