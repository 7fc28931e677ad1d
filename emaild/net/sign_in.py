"""Signing in with a token: fetched before the connection is made, and replaced once where the server refuses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import inf
from typing import TypeVar

from emaild.clock import Clock, SystemClock
from emaild.errors import Rejected
from emaild.net import steps
from emaild.net.masking import masked
from emaild.net.oauth.tokens import SHORT_LIFE, Tokens
from emaild.net.sasl import Choice
from emaild.settings.by_token import TOKEN_MECHANISMS
from emaild.settings.secret import Secret

T = TypeVar("T")


class TokenRefused(Rejected):
    """The server said no to a token; another one may be taken."""


class SignIn:
    """How one connection after the other is signed in: with *tokens*, or, None, with the section's password.

    *margin*: for how many seconds before its token ends a connection is not used any more; half of the token's life
    where that is less.
    """

    def __init__(self, tokens: Tokens | None = None, clock: Clock | None = None, margin: float = 0.0) -> None:
        self._tokens = tokens
        self._clock = clock or SystemClock()
        self._margin = margin
        self._token: Secret | None = None
        self._ends: datetime | None = None
        self._life = 0.0  # seconds that were left of the token when it was first used here

    def by(self, connect: Callable[[Secret | None], T]) -> T:
        """What *connect* makes of a token, or of None.

        A token that was revoked, or that ends earlier by the server's clock than by ours, is replaced once.

        Raises:
            RemoteError: as `Tokens.token` or *connect*; TokenRefused: a second one was refused, too.
        """
        if self._tokens is None:
            return connect(None)
        try:
            return self._try(self._tokens, connect)
        except TokenRefused as error:
            steps.fail(error.reason, error.action)
            return self._try(self._tokens, connect)

    def _try(self, tokens: Tokens, connect: Callable[[Secret | None], T]) -> T:
        token = tokens.token()
        try:
            made = connect(token)
        except TokenRefused:
            tokens.refused(token)
            raise
        tokens.accepted(token)
        self._ends = tokens.ends(token)
        if token != self._token:
            self._token, self._life = token, self._left()
        return made

    def lasts(self) -> float:
        """For how many seconds the connection that was signed in last may still be used; none: 0 or less."""
        return self._left() - min(self._margin, self._life * SHORT_LIFE)

    def _left(self) -> float:
        return inf if self._ends is None else (self._ends - self._clock.now()).total_seconds()


def only_tokens(choice: Choice) -> Choice:
    """Of these mechanisms those that carry a token, any of them where none is named: it must not go as a password."""
    named = tuple(name for name in choice.mechanisms if name in TOKEN_MECHANISMS)
    return Choice(mechanisms=named or TOKEN_MECHANISMS)


def without(words: str, secret: Secret | None) -> str:
    """The server's words; a secret that they repeat is masked."""
    return masked(words, [secret]) if secret else words
