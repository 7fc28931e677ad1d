"""The table of causes: every real reply finds its own row, and every row can be relied on."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest

from emaild.diagnosis import Diagnosis, Wait, diagnose, kind_of_wait
from emaild.diagnosis.diagnose import matching
from emaild.diagnosis.said import said
from emaild.diagnosis.table import FOLDER, Row, rows
from emaild.settings.option import options
from emaild.settings.properties import SmtpProperties
from emaild.settings.way_out import WayOutSection

DECLARED = {option.name for option in options(WayOutSection)}
DECLARED |= {f"mail.smtp.{option.name}" for option in options(SmtpProperties)}
SAMPLES = [(row, sample) for row in rows() for sample in row.samples]


def cause(code: str, text: str, action: str = "", server: str = "") -> str:
    found = diagnose(code, text, action=action, server=server)
    return found.cause if found else ""


@pytest.mark.parametrize(
    ("row", "sample"), SAMPLES, ids=[f"{row.diagnosis.cause}: {sample['reply'][:60]}" for row, sample in SAMPLES]
)
def test_a_real_reply_gives_its_own_row_and_no_other(row: Row, sample: dict[str, str]) -> None:
    it = said(sample.get("code", ""), sample["reply"], sample.get("action", ""), sample.get("server", ""))
    assert [found.diagnosis.cause for found in matching(it)] == [row.diagnosis.cause]
    given = {name: sample[name] for name in ("action", "server") if name in sample}
    assert diagnose(sample.get("code", ""), sample["reply"], **given) == row.diagnosis


def test_every_row_has_a_sample_with_its_source() -> None:
    assert len(rows()) > 80
    for row in rows():
        assert row.samples, row.diagnosis.cause
        for sample in row.samples:
            assert set(sample) <= {"reply", "source", "at", "code", "action", "server"}
            assert sample["source"].strip(), row.diagnosis.cause


def test_causes_are_unique_keys_in_the_order_of_their_files() -> None:
    causes = [row.diagnosis.cause for row in rows()]
    assert [key for key, count in Counter(causes).items() if count > 1] == []
    assert [key for key in causes if not re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", key)] == []
    for file in FOLDER.glob("*.toml"):
        keys = [row["key"] for row in tomllib.loads(file.read_text(encoding="utf-8"))["cause"]]
        assert keys == sorted(keys), file.name


def test_a_remedy_names_options_that_exist() -> None:
    for row in rows():
        assert set(row.options) <= DECLARED, row.diagnosis.cause
        for option in row.options:
            assert re.search(rf"(?<![\w.-]){re.escape(option)}(?![\w-])", row.diagnosis.remedy), (row, option)


def test_an_option_that_a_remedy_names_is_among_its_options() -> None:
    """Names with a hyphen or a dot cannot be ordinary words."""
    for row in rows():
        words = set(re.findall(r"(?<![\w$.-])[a-z][\w.]*(?:-[\w.]+)+|mail\.[\w.]+\w", row.diagnosis.remedy))
        named = {word.rstrip(".") for word in words} & DECLARED
        assert named <= set(row.options), row.diagnosis.cause
        assert [word for word in words if word.startswith("mail.") and word not in DECLARED] == []


def test_texts_are_short_sentences() -> None:
    for row in rows():
        it = row.diagnosis
        assert 10 <= len(it.title) <= 90, it.cause
        assert not it.title.endswith("."), it.cause
        for text in (it.explanation, it.remedy):
            assert 20 <= len(text) <= 200, (it.cause, len(text))
            assert text.endswith((".", "?")), it.cause
            assert text.isprintable(), it.cause


# What counts more


def test_an_exact_status_counts_more_than_words() -> None:
    assert cause("550", "5.1.1 sorry, spam is not welcome, mailbox full") == "mailbox-unknown"


def test_words_count_more_than_a_status_that_says_little() -> None:
    assert cause("554", "5.7.1 <a@b.example>: Relay access denied") == "relay-denied"
    assert cause("554", "5.7.1 Hello") == "policy"


def test_the_code_counts_where_nothing_else_is_known() -> None:
    assert cause("452", "Nein") == "server-full"
    assert cause("550", "") == "mailbox-unavailable"
    assert cause("299", "") == ""


def test_the_code_of_http_is_not_one_of_smtp() -> None:
    assert cause("503", "Hello", server="https://mail.example.com/EWS/Exchange.asmx") == "server-busy"
    assert cause("503", "Hello", server="mail.example.com:25") == "command-refused"


def test_the_provider_is_known_by_its_server_or_by_its_words() -> None:
    text = "5.7.8 Bad credentials"
    assert cause("535", text, server="smtp.gmail.com:587") == "google-password-wrong"
    assert cause("535", f"{text} x1sm - gsmtp", server="192.0.2.1:25") == "google-password-wrong"
    assert cause("535", text, server="mail.example.com:587") == "password-wrong"
    assert cause("535", text, server="notgmail.com:587") == "password-wrong"


def test_the_server_counts_more_than_words_about_another() -> None:
    assert cause("535", "5.7.8 see support.google.com", server="smtp.office365.com:587") == "password-wrong"


# How a reply may be written


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("550", "5.1.1 gone"),
        ("", "550 5.1.1 gone"),
        ("", "550-5.1.1 gone 550 5.1.1 really"),
        ("", "5.1.1 gone"),
        ("", "smtp; 550 5.1.1 gone"),
        ("550", "#5.1.1 gone"),
        ("550", "gone (#5.1.1)"),
        ("550", "sent to nobody, for the server refused ann@example.com: 5.1.1 gone"),
        ("550", "5.1.1\r\n\tgone"),
    ],
)
def test_code_and_status_are_found_where_they_may_stand(code: str, text: str) -> None:
    assert cause(code, text) == "mailbox-unknown"


@pytest.mark.parametrize("text", ["[5.1.1.7] hello", "5.1.1.7 hello", "15.1.1 hello", "5.1.1111 hello"])
def test_what_only_looks_like_a_status_is_none(text: str) -> None:
    assert cause("550", text) == "mailbox-unavailable"


def test_a_sentence_goes_on_over_the_lines_of_a_reply() -> None:
    text = "5.7.0 This message was blocked because its content presents a potential\n5.7.0 security issue."
    assert cause("552", text) == "content-refused"


def test_a_number_in_a_failure_of_the_way_is_no_code() -> None:
    assert cause("", "no answer in time", action="connect") == "connection-timed-out"
    assert cause("", "Graph asked to be left alone for 421 s more", action="send") == "graph-waiting"


def test_what_nobody_knows_has_no_diagnosis() -> None:
    assert diagnose("", "") is None
    assert diagnose("", "something quite different", action="connect") is None


def test_a_diagnosis_shows_nothing_of_what_was_said() -> None:
    found = diagnose("535", "5.7.8 hunter2 is not the password of joe")
    assert isinstance(found, Diagnosis)
    assert "hunter2" not in repr(found)


# For what a mail waits


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        ("450 4.2.0 <joe@example.com>: Recipient address rejected: Greylisted", Wait.GREYLISTED),
        ("451 4.7.1 Please try again later", Wait.GREYLISTED),
        ("421 4.7.0 mail.example.com Error: too many connections from 192.0.2.1", Wait.THROTTLED),
        ("421 mail.example.com closing", Wait.THROTTLED),
        ("452 4.2.2 Mailbox full", Wait.FULL),
        ("451 4.3.0 Error: queue file write error", Wait.PLAIN),
        ("451 something new", Wait.PLAIN),
        ("something new", Wait.PLAIN),
    ],
)
def test_the_kind_of_wait_follows_from_the_reply(reply: str, wait: Wait) -> None:
    assert kind_of_wait("", reply) is wait
    code, _, text = reply.partition(" ")
    assert kind_of_wait(code, text) is (wait if code.isdigit() else Wait.PLAIN)
