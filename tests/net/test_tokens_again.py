"""Tokens that a mail server refused: when another is tried, and by whose doing."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.errors import Rejected
from emaild.net.oauth import SectionTokens
from tests.tokens import ANN, SECRET, TokenOffice

WAYS: dict[str, dict[str, str | Path]] = {
    "password": {},
    "client_credentials": {"grant_type": "client_credentials", "password": SECRET},
    "authorization_code": {"grant_type": "authorization_code", "password": ""},
}


def tokens_of(office: TokenOffice, way: str) -> SectionTokens:
    office.client.secret = SECRET if way == "client_credentials" else ""
    if way == "authorization_code":
        office.sign_in(office.section(**WAYS[way]))
    made = office.tokens(**WAYS[way])
    assert isinstance(made, SectionTokens)
    return made


def closed(office: TokenOffice, way: str) -> SectionTokens:
    """The tokens of a section of which the mail server refused two in a row."""
    made = tokens_of(office, way)
    for _ in range(2):
        made.refused(made.token())
    with pytest.raises(Rejected, match="refused two tokens in a row"):
        made.token()
    assert len(office.server.grants) == 2
    return made


@pytest.mark.parametrize("way", WAYS)
def test_one_more_token_is_tried_after_each_pause_and_pauses_grow_longer(office: TokenOffice, way: str) -> None:
    tokens = closed(office, way)
    seen = set(office.server.realm.tokens)
    for pause in (80, 150, 300, 600, 900, 900):
        office.clock.advance(pause)
        token = tokens.token()
        assert tokens.token() == token, "another connection of the section tries the same one"
        assert token.reveal() not in seen
        seen.add(token.reveal())
        tokens.refused(token)
        tokens.refused(token)
        with pytest.raises(Rejected, match="refused two tokens in a row"):
            tokens.token()
        office.clock.advance(40)
        with pytest.raises(Rejected, match="refused two tokens in a row"):
            tokens.token()
    assert len(office.server.grants) == 8


@pytest.mark.parametrize("way", WAYS)
def test_token_that_is_accepted_at_last_ends_it(office: TokenOffice, way: str) -> None:
    tokens = closed(office, way)
    office.clock.advance(80)
    tokens.accepted(tokens.token())
    token = tokens.token()
    tokens.refused(token)
    assert tokens.token() != token, "as at the first refusal"


@pytest.mark.parametrize("way", WAYS)
def test_trying_again_asks_for_another_token_at_once(office: TokenOffice, way: str) -> None:
    tokens = closed(office, way)
    known = set(office.server.realm.tokens)
    tokens.try_again()
    assert tokens.token().reveal() not in known
    assert len(office.server.grants) == 3


def test_trying_again_ends_a_remembered_refusal_of_the_authority(office: TokenOffice) -> None:
    tokens = tokens_of(office, "password")
    office.server.realm.people[ANN].trouble = 50057
    with pytest.raises(Rejected, match="AADSTS50057"):
        tokens.token()
    office.server.realm.people[ANN].trouble = 0
    with pytest.raises(Rejected, match="AADSTS50057"):
        tokens.token()
    tokens.try_again()
    assert tokens.token()


def test_new_sign_in_is_tried_at_once_with_a_token_of_its_own(office: TokenOffice) -> None:
    tokens = closed(office, "authorization_code")
    assert not tokens.is_signed_in_anew()
    newer = office.sign_in(office.section(**WAYS["authorization_code"]))
    assert tokens.is_signed_in_anew()
    assert not tokens.is_signed_in_anew()
    assert tokens.token()
    assert office.server.grants[-1]["refresh_token"] == newer
    assert not tokens.is_signed_in_anew(), "a refresh token that follows is no sign-in"


def test_section_that_shares_the_token_keeps_it_while_another_is_closed(office: TokenOffice) -> None:
    tokens = closed(office, "password")
    other = office.tokens()
    kept = other.token()
    other.accepted(kept)
    office.clock.advance(10)
    with pytest.raises(Rejected):
        tokens.token()
    assert other.token() == kept
    assert len(office.server.grants) == 2
