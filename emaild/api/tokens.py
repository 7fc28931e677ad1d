"""Who may ask: bearer tokens (RFC 6750), of `[api-token-NAME]` sections or of the file that the first start leaves."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emaild.disk import written
from emaild.errors import StateUnusable
from emaild.log import events
from emaild.settings.api import SHORTEST_TOKEN, ApiTokenSection

FILE = "api-token"
RANDOM_BYTES = 32
BEARER = re.compile(r"bearer +([!-~]+) *", re.IGNORECASE)
WORDS = re.compile(rf"[!-~]{{{SHORTEST_TOKEN},}}")
LONGEST_FILE = 4096  # bytes


@dataclass(frozen=True)
class Tokens:
    """The tokens that count, by the name of who uses them; kept as digests only."""

    digests: Mapping[str, bytes] = field(repr=False)

    def client(self, authorization: str) -> str | None:
        """Whose token that header field shows; None: nobody's. It takes as long for all."""
        found = BEARER.fullmatch(authorization)
        shown = _digest(found[1]) if found else b""
        client = None
        for name, digest in self.digests.items():
            if hmac.compare_digest(digest, shown):
                client = name
        return client


def tokens_of(sections: Mapping[str, ApiTokenSection], state: Path) -> Tokens:
    """The tokens of these sections; where there is none, that of the file in the state directory, made if need be.

    Raises:
        StateUnusable: the file cannot be read or made, or holds no token.
    """
    named = {name.removeprefix("api-token-"): one.token.reveal() for name, one in sections.items()}
    named = {name: token for name, token in named.items() if token}  # an empty one would open to everybody
    return Tokens({name: _digest(token) for name, token in (named or {FILE: _kept(state / FILE)}).items()})


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _kept(path: Path) -> str:
    try:
        try:
            with path.open("rb") as file:
                text = file.read(LONGEST_FILE)
        except FileNotFoundError:
            _make(path)
            text = path.read_bytes()
    except OSError as error:
        raise StateUnusable(f"{path}: {error.strerror}; it must hold the token of the HTTP interface") from error
    token = text.decode("utf-8", "replace").strip()
    if not WORDS.fullmatch(token):
        raise StateUnusable(
            f"{path}: expected a token of {SHORTEST_TOKEN} characters or more, of ASCII and without blanks;"
            " remove the file, and a reload or the next start makes a new one"
        )
    return token


def _make(path: Path) -> None:
    """It is there in full, or not at all; what a power failure leaves is not taken for a token."""
    with written(path.parent, f"{secrets.token_urlsafe(RANDOM_BYTES)}\n".encode()) as made:
        os.replace(made, path)
    events.api_token_made(path=str(path))
