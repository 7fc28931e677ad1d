"""Ids, and what shows of mails when they are printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from emaild.message import Facts, Inbound, new_id
from tests.clock import START
from tests.samples import outbound


def test_an_id_is_sixteen_digits_and_capitals() -> None:
    assert all(re.fullmatch(r"[0-9A-Z]{16}", new_id(START)) for _ in range(1000))


def test_ids_sort_by_the_time_they_were_made() -> None:
    moments = [START + timedelta(milliseconds=10**number) for number in range(14)]
    moments += [datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)]
    ids = [new_id(moment) for moment in sorted(moments)]
    assert ids == sorted(ids)


def test_ids_of_one_instant_differ() -> None:
    assert len({new_id(START) for _ in range(100)}) == 100


def test_the_text_of_a_mail_does_not_show_when_it_is_printed() -> None:
    shown = repr((Inbound(key="1", raw=b"private"), Facts(text="private", html="private"), outbound(raw=b"private")))
    assert "private" not in shown
