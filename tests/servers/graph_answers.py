"""Requests to Microsoft Graph, and its answers."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

MOST = 4 << 20  # bytes of a request


@dataclass(frozen=True)
class Asked:
    """A request; `path` is as it came, without the query. Names of `headers` are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Self:
        path, _, query = target.partition("?")
        return cls(method, path, dict(urllib.parse.parse_qsl(query, keep_blank_values=True)), headers, body)

    @classmethod
    def of_batch(cls, one: Mapping[str, Any], around: Asked) -> Self | None:
        """A request of a batch; None where it has a body and does not say of what type."""
        headers = {name.lower(): str(value) for name, value in one.get("headers", {}).items()}
        if "body" in one and headers.get("content-type") != "application/json":
            return None
        body = json.dumps(one["body"]).encode() if "body" in one else b""
        return cls.of(one["method"], one["url"], {**headers, "authorization": around.headers["authorization"]}, body)

    @property
    def line(self) -> str:
        return f"{self.method} {urllib.parse.unquote(self.path)}"

    @cached_property
    def json(self) -> Any:
        """What it says; None where it is no JSON, or is not said to be."""
        if self.headers.get("content-type", "").partition(";")[0] != "application/json":
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def prefers(self, what: str) -> bool:
        return what in [one.strip() for one in self.headers.get("prefer", "").split(",")]

    @property
    def immutable(self) -> bool:
        return self.prefers('IdType="ImmutableId"')


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    chunked: bool = False

    @classmethod
    def of(cls, status: int, said: object, headers: Mapping[str, str] | None = None) -> Self:
        fields = {"Content-Type": "application/json", **(headers or {})}
        return cls(status, json.dumps(said).encode(), fields)


def error(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An error as Graph tells it."""
    return Answer.of(status, {"error": {"code": code, "message": message}}, headers)
