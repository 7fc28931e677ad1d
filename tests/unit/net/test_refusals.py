"""Refusals of Gmail's in words that say what to do."""

from __future__ import annotations

import pytest

from emaild.net.refusals import LONG, OverLimit, explained, is_over_limit


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("[ALERT] Application-specific password required: https://support.google.com/x (Failure)", "app password"),
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", "not the account's own password"),
        ("535 5.7.8 Username and Password not accepted. Learn more", "not the account's own password"),
        ("[ALERT] Please log in via your web browser: https://support.google.com/y (Failure)", "in a browser once"),
        ("[ALERT] Too many simultaneous connections. (Failure)", "Google takes 15"),
        ("[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", "2,500 MB over IMAP"),
    ],
)
def test_what_to_do_follows_the_servers_words(said: str, advice: str) -> None:
    assert explained(said).startswith(f"{said}; ")
    assert advice in explained(said)


def test_other_refusals_stay_as_they_are() -> None:
    for said in ("[AUTHENTICATIONFAILED] Authentication failed.", "LOGIN failed", ""):
        assert explained(said) == said


def test_a_link_that_goes_on_with_somebodys_sign_in_is_not_repeated() -> None:
    said = "[WEBALERT https://accounts.google.com/signin/continue?sarp=1&plt=AKgnsbs] Web login required. (Failure)"
    assert explained(said).startswith("[WEBALERT] Web login required. (Failure); sign in as this user in a browser")


def test_links_without_an_end_are_read_in_one_go() -> None:
    said = "[WEBALERT " * 100_000
    assert explained(said) == said


def test_an_account_that_had_its_share_is_left_alone_for_long() -> None:
    assert is_over_limit("[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)")
    assert is_over_limit("-ERR [SYS/TEMP] Account exceeded command or bandwidth limits")
    assert not is_over_limit("[ALERT] Too many simultaneous connections. (Failure)")
    assert OverLimit("h", "sign in", "x").retry_after == LONG
