"""A small run of the fuzzer, and that it would tell."""

from __future__ import annotations

import pytest

from emaild.message import Facts
from emaild.mime.view import facts
from tests.fuzz import mime
from tests.fuzz.mutations import mutant
from tests.fuzz.seeds import SEEDS


def test_some_hundred_broken_mails_are_read() -> None:
    seen = mime.run(300, seed=2)
    assert [why for _, why in seen.failed] == []
    assert seen.mutants == 300


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_the_mails_that_are_broken_are_whole_before(number: int) -> None:
    said = mime.storable(facts(SEEDS[number]))
    assert "order 12" in said.subject
    assert said.sender.endswith("@example.com")
    assert said.text.strip() or said.attachments


def test_a_mutant_is_always_the_same() -> None:
    assert [mutant(1, number) for number in range(20)] == [mutant(1, number) for number in range(20)]
    assert len({mutant(1, number) for number in range(20)}) > 15


@pytest.mark.parametrize("said", [Facts(text="\ud800"), Facts(text="a\0b"), Facts(subject="a\nb"), Facts(to=("a\r",))])
def test_facts_that_no_store_takes_are_told(said: Facts) -> None:
    with pytest.raises((AssertionError, UnicodeEncodeError)):
        mime.storable(said)
