"""Addresses as most programs give them are read by a short way, with what the library makes of them."""

from __future__ import annotations

import random
from unittest.mock import patch

import pytest

from emaild.errors import InputError
from emaild.render import people
from emaild.render.fields import LONGEST_NAME
from emaild.render.people import PLAIN_MAILBOX, Mailbox, mailboxes
from emaild.settings.properties import MimeProperties

WRITING = MimeProperties()
GIVEN = (
    "a.b@x.example",
    "Zoe",
    "Zoe A <a@x-y.example>",
    "o'neil+1@[192.0.2.1]",
    '"Zoe, A" <a.b.c@x.example>',
    "ü@x.example",
)
ODD = "aZ9.@<> -_+!'^$=?\"(),;:\\\tü"


def read(text: str) -> tuple[Mailbox, ...] | None:
    try:
        return mailboxes([text], "To", WRITING)
    except InputError:
        return None


def read_by_the_library(text: str) -> tuple[Mailbox, ...] | None:
    with patch.object(people, "PLAIN_MAILBOX") as none:
        none.fullmatch.return_value = None
        return read(text)


@pytest.mark.parametrize("seed", range(8))
def test_the_short_way_and_the_library_agree(seed: int) -> None:
    chosen, plain = random.Random(seed), 0
    for _ in range(4000):
        text = chosen.choice(GIVEN)
        for _ in range(chosen.randint(0, 3)):
            at = chosen.randrange(len(text) + 1)
            text = text[:at] + chosen.choice(ODD) * chosen.randint(0, 2) + text[at + chosen.randint(0, 1) :]
        if PLAIN_MAILBOX.fullmatch(text):
            plain += 1
            assert read(text) == read_by_the_library(text), text
            assert read(text) is not None, text
    assert plain > 50


@pytest.mark.parametrize("text", ["desk@shop.example", "Ann Smith <ann.smith+1@shop.example>", "o'neil@x-y.example"])
def test_the_common_forms_need_no_library(text: str) -> None:
    with patch.object(people, "policy", None):
        (found,) = mailboxes([text], "To", WRITING)
    assert found.shown == text
    assert found.address in text


def test_an_address_that_is_too_long_is_refused_as_before() -> None:
    assert read(f"{'a' * LONGEST_NAME}@shop.example") is None
