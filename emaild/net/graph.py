"""Microsoft Graph v1.0: one mailbox, asked with a token, within the limits that Exchange Online sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from emaild import __version__
from emaild.clock import Clock
from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.log import events
from emaild.net import steps
from emaild.net.graph_answer import Answer, of_batch
from emaild.net.graph_http import AUTHORIZATION, Line, NotAsked
from emaild.net.graph_lane import lane_to
from emaild.net.graph_place import Place, is_target, place_at, place_of
from emaild.net.oauth.tokens import Tokens
from emaild.net.peer import Peer, peer_of
from emaild.net.retry_after import seconds_of
from emaild.net.trace import shown
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import WayOutSection

LONGEST_JSON = 16 << 20  # bytes
THROTTLED = (429, 503, 509)
ADVICE = {
    "ErrorInvalidUser": "no mailbox has that address",
    "MailboxNotEnabledForRESTAPI": "the mailbox is not in Exchange Online, is not active, or has no licence",
}
IMMUTABLE = 'IdType="ImmutableId"'
STANDING = {"User-Agent": f"emaild/{__version__}", "Accept-Encoding": "identity"}


class Graph:
    """One user's mailbox. Used by one thread at a time; paths begin below the user, as `/messages`."""

    def __init__(
        self, section: MailboxSection | WayOutSection, proxy: ProxySection | None, *, tokens: Tokens, clock: Clock
    ) -> None:
        self._section = section
        self._tokens = tokens
        self._clock = clock
        self.user = section.mailbox if isinstance(section, MailboxSection) else section.user
        self._place = place_of(section)
        self._peer = replace(peer_of(section, proxy), trace=False)  # a trace of bytes would show tokens
        self._line = Line(self._at(self._place))
        self.lane = lane_to(str(self._line), self.user)
        self.below = f"/users/{quote(self.user, safe='@')}"

    def __str__(self) -> str:
        return str(self._line)

    @property
    def tls(self) -> str:
        """The version and the cipher of the newest connection; empty without TLS."""
        return self._line.tls

    def open(self) -> None:
        """Have a token and a connection.

        Raises:
            RemoteError: one of them is not to be had.
        """
        self._tokens.token()
        self._line.connect()

    def close(self) -> None:
        """Drop the connection; never raises."""
        self._line.close()

    def get(self, path: str, *prefer: str, most: int = LONGEST_JSON, whole: bool = True) -> Answer:
        """GET; *prefer* are further preferences. Of a body beyond *most* bytes the rest is not read: not *whole*."""
        answer = self._ask(
            "GET", self._place.root + self.below + path, b"", {"Prefer": ", ".join((IMMUTABLE, *prefer))}, most
        )
        return self._whole(answer, path) if whole else answer

    def follow(self, target: str, *prefer: str, most: int = LONGEST_JSON) -> Answer:
        """GET what a link of Graph's names; *target* is what `target_of` made of it."""
        answer = self._ask("GET", target, b"", {"Prefer": ", ".join((IMMUTABLE, *prefer))}, most)
        return self._whole(answer, target.partition("?")[0])

    def send(self, method: str, path: str, content: object = None) -> Answer:
        """POST, PATCH or DELETE with a JSON object; bytes go as text/plain, which is how Graph takes mails."""
        return self._send(method, self._place.root + self.below + path, content)

    def together(self, method: str, paths: Sequence[str], content: object) -> list[Answer]:
        """The same for each of at most four paths, as one request and at the same time (Graph, JSON batching).

        Raises:
            RemoteError: as for one; Busy where one of them was throttled.
        """
        fields = {"Prefer": IMMUTABLE} | ({} if content is None else {"Content-Type": "application/json"})
        given = {"method": method, "headers": fields} | ({} if content is None else {"body": content})
        requests = [{"id": str(number), "url": self.below + path, **given} for number, path in enumerate(paths)]
        if len(paths) == 1:
            return [self.send(method, paths[0], content)]
        target = f"{self._place.root}/$batch"
        answer = self._send("POST", target, {"requests": requests}, places=len(paths))
        if not answer.good:
            return [answer] * len(paths)
        parts = answer.said.get("responses")
        found = {one.get("id"): one for one in parts if isinstance(one, dict)} if isinstance(parts, list) else {}
        return [
            self._throttled(of_batch(found.get(str(number)), answer.secrets), "batch") for number in range(len(paths))
        ]

    def put(self, line: Line, target: str, piece: bytes, fields: Mapping[str, str]) -> Answer:
        """PUT a piece to an upload session, whose URL is all the permission that it needs."""
        said = {**STANDING, "Content-Type": "application/octet-stream", **fields}
        query = urlsplit(target).query
        secrets = tuple(Secret(one) for one in (query, *(value for _, value in parse_qsl(query))))
        try:
            answer = self._through(line, "PUT", target, piece, said, LONGEST_JSON)
        except NotAsked as error:  # of another server than Graph's own
            raise Unreachable(error.where, error.action, error.reason) from error
        return self._throttled(replace(answer, secrets=secrets), "upload")

    def line_to(self, url: str) -> tuple[Line, str]:
        """A connection to where an upload URL leads, and the target there.

        Raises:
            Unreachable: it is no URL, or one without encryption though Graph has it.
        """
        try:
            place = place_at(url)
            parts = urlsplit(url)
        except ValueError:
            place = None
        if place is None or (self._place.encrypted and not place.encrypted) or not is_target(url):
            raise Unreachable(str(self), "upload", "the upload session has no usable address")
        return Line(self._at(place)), f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"

    def target_of(self, link: object) -> str:
        """Path and query of a link that Graph gave us.

        Raises:
            Unreachable: it leads elsewhere, and our token with it.
        """
        try:
            if isinstance(link, str) and is_target(link) and place_at(link).origin == self._place.origin:
                parts = urlsplit(link)
                return f"{parts.path}?{parts.query}"
        except ValueError:
            pass
        raise Unreachable(str(self), "follow a link", "it is no link, or leads to another server")

    def now(self) -> datetime:
        """The time of day."""
        return self._clock.now()

    def patience(self, answer: Answer) -> float:
        """The seconds that an answer asks for."""
        return seconds_of(str(answer.headers.get("Retry-After", "")), self._clock.now())

    # One request

    def _send(self, method: str, target: str, content: object, *, places: int = 1) -> Answer:
        fields = {"Prefer": IMMUTABLE}
        body = b""
        if isinstance(content, bytes):
            body, fields["Content-Type"] = content, "text/plain"
        elif content is not None:
            body, fields["Content-Type"] = json.dumps(content).encode("ascii"), "application/json"
        elif method == "POST":
            fields["Content-Length"] = "0"
        return self._whole(self._ask(method, target, body, fields, LONGEST_JSON, places), target.partition("?")[0])

    def _ask(
        self, method: str, target: str, body: bytes, fields: Mapping[str, str], most: int, places: int = 1
    ) -> Answer:
        """With a token; with another one where the first is refused.

        Raises:
            RemoteError: no answer; NotAsked: no token or no connection; Busy: throttled; Rejected: the second token
                was refused, too.
        """
        secrets: tuple[Secret, ...] = ()
        for _ in range(2):
            try:
                token = self._tokens.token()
            except Unreachable as error:
                raise NotAsked(error.where, error.action, error.reason, error.retry_after) from error
            secrets += (token,)
            said = {**STANDING, **fields, AUTHORIZATION: f"Bearer {token.reveal()}"}
            answer = self._through(self._line, method, target, body, said, most, places)
            answer = replace(answer, secrets=secrets)
            if answer.status != 401:
                if answer.good:
                    self._tokens.accepted(token)
                return self._throttled(answer, target.partition("?")[0])
            self._tokens.refused(token)
        raise Rejected(str(self), "sign in", f"the token was refused: {answer.reason}")

    def _through(
        self,
        line: Line,
        method: str,
        target: str,
        body: bytes,
        fields: Mapping[str, str],
        most: int,
        places: int = 1,
    ) -> Answer:
        action = f"{method} {target.partition('?')[0]}"
        if (left := self.lane.closed_for(self._clock)) > 0:
            raise Busy(str(line), action, f"Graph asked to be left alone for {left:.0f} s more", left)
        try:
            with self.lane.places(places, self._section.protocol_timeout):
                self._trace(events.protocol_sent, action)
                reply = line.exchange(method, target, fields, body, most)
                steps.tell(f"{action}: {reply.status}")
        except TimeoutError:
            raise Busy(str(line), action, "the other requests for this mailbox take too long") from None
        self._trace(events.protocol_heard, str(reply.status))
        return Answer(reply.status, reply.headers, reply.body, reply.cut)

    def _throttled(self, answer: Answer, action: str) -> Answer:
        if answer.status not in THROTTLED:
            return answer
        seconds = self.patience(answer)
        self.lane.rest(seconds, self._clock)
        raise Busy(str(self), action, answer.reason, seconds)

    def _whole(self, answer: Answer, action: str) -> Answer:
        if answer.cut:
            raise Unreachable(str(self), action, "the answer is too long")
        return answer

    def _trace(self, event: Any, line: str) -> None:
        if self._section.enable_debug:
            event(section=self._section.name, server=str(self), line=shown(line))

    def _at(self, place: Place) -> Peer:
        security = Security.SSL_TLS if place.encrypted else Security.NONE
        return replace(self._peer, host=place.host, port=place.port, security=security)


def failed(graph: Graph, answer: Answer, action: str) -> RemoteError:
    """What an answer that is no success means where it is about the mailbox itself."""
    if answer.transient:
        return Busy(str(graph), action, answer.reason, graph.patience(answer))
    advice = ADVICE.get(answer.code, "")
    if not advice and answer.status == 403:
        advice = "the application needs Mail.ReadWrite, and access to this mailbox"
    return Rejected(str(graph), action, "; ".join(filter(None, (answer.reason, advice))))
