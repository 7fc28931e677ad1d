"""Mails made ready for Microsoft Graph: their recipients, and large ones taken apart."""

from __future__ import annotations

import email
import email.utils
from base64 import encodebytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.sinks.envelope import addressed, author
from emaild.sinks.graph_files import PIECE, apart, is_sealed

ADDRESSES = ["ann@example.com", "Bob@Example.com", "o'neil+x@example.net"]


def recipients(raw: bytes) -> list[str]:
    header = email.message_from_bytes(raw)
    values = [str(value) for name in ("To", "Cc", "Bcc") for value in header.get_all(name, [])]
    return sorted(address for _, address in email.utils.getaddresses(values) if address)


@given(
    to=st.lists(st.sampled_from(ADDRESSES)), cc=st.lists(st.sampled_from(ADDRESSES)),
    wanted=st.sets(st.sampled_from(ADDRESSES), min_size=1),
)  # fmt: skip
def test_whatever_the_header_names_the_envelope_alone_counts(to: list[str], cc: list[str], wanted: set[str]) -> None:
    lists = "".join(f"{name}: {', '.join(of)}\r\n" for name, of in (("To", to), ("Cc", cc)) if of)
    raw = f"From: x@example.com\r\n{lists}Subject: To: nobody@example.com\r\n\r\nTo: body@example.com\r\n".encode()
    made = addressed(raw, sorted(wanted))
    assert set(recipients(made)) == wanted
    assert made.endswith(b"Subject: To: nobody@example.com\r\n\r\nTo: body@example.com\r\n") or b"\r\nBcc: " in made
    if {*to, *cc} == wanted:
        assert made is raw


def test_many_hidden_recipients_make_no_long_line() -> None:
    wanted = [f"customer{number}@example.com" for number in range(500)]
    made = addressed(b"From: x@example.com\r\n\r\nHello\r\n", wanted)
    assert recipients(made) == sorted(wanted)
    assert max(map(len, made.split(b"\r\n"))) < 78


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"From: Ann <ann@example.com>\r\nTo: b@x\r\n\r\n", "ann@example.com"),
        (b"To: b@x\r\nFROM :\r\n =?utf-8?q?=C3=A4?= <ann@example.com>, b@x\r\n\r\nFrom: c@x", "ann@example.com"),
        (b"X-From: c@x\r\n\r\nFrom: c@x\r\n", ""),
        (b"From: Nobody\r\n", ""),
    ],
)
def test_the_author_is_the_first_of_from(header: bytes, found: str) -> None:
    assert author(header) == found


# Large mails


def part(content: bytes, kind: str = "application/pdf", more: str = "") -> bytes:
    head = f'Content-Type: {kind}\r\nContent-Disposition: attachment; filename="a b.pdf"\r\n{more}'
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + encodebytes(content).replace(b"\n", b"\r\n")


def mixed(*parts: bytes, kind: str = "multipart/mixed", end: bytes = b"\r\n--B=_1--\r\n") -> bytes:
    head = f'From: x@example.com\r\nContent-Type: {kind};\r\n boundary="B=_1"\r\n\r\n'.encode()
    return head + b"".join(b"\r\n--B=_1\r\n" + one for one in parts) + end


TEXT = b"Content-Type: text/plain\r\n\r\nHello\r\n--B=_12 is no delimiter\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 57, 1000, PIECE, PIECE + 1, PIECE * 2 + 12345])
def test_a_file_comes_out_as_it_went_in_piece_by_piece(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    found = apart(mixed(TEXT, part(content[:size])), 200)
    assert found is not None
    small, (file,) = found
    pieces = list(file.pieces())
    assert b"".join(pieces) == content[:size]
    assert file.size == size
    assert max(map(len, pieces)) < 4 << 20
    assert small == mixed(TEXT)


def test_files_in_other_encodings_come_out_too() -> None:
    plain = b"Content-Type: text/csv\r\nContent-Disposition: attachment\r\n\r\na;b\r\n" + b"x" * 500
    quoted = b"Content-Type: text/csv; name=q.csv\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=41" * 300
    found = apart(mixed(TEXT, plain, quoted), 200)
    assert found is not None
    assert [(file.name, b"".join(file.pieces())) for file in found[1]] == [
        ("attachment", b"a;b\r\n" + b"x" * 500),
        ("q.csv", b"A" * 300),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        mixed(TEXT, part(b"x" * 5000), kind="multipart/signed"),
        mixed(TEXT, b"Content-Type: text/plain\r\n\r\n" + b"x" * 5000),
        mixed(TEXT, part(b"x" * 5000, kind="multipart/mixed; boundary=C")),
        mixed(TEXT, part(b"x" * 5000).replace(b"eHh4", b"e*h=")),
        mixed(TEXT, part(b"x" * 5000), end=b""),
        b"From: x@example.com\r\n\r\n" + b"x" * 5000,
        b"",
        b"Content-Type: multipart/mixed; boundary=B=_1\r\n" + b"x" * 5000,
    ],
    ids=["signed", "text", "multipart", "not base64", "cut off", "plain", "empty", "no body"],
)
def test_what_holds_no_file_that_can_be_taken_out_stays_whole(raw: bytes) -> None:
    assert apart(raw, -1 if not raw else 200) is None


@given(st.binary(), st.integers(min_value=0, max_value=100))
def test_any_bytes_after_a_header_are_no_fault(rest: bytes, most: int) -> None:
    for raw in (rest, mixed(TEXT, rest), mixed(TEXT, part(b"x" * 50) + rest), mixed(rest, end=rest)):
        found = apart(raw, most)
        assert found is None or len(found[0]) <= max(most, len(raw))
        assert is_sealed(raw) in (True, False)
        addressed(raw, ["ann@example.com"])


def test_ten_thousand_delimiters_and_a_megabyte_of_header_take_no_time_of_note() -> None:
    """Were it quadratic, this would take minutes."""
    raw = mixed(*([part(b"x")] * 10_000))
    assert apart(raw, 100) is not None
    assert not is_sealed(raw)
    assert apart(mixed(b"X: y\r\n" * 200_000 + b"\r\n" + b"x" * 5000), 100) is None
    addressed(b"To: " + b"a@example.com, " * 70_000 + b"b@example.com\r\n\r\n", ["b@example.com"])
