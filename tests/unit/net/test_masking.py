"""Secrets that a server repeats are masked, whatever they were turned into on the way."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.net.masking import masked
from emaild.settings.secret import Secret

SECRET = "p&w <ö/€ \"'\\+%41 𝄞"
FORMS: dict[str, Callable[[str], str]] = {
    "itself": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "some percent": lambda text: quote(text, safe="/&+<"),
    "small percent": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "form": quote_plus,
    "XML": escape,
    "decimal": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in JSON": lambda text: base64.b64encode(text.encode()).decode().replace("/", "\\/"),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}


@pytest.mark.parametrize("form", FORMS)
def test_secret_is_masked_in_every_form_and_the_words_around_it_stay(form: str) -> None:
    said = f"I have no {FORMS[form](SECRET)}, only 100 % of ö &amp; €; no {FORMS[form](SECRET)}!"
    assert masked(said, [Secret("other"), Secret(SECRET)]) == "I have no ***, only 100 % of ö &amp; €; no ***!"


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user", "user=ann\1auth=Bearer "])
@pytest.mark.parametrize("after", ["", "\1", "\1\1", "\1\1\1"])
def test_secret_within_a_message_in_base64_is_masked_with_all_of_it(before: str, after: str) -> None:
    message = base64.b64encode(f"{before}ya29.TOKEN~{after}".encode()).decode()
    assert masked(f"BAD AUTHENTICATE XOAUTH2 {message}", [Secret("ya29.TOKEN~")]) == "BAD AUTHENTICATE XOAUTH2 ***"


def test_one_secret_within_another_and_two_that_touch_are_masked_whole() -> None:
    assert masked("<abcdef> <cdabcd>", [Secret("cd"), Secret("abcdef"), Secret("ab")]) == "<***> <*********>"


def test_words_without_a_secret_and_secrets_that_are_empty_change_nothing() -> None:
    assert masked("50 % of \ud800 %zz &#9999999; \\ud83d \\u", [Secret("x1"), Secret("")]).startswith("50 % of")
    assert masked("a b", []) == masked("a b", [Secret("")]) == "a b"


@given(st.text(), st.text(min_size=1), st.text(), st.sampled_from(list(FORMS.values())))
def test_no_secret_is_left_in_any_words(before: str, secret: str, after: str, form: Callable[[str], str]) -> None:
    said = masked(f"{before} {form(secret)} {after}", [Secret(secret)])
    assert form(secret) not in said.replace("***", "") or form(secret) in f"{before} {after}"


def test_words_of_megabytes_are_masked_in_a_time_that_grows_with_their_size() -> None:
    token = "a" * 2000 + "b"
    for words in ("a" * (1 << 20), "%61" * (1 << 18), token * 500, base64.b64encode(b"a" * (1 << 20)).decode()):
        assert token not in masked(words, [Secret(token)])
