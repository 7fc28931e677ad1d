"""The program that a webhook leads to: HTTP/1.1 on a connection of ours, with a bound on all that it may take."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass

from emaild.errors import RemoteError
from emaild.net.http import STANDING, BoundedConnection, translated
from emaild.net.peer import Peer

LONGEST_ANSWER = 64 << 10
JSON = {"Content-Type": "application/json; charset=utf-8", "Accept": "*/*"}


@dataclass(frozen=True)
class Answer:
    """What the receiver said; `retry_after` is that field as it stands, or empty."""

    status: int
    retry_after: str = ""


class Receiver:
    """One connection, kept until `close` or a failure. *target* is what is asked for: path and query."""

    def __init__(self, peer: Peer, target: str) -> None:
        self._peer = peer
        self._target = target
        self._connection: BoundedConnection | None = None

    def post(self, fields: Mapping[str, str], body: bytes) -> Answer:
        """Post it. Connecting may take as long as the peer says, sending and the answer together as long again.

        Raises:
            RemoteError: no answer.
        """
        try:
            with translated(str(self._peer), "post"):
                return self._post_kept(fields, body)
        except RemoteError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection; the next `post` makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post_kept(self, fields: Mapping[str, str], body: bytes) -> Answer:
        if self._connection is not None:
            try:
                return self._ask(self._connection, fields, body)
            except TimeoutError:
                raise
            except OSError:  # it was closed while nothing was to be posted: the receiver drops doubles by their id
                self.close()
        self._connection = BoundedConnection(self._peer, LONGEST_ANSWER)
        self._connection.connect()
        return self._ask(self._connection, fields, body)

    def _ask(self, connection: BoundedConnection, fields: Mapping[str, str], body: bytes) -> Answer:
        connection.hurry()
        connection.request("POST", self._target, body, {**STANDING, **JSON, **fields})
        response = connection.getresponse()
        answer = Answer(response.status, response.headers.get("Retry-After", "").strip())
        try:
            response.read(LONGEST_ANSWER)  # what it says beside does not matter; the next answer comes after it
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
        if response.will_close or not response.isclosed():
            self.close()
        return answer
