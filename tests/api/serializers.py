"""How schemathesis writes a body that is a finished mail."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("message/rfc822")
def finished_mail(context: Any, value: Any) -> bytes:
    """Bytes as they are, text in UTF-8, and anything else as it is written in Python."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
