"""Signing in with a token: when another one is asked for, and for how long a connection may be used."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.net.sasl import Choice
from emaild.net.sign_in import SignIn, TokenRefused, only_tokens, without
from emaild.settings.secret import Secret
from tests.clock import ManualClock

HOUR = timedelta(hours=1)


class Given:
    """Tokens that are numbered; a refused one is followed by the next."""

    user = "mary@example.com"

    def __init__(self, clock: ManualClock, life: timedelta | None = HOUR) -> None:
        self._clock = clock
        self._life = life
        self.number = 1
        self.was_refused: list[str] = []
        self.was_accepted: list[str] = []

    def token(self) -> Secret:
        return Secret(f"token-{self.number}")

    def refused(self, token: Secret) -> None:
        self.was_refused.append(token.reveal())
        self.number += 1

    def accepted(self, token: Secret) -> None:
        self.was_accepted.append(token.reveal())

    def ends(self, token: Secret) -> datetime | None:
        return self._clock.now() + self._life if self._life else None


class Server:
    """Lets in whoever has that token."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.asked: list[str | None] = []

    def __call__(self, token: Secret | None) -> str:
        said = token.reveal() if token else None
        self.asked.append(said)
        if said != self.wanted:
            raise TokenRefused("mail.example.com", "sign in", "no")
        return "connection"


def test_a_section_without_tokens_is_signed_in_by_its_password() -> None:
    sign_in = SignIn()
    assert sign_in.by(lambda token: token) is None
    assert sign_in.lasts() == inf


def test_a_refused_token_is_replaced_at_once() -> None:
    tokens, server = Given(ManualClock()), Server("token-2")
    assert SignIn(tokens).by(server) == "connection"
    assert server.asked == ["token-1", "token-2"]
    assert tokens.was_refused == ["token-1"]
    assert tokens.was_accepted == ["token-2"]


def test_a_second_refusal_is_the_last() -> None:
    tokens, server = Given(ManualClock()), Server("another")
    with pytest.raises(TokenRefused):
        SignIn(tokens).by(server)
    assert tokens.was_refused == server.asked == ["token-1", "token-2"]
    assert tokens.was_accepted == []


@pytest.mark.parametrize("error", [Rejected, Unreachable])
def test_a_failure_that_is_not_the_tokens_costs_no_token(error: type[Rejected | Unreachable]) -> None:
    tokens = Given(ManualClock())

    def fails(token: Secret | None) -> None:
        raise error("mail.example.com", "connect", "no")

    with pytest.raises(error):
        SignIn(tokens).by(fails)
    assert tokens.was_refused == []


def test_a_connection_lasts_until_a_margin_before_the_end_of_its_own_token() -> None:
    clock = ManualClock()
    sign_in = SignIn(Given(clock), clock, 300)
    sign_in.by(lambda token: token)
    assert sign_in.lasts() == 3300
    clock.advance(3300)
    assert sign_in.lasts() == 0
    sign_in.by(lambda token: token)
    assert sign_in.lasts() == 3300


def test_a_token_without_a_known_end_ends_no_connection() -> None:
    sign_in = SignIn(Given(ManualClock(), None))
    sign_in.by(lambda token: token)
    assert sign_in.lasts() == inf


@pytest.mark.parametrize(
    ("named", "used"),
    [
        ((), ("XOAUTH2", "OAUTHBEARER")),
        (("LOGIN", "OAUTHBEARER", "XOAUTH2"), ("OAUTHBEARER", "XOAUTH2")),
        (("PLAIN",), ("XOAUTH2", "OAUTHBEARER")),
    ],
)
def test_a_token_never_goes_as_a_password(named: tuple[str, ...], used: tuple[str, ...]) -> None:
    assert only_tokens(Choice(mechanisms=named)).mechanisms == used


def test_a_secret_that_a_server_repeats_is_masked() -> None:
    assert without("no token-1 here", Secret("token-1")) == "no *** here"
    assert without("no", None) == without("no", Secret("")) == "no"
