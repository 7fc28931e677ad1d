"""Mails and files as answers: given piece by piece, and never shown by a browser as if they were ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import StreamingResponse

PIECE = 64 * 1024
PLAIN_TYPE = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]{0,63}/[A-Za-z0-9][\w!#$&^.+-]{0,63}", re.ASCII)  # RFC 6838 §4.2
UNKNOWN_TYPE = "application/octet-stream"
GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}


def download(request: Request, content: bytes, name: str, content_type: str) -> StreamingResponse:
    """The answer that has a program save *content* as a file.

    Raises:
        Problem: there is no room for it at this moment.
    """
    request.state.room.take(len(content))
    kind = content_type if PLAIN_TYPE.fullmatch(content_type) else UNKNOWN_TYPE
    headers = {**GUARDED, "Content-Disposition": disposition(name), "Content-Length": str(len(content))}
    answer = StreamingResponse(_pieces(content), headers=headers)
    answer.headers["Content-Type"] = kind  # as it is: no charset is added
    return answer


def disposition(name: str) -> str:
    """To be saved under that name (RFC 6266 §4): in ASCII, and beside it in full (RFC 8187)."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


async def _pieces(content: bytes) -> AsyncIterator[memoryview]:
    whole = memoryview(content)
    for start in range(0, len(content), PIECE):
        yield whole[start : start + PIECE]
