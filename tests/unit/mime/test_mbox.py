"""Mails out of an mbox, whichever program wrote it."""

from __future__ import annotations

import io
import mailbox
import tracemalloc
from collections.abc import Iterator
from itertools import chain, islice, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.mbox import mails

LARGEST = 1_000_000
FROM = b"From ann@home.example Thu May  1 10:00:00 2025\n"


def read(content: bytes, largest: int = LARGEST, piece: int = 1000) -> list[bytes | None]:
    stream = io.BytesIO(content)
    return list(mails(iter(lambda: stream.readline(piece), b""), largest))


def test_mails_are_told_apart_and_have_nothing_of_the_mbox() -> None:
    assert read(FROM + b"Subject: 1\n\none\n\n" + FROM + b"Subject: 2\n\ntwo\n") == [
        b"Subject: 1\n\none\n",
        b"Subject: 2\n\ntwo\n",
    ]


def test_line_ends_of_windows_are_kept() -> None:
    start = FROM.replace(b"\n", b"\r\n")
    assert read(start + b"Subject: 1\r\n\r\none\r\n\r\n" + start + b"\r\n") == [b"Subject: 1\r\n\r\none\r\n", b""]


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_quoted_lines_lose_one_mark(depth: int) -> None:
    quoted = b">" * depth + b"From here on.\n"
    assert read(FROM + b"Subject: 1\n\n>" + quoted + b"> From me\n>Fromage\n") == [
        b"Subject: 1\n\n" + quoted + b"> From me\n>Fromage\n"
    ]


@pytest.mark.parametrize(
    "start",
    [
        b"From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
        b"From ann at home.example  Fri Jan  2 09:08:07 2004",
        b"From - Wed Mar 04 11:02:31 2015",
        b"From 1498762349872@xxx Thu Apr 16 18:12:45 +0000 2015",
        b"From ann@home.example Mon Jan  1 9:05 CET 1996",
        b"From ann@home.example  Thu May  1 10:00:00 2025 +0200",
    ],
)
def test_a_line_with_a_time_starts_a_mail_even_where_no_line_is_empty_before_it(start: bytes) -> None:
    assert read(FROM + b"Subject: 1\n\none\n" + start + b"\nSubject: 2\n\ntwo\n") == [
        b"Subject: 1\n\none\n",
        b"Subject: 2\n\ntwo\n",
    ]


def test_a_line_without_a_time_starts_a_mail_before_a_header() -> None:
    assert read(b"From nobody\nSubject: 1\n\none\n\nFrom nobody\nSubject: 2\n\ntwo\n") == [
        b"Subject: 1\n\none\n",
        b"Subject: 2\n\ntwo\n",
    ]


def test_a_sentence_starts_no_mail() -> None:
    text = b"Subject: 1\n\nSee below.\n\nFrom what I know, it is so.\n\nFrom: nobody\nFrom here\nNote: x\n"
    assert read(FROM + text) == [text]


def test_a_line_that_comes_in_pieces_is_one_line() -> None:
    text = b"Subject: 1\n\n" + b"xFrom ann 10:00 2025 " * 20 + b"\n"
    assert read(FROM + text, piece=len(FROM)) == [text]
    for follows in (FROM, b">From here\n"):
        text = b"A: " + b"x" * (len(FROM) - 3) + follows
        assert read(FROM + text, piece=len(FROM)) == [text]


def test_a_mail_that_is_too_large_is_passed_over() -> None:
    big = FROM + b"Subject: big\n\n" + b"x\n" * 100
    assert read(big + b"\n" + FROM + b"Subject: 2\n\n", largest=100) == [None, b"Subject: 2\n"]


def test_a_file_without_end_is_read_as_it_comes() -> None:
    endless: Iterator[bytes] = (line for _ in repeat(None) for line in (FROM, b"Subject: x\n", b"\n", b"x\n", b"\n"))
    assert list(islice(mails(endless, LARGEST), 1000)) == [b"Subject: x\n\nx\n"] * 1000


def test_a_mail_that_is_too_large_takes_no_memory() -> None:
    lines = (b"%06d" % number * 20_000 + b"\n" for number in range(1000))
    tracemalloc.start()
    try:
        assert list(mails(chain([FROM], lines), LARGEST)) == [None]
        assert tracemalloc.get_traced_memory()[1] < 5 * LARGEST
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("content", [b"Subject: x\n\ntext\n", b"\n\nx\nFrom a\n", b"\x00" * 5000, b"From"])
def test_what_is_no_mbox_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no mbox"):
        read(content)


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n\n"])
def test_an_empty_mbox_has_no_mails(content: bytes) -> None:
    assert read(content) == []


@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(60, 100))
def test_any_bytes_make_mails_or_are_refused(bodies: list[bytes], piece: int) -> None:
    content = b"".join(FROM + body + b"\n" for body in bodies)
    found = read(content, piece=piece)
    assert len(found) == len(bodies)


def test_what_pythons_mailbox_writes_is_read_as_it_was(tmp_path: Path) -> None:
    written = [b"Subject: 1\n\none\n", b"Subject: 2\n\n\nFrom here\n\n\n", b"Subject: 3\n\nthree"]
    box = mailbox.mbox(tmp_path / "a.mbox")
    for raw in written:
        box.add(raw)
    box.flush()
    box.close()
    assert read((tmp_path / "a.mbox").read_bytes()) == [*written[:2], written[2] + b"\n"]
