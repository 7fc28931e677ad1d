"""What is read in a short way, because nothing is odd with it, is read as in the long way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emaild.mime import addresses, charset, contents, fingerprint, head, headers, parts, quoting
from emaild.mime.alternatives import ODD_CASE, Phrases
from emaild.mime.bounce import senders, subjects
from emaild.mime.fingerprint import fingerprint_of
from emaild.mime.parts import opened
from emaild.mime.view import facts_of
from emaild.settings.properties import MimeProperties
from tests.fuzz.mutations import mutant
from tests.fuzz.seeds import SEEDS

READING = MimeProperties()
ALL_CODECS = {"", *charset.CODECS, *charset.MEANT.values(), *charset.MORE.values()}
NAMES = ["Ann", '"Miller, Ann"', "=?utf-8?q?Ann_Gr=C3=BCn?=", "Grün", "Miller, Ann", "", "a@b.c", "=?x?q?,<y@z>?=", "("]
ADDRESSES = [
    "<ann@b.example>",
    "ann@b.example",
    "<a+b=c@d.example>",
    "<mailto:a@b.c>",
    "<a @ b.c>",
    "<>",
    "Ann",
    "a@b>",
]
LINES = [
    "From: Ann <a@b.c>",
    "To:",
    "X-A \t: \t x \t",
    " folded",
    "\tfolded",
    " \t",
    "no field",
    ">From x",
    "X: \xfc",
    "",
]
TEXT_LINES = [
    "Hello",
    "> quoted",
    "",
    "On Thu, 1 May 2025 at 12:00, Ann <a@b.example> wrote:",
    "-----Original Message-----",
]
TEXT_LINES += [
    "From: Ann <a@b.example>",
    "Sent: 1 May 2025",
    "To: Bob",
    "Subject: x",
    "差出人： x",
    " — Forwarded message —",
    "10:30",
]
EVEN = st.sampled_from([letter for letter in map(chr, range(0xFFFF)) if not ODD_CASE.search(letter)])
ENDS = ["\r\n", "\n", "\r", "\r\r\n"]


def some(chance: Random, pieces: list[str], most: int) -> str:
    return "".join(chance.choice(pieces) for _ in range(chance.randint(0, most)))


@contextmanager
def the_long_way() -> Iterator[None]:
    """Nothing is read in a short way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head, "_plain", lambda raw, start: None)
        patch.setattr(addresses, "_plain", lambda value: None)
        patch.setattr(charset, "SPECIAL", ALL_CODECS)
        patch.setattr(headers, "PLAIN_DATE", re.compile("(?!)"))
        patch.setattr(quoting, "may_be_mark", lambda line: True)
        patch.setattr(quoting, "may_hold_mark", lambda text: True)
        patch.setattr(Phrases, "search", lambda self, text: self.patterns.search(text))
        patch.setattr(contents, "_lines", lambda text: contents.LINE_END.sub("\n", text))
        patch.setattr(fingerprint, "_without_white_ends", without_white_ends)
        patch.setattr(parts, "_delimiters", delimiters)
        yield


def without_white_ends(content: bytes) -> bytes:
    return re.sub(rb"(?<![ \t\r])[ \t\r]++(?=\n|\Z)", b"", content).rstrip()


def delimiters(body: bytes, line: bytes) -> Iterator[tuple[int, re.Match[bytes]]]:
    found = re.finditer(rb"(?:\A|(?<=[\r\n]))%b(--)?[ \t]*(?:%b|\Z)" % (re.escape(line), parts.LINE_END), body)
    return ((one.start(), one) for one in found)


def of_both_ways(raw: bytes, reading: MimeProperties = READING) -> list[object]:
    """Facts and fingerprint in the short way and in the long one."""
    mail = opened(raw, reading)
    found: list[object] = [(facts_of(mail), fingerprint_of(mail))]
    with the_long_way():
        mail = opened(raw, reading)
        found.append((facts_of(mail), fingerprint_of(mail)))
    return found


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_a_whole_mail(number: int) -> None:
    short, long = of_both_ways(SEEDS[number])
    assert short == long


def test_broken_mails() -> None:
    for number in range(300):
        short, long = of_both_ways(mutant(9, number))
        assert short == long, number


def test_headers() -> None:
    chance = Random(1)
    for _ in range(3000):
        end = chance.choice(ENDS[:2])
        lines = [chance.choice(LINES[:6] * 3 + LINES) for _ in range(chance.randint(0, 8))]
        raw = "".join(line + (end if chance.random() < 0.98 else chance.choice(ENDS)) for line in lines).encode(
            "latin-1"
        )
        is_mail = chance.random() < 0.5
        short = head.head(raw, blank_ends=False, mail=is_mail)
        with the_long_way():
            long = head.head(raw, blank_ends=False, mail=is_mail)
        assert (list(short[0].raw_items()), *short[1:]) == (list(long[0].raw_items()), *long[1:]), raw


def test_people() -> None:
    chance = Random(2)
    for _ in range(3000):
        pieces = [f"{chance.choice(NAMES)} {chance.choice(ADDRESSES)}" for _ in range(chance.choice((1, 1, 2, 4)))]
        value = chance.choice([", ", ",", ";", " , ", " "]).join(pieces) + chance.choice(["", "", ",", " ", '"'])
        short = addresses.people(value)
        with the_long_way():
            assert short == addresses.people(value), value


def test_dates() -> None:
    chance = Random(5)
    for _ in range(3000):
        day, month = chance.choice(["Thu, ", "", "thu ", "Thu,"]), chance.choice([*headers.MONTHS, "may", "Mai"])
        clock = f"{chance.randrange(26):02}:{chance.randrange(61):02}:{chance.randrange(61):02}"
        zone = f"{chance.choice('+-')}{chance.randrange(1600):04}" + chance.choice(["", " (CEST)", " (x)", "Z"])
        year = chance.choice([2025, 2024, 1999, 1000, 99, "0099", 9999])
        written = f"{day}{chance.randrange(33)} {month} {year} {clock} {chance.choice([zone, zone, 'GMT', ''])}"
        header = opened(f"Date: {written}\n\n".encode()).mail.header
        short = headers.date(header)
        with the_long_way():
            assert short == headers.date(header), written


@given(st.text(max_size=20), st.sampled_from(sorted(ALL_CODECS)), st.sampled_from(sorted(ALL_CODECS)))
@example("年年", "cp949", "cp949")
@example("\ufeffé", "utf_8", "")
@example("Bz", "cp037", "cp037")
def test_bytes_of_any_charset(text: str, is_in: str, said: str) -> None:
    content = text.encode(is_in or "utf-8", "ignore")
    short = charset.decoded(content, said)
    with the_long_way():
        assert short == charset.decoded(content, said)


def test_quoted_texts() -> None:
    chance = Random(3)
    for _ in range(3000):
        text = "\n".join(chance.choices(TEXT_LINES, k=chance.randint(0, 8)))
        short = quoting.apart(text)
        with the_long_way():
            assert short == quoting.apart(text), text


def test_ends_of_lines_and_white_space_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(4)
    for _ in range(3000):
        text = some(chance, ["a", " ", "\t", "b c", "\x0b", *ENDS], 12)
        assert contents._lines(text) == contents.LINE_END.sub("\n", text)
        for large in (0, 1 << 20):
            monkeypatch.setattr(fingerprint, "LARGE", large)
            assert fingerprint._without_white_ends(text.encode()) == without_white_ends(text.encode())


@pytest.mark.parametrize("boundary", ["b", "--", "a--", " b", "-"])
def test_delimiters(boundary: str) -> None:
    chance = Random(boundary)
    line = f"--{boundary}".encode()
    for _ in range(3000):
        body = some(chance, [f"--{boundary}", "--", "-", " ", "x", "\n", *ENDS], 10).encode()
        assert [(at, end.end(), end[1]) for at, end in parts._delimiters(body, line)] == [
            (at, end.end(), end[1]) for at, end in delimiters(body, line)
        ], body


@pytest.mark.parametrize("phrases", [subjects.SUBJECT_FAILED, senders.DAEMON])
def test_each_text_that_a_phrase_fits_has_a_stem(phrases: Phrases) -> None:
    @settings(max_examples=500, derandomize=True)
    @given(st.from_regex(phrases.patterns, fullmatch=True, alphabet=EVEN))
    def holds(text: str) -> None:
        assert phrases.search(text), text

    holds()


def test_letters_that_fit_another_small_one_are_seen() -> None:
    assert subjects.SUBJECT_FAILED.search(
        "DEL\N{LATIN SMALL LETTER DOTLESS I}VERY FA\N{LATIN SMALL LETTER DOTLESS I}LED"
    )


def test_hostile_fields_and_boundaries_take_no_time() -> None:
    dashes = "-" * 50_000
    names = ("a" * 99_000, "a " * 49_000, '"' * 99_000, "=?x?q?" * 16_000, "a@" * 49_000, "=?x?q?a?=" * 11_000)
    for name in names:
        assert opened(f"From: {name}\r\nTo: {name} <\r\n\r\n".encode()).mail.header.named("from")
        addresses.people(name)
        addresses.people(f"{name} <a@b.c>, " * 2)
    mail = f"Content-Type: multipart/mixed; boundary={dashes}\r\n\r\n{'-' * 2_000_000}\r\n--{dashes}\r\n\r\nx"
    assert [part.body for part in opened(mail.encode()).parts] == [b"x"]
