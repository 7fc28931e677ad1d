"""Tokens by every way, from an authorization server that demands what Microsoft's and Google's do."""

from __future__ import annotations

import threading

import pytest

from emaild.errors import Rejected
from tests.tokens import ANN, APP, PASSWORD, SECRET, TokenOffice, proved_by

APPLICATION = {"grant_type": "client_credentials", "password": SECRET}
SIGNED_IN = {"grant_type": "authorization_code", "password": ""}


def test_password_gets_a_token_for_the_user(office: TokenOffice) -> None:
    given = office.server.realm.active(office.tokens().token().reveal())
    assert given is not None
    assert (given.user, given.client) == (ANN, APP)
    assert "https://outlook.office.com/.default" in given.scope.split()
    assert office.server.grants[0]["password"] == PASSWORD


def test_secret_gets_a_token_for_the_application(office: TokenOffice) -> None:
    office.client.secret = SECRET
    given = office.server.realm.active(office.tokens(**APPLICATION).token().reveal())
    assert given is not None
    assert (given.user, given.scope) == ("", "https://outlook.office365.com/.default")


def test_certificate_gets_a_token_for_the_application(office: TokenOffice) -> None:
    certificate, key = office.certificate()
    given = office.server.realm.active(office.tokens(**proved_by(certificate, key)).token().reveal())
    assert given is not None
    assert given.user == ""
    assert "client_assertion" in office.server.grants[0]


def test_sign_in_gets_tokens_and_the_refresh_token_that_follows_is_kept_sealed(office: TokenOffice) -> None:
    first = office.sign_in(office.section(**SIGNED_IN))
    tokens = office.tokens(**SIGNED_IN)
    given = office.server.realm.active(tokens.token().reveal())
    assert given is not None
    assert given.user == ANN
    office.clock.advance(3600)
    assert office.server.realm.active(tokens.token().reveal()) is not None
    used = [form["refresh_token"] for form in office.server.grants]
    assert used[0] == first
    assert used[1] not in used[:1]
    kept = b"".join(path.read_bytes() for path in office.state.rglob("*") if path.is_file())
    assert not [token for token in (*used, *office.server.realm.refresh_tokens) if token.encode() in kept]


def test_refresh_token_that_followed_is_there_after_a_restart(office: TokenOffice) -> None:
    section = office.section(**SIGNED_IN)
    office.sign_in(section)
    office.tokens(**SIGNED_IN).token()
    again = TokenOffice.__new__(TokenOffice)
    again.__dict__.update(office.__dict__)
    again.sealed = type(office.sealed)(office.state)
    assert office.server.realm.active(again.tokens(**SIGNED_IN).token().reveal()) is not None
    assert len(office.server.grants) == 2


def test_google_refresh_token_gets_a_token(office: TokenOffice) -> None:
    office.client.secret = SECRET
    refresh = office.server.realm.sign_in(ANN, APP, "https://mail.google.com/")
    options = office.google(secret="g", password=refresh)
    given = office.server.realm.active(office.tokens(f"[secret-g]\npassword = {SECRET}", **options).token().reveal())
    assert given is not None
    assert (given.user, given.scope) == (ANN, "https://mail.google.com/")


def test_google_sign_in_gets_a_token(office: TokenOffice) -> None:
    office.client.secret = SECRET
    options = office.google(secret="g", **SIGNED_IN)
    lines = f"[secret-g]\npassword = {SECRET}"
    office.sign_in(office.section(lines, **options))
    given = office.server.realm.active(office.tokens(lines, **options).token().reveal())
    assert given is not None
    assert given.user == ANN


# One refresh at a time


def test_tokens_are_kept_until_the_margin_and_then_replaced_before_they_end(office: TokenOffice) -> None:
    tokens = office.tokens()
    first = tokens.token()
    office.clock.advance(3600 - 301)
    assert tokens.token() == first
    office.clock.advance(2)
    assert tokens.token() != first
    assert len(office.server.grants) == 2


def test_token_of_short_life_is_used_for_half_of_it(office: TokenOffice) -> None:
    office.server.realm.seconds = 200
    tokens = office.tokens()
    first = tokens.token()
    office.clock.advance(99)
    assert tokens.token() == first
    office.clock.advance(2)
    assert tokens.token() != first


def test_way_out_uses_its_own_margin(office: TokenOffice) -> None:
    way = (
        "[smtp-client]\nserver = localhost\nenable-authentication = true\nmail.smtp.auth.mechanisms = XOAUTH2\n"
        f"user = {ANN}\npassword = {PASSWORD}\ntoken-expiry-margin-time = 00:30:00\nclient-id = {APP}\n"
        f"tenant-authority = {office.server.url}\nca-file = {office.section().ca_file}\n"
    )
    tokens = office.of(office.settings(way), "smtp-client")
    first = tokens.token()
    office.clock.advance(1799)
    assert tokens.token() == first
    office.clock.advance(2)
    assert tokens.token() != first


def test_many_mailboxes_that_share_an_application_ask_once(office: TokenOffice) -> None:
    office.client.secret = SECRET
    other = "\n".join(
        f"[pop-client{number}]\ntype = IMAP\nserver = localhost\nmailbox = box{number}@contoso.com\n"
        f"password = {SECRET}\npop-connection-security = ssl-tls\nmail.imap.auth.mechanisms = XOAUTH2\n"
        f"directory-id = contoso\nclient-id = {APP}\ngrant-type = client_credentials\n"
        f"tenant-authority = {office.server.url}\n"
        f"ca-file = {office.section().ca_file}\n"
        for number in range(1, 21)
    )
    settings = office.settings(other, **APPLICATION)
    boxes = [office.of(settings, name) for name in settings.mailboxes]
    got: list[str] = []
    threads = [threading.Thread(target=lambda box=box: got.append(box.token().reveal())) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(got) == 21
    assert len({*got}) == 1
    assert len(office.server.grants) == 1
    assert boxes[3].user == "box3@contoso.com"


def test_many_mailboxes_that_are_refused_ask_once(office: TokenOffice) -> None:
    tokens = office.tokens(password="wrong")
    failed: list[bool] = []

    def ask() -> None:
        with pytest.raises(Rejected, match="AADSTS50126"):
            tokens.token()
        failed.append(True)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(failed) == 20
    assert len(office.server.grants) == 1


def test_long_token_comes_through_whole(office: TokenOffice) -> None:
    office.server.realm.token_length = 20_000
    assert len(office.tokens().token().reveal()) == 20_000


# Refused by the mail server


def test_refused_token_is_replaced_once_and_a_second_refusal_in_a_row_is_told(office: TokenOffice) -> None:
    tokens = office.tokens()
    first = tokens.token()
    tokens.refused(first)
    tokens.refused(first)  # by another connection with the same token
    second = tokens.token()
    assert second != first
    tokens.refused(second)
    with pytest.raises(Rejected, match="refused two tokens in a row"):
        tokens.token()
    assert len(office.server.grants) == 2


def test_token_that_was_accepted_in_between_makes_refusals_two_of_their_own(office: TokenOffice) -> None:
    tokens = office.tokens()
    for _ in range(4):
        token = tokens.token()
        tokens.accepted(token)
        office.clock.advance(60)
        tokens.refused(token)
        assert tokens.token() != token
    assert len(office.server.grants) == 5


def test_connection_that_is_slow_to_tell_of_the_refused_token_changes_nothing(office: TokenOffice) -> None:
    tokens = office.tokens()
    first = tokens.token()
    tokens.refused(first)
    tokens.accepted(first)
    tokens.refused(tokens.token())
    with pytest.raises(Rejected, match="refused two tokens in a row"):
        tokens.token()


def test_refusals_that_lie_a_day_apart_are_not_in_a_row(office: TokenOffice) -> None:
    tokens = office.tokens()
    for _ in range(3):
        token = tokens.token()
        tokens.refused(token)
        assert tokens.token() != token
        office.clock.advance(86400)


def test_refusal_of_one_mailbox_leaves_the_others_what_they_have(office: TokenOffice) -> None:
    one, other = office.tokens(), office.tokens()
    first = one.token()
    one.refused(first)
    second = one.token()
    other.refused(first)  # which has been replaced already
    assert other.token() == second
    one.refused(second)
    assert other.token() == second
