"""The prefix of an answer's subject: there once, whatever was there before."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.render.subjects import LONGEST, LONGEST_PREFIX, prefixed
from tests.composing import composed


@pytest.mark.parametrize(
    ("subject", "prefix", "becomes"),
    [
        ("Order 5", "Re:", "Re: Order 5"),
        ("RE: Order 5", "Re:", "Re: Order 5"),
        ("Re:Order 5", "Re: ", "Re: Order 5"),
        ("re: AW: Re[2]: RE : Re (3): Re^2: SV:Antw: Order 5", "Re:", "Re: Order 5"),
        ("Re: FW: Order 5", "RE:", "RE: FW: Order 5"),
        ("Fwd: WG: tr: Order 5", "FW:", "FW: Order 5"),
        ("FW: Re: Order 5", "Fwd:", "Fwd: Re: Order 5"),
        ("回复：订单", "Re:", "Re: 订单"),
        ("Order Re: 5", "Re:", "Re: Order Re: 5"),
        ("Rest and recover: how", "Re:", "Re: Rest and recover: how"),
        ("Re Order 5", "Re:", "Re: Re Order 5"),
        ("our answer: OUR ANSWER: Re: x", "Our answer:", "Our answer: Re: x"),
        ("Answers", "Answer", "Answer Answers"),
        ("answer: Answer x", "Answer", "Answer x"),
        ("[Ticket] (a*b) x", "[Ticket] (a*b)", "[Ticket] (a*b) x"),
        ("Re: [#0123456789ABCDEF] x", "Re:", "Re: [#0123456789ABCDEF] x"),
        ("Re:", "Re:", "Re:"),
        ("", "Re:", "Re:"),
        ("Re: x", "", "Re: x"),
    ],
)
def test_the_prefix_stands_there_once(subject: str, prefix: str, becomes: str) -> None:
    assert prefixed(subject, prefix) == becomes
    assert prefixed(becomes, prefix) == becomes


@pytest.mark.parametrize("end", ["\r\nBcc: x@y.z", "\0", "\x85\u2028z", "\x0b\x1cz", "\ud800"], ids=ascii)
def test_a_subject_becomes_one_that_every_mail_can_carry(end: str) -> None:
    found = prefixed(f"a{end}", f"Re:{end}")
    assert re.search(r"[\0-\x1f\x85\u2028\ud800-\udfff]", found) is None
    composed(subject=found)


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_becomes_a_subject(subject: str, prefix: str) -> None:
    composed(subject=prefixed(subject, prefix))


@pytest.mark.parametrize("unit", ["x", "Re:", "Re[2]: ", " ", "Re[1111", "re\t"])
def test_a_subject_has_a_bound(unit: str) -> None:
    """Megabytes of what looks like prefixes would take minutes if they were looked at again and again."""
    found = prefixed(unit * 3_000_000 + "end", unit * 1_000_000)
    assert len(found) <= LONGEST + LONGEST_PREFIX
    assert len(prefixed("x" * 5000, "Re:")) == LONGEST
