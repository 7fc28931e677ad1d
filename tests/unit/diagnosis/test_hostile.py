"""A server may say anything: there is no exception, and time grows with what is looked at, not with what was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.diagnosis import Diagnosis, Wait, asked_delay, diagnose, kind_of_wait
from emaild.diagnosis.table import rows

MEGABYTE = 1 << 20
PIECES = [sample["reply"] for row in rows() for sample in row.samples]
PIECES += ["again in ", "5.1.1 ", "550-", "1 h ", "00:", "user ", "PT1H", " ", "\n", "A" * 70, "Ab" * 40, "a.", "\x00"]
CODES = ["", "421", "550", "ErrorItemSave"]


def all_of_it(code: str, text: str, action: str, server: str) -> None:
    assert isinstance(diagnose(code, text, action=action, server=server), Diagnosis | None)
    assert isinstance(kind_of_wait(code, text, server=server), Wait)
    delay = asked_delay(code, text)
    assert delay is None or 1 <= delay <= 86400


@given(st.text(), st.text(), st.text(), st.text())
def test_any_text_is_taken(code: str, text: str, action: str, server: str) -> None:
    all_of_it(code, text, action, server)


@given(st.binary())
def test_any_bytes_that_came_as_text_are_taken(raw: bytes) -> None:
    for text in (raw.decode("latin-1"), raw.decode("utf-8", "replace"), raw.decode("utf-8", "surrogateescape")):
        all_of_it("550", text, "", "")
        all_of_it(text, text, text, text)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.sampled_from(CODES))
def test_pieces_of_replies_in_any_order_are_taken(text: str, code: str) -> None:
    all_of_it(code, text, text, text)


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
def test_a_megabyte_of_anything_costs_no_more_than_its_beginning(piece: str) -> None:
    """Were time quadratic in the size, one of these would take hours."""
    text = piece * (MEGABYTE // len(piece))
    all_of_it("", text, text, text)
    all_of_it("451", text, text, text)


def test_only_the_beginning_of_a_long_text_counts() -> None:
    assert diagnose("299", " " * MEGABYTE + "mailbox full") is None
