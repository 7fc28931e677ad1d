"""The beginning of a mail that still is a mail, and the note of what is missing."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from emaild.mime.cut import LONGEST_NOTE, NOTE, cut, noted
from emaild.mime.view import facts

HEADER = b"Subject: Long\r\nFrom: ann@example.com\r\n"
TEXT = b"The first line.\r\n" + b"Another line.\r\n" * 100
NESTED = (
    HEADER + b'Content-Type: multipart/mixed; boundary="outer"\r\n\r\nThis is in MIME.\r\n'
    b'--outer\r\nContent-Type: multipart/alternative; boundary="inner"\r\n\r\n'
    b"--inner\r\nContent-Type: text/plain\r\n\r\n" + TEXT + b"--inner\r\nContent-Type: text/html\r\n\r\n"
    b"<p>" + b"Another line.<br>\r\n" * 100 + b"\r\n--inner--\r\n"
    b"--outer\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"QUJD\r\n" * 500
    + b"--outer--\r\n"
)


def test_the_header_is_whole_whatever_the_limit_is() -> None:
    assert cut(HEADER + b"\r\n" + TEXT, 5) == HEADER + b"\r\n"


def test_whole_lines_are_kept_up_to_the_limit() -> None:
    kept = cut(HEADER + b"\r\n" + TEXT, len(HEADER) + 40)
    assert kept == HEADER + b"\r\nThe first line.\r\nAnother line.\r\n"


def test_a_line_without_end_is_cut_where_the_limit_is() -> None:
    assert cut(HEADER + b"\r\n" + b"x" * 5000, 1000) == HEADER + b"\r\n" + b"x" * (1000 - len(HEADER) - 2)


@pytest.mark.parametrize("most", range(0, len(NESTED), 7))
def test_multiparts_are_closed_wherever_they_are_cut(most: int) -> None:
    """The standard library reads it without a defect of a boundary, and we read whole lines of the text."""
    kept = cut(NESTED, most)
    assert kept.startswith(NESTED[: min(most, NESTED.index(b"\r\n\r\n"))][:-20])
    parsed = message_from_bytes(kept, policy=policy.default)
    wrong = {type(defect).__name__ for part in parsed.walk() for defect in part.defects}
    assert "CloseBoundaryNotFoundDefect" not in wrong
    assert all(line in ("The first line.", "Another line.", "") for line in facts(kept).text.splitlines())
    assert len(kept) <= max(most, NESTED.index(b"This is in")) + len(b"\r\n--outer--\r\n--inner--\r\n")


def test_a_part_of_which_the_header_is_cut_is_left_out() -> None:
    kept = cut(NESTED, NESTED.index(b"Content-Transfer-Encoding"))
    assert b"a.pdf" not in kept
    assert facts(kept).attachments == ()
    assert kept.endswith(b"--inner--\r\n--outer--\r\n")


def test_what_is_whole_is_closed_no_second_time() -> None:
    whole = NESTED + b"An epilogue.\r\n\r\nIt goes on.\r\n"
    assert cut(whole, len(whole)) == whole


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"no header at all", b"\r\n\r\nx", b"Content-Type: multipart/mixed\r\n\r\n--\r\n"]
)
@pytest.mark.parametrize("most", [0, 3, 100])
def test_bytes_of_any_kind_do_no_harm(raw: bytes, most: int) -> None:
    assert len(cut(raw, most)) <= len(raw)


def test_mails_deep_in_one_another_are_cut_in_time_of_their_size() -> None:
    """Each level costs a look at the rest: without a limit of levels this would take hours."""
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (number, number) for number in range(20_000)
    )
    assert cut(deep, len(deep)).startswith(deep[:1000])


def test_the_note_is_read_before_one_that_the_sender_wrote() -> None:
    forged = f"{NOTE}: nothing\r\n".encode() + HEADER + b"\r\nx"
    said = facts(noted(forged, "attachments: Überblick.pdf"))
    assert said.headers[0] == (NOTE, "attachments: Überblick.pdf")
    assert said.subject == "Long"


@pytest.mark.parametrize("before", [b"", b"\r\n \r\n", b"\xef\xbb\xbf", b"From ann Mon Mar  2 09:30:00 2026\r\n"])
def test_a_mail_with_something_before_its_header_keeps_it(before: bytes) -> None:
    said = facts(noted(before + HEADER + b"\r\nHello", "x"))
    assert (said.headers[0], said.subject, said.text) == ((NOTE, "x"), "Long", "Hello")


def test_a_note_is_one_line_and_not_long() -> None:
    said = facts(noted(HEADER + b"\r\nx", "a\r\nSubject: b\0" + "c" * 50_000))
    assert len(said.headers[0][1]) <= LONGEST_NOTE
    assert said.subject == "Long"
