"""winmail.dat unpacked: streams written here by the letter of MS-OXTNEF, and broken ones."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.files import files
from emaild.mime.tnef import SIGNATURE, unpacked
from emaild.mime.view import facts

MESSAGE, FILE = 1, 2
CODEPAGE, BODY, PROPERTIES = 0x69007, 0x2800C, 0x69003
NEW_FILE, CONTENT, TITLE, FILE_PROPERTIES = 0x69002, 0x6800F, 0x18010, 0x69005


def attribute(level: int, number: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) % 65536)


def stream(*attributes: bytes) -> bytes:
    return SIGNATURE + b"\1\0" + attribute(MESSAGE, CODEPAGE, struct.pack("<II", 1252, 0)) + b"".join(attributes)


def padded(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value + bytes(-len(value) % 4)


def properties(*given: bytes) -> bytes:
    return struct.pack("<I", len(given)) + b"".join(given)


def text_of(number: int, value: str) -> bytes:
    return struct.pack("<HHI", 0x1F, number, 1) + padded(value.encode("utf-16-le") + b"\0\0")


def bytes_of(number: int, value: bytes, kind: int = 0x102) -> bytes:
    return struct.pack("<HHI", kind, number, 1) + padded(value)


def number_of(number: int) -> bytes:
    return struct.pack("<HHI", 3, number, 7)


def named_by_text(name: str) -> bytes:
    return (
        struct.pack("<HH16sI", 0x1F, 0x8001, bytes(16), 1)
        + padded(name.encode("utf-16-le"))
        + struct.pack("<I", 1)
        + padded("value".encode("utf-16-le"))
    )


def named_by_number() -> bytes:
    return struct.pack("<HH16sII", 3, 0x8002, bytes(16), 0, 5) + struct.pack("<I", 9)


def many_numbers(number: int) -> bytes:
    return struct.pack("<HHI", 0x1003, number, 3) + struct.pack("<III", 1, 2, 3)


def file(title: str, content: bytes, *given: bytes) -> bytes:
    return (
        attribute(FILE, NEW_FILE, bytes(14))
        + attribute(FILE, TITLE, title.encode("cp1252") + b"\0")
        + (attribute(FILE, CONTENT, content) if content else b"")
        + attribute(FILE, FILE_PROPERTIES, properties(*given))
    )


def test_files_are_unpacked_with_their_long_names() -> None:
    packed = stream(
        file("SHORT~1.TXT", b"one"),
        file(
            "LONG~1.PDF",
            b"three",
            number_of(0x3705),
            named_by_text("anything"),
            named_by_number(),
            many_numbers(0x1234),
            text_of(0x3704, "LONG~1.PDF"),
            text_of(0x3707, "a lönger name.pdf"),
            text_of(0x370E, "application/pdf"),
            text_of(0x3712, "<id@x>"),
        ),
    )
    found = unpacked(packed)
    assert found is not None
    assert [(one.name, one.content_type, one.size, one.content_id) for one in found.files] == [
        ("SHORT~1.TXT", "text/plain", 3, None),
        ("a lönger name.pdf", "application/pdf", 5, "id@x"),
    ]


def test_a_name_is_in_the_codepage_that_the_stream_names() -> None:
    other = attribute(MESSAGE, CODEPAGE, struct.pack("<II", 1251, 0))
    title = attribute(FILE, NEW_FILE, bytes(14)) + attribute(FILE, TITLE, "Привет.txt".encode("cp1251") + b"\0")
    found = unpacked(stream(other, title))
    assert found is not None
    assert [one.name for one in found.files] == ["Привет.txt"]


@pytest.mark.parametrize(
    ("attributes", "text", "html"),
    [
        ([attribute(MESSAGE, BODY, b"one\r\ntwo\0")], "one\ntwo", ""),
        ([attribute(MESSAGE, PROPERTIES, properties(text_of(0x1000, "Grüße")))], "Grüße", ""),
        ([attribute(MESSAGE, PROPERTIES, properties(bytes_of(0x1013, b"<b>Gr\xfc\xdfe</b>")))], "", "<b>Grüße</b>"),
        (
            [
                attribute(
                    MESSAGE, PROPERTIES, properties(bytes_of(0x1009, bytes(8) + b"MELA" + bytes(4) + b"{\\rtf1 a}"))
                )
            ],
            "a",
            "",
        ),
    ],
    ids=["body", "text", "HTML", "RTF"],
)
def test_the_texts_are_unpacked(attributes: list[bytes], text: str, html: str) -> None:
    found = unpacked(stream(*attributes))
    assert found is not None
    assert (found.text, found.html, found.files) == (text, html, ())


def test_the_files_of_a_mail_within_are_listed_too() -> None:
    inner = stream(attribute(MESSAGE, BODY, b"not the text"), file("inner.txt", b"x"))
    found = unpacked(
        stream(file("The mail", b"", bytes_of(0x3701, bytes(16) + inner, kind=0x0D)), file("last.txt", b"y"))
    )
    assert found is not None
    assert [one.name for one in found.files] == ["The mail", "inner.txt", "last.txt"]
    assert (found.text, found.files[0].content_type) == ("", "application/ms-tnef")


def test_mails_in_mails_are_unpacked_to_a_bound() -> None:
    packed = stream(file("deepest.txt", b"x"))
    for number in range(20):
        packed = stream(file(f"{number}", b"", bytes_of(0x3701, bytes(16) + packed, kind=0x0D)))
    found = unpacked(packed)
    assert found is not None
    assert len(found.files) == 6


def test_files_are_bounded() -> None:
    found = unpacked(stream(*[file("a", b"x")] * 1500))
    assert found is not None
    assert len(found.files) == 1000


WHOLE = stream(attribute(MESSAGE, BODY, b"text\0"), file("a.txt", b"content", text_of(0x3707, "name.txt")))


@pytest.mark.parametrize("cut", [0, 3, 10, 30, 60, len(WHOLE) - 5])
def test_what_is_cut_off_is_not_unpacked(cut: int) -> None:
    assert unpacked(WHOLE[:cut]) is None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"no stream at all",
        SIGNATURE + b"\1\0" + struct.pack("<BII", 1, BODY, 1 << 31),
        stream(attribute(MESSAGE, PROPERTIES, b"\xff\xff\xff\xff")),
        stream(attribute(MESSAGE, PROPERTIES, properties(struct.pack("<HH", 0x77, 1)))),
        stream(attribute(MESSAGE, PROPERTIES, properties(struct.pack("<HHI", 0x102, 0x1013, 1 << 30)))),
        stream(
            attribute(
                MESSAGE,
                PROPERTIES,
                properties(struct.pack("<HHI", 0x1003, 1, 1 << 31)),
            )
        )
        + b"\1",
        stream(attribute(MESSAGE, PROPERTIES, b"")),
    ],
)
def test_what_is_broken_stays_as_it_is(broken: bytes) -> None:
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    (attachment,) = facts(raw + base64.encodebytes(broken)).attachments
    assert (attachment.name, attachment.size) == ("winmail.dat", len(broken))


def test_what_stands_behind_the_stream_is_passed_over() -> None:
    found = unpacked(WHOLE + b"\r\n--garbage")
    assert found is not None
    assert [one.name for one in found.files] == ["name.txt"]


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6), st.integers(0, len(WHOLE)))
def test_changed_bytes_do_no_harm(changes: list[tuple[int, int]], cut: int) -> None:
    packed = bytearray(WHOLE)
    for at, byte in changes:
        packed[at] = byte
    unpacked(bytes(packed))
    unpacked(bytes(packed[:cut]))


def mail(text: str, packed: bytes) -> bytes:
    dat = base64.encodebytes(packed).decode()
    return (
        f"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{text}\n--b\n"
        f"Content-Type: application/octet-stream; name=WINMAIL.DAT\nContent-Transfer-Encoding: base64\n\n{dat}--b--\n"
    ).encode()


def test_the_files_stand_in_place_of_winmail_dat() -> None:
    found = facts(mail("The mail.", WHOLE))
    assert (found.text, [one.name for one in found.attachments]) == ("The mail.", ["name.txt"])
    objects = file("c", b"", bytes_of(0x3701, bytes(16) + b"object", 0x0D))
    packed = stream(file("a", b"one"), file("b", b"three"), objects)
    assert [held for _, held in files(mail("The mail.", packed))] == [b"one", b"three", b"object"]


def test_the_text_counts_where_the_mail_has_no_other() -> None:
    assert facts(mail(" ", WHOLE)).text.strip() == "text"


def test_a_stream_of_megabytes_takes_no_time() -> None:
    """The test's time limit is the assertion: what takes the square of its length takes hours."""
    many = struct.pack("<HHI", 0x102, 0x1013, 500_000) + bytes(4) * 500_000
    assert unpacked(stream(attribute(MESSAGE, PROPERTIES, properties(many)))) is not None
    assert unpacked(stream(*[attribute(FILE, NEW_FILE, b"")] * 200_000)) is not None
    assert unpacked(stream(*[attribute(MESSAGE, BODY, b"")] * 200_000)) is not None
