"""Requests that are refused before their body was read: it ends the connection, and the answer is not lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace

from starlette.types import Message, Receive, Scope, Send

from emaild.api.problems import Problem, answer

SECONDS_TO_HEAR = 1.0
BODY = (b"content-length", b"transfer-encoding")


async def refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer it. Who is still sending a body is heard for a moment, for he reads the answer only then (RFC 9112 §9.6);
    then the connection ends."""
    if not any(name in BODY and value != b"0" for name, value in scope["headers"]):
        await answer(problem)(scope, receive, send)
        return
    headers: Mapping[str, str] = {**problem.headers, "Connection": "close"}

    async def unended(message: Message) -> None:
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    await answer(replace(problem, headers=headers))(scope, receive, unended)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS_TO_HEAR):
            while (await receive()).get("more_body"):
                pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})
