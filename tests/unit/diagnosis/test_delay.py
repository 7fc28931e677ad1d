"""How long servers ask to wait, in their words."""

from __future__ import annotations

import pytest

from emaild.diagnosis import asked_delay


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("4.7.1 Greylisting in action, please come back in 00:04:59", 299),
        ("4.7.1 <joe@example.com>: Recipient address rejected: Greylisted for 5 minutes", 300),
        ("Greylisted for 00:04:59", 299),
        ("greylisted, try again in 300 seconds", 300),
        ("4.2.0 Greylisted, see http://postgrey.example.org/help?id=5, try again in 298 secs.", 298),
        ("4.7.0 Please retry after 300 seconds", 300),
        ("Please wait for at least 2 minutes and try again", 120),
        ("try again in 1 hour", 3600),
        ("try again in an hour", 3600),
        ("try again in 1h 30m", 5400),
        ("Try again after 4 min, 59 s", 299),
        ("retry in 1 hour and 5 minutes", 3900),
        ("Retry-After: 120", 120),
        ("retry-after=PT5M", 300),
        ("try again in PT1H30S.", 3630),
        ("please try again later (after 10 minutes)", 600),
        ("come back in 04:59", 299),
        ("temporarily blocked for 24 hours", 86400),
        ("retry in 0.2 seconds", 1),
        ("retry in 0 seconds", 1),
        ("try again in 9 days", 86400),
        ("try again in 999999999 days", 86400),
        ("wait\n  15\tminutes", 900),
    ],
)
def test_a_delay_in_words_is_understood(text: str, seconds: float) -> None:
    assert asked_delay("451", text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4.7.1 Please try again later",
        "try again in a few minutes",
        "too many messages: 30 in 1 minute",
        "You have sent 100 messages in 60 minutes, which is too many",
        "try again later; the limit is 30 messages in 1 minute",
        "4.2.0 Greylisted, see http://postgrey.example.org/300",
        "try again at 12:30 UTC",
        "try again in 5 months",
        "retry 5.7.1",
        "wait 1:2:3:4",
        "wait 00:01:00:05",
        "try again in ٣ minutes",
        "try again in 1" + "0" * 500 + " minutes",
        "again in P",
    ],
)
def test_what_is_no_delay_is_none(text: str) -> None:
    assert asked_delay("451", text) is None


def test_only_a_reply_that_says_not_now_asks_for_a_delay() -> None:
    text = "try again in 5 minutes"
    assert [asked_delay(code, text) for code in ("421", "451", "429", "503", "")] == [300.0] * 5
    assert [asked_delay(code, text) for code in ("250", "550", "ErrorItemSave")] == [None] * 3
